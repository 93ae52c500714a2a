/** The quickest of the named crash points; all of them are played in points.long.test.ts. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { RECOVERER_STATEMENTS } from "../../server/src/delivery/recover.ts";
import { STATEMENTS } from "../../server/src/delivery/store.ts";
import { play } from "./play.ts";
import { POINTS } from "./points.ts";

/** Each starts a process or two. */
const LIMIT_MS = 120_000;

test("each crash point has a name of its own", () => {
  expect(new Set(POINTS.map(({ name }) => name)).size).toBe(POINTS.length);
});

test("each statement of the engine has a crash point", () => {
  const names = [STATEMENTS, RECOVERER_STATEMENTS].flatMap((one) => Object.keys(one));
  const withPoint = new Set(POINTS.map(({ statement }) => statement));
  expect([...withPoint].filter((name) => name !== undefined).toSorted()).toEqual(names.toSorted());
});

test("the engine has no named statement besides those of its lists", () => {
  const folder = new URL("../../server/src/delivery/", import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"));
  const named = files.flatMap((file) => [
    ...readFileSync(new URL(file, folder), "utf8").matchAll(/["`]engine_(\w+)["`]/g),
  ]);
  expect(named.map(([, name]) => name).filter((name) => !Object.hasOwn(RECOVERER_STATEMENTS, name ?? ""))).toEqual([]);
});

test.concurrent.each(POINTS.filter(({ isQuick }) => isQuick).map((point) => [point.name, point] as const))(
  "a kill at %s loses nothing",
  async (_name, point) => {
    await play(point);
  },
  LIMIT_MS,
);
