/** One host, many webhooks of many clinics: caps over all of them, shared fairly. */
import { describe, expect, test } from "vitest";
import { CONNECTIONS_PER_ORIGIN_MAX } from "../egress/client.ts";
import type { Begun } from "./engine-store.ts";
import { hostNameOf } from "./host-name.ts";
import { Paced } from "./paced.ts";
import { Run, UNPROVED_PER_SECOND } from "./run.ts";

const runOf = (clinicId: number, host: string, proved = true, webhookId = clinicId) =>
  new Run(
    {
      ...{ clinicId, webhookId, fence: 1, version: 1, proved, concurrency: 64, pacePerSecond: 1_000 },
      ...{ seen: 0, cursor: null, more: false, left: false, contended: false, parked: false, host },
      ...{ failures: 0, failingMs: null, probes: 0, warned: 0, warnedMs: null, recoveredMs: null },
    },
    0,
    0,
  );
const begun = (id: number) => ({ id, orderKey: `k${id}` }) as unknown as Begun;
const pacedAt = (hostPerSecond: number) => new Paced({ hostPerSecond, liveNodes: () => 1 });
const start = (paced: Paced, nowMs: number) => [...paced.ready(nowMs, () => true)].map(({ run }) => run.clinicId);

/** So many that all of a host's places are taken together. */
const CLINICS = Array.from({ length: 100 }, (_, n) => n + 1);

function add(paced: Paced, run: Run, count: number): void {
  for (let n = 0; n < count; n++) paced.add(run, begun(n), 0);
}

describe("a host that several clinics send to", () => {
  test("is one host at whatever port and however its name is written; on this machine each port is another", () => {
    const same = ["hooks.example.com", "hooks.example.com:8443", "hooks.example.com.", "hooks.example.com.:9000"];
    expect(new Set(same.map(hostNameOf))).toEqual(new Set(["hooks.example.com"]));
    expect(hostNameOf("[2606:4700::1]:8443")).toBe("[2606:4700::1]");
    expect(new Set(["127.0.0.1:1", "127.0.0.1:2", "localhost:1", "[::1]:1"].map(hostNameOf)).size).toBe(4);
  });

  test("gets its pace over all of them, and they take turns: a backlog does not starve the others", () => {
    const paced = pacedAt(100); // 20 at once
    add(paced, runOf(1, "hooks.example.com"), 1_000);
    add(paced, runOf(2, "hooks.example.com:8443"), 5);
    add(paced, runOf(3, "hooks.example.com."), 5);
    const started = start(paced, 0);
    expect(started).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 1, 1, 1, 1]);
    expect(start(paced, 0)).toEqual([]);
  });

  test("shares its pace among the nodes, as many as there are at the moment", () => {
    let nodes = 4;
    const paced = new Paced({ hostPerSecond: 100, liveNodes: () => nodes }); // 25 a second here, 5 at once
    add(paced, runOf(1, "hooks.example.com"), 1_000);
    expect(start(paced, 0)).toHaveLength(5);
    expect(start(paced, 200)).toHaveLength(5);
    nodes = 1;
    expect(start(paced, 200)).toEqual([]);
    expect(start(paced, 400)).toHaveLength(20);
  });

  test(`has ${CONNECTIONS_PER_ORIGIN_MAX} requests in flight over all of them at most`, () => {
    const paced = pacedAt(100_000);
    const runs = CLINICS.map((id) => runOf(id, `hooks.example.com:${8_000 + id}`));
    for (const run of runs) add(paced, run, 200);
    expect(start(paced, 0)).toHaveLength(CONNECTIONS_PER_ORIGIN_MAX);
    const [first] = runs;
    if (first === undefined) throw new Error("there are many");
    paced.ended(first);
    expect(start(paced, 0)).toHaveLength(1);
  });
});

