/** A Run against a model of its webhook's rows and bells: whatever happens in whatever order, no delivery is forgotten. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Begun, RefillRequest, RunScan } from "./engine-store.ts";
import type { Observed } from "./health.ts";
import { Run } from "./run.ts";
import { WINDOW_ROWS } from "./store.ts";

const KEY = { clinicId: 1, webhookId: 2 };
const CONCURRENCY = 8;
const TAKEN_AT_ONCE = 3;
/** Nothing lingers so long. */
const LATER_MS = 1_000_000;

/** A receiver without a past. */
const WELL = {
  ...{ parked: false, host: "hooks.example.test", failures: 0, failingMs: null, probes: 0 },
  ...{ warned: 0 as const, warnedMs: null, recoveredMs: null },
};

interface Row {
  id: number;
  orderKey: string;
  dueMs: number;
  isBegun: boolean;
}

type Asked = Pick<RefillRequest, "cursor" | "want" | "look" | "passedOver" | "freed">;

interface Found {
  scan: RunScan;
  begun: Row[];
  waiting: Row[];
}

/** What the database would hold and answer: the meaning of take.sql, refill.sql and settle.sql for one webhook. */
class Model {
  now = 1_000;
  rows: Row[] = [];
  bells = 0;
  run: Run;
  #lastId = 0;
  /** drawn, but not committed yet */
  late: Row[] = [];
  finished: Row[] = [];

  constructor() {
    this.run = this.take();
  }

  insert(orderKey: string, isLate: boolean): void {
    const row = { id: ++this.#lastId, orderKey, dueMs: this.now, isBegun: false };
    // Within a subject, ids are drawn under its lock: the next one waits for the commit before it.
    if (this.late.some((l) => l.orderKey === orderKey)) this.commitLate();
    if (isLate) this.late.push(row);
    else this.#commit([row]);
  }

  commitLate(): void {
    this.#commit(this.late.splice(0));
  }

  #commit(rows: Row[]): void {
    if (rows.length === 0) return;
    this.rows = [...this.rows, ...rows].sort((a, b) => a.id - b.id);
    this.bells++;
  }

  head(orderKey: string): Row | undefined {
    return this.rows.find((row) => row.orderKey === orderKey);
  }

  take(): Run {
    const found = this.#look({ cursor: 0, want: TAKEN_AT_ONCE, look: 4 * TAKEN_AT_ONCE, passedOver: [], freed: [] });
    const run = new Run(found.scan, found.begun.length, this.now);
    this.run = run;
    this.#hand(found);
    return run;
  }

  /** One refill as the dispatcher does it; false when there was nothing to ask for. */
  refill(places: number): boolean {
    const refill = this.run.nextRefill(Math.min(places, CONCURRENCY - this.run.inFlightCount), this.now);
    if (!refill) return false;
    if (refill.scans) {
      for (const key of this.run.inFlight) expect(refill.request.passedOver).toContain(key);
      for (const key of refill.request.freed) expect(refill.request.passedOver).toContain(key);
    }
    const found = this.#look(refill.request);
    this.run.refilled(found.scan, refill.scans);
    this.#hand(found);
    return true;
  }

