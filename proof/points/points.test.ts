/** The quickest of the named crash points; all of them are played in points.long.test.ts. */
import { expect, test } from "vitest";
import { play } from "./play.ts";
import { POINTS } from "./points.ts";

/** Each starts a process or two. */
const LIMIT_MS = 120_000;

test("there are at least 15 crash points, each with a name of its own", () => {
  expect(new Set(POINTS.map(({ name }) => name)).size).toBe(POINTS.length);
  expect(POINTS.length).toBeGreaterThanOrEqual(15);
});

test.concurrent.each(POINTS.filter(({ isQuick }) => isQuick).map((point) => [point.name, point] as const))(
  "a kill at %s loses nothing",
  async (_name, point) => {
    await play(point);
  },
  LIMIT_MS,
);
