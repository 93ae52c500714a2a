/** How fast and how much at once: the limits of a webhook, and what webhooks with a backlog leave to the others. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { clinicLog } from "../../test/clinic-log.ts";
import { createTestEngine, type TestEngine } from "../../test/engine.ts";
import { createReceiver, type Receiver } from "../../test/receiver.ts";
import { until } from "../../test/until.ts";
import { fixedClock } from "../clock.ts";
import { SUSPECTS_TAKEN_EVERY_MS } from "./claims.ts";
import { HEALTHY_PLACES_MAX, SLOW_AFTER_MS } from "./places.ts";

let engine: TestEngine;
let receivers: Receiver[];
let clinicId: number;
const log = () => clinicLog(engine.owner, () => clinicId);

beforeAll(async () => {
  engine = await createTestEngine();
});
afterAll(() => engine.close());
beforeEach(async () => {
  receivers = [];
  clinicId = await engine.createClinic();
});
afterEach(async () => {
  await engine.stopDispatchers();
  await Promise.all(receivers.map((receiver) => receiver.close()));
});

async function newReceiver(): Promise<Receiver> {
  const receiver = await createReceiver();
  receivers.push(receiver);
  return receiver;
}

/** Everything that could begin has begun: a delivery of another clinic, emitted now, has gone through. */
async function engineHasLooked(): Promise<void> {
  const receiver = await newReceiver();
  const other = await engine.createClinic();
  await engine.createWebhook(other, { url: receiver.url });
  await engine.emit(other, "consult:barrier");
  await until("the barrier is through", () => {
    engine.nudge();
    return receiver.received.length === 1;
  });
}

/**
 * So many attempts were made. While the clock stands still nobody polls, and what came of a receiver in doubt waits for
 * company before it is written down: another clinic's delivery is both.
 */
async function attempted(count: number): Promise<void> {
  await until(`${count} attempts were made`, async () => {
    await engineHasLooked();
    return (await log().attempts()).length === count;
  });
}

/** Longer than a run with nothing to do stays held. */
const LINGERED_MS = 200;

test("a webhook with one event after another stays held for them, and sleeps a moment after the last", async () => {
  const receiver = await newReceiver();
  const webhook = await engine.createWebhook(clinicId, { url: receiver.url });
  const clock = fixedClock("2026-03-01T12:00:00Z");
  await engine.startDispatcher({ clock });
  for (const n of [1, 2, 3]) {
    await engine.emit(clinicId, `consult:${n}`);
    await until(`${n} are delivered`, async () => {
      engine.nudge();
      return (await log().finished()).length === n;
    });
    await engineHasLooked(); // it has had every chance to put it to sleep
    expect(await log().run(webhook.id)).toMatchObject({ fence: 1, owner: expect.any(Number) });
  }
  clock.advance({ milliseconds: LINGERED_MS });
  await until("its run sleeps", async () => {
    engine.nudge();
    return (await log().run(webhook.id)).owner === null;
  });
});

describe("an address that has never answered 2xx", () => {
  test("gets at most one request a second, also where its run has slept meanwhile; then the pace is its own", async () => {
    const receiver = await newReceiver();
    receiver.answer = (_got, response) => response.writeHead(500).end();
    const webhook = await engine.createWebhook(clinicId, { url: receiver.url, proved: false });
    const clock = fixedClock("2026-03-01T12:00:00Z");
    await engine.startDispatcher({ clock });
    await engineHasLooked();
    await engine.emit(clinicId, "consult:1");
    clock.advance({ milliseconds: SUSPECTS_TAKEN_EVERY_MS }); // since the look before
    await attempted(1);
    clock.advance({ milliseconds: LINGERED_MS });
    await until("its run sleeps", async () => (await log().run(webhook.id)).owner === null);
    await engine.emit(clinicId, "consult:2"); // begun by a new lease, which knows nothing of the request just now
    await engine.emit(clinicId, "consult:3");
    for (const second of [2, 3]) {
      await engineHasLooked();
      expect(receiver.received).toHaveLength(second - 1);
      clock.advance({ milliseconds: second === 2 ? 999 - LINGERED_MS : 999 });
      await engineHasLooked();
      expect(receiver.received).toHaveLength(second - 1);
      clock.advance({ milliseconds: 1 });
      await attempted(second);
      expect(receiver.received).toHaveLength(second);
    }
    receiver.answer = (_got, response) => response.writeHead(200).end();
    for (let n = 4; n <= 12; n++) await engine.emit(clinicId, `consult:${n}`);
    const before = clock.monotonicMs();
    await until("all nine have followed", async () => {
      clock.advance({ milliseconds: 50 });
      engine.nudge();
      return (await log().finished()).length === 9;
    });
    expect(clock.monotonicMs() - before).toBeLessThan(8_000); // one a second would need more
  });
});