  #hand({ begun, waiting }: Found): void {
    for (const row of waiting) this.run.waits(row.orderKey, row.dueMs);
    for (const row of begun) {
      expect(this.run.inFlight.has(row.orderKey)).toBe(false); // never two of a subject at once
      row.isBegun = true;
      this.run.begun({ orderKey: row.orderKey } as Begun);
    }
  }

  #look({ cursor, want, look, passedOver, freed }: Asked): Found {
    if (cursor === 0) this.bells = 0;
    const after = cursor ?? Number.POSITIVE_INFINITY;
    const window = this.rows.filter((r) => r.id > after && !passedOver.includes(r.orderKey)).slice(0, look);
    const heads = window.filter((row) => this.head(row.orderKey) === row);
    const startable = (row: Row) => row.dueMs <= this.now && !row.isBegun;
    const able = heads.filter(startable);
    const left = able[want];
    const next = freed.flatMap((orderKey) => this.head(orderKey) ?? []);
    const scan: RunScan = {
      ...KEY,
      ...{ fence: 1, version: 1, proved: true, concurrency: CONCURRENCY, pacePerSecond: 1_000 },
      seen: window.length,
      cursor: left ? left.id - 1 : (window.at(-1)?.id ?? null),
      more: left !== undefined || window.length >= look,
      left: left !== undefined,
      contended: false,
      ...WELL,
    };
    const waiting = [...heads, ...next].filter((row) => row.dueMs > this.now);
    return { scan, begun: [...able.slice(0, want), ...next.filter(startable)], waiting };
  }

  settle(nth: number, retryInMs: number | null): void {
    const keys = [...this.run.inFlight];
    const orderKey = keys[nth % keys.length];
    const row = orderKey === undefined ? undefined : this.head(orderKey);
    if (orderKey === undefined || !row) return;
    expect(row.isBegun).toBe(true); // what is in flight is the head of its subject: order
    row.isBegun = false;
    if (retryInMs === null) {
      this.rows = this.rows.filter((other) => other !== row);
      this.finished.push(row);
      this.run.settled(orderKey, null, this.head(orderKey) !== undefined);
    } else {
      row.dueMs = this.now + retryInMs;
      this.run.settled(orderKey, row.dueMs, true);
    }
  }

  /** TAKE takes the bells of webhooks that this node holds, and tells of them. */
  hear(): void {
    if (this.bells === 0) return;
    this.bells = 0;
    this.run.rung();
  }

  /** The run sleeps if it says that it may, and then nothing may be forgotten: a bell or its next time wakes it. */
  sleep(): void {
    if (!this.run.canSleep(LATER_MS)) return;
    expect(this.run.inFlightCount).toBe(0);
    const nextInMs = this.run.sleepMs(this.now);
    if (this.bells === 0) {
      for (const row of this.rows) {
        const dueInMs = Math.max(0, (this.head(row.orderKey)?.dueMs ?? 0) - this.now);
        expect(nextInMs).not.toBeNull();
        expect(nextInMs).toBeLessThanOrEqual(dueInMs);
      }
      if (nextInMs === null) return;
      this.now += nextInMs;
    }
    this.take();
  }
}

type Op = (model: Model) => void;
const named = (name: string, op: Op): Op => Object.assign(op, { [fc.toStringMethod]: () => name });
const orderKey = fc.integer({ min: 1, max: 12 }).map((n) => `consult:${n}`);
const command: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(orderKey, fc.boolean())
      .map(([key, late]) => named(`insert ${key} ${late}`, (m) => m.insert(key, late))),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(orderKey, fc.integer({ min: 150, max: 450 })).map(([key, count]) =>
      named(`insert ${count} × ${key}`, (m) => {
        for (let n = 0; n < count; n++) m.insert(key, false);
      }),
    ),
  },
  { weight: 2, arbitrary: fc.constant(named("late ones commit", (m) => m.commitLate())) },
  {
    weight: 5,
    arbitrary: fc.integer({ min: 0, max: 4 }).map((places) => named(`refill ${places}`, (m) => m.refill(places))),
  },
  { weight: 5, arbitrary: fc.nat(7).map((nth) => named(`succeeds ${nth}`, (m) => m.settle(nth, null))) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.nat(7), fc.integer({ min: 0, max: 20_000 }))
      .map(([nth, ms]) => named(`fails ${nth} for ${ms}`, (m) => m.settle(nth, ms))),
  },
  { weight: 3, arbitrary: fc.constant(named("hears its bells", (m) => m.hear())) },
  {
    weight: 2,
    arbitrary: fc.integer({ min: 1, max: 12_000 }).map((ms) =>
      named(`${ms} ms`, (m) => {
        m.now += ms;
      }),
    ),
  },
  { weight: 3, arbitrary: fc.constant(named("sleeps", (m) => m.sleep())) },
);

