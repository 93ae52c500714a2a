/**
 * The judge is judged: the engine as it is passes every scenario, and each engine that is broken on purpose is found out.
 * Most of the time is spent waiting for the schedule's first step of 5 s, so that many are played at once.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { BREAKAGES } from "../../server/test/simulation/breakages.ts";
import { CHECK_NAMES, type Verdict } from "../history/judge.ts";
import { BUGS } from "./bugs.ts";
import {
  changes,
  erasure,
  gone,
  keyPairs,
  retry,
  retryAfter,
  rolledBack,
  type Scenario,
  slow,
  standstill,
  takeover,
  turnedOff,
} from "./scenarios.ts";
import { type Parts, Stage } from "./stage.ts";

/** Each has a database of its own and some ten connections. */
const AT_ONCE = 10;

const SCENARIOS: Record<string, Scenario> = {
  "a retry": retry,
  "a receiver that asks for time": retryAfter,
  "a receiver that is slow": slow,
  "changes of a webhook between attempts": changes,
  "a webhook that is turned off": turnedOff,
  "key pairs that sign": keyPairs,
  "a receiver that says it is gone": gone,
  "an erasure before something is sent again": erasure,
  "changes that are rolled back": rolledBack,
  "a node that stands still before it sends": standstill,
  "nodes that stand still after a failure": takeover(500),
  "nodes that stand still after a success": takeover(200),
};

async function play(scenario: Scenario, breaks?: (stage: Stage) => Parts): Promise<Verdict> {
  const stage = await Stage.open(breaks);
  try {
    await scenario(stage);
    return await stage.verdict({ drained: true });
  } finally {
    await stage.close();
  }
}

const verdicts = new Map<unknown, Verdict | Error>();

beforeAll(async () => {
  const plays: [unknown, () => Promise<Verdict>][] = [
    ...Object.values(SCENARIOS).map((one) => [one, () => play(one)] as [unknown, () => Promise<Verdict>]),
    ...BUGS.map((bug) => [bug, () => play(bug.scenario, bug.breaks)] as [unknown, () => Promise<Verdict>]),
  ];
  const players = Array.from({ length: AT_ONCE }, async () => {
    for (let next = plays.shift(); next; next = plays.shift()) {
      const [key, start] = next;
      verdicts.set(key, await start().catch((error: Error) => error));
    }
  });
  await Promise.all(players);
}, 120_000);

function verdictOf(key: unknown): Verdict {
  const verdict = verdicts.get(key);
  if (verdict === undefined || verdict instanceof Error) throw verdict ?? new Error("it was not played");
  return verdict;
}

describe("the engine as it is passes", () => {
  test.each(Object.entries(SCENARIOS))("%s", (_name, scenario) => {
    expect(verdictOf(scenario).violations).toEqual([]);
  });
});

describe("it is found out when", () => {
  test.each(BUGS.map((bug) => [bug.mistake, bug] as const))("%s", (_mistake, bug) => {
    const { violations } = verdictOf(bug);
    expect(violations.map(({ check }) => check)).toContain(bug.found);
  });
});

/** What takes minutes is played in simulated time: server/src/delivery/simulation.test.ts plays those that name a check. */
test("each check of the judge finds out some broken engine", () => {
  const found = [...BUGS, ...BREAKAGES].flatMap((broken) => broken.found ?? []);
  expect([...new Set<string>(found)].toSorted()).toEqual(CHECK_NAMES.toSorted());
});
