/** However many news come, what is dear is read only every so often, and never without the last of them. */
import { expect, it } from "vitest";
import { HandClock } from "./hand-clock.ts";
import { Seldom } from "./seldom.ts";

const EVERY_MS = 15_000;

function begin() {
  const clock = new HandClock();
  const runs: number[] = [];
  const seldom = new Seldom(EVERY_MS, () => runs.push(clock.nowMs()), clock);
  return { clock, runs, seldom };
}

it("runs once in so long while it is asked for all the time, and a last time after it", () => {
  const { clock, runs, seldom } = begin();
  for (let second = 0; second < 40; second += 1) {
    seldom.ask();
    clock.pass(1_000);
  }
  expect(runs).toEqual([15_000, 30_000]);
  clock.pass(EVERY_MS);
  expect(runs).toHaveLength(3);
  clock.pass(10 * EVERY_MS);
  expect(runs).toHaveLength(3);
});

it("runs at once where nobody has asked for so long", () => {
  const { clock, runs, seldom } = begin();
  clock.pass(EVERY_MS);
  seldom.ask();
  seldom.ask();
  expect(runs).toEqual([EVERY_MS]);
});

it("does not run when it was stopped, until it is asked for again", () => {
  const { clock, runs, seldom } = begin();
  seldom.ask();
  seldom.stop();
  clock.pass(EVERY_MS);
  expect(runs).toEqual([]);
  seldom.ask();
  expect(runs).toEqual([EVERY_MS]);
});