describe("what came of receivers in doubt", () => {
  /** Two that have never answered are asked, and answer what the test says when it says so. */
  async function twoInDoubt() {
    const clock = fixedClock("2026-03-01T12:00:00Z");
    await engine.startDispatcher({ clock });
    await engineHasLooked();
    const answers: ((status?: number) => void)[] = [];
    for (const n of [1, 2]) {
      const receiver = await newReceiver();
      receiver.answer = (_got, response) => void answers.push((status = 500) => response.writeHead(status).end());
      await engine.createWebhook(clinicId, { url: receiver.url, proved: false });
      await engine.emit(clinicId, `consult:${n}`);
    }
    clock.advance({ milliseconds: SUSPECTS_TAKEN_EVERY_MS });
    await until("both were asked", () => {
      engine.nudge();
      return answers.length === 2;
    });
    const [first, second] = answers;
    return { clock, first: first as (typeof answers)[0], second: second as (typeof answers)[0] };
  }
  const statements = async () => {
    const text = "select xmin::text as statement from attempts where clinic_id = $1";
    return (await engine.owner.query<{ statement: string }>(text, [clinicId])).rows.map(({ statement }) => statement);
  };

  test("is written down a little later, all in one statement", async () => {
    const { clock, first, second } = await twoInDoubt();
    first();
    for (let look = 0; look < 20; look++) expect(await statements()).toEqual([]);
    second();
    await until("both are written down", async () => {
      clock.advance({ milliseconds: 1 });
      return (await statements()).length === 2;
    });
    expect(new Set(await statements()).size).toBe(1);
  });

  test("goes along at once with what came of a healthy one", async () => {
    const { first, second } = await twoInDoubt();
    first();
    second();
    await attempted(2);
  });

  test("does not wait where it has arrived, nor where the node is stopping", async () => {
    const { first, second } = await twoInDoubt();
    first(200);
    await until("it is written down", async () => (await statements()).length === 1);
    const stopped = engine.stopDispatchers();
    second();
    await stopped;
    expect(await statements()).toHaveLength(2);
  });

  test("is known at once of one that was well, however slow it was", async () => {
    const clock = fixedClock("2026-03-01T12:00:00Z");
    await engine.startDispatcher({ clock });
    const receiver = await newReceiver();
    const answers: (() => void)[] = [];
    receiver.answer = (_got, response) => void answers.push(() => response.writeHead(500).end());
    await engine.createWebhook(clinicId, { url: receiver.url });
    await engine.emit(clinicId, "consult:1");
    await until("it was asked", () => {
      engine.nudge();
      return answers.length === 1;
    });
    clock.advance({ milliseconds: SLOW_AFTER_MS });
    await engineHasLooked(); // its place is among the slow ones
    answers[0]?.();
    await until("it is written down", async () => (await statements()).length === 1);
  });
});

