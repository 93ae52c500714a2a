import { sampleFacts } from "@hookwell/sdk";
import { expect, test } from "vitest";
import { conflict } from "../../errors.ts";
import { type FedEvent, fedEvent, type TakenEvent } from "./events.ts";
import { FeedIntake, type StoreEvents } from "./intake.ts";

let last = 0;
function event(key = `key-${++last}`): FedEvent {
  return fedEvent({ field: "", key, subject: "consult:1", facts: sampleFacts("participant.added") });
}
const many = (count: number) => Array.from({ length: count }, () => event());
const taken = (events: readonly FedEvent[]): TakenEvent[] =>
  events.map(({ key, subject }) => ({ id: key, subject, subjectVersion: 1, woken: [], duplicate: false }));

/** A store whose answers are given by hand, in the order of its calls. */
function slowStore() {
  const calls: { clinicId: number; events: readonly FedEvent[]; settle: (error?: unknown) => void }[] = [];
  const store: StoreEvents = (clinicId, events) =>
    new Promise((fulfil, reject) => {
      const settle = (error?: unknown) => (error === undefined ? fulfil(taken(events)) : reject(error));
      calls.push({ clinicId, events, settle });
    });
  return { calls, store };
}

/** What has been asked of the store by now, after everything that could go on has gone on. */
const settled = () => new Promise((fulfil) => setImmediate(fulfil));

test("what comes while a group is stored makes the next group, and each request gets its own answer", async () => {
  const { calls, store } = slowStore();
  const intake = new FeedIntake(store);
  const requests = [many(1), many(2), many(3)];
  const answers = requests.map((events) => intake.take(1, events));
  expect(calls.map(({ events }) => events.length)).toEqual([1]);
  calls[0]?.settle();
  await settled();
  expect(calls.map(({ events }) => events.length)).toEqual([1, 5]);
  calls[1]?.settle();
  expect((await Promise.all(answers)).map((events) => events.map(({ id }) => id))).toEqual(
    requests.map((events) => events.map(({ key }) => key)),
  );
});

test("a request that is refused leaves the others of its group as if it had not been there", async () => {
  const bad = event("bad");
  const store: StoreEvents = async (_clinic, events) => {
    if (events.includes(bad)) throw conflict("key_reused", "This key was used.");
    return taken(events);
  };
  const intake = new FeedIntake(store);
  const answers = await Promise.allSettled([many(1), many(1), [bad], many(1)].map((events) => intake.take(1, events)));
  expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
});

test("a request beaten by another one's locks is tried again, one after a lost connection is not", async () => {
  let tries = 0;
  const failing = (code: string): StoreEvents => {
    return async (_clinic, events) => {
      tries += 1;
      if (tries === 1) throw Object.assign(new Error("from the database"), { code });
      return taken(events);
    };
  };
  expect(await new FeedIntake(failing("40P01")).take(1, many(1))).toHaveLength(1);
  tries = 0;
  await expect(new FeedIntake(failing("57P01")).take(1, many(1))).rejects.toThrow("from the database");
});

test("a group holds no more than a batch, and no key twice", async () => {
  const { calls, store } = slowStore();
  const intake = new FeedIntake(store);
  const answers = [many(1), many(600), many(400), many(1), [event("same")], [event("same")]].map((events) =>
    intake.take(1, events),
  );
  for (let at = 0; at < 4; at += 1) {
    calls[at]?.settle();
    await settled();
  }
  await Promise.all(answers);
  expect(calls.map(({ events }) => events.length)).toEqual([1, 1_000, 2, 1]);
});

test("clinics do not wait for each other, and too much waiting is turned away, with 429 a clinic's own, with 503 that of all", async () => {
  const { calls, store } = slowStore();
  const intake = new FeedIntake(store);
  const answers = [1, 2, 3].map((clinicId) => intake.take(clinicId, many(1_000)));
  expect(calls.map(({ clinicId }) => clinicId)).toEqual([1, 2, 3]);
  for (let n = 0; n < 9; n += 1) answers.push(intake.take(1, many(1_000)));
  // One clinic's flood leaves the others room.
  expect(() => intake.take(1, many(1))).toThrow(expect.objectContaining({ status: 429, retryAfterSeconds: 1 }));
  for (let n = 0; n < 8; n += 1) answers.push(intake.take(3, many(1_000)));
  expect(() => intake.take(2, many(1))).toThrow(expect.objectContaining({ status: 503, retryAfterSeconds: 1 }));
  for (let at = 0; at < 20; at += 1) {
    calls[at]?.settle();
    await settled();
  }
  await Promise.all(answers);
  const again = intake.take(2, many(1));
  calls[20]?.settle();
  expect(await again).toHaveLength(1);
});
