/** One of each fault and a few kills, at random moments under load, judged from the outside. `npm run crash` is the same for longer. */
import { beforeAll, expect, test } from "vitest";
import { FAULTS, type Fault } from "./faults.ts";
import { crash } from "./harness.ts";
import type { CrashFigures } from "./reckoning.ts";

const LIMIT_MS = 900_000;
const faults: Fault[] = FAULTS.flatMap((fault): Fault[] => (fault === "kill" ? ["kill", "kill"] : [fault]));
const seed = Math.floor(Math.random() * 2 ** 31);
let figures: CrashFigures;

beforeAll(async () => {
  figures = await crash({
    ...{ faults, seed, pauseMs: 2_000, nodes: 2, perSecond: 20, keep: false },
    ...{ signal: new AbortController().signal, say: () => {} },
  });
}, LIMIT_MS);

test("nothing accepted is lost, whatever strikes, and nothing comes twice that was not in flight then", () => {
  expect(figures.violations, `seed ${seed}`).toEqual([]);
  expect(figures.lost).toBe(0);
  expect(figures.accepted).toBeGreaterThan(100);
});

test("every fault struck but the full disk, and the kills hit nodes with requests in flight", () => {
  const { disk: _, ...others } = Object.fromEntries(
    FAULTS.map((fault) => [fault, figures.byFault.get(fault)?.strikes]),
  );
  expect(others).toEqual({ kill: 2, immediate: 1, terminate: 1, halfopen: 1, idle: 1, clock: 1 });
  expect(figures.byFault.get("kill")?.underLoad).toBeGreaterThan(0);
});

test("the disk was full", ({ skip }) => {
  if (figures.disk.problem !== null) skip(figures.disk.problem);
  expect(figures.byFault.get("disk")?.strikes).toBe(1);
});