describe("webhooks with a backlog", () => {
  test("that hold every place leave the next free one to a webhook that waits for its first", async () => {
    const waiting: (() => void)[] = [];
    let open = 0;
    for (let n = 0; n < 4; n++) {
      const receiver = await newReceiver();
      receiver.answer = (_got, response) => {
        open++;
        waiting.push(() => {
          open--;
          response.writeHead(200).end();
        });
      };
      await engine.createWebhook(clinicId, { url: receiver.url, concurrency: 64, pacePerSecond: 1_000 });
    }
    await engine.startDispatcher({ clock: fixedClock("2026-03-01T12:00:00Z") }); // no answer takes long
    for (let n = 0; n < 100; n++) await engine.emit(clinicId, `consult:${n}`);
    await until("every place is taken", () => {
      engine.nudge();
      return open === HEALTHY_PLACES_MAX;
    });
    const last = await newReceiver();
    const other = await engine.createClinic();
    await engine.createWebhook(other, { url: last.url });
    await engine.emit(other, "consult:1");
    let released = 0;
    while (last.received.length === 0) {
      waiting.shift()?.();
      released++;
      await until("the free place is taken", () => {
        engine.nudge();
        return open === HEALTHY_PLACES_MAX || last.received.length > 0;
      });
    }
    expect(released).toBeLessThan(20); // of 400 that wait
    for (const receiver of receivers) receiver.answer = (_got, response) => response.writeHead(200).end();
    for (const release of waiting) release();
    await until("all is delivered", async () => {
      engine.nudge();
      return (await log().hot()).length === 0;
    });
  });

  test("take turns where places are few: none of them is left out", async () => {
    const waiting: (() => void)[] = [];
    let open = 0;
    for (let n = 0; n < 30; n++) {
      const receiver = await newReceiver();
      receiver.answer = (_got, response) => {
        open++;
        waiting.push(() => {
          open--;
          response.writeHead(200).end();
        });
      };
      await engine.createWebhook(clinicId, { url: receiver.url, concurrency: 64, pacePerSecond: 1_000 });
    }
    await engine.startDispatcher({ clock: fixedClock("2026-03-01T12:00:00Z") }); // no answer takes long
    for (let n = 0; n < 25; n++) await engine.emit(clinicId, `consult:${n}`);
    const shareOfPoorest = () => Math.min(...receivers.map((r) => r.received.length));
    let released = 0;
    while (shareOfPoorest() < 5) {
      await until("every place is taken", () => {
        engine.nudge();
        return open === HEALTHY_PLACES_MAX;
      });
      waiting.pop()?.(); // the youngest: whoever has just had a place gives it back
      released++;
    }
    expect(released).toBeLessThan(30 * 10); // of 750; in turns it is 5 each, less what they had at first
    for (const receiver of receivers) receiver.answer = (_got, response) => response.writeHead(200).end();
    await until("all is delivered", async () => {
      for (const release of waiting.splice(0)) release();
      engine.nudge();
      return (await log().hot()).length === 0;
    });
  });

  test("whose receivers hang give their places back after a while, and others are served meanwhile", async () => {
    const held: (() => void)[] = [];
    const hanging = await Promise.all([1, 2, 3, 4].map(newReceiver));
    for (const receiver of hanging) {
      receiver.answer = (_got, response) => void held.push(() => response.writeHead(200).end());
      await engine.createWebhook(clinicId, { url: receiver.url, concurrency: 64, pacePerSecond: 1_000 });
    }
    const clock = fixedClock("2026-03-01T12:00:00Z");
    await engine.startDispatcher({ clock });
    for (let n = 0; n < 80; n++) await engine.emit(clinicId, `consult:${n}`);
    await until("every place is taken", () => {
      engine.nudge();
      return held.length === HEALTHY_PLACES_MAX;
    });
    const well = await newReceiver();
    const other = await engine.createClinic();
    await engine.createWebhook(other, { url: well.url });
    await engine.emit(other, "consult:1");
    clock.advance({ milliseconds: SLOW_AFTER_MS });
    await until("it is served", () => {
      engine.nudge();
      return well.received.length === 1;
    });
    expect(held.length).toBeGreaterThanOrEqual(HEALTHY_PLACES_MAX);
    for (const receiver of hanging) receiver.answer = (_got, response) => response.writeHead(200).end();
    await until("all is delivered", async () => {
      for (const release of held.splice(0)) release();
      clock.advance({ milliseconds: 20 });
      engine.nudge();
      return (await log().hot()).length === 0;
    });
  });
});