describe("a host whose answers take long", () => {
  const webhooksOf = (clinicId: number) =>
    Array.from({ length: 25 }, (_, n) => runOf(clinicId, "slow.example.com", true, 100 * clinicId + n));
  const addAll = (paced: Paced, runs: readonly Run[]) => {
    for (const run of runs) add(paced, run, 64);
  };

  test("has places left for another clinic, however many one clinic's webhooks have for it", () => {
    const paced = pacedAt(100_000);
    addAll(paced, webhooksOf(1));
    const alone = start(paced, 0).length;
    expect(alone).toBe((CONNECTIONS_PER_ORIGIN_MAX * 3) / 4);
    for (const clinicId of [2, 3]) {
      addAll(paced, webhooksOf(clinicId));
      expect(new Set(start(paced, 0))).toEqual(new Set([clinicId]));
    }
  });

  test("gives each clinic as many as the other as soon as requests have ended", () => {
    const paced = pacedAt(100_000);
    const [first, second] = [webhooksOf(1), webhooksOf(2)];
    addAll(paced, first);
    const inFlight: Run[] = [...paced.ready(0, () => true)].map(({ run }) => run);
    addAll(paced, second);
    for (let ended = 0; ended < CONNECTIONS_PER_ORIGIN_MAX; ended++) {
      inFlight.push(...[...paced.ready(0, () => true)].map(({ run }) => run));
      paced.ended(inFlight.shift() as Run);
    }
    const held = [1, 2].map((id) => inFlight.filter(({ clinicId }) => clinicId === id).length);
    expect(Math.abs((held[0] as number) - (held[1] as number))).toBeLessThanOrEqual(4);
  });

  test("tells as many places as then may start", () => {
    const paced = pacedAt(100_000);
    const [one, other] = [runOf(1, "slow.example.com"), runOf(2, "slow.example.com")];
    for (const [run, ahead] of [
      [one, 0],
      [other, 50],
      [one, 7],
    ] as const) {
      add(paced, run, ahead);
      start(paced, 0);
      const told = paced.available(run, 0);
      add(paced, run, 1_000);
      expect(start(paced, 0)).toHaveLength(told);
      paced.drop();
    }
  });
});

describe("a receiver with many names", () => {
  const manyNames = (hostPerSecond: number) =>
    new Paced({ hostPerSecond, liveNodes: () => 1, reachedBy: () => "203.0.113.5" });

  test("has one pace and one cap over all of them, once they have been reached", () => {
    const paced = manyNames(100);
    for (const id of [1, 2, 3]) add(paced, runOf(id, `name-${id}.example.com`), 10);
    expect(start(paced, 0)).toHaveLength(20);
    const capped = manyNames(100_000);
    for (const id of CLINICS) add(capped, runOf(id, `name-${id}.example.com`), 200);
    expect(start(capped, 0)).toHaveLength(CONNECTIONS_PER_ORIGIN_MAX);
  });

  test("gives places back that were taken before it was known to be one", () => {
    let reached: string | null = null;
    const paced = new Paced({ hostPerSecond: 100_000, liveNodes: () => 1, reachedBy: () => reached });
    const run = runOf(1, "name-1.example.com");
    add(paced, run, 1);
    expect(start(paced, 0)).toHaveLength(1);
    reached = "203.0.113.5";
    add(paced, run, 100);
    expect(start(paced, 0)).toHaveLength(100);
    for (let n = 0; n < 101; n++) paced.ended(run);
    for (const id of CLINICS.slice(1)) add(paced, runOf(id, `name-${id}.example.com`), 200);
    expect(start(paced, 0)).toHaveLength(CONNECTIONS_PER_ORIGIN_MAX);
  });
});

describe("a name with many addresses", () => {
  let turn = 0;
  const manyAddresses = (hostPerSecond: number) =>
    new Paced({ hostPerSecond, liveNodes: () => 1, reachedBy: () => `203.0.113.${++turn % 2}` });
  const runs = CLINICS.map((id) => runOf(id, "hooks.example.com"));

  test("has one pace and one cap over all of them, however they take turns", () => {
    const paced = manyAddresses(100);
    for (const run of runs) add(paced, run, 200);
    expect(start(paced, 0)).toHaveLength(20);
    const capped = manyAddresses(100_000);
    for (const run of runs) add(capped, run, 200);
    const started = start(capped, 0);
    expect(started).toHaveLength(CONNECTIONS_PER_ORIGIN_MAX);
    for (const run of runs) for (const id of started) if (id === run.clinicId) capped.ended(run);
    // All of them gave their places back, whichever address each had counted against.
    expect(start(capped, 0)).toHaveLength(CONNECTIONS_PER_ORIGIN_MAX);
  });
});

describe("an address that has never answered", () => {
  test(`gets ${UNPROVED_PER_SECOND} request a second, and what waits is kept`, () => {
    const paced = pacedAt(1_000);
    add(paced, runOf(1, "hooks.example.com", false), 3);
    expect([0, 500, 999, 1_000, 1_500, 2_000].map((ms) => start(paced, ms).length)).toEqual([1, 0, 0, 1, 0, 1]);
  });
});
