import { type ConsultFacts, type Person, sampleFacts } from "@hookwell/sdk";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestEngine, type TestEngine } from "../../test/engine.ts";
import { inClinic } from "../db/pool.ts";
import { type Batch, EVENTS_PER_BATCH_MAX, emitMany } from "./emit.ts";

let engine: TestEngine;
let clinicId: number;

beforeAll(async () => {
  engine = await createTestEngine();
});
afterAll(() => engine.close());
beforeEach(async () => {
  clinicId = await engine.createClinic();
});

const rowsOf = async (table: string, order: string) =>
  (await engine.owner.query(`select * from ${table} where clinic_id = $1 order by ${order}`, [clinicId])).rows;
const webhook = (settings: object = {}) =>
  engine.createWebhook(clinicId, { url: "https://hooks.example.test/", ...settings });
const store = (events: Batch["events"]) =>
  inClinic(engine.app, clinicId, (tx) => emitMany(engine, tx, { clinicId, events }));

function about(subject: string, participants = 1): Batch["events"][number] {
  const people = Array.from({ length: participants }, (_, n): Person => ({ id: n + 1, name: `Sam ${n}`, email: null }));
  const facts: ConsultFacts = { ...sampleFacts("participant.added"), participants: people };
  return { subject, facts };
}

describe("a batch of events", () => {
  test("gets versions and deliveries in the order of its list, several of one subject too", async () => {
    const first = await webhook();
    const second = await webhook();
    await store([about("consult:2")]);
    const subjects = ["consult:10", "consult:2", "consult:10", "consult:1", "consult:2", "consult:10"];
    const emitted = await store(subjects.map((subject) => about(subject)));
    expect(emitted.map(({ subjectVersion }) => subjectVersion)).toEqual([1, 2, 2, 1, 3, 3]);
    const stored = new Map((await rowsOf("events", "id")).map((row) => [row.id, row]));
    expect(emitted.map(({ id }) => stored.get(id)?.subject)).toEqual(subjects);
    for (const { id } of [first, second]) {
      const deliveries = (await rowsOf("deliveries", "id")).filter(({ webhook_id }) => webhook_id === id);
      expect(deliveries.slice(1).map(({ event_id }) => event_id)).toEqual(emitted.map((event) => event.id));
    }
    expect(await rowsOf("subjects", "subject")).toMatchObject([
      { subject: "consult:1", version: 1 },
      { subject: "consult:10", version: 3 },
      { subject: "consult:2", version: 3 },
    ]);
    expect(await rowsOf("bells", "id")).toHaveLength(2 + 2); // one a webhook and statement
  });

  test("keeps each one's facts under its own seal, splits large classes, and keeps what is off as cancelled", async () => {
    const on = await webhook();
    const off = await webhook({ enabled: false });
    const emitted = await store([about("consult:1", 3), about("consult:2", 201), about("consult:3", 1)]);
    const seal = await engine.seal.forClinic(engine.dispatch, clinicId);
    const events = new Map((await rowsOf("events", "id")).map((row) => [row.id, row]));
    const participants = emitted.map(({ id }) => {
      const text = seal.open({ column: "events.facts", row: id }, events.get(id)?.facts);
      return (JSON.parse(text) as ConsultFacts).participants.length;
    });
    expect(participants).toEqual([3, 201, 1]);
    const parts = (rows: { event_id: string; part: number }[]) =>
      emitted.map(({ id }) => rows.filter(({ event_id }) => event_id === id).map(({ part }) => part));
    expect(parts(await rowsOf("deliveries", "id"))).toEqual([[0], [0, 1], [0]]);
    const finished = await rowsOf("finished_deliveries", "part");
    expect(parts(finished)).toEqual([[0], [0, 1], [0]]);
    expect(new Set(finished.map(({ webhook_id, reason }) => `${webhook_id} ${reason}`))).toEqual(
      new Set([`${off.id} off`]),
    );
    expect((await rowsOf("bells", "id")).map(({ webhook_id }) => webhook_id)).toEqual([on.id]);
  });

  test("may hold as many as its limit, none, but no more", async () => {
    const subjects = Array.from({ length: EVENTS_PER_BATCH_MAX }, (_, n) => about(`consult:${n % 700}`));
    expect(await store(subjects)).toHaveLength(EVENTS_PER_BATCH_MAX);
    expect(await store([])).toEqual([]);
    await expect(store([...subjects, about("consult:1")])).rejects.toThrow(RangeError);
  });

  test("never waits in a ring with another one, whatever the order of their subjects", async () => {
    await webhook();
    const subjects = Array.from({ length: 40 }, (_, n) => `consult:${n}`);
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      const order = writer % 2 === 0 ? subjects : subjects.toReversed();
      for (let n = 0; n < 5; n++) await store(order.map((subject) => about(subject)));
    });
    await Promise.all(writers); // a ring would be broken by the database: one of them would fail with 40P01
    expect(new Set((await rowsOf("subjects", "subject")).map(({ version }) => version))).toEqual(new Set([40]));
    const { rows } = await engine.owner.query<{ versions: number[] }>(
      `select array_agg(e.subject_version order by d.id) as versions from deliveries d join events e on e.id = d.event_id
       where d.clinic_id = $1 group by d.order_key`,
      [clinicId],
    );
    for (const { versions } of rows) expect(versions).toEqual(versions.toSorted((a, b) => a - b));
  });
});
