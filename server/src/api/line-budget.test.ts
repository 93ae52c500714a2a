import { expect, it } from "vitest";
import { LineBudget } from "./line-budget.ts";

it("lets so many lines a second through, and the next one says how many there were besides", () => {
  let now = 10_000;
  const budget = new LineBudget(2, () => now);
  expect([budget.take(), budget.take(), budget.take(), budget.take()]).toEqual([0, 0, null, null]);
  now += 1_000;
  expect([budget.take(), budget.take(), budget.take()]).toEqual([2, 0, null]);
  now += 5_000;
  expect(budget.take()).toBe(1);
});