/** From now on everything succeeds: how the dispatcher goes on until nothing is left. */
function drain(model: Model): void {
  model.commitLate();
  for (let turn = 0; turn < 20_000; turn++) {
    while (model.run.inFlightCount > 0) model.settle(0, null);
    model.hear();
    if (model.refill(CONCURRENCY)) continue;
    if (model.rows.length === 0) return;
    if (model.run.inFlightCount > 0) continue;
    if (model.run.canSleep(LATER_MS)) model.sleep();
    else model.now += 1_000; // its own timer
  }
  expect(model.rows).toEqual([]);
}

describe("a run", () => {
  test("that has nothing to do stays held for a moment, so that the next event need not take it anew", () => {
    const seen = { seen: 0, cursor: null, more: false, left: false, contended: false };
    const scan = { ...KEY, ...WELL, ...seen, fence: 1, version: 1, proved: true, concurrency: 8, pacePerSecond: 100 };
    const run = new Run(scan, 0, 1_000);
    expect([run.canSleep(1_000), run.lingersMs(1_000)]).toEqual([false, 100]);
    expect([run.canSleep(1_100), run.lingersMs(1_100)]).toEqual([true, 0]);
    run.rung();
    expect([run.canSleep(1_100), run.lingersMs(1_100)]).toEqual([false, Number.POSITIVE_INFINITY]);
  });

  test("begins every delivery, each subject's in order and one at a time, and never sleeps over one that is due", () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const model = new Model();
        for (const op of commands) op(model);
        drain(model);
        const bySubject = Map.groupBy(model.finished, (row) => row.orderKey);
        for (const rows of bySubject.values()) {
          expect(rows.map((row) => row.id)).toEqual(rows.map((row) => row.id).sort((a, b) => a - b));
        }
      }),
      { numRuns: 500 },
    );
  }, 20_000);

  const scan = (changes: Partial<RunScan> = {}): RunScan => ({
    ...KEY,
    ...{
      ...{ fence: 1, version: 1, proved: true },
      concurrency: CONCURRENCY,
      pacePerSecond: 50,
      ...{ seen: 0, cursor: null, more: false },
      left: false,
      contended: false,
      ...WELL,
    },
    ...changes,
  });

  test("that has reached its end looks again from the start once a bell was rung", () => {
    const run = new Run(scan(), 0, 0);
    expect([run.canSleep(LATER_MS), run.nextRefill(1, 0)]).toEqual([true, null]);
    run.rung();
    expect(run.canSleep(LATER_MS)).toBe(false);
    expect(run.nextRefill(1, 0)?.request).toMatchObject({ cursor: 0, want: 1 });
  });

  test("has news by a bell unless it has heard of one, or this process has committed for it within a second", () => {
    const run = new Run(scan(), 0, 0);
    expect(run.isNews(0)).toBe(true);
    run.told(0);
    expect(run.nextRefill(1, 0)?.request.cursor).toBe(0); // it has begun to look
    expect([run.isNews(1_000), run.isNews(1_001)]).toEqual([false, true]);
    run.rung();
    expect(run.isNews(5_000)).toBe(false);
  });

  test("in the middle of a long scan goes on for 5 s before a bell makes it start again", () => {
    const run = new Run(scan({ seen: WINDOW_ROWS, cursor: 900, more: true }), 0, 0);
    run.refilled(scan({ seen: WINDOW_ROWS, cursor: 900 }), true);
    run.rung();
    expect(run.nextRefill(1, 4_999)?.request.cursor).toBe(900);
    expect(run.nextRefill(1, 5_000)?.request.cursor).toBe(0);
  });

  test("does not sleep while a freed subject has not been looked up", () => {
    const run = new Run(scan({ seen: 1, cursor: 1 }), 1, 0);
    run.begun({ orderKey: "consult:1" } as Begun);
    run.settled("consult:1", null, true);
    expect(run.canSleep(LATER_MS)).toBe(false);
    expect(run.nextRefill(1, 0)).toMatchObject({ scans: false, request: { cursor: null, freed: ["consult:1"] } });
    expect(run.canSleep(LATER_MS)).toBe(true);
  });

  test("does not trust the lease's own scan to have seen everything unless all that it saw was begun", () => {
    const run = new Run(scan({ seen: 2, cursor: 2 }), 1, 0);
    expect(run.canSleep(LATER_MS)).toBe(false);
    expect(run.nextRefill(1, 0)?.request.cursor).toBe(0);
  });

  test("with more waiting subjects than it keeps in mind looks from the start when the first of them is due", () => {
    const run = new Run(scan(), 0, 0);
    for (let n = 0; n < 2_000; n++) run.waits(`consult:${n}`, 90_000);
    for (let n = 2_000; n < 2_100; n++) run.waits(`consult:${n}`, 60_000 + n);
    expect([run.canSleep(61_999), run.nextDueInMs(0)]).toEqual([true, 62_000]);
    expect(run.nextRefill(8, 61_999)).toBeNull();
    expect(run.nextRefill(8, 62_000)?.request).toMatchObject({ cursor: 0, want: 8 });
    expect(run.nextDueInMs(62_000)).toBe(28_000);
  });

  test("of an address that never answered is held to one request at a time and one a second", () => {
    const run = new Run(scan({ proved: false, concurrency: 64, pacePerSecond: 1_000 }), 0, 0);
    expect([run.concurrency, run.pacePerSecond]).toEqual([1, 1]);
    run.refilled(scan({ proved: true, concurrency: 64, pacePerSecond: 1_000 }), true);
    expect([run.concurrency, run.pacePerSecond]).toEqual([64, 1_000]);
  });

  const failure = (endedMs: number): Observed => ({ verdict: "receiver_fails", beganMs: endedMs - 1, endedMs });

  test("whose receiver fails again and again asks once in 5 s, and stays held meanwhile; a success ends that", () => {
    const run = new Run(scan({ seen: WINDOW_ROWS, more: true }), 0, 0);
    run.observed([1, 2, 3, 4].map((n) => failure(n * 100)));
    expect([run.backsOffMs(400), run.wantsRefill(400)]).toEqual([0, true]);
    run.observed([failure(500)]);
    expect([run.backsOffMs(500), run.wantsRefill(5_499), run.nextRefill(1, 5_499)]).toEqual([5_000, false, null]);
    expect([run.backsOffMs(5_500), run.wantsRefill(5_500)]).toEqual([0, true]);
    run.observed([failure(5_600)]);
    expect([run.backsOffMs(5_600), run.wantsRefill(5_600)]).toEqual([5_000, false]);
    run.observed([{ verdict: "delivered", beganMs: 5_700, endedMs: 5_800 }]);
    expect([run.backsOffMs(5_800), run.wantsRefill(5_800)]).toEqual([0, true]);
  });

  test("that backs off does so for what failed here, too, and not for what its receiver does not take of one delivery", () => {
    const run = new Run(scan({ seen: WINDOW_ROWS, more: true }), 0, 0);
    run.observed([100, 200, 300, 400, 500].map(failure));
    run.observed([{ verdict: "ours", beganMs: 5_600, endedMs: 5_600 }]);
    expect([run.backsOffMs(5_600), run.wantsRefill(5_600)]).toEqual([5_000, false]);
    run.observed([{ verdict: "delivery_fails", beganMs: 11_000, endedMs: 11_000 }]);
    expect([run.backsOffMs(11_000), run.wantsRefill(11_000)]).toEqual([0, true]);
  });

  test("whose receiver fails again and again tries what was never tried before what is due again", () => {
    const run = new Run(scan({ seen: WINDOW_ROWS, more: true }), 0, 0);
    run.observed([100, 200, 300, 400, 500].map(failure));
    run.waits("a", 5_000);
    expect(run.nextRefill(1, 5_500)?.request).toMatchObject({ cursor: 0, want: 1, freed: [], passedOver: ["a"] });
    run.refilled(scan({ seen: 0, more: false }), true);
    expect(run.nextRefill(1, 5_500)?.request).toMatchObject({ cursor: null, freed: ["a"] });
  });

  test("tries what is due again once it has looked in vain for what was never tried, however many bells ring", () => {
    const run = new Run(scan({}), 0, 0);
    run.observed([100, 200, 300, 400, 500].map(failure));
    run.waits("a", 5_000);
    run.rung();
    expect(run.nextRefill(1, 5_500)?.request).toMatchObject({ cursor: 0, freed: [] });
    run.refilled(scan({ seen: 0, more: false }), true);
    run.rung();
    expect(run.nextRefill(1, 5_501)?.request).toMatchObject({ freed: ["a"] });
    run.begun({ orderKey: "a" } as Begun);
    run.settled("a", 20_000, false);
    run.observed([failure(5_600)]);
    run.rung();
    expect(run.nextRefill(1, 11_000)?.request).toMatchObject({ cursor: 0, freed: [] });
  });

  test("does not sleep over a retry that has come due since it was last asked", () => {
    const run = new Run(scan({}), 0, 0);
    run.waits("a", 500);
    expect([run.canSleep(499), run.canSleep(500)]).toEqual([true, false]);
    expect(run.nextRefill(1, 500)?.request).toMatchObject({ freed: ["a"] });
  });

  test("that backs off asks at once when a bell says that its webhook was changed", () => {
    const run = new Run(scan({}), 0, 0);
    run.observed([1, 2, 3, 4, 5].map(failure));
    run.rung(1);
    expect(run.wantsRefill(6)).toBe(false);
    run.rung(2);
    expect(run.wantsRefill(6)).toBe(true);
    run.observed([failure(7)]); // asked before the change
    expect(run.wantsRefill(8)).toBe(true);
  });

  test("that has seen everything does not sleep while it backs off: whoever took it would try at once", () => {
    const run = new Run(scan({}), 0, 0);
    run.observed([1, 2, 3, 4, 5].map(failure));
    expect([run.canSleep(5_004), run.canSleep(5_005)]).toEqual([false, true]);
  });

  test("that is parked sleeps at once, however lately its receiver has failed", () => {
    const run = new Run(scan({}), 0, 0);
    run.observed([1, 2, 3, 4, 60_001].map(failure));
    expect([run.health.isParked, run.canSleep(60_001)]).toEqual([true, true]);
  });

  test("that is gone asks for nothing more, and may sleep once nothing is in flight", () => {
    const run = new Run(scan({ seen: WINDOW_ROWS, more: true }), 0, 0);
    run.begun({ orderKey: "a" } as Begun);
    run.begun({ orderKey: "b" } as Begun);
    run.abandon("a");
    expect([run.nextRefill(5, 0), run.canSleep(LATER_MS)]).toEqual([null, false]);
    run.settled("b", null, true);
    expect(run.canSleep(LATER_MS)).toBe(true);
  });

  test("that is gone does not ask for the time of a retry that has come, while something is in flight", () => {
    const run = new Run(scan({ proved: true, concurrency: 8 }), 0, 0);
    run.waits("a", 5_000);
    run.begun({ orderKey: "b" } as Begun);
    run.begun({ orderKey: "c" } as Begun);
    run.abandon("c");
    expect([run.wantsRefill(5_000), run.nextDueInMs(5_000)]).toEqual([false, null]);
  });
});
