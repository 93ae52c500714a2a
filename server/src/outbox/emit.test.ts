import { type ConsultFacts, type Person, sampleFacts } from "@hookwell/sdk";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestEngine, type TestEngine } from "../../test/engine.ts";
import { inClinic } from "../db/pool.ts";
import { emit } from "./emit.ts";

const TABLES = ["events", "deliveries", "finished_deliveries", "bells", "subjects"] as const;
const URL = "https://hooks.example.test/";
let engine: TestEngine;
let clinicId: number;

beforeAll(async () => {
  engine = await createTestEngine();
});
afterAll(() => engine.close());
beforeEach(async () => {
  clinicId = await engine.createClinic();
});

/** Facts of a class with so many patients. */
function classOf(count: number): ConsultFacts {
  const participants = Array.from(
    { length: count },
    (_, n): Person => ({ id: n + 1, name: `Patient ${n}`, email: null }),
  );
  return { ...sampleFacts("participant.added"), participants };
}

const rowsOf = async (table: string, order = "1") =>
  (await engine.owner.query(`select * from ${table} where clinic_id = $1 order by ${order}`, [clinicId])).rows;
const counts = async () =>
  Object.fromEntries(await Promise.all(TABLES.map(async (t) => [t, (await rowsOf(t)).length])));
const webhook = (settings: Partial<Parameters<TestEngine["createWebhook"]>[1]> = {}) =>
  engine.createWebhook(clinicId, { url: URL, ...settings });

describe("an event", () => {
  test("is stored with its deliveries and bells by the very transaction that changes the rows", async () => {
    const { id } = await webhook({ practitioner: "id", patient: "all" });
    const event = await engine.emit(clinicId, "consult:1");
    expect(event.subjectVersion).toBe(1);
    expect(await rowsOf("events")).toMatchObject([
      { id: event.id, name: "participant.added", subject: "consult:1", subject_version: 1, test: false },
    ]);
    expect(await rowsOf("deliveries")).toMatchObject([
      {
        ...{ webhook_id: id, event_id: event.id, part: 0, participants_per_request: 200, order_key: "consult:1" },
        ...{
          choice_practitioner: "id",
          choice_patient: "all",
          sequence: null,
          attempt: 0,
          begun_at: null,
          test: false,
        },
      },
    ]);
    expect(await rowsOf("bells")).toMatchObject([{ webhook_id: id }]);
    const facts = (await engine.seal.forClinic(engine.dispatch, clinicId)).open(
      { column: "events.facts", row: event.id },
      (await rowsOf("events"))[0].facts,
    );
    expect(JSON.parse(facts)).toEqual(sampleFacts("participant.added"));
  });

  test("whose transaction rolls back leaves nothing: no event, delivery, bell or version", async () => {
    await webhook();
    await webhook({ enabled: false });
    const before = await counts();
    const broken = inClinic(engine.app, clinicId, async (tx) => {
      await emit(engine, tx, { clinicId, subject: "consult:1", facts: sampleFacts("participant.added") });
      await emit(engine, tx, { clinicId, subject: "consult:1", facts: sampleFacts("consult.updated") });
      throw new Error("the change was refused");
    });
    await expect(broken).rejects.toThrow("the change was refused");
    expect(await counts()).toEqual(before);
    expect((await engine.emit(clinicId, "consult:1")).subjectVersion).toBe(1);
  });

  test("about nobody is a bug of the caller, and nothing is stored", async () => {
    await webhook();
    await expect(engine.emit(clinicId, "consult:1", classOf(0))).rejects.toThrow("about nobody");
    expect(await counts()).toEqual({ events: 0, deliveries: 0, finished_deliveries: 0, bells: 0, subjects: 0 });
  });

  test("of another clinic than the transaction's is refused by the database", async () => {
    const other = await engine.createClinic();
    await engine.seal.forClinic(engine.dispatch, other); // its key is known, so that only the second wall is left
    const crossing = inClinic(engine.app, clinicId, (tx) =>
      emit(engine, tx, { clinicId: other, subject: "consult:1", facts: sampleFacts("participant.added") }),
    );
    await expect(crossing).rejects.toThrow(/row-level security/);
  });

  test("waits for no other transaction but one of the same subject, nor does a change of a webhook wait for it", async () => {
    const { id } = await webhook();
    await inClinic(engine.app, clinicId, async (tx) => {
      await emit(engine, tx, { clinicId, subject: "consult:1", facts: sampleFacts("participant.added") });
      await engine.emit(clinicId, "consult:2"); // would hang until the lock timeout if it needed a row of the open one
      await engine.owner.query("update webhooks set version = version + 1 where id = $1", [id]);
      await engine.owner.query("update runs set answered_at = now() where webhook_id = $1", [id]);
    });
    expect(await counts()).toMatchObject({ events: 2, deliveries: 2 });
  });
});

describe("the version of a subject", () => {
  test("rises by one in commit order, and the deliveries' ids with it, however many write at once", async () => {
    await webhook();
    await webhook();
    const writers = Array.from({ length: 8 }, async () => {
      for (let n = 0; n < 12; n++) await engine.emit(clinicId, "consult:1");
    });
    await Promise.all(writers);
    const { rows } = await engine.owner.query<{ webhook_id: number; version: number }>(
      `select d.webhook_id, e.subject_version as version from deliveries d join events e on e.id = d.event_id
       where d.clinic_id = $1 order by d.webhook_id, d.id`,
      [clinicId],
    );
    const inOrder = Array.from({ length: 96 }, (_, n) => n + 1);
    expect(rows.map((row) => row.version)).toEqual([...inOrder, ...inOrder]);
  });

  test("is left out by a rollback: it has no gap", async () => {
    for (let n = 0; n < 6; n++) {
      const writing = inClinic(engine.app, clinicId, async (tx) => {
        await emit(engine, tx, { clinicId, subject: "consult:1", facts: sampleFacts("consult.updated") });
        if (n % 2 === 1) throw new Error("no");
      });
      await writing.catch(() => {});
    }
    expect((await rowsOf("events", "subject_version")).map((e) => e.subject_version)).toEqual([1, 2, 3]);
  });

  test("counts each subject of each clinic apart", async () => {
    const other = await engine.createClinic();
    const versions = [];
    for (const [id, subject] of [
      [clinicId, "consult:1"],
      [clinicId, "consult:2"],
      [other, "consult:1"],
    ] as const) {
      versions.push((await engine.emit(id, subject)).subjectVersion);
    }
    expect(versions).toEqual([1, 1, 1]);
  });
});

describe("the fan-out", () => {
  test("reaches 25 webhooks, one delivery and one bell each, by one event", async () => {
    const ids = [];
    for (let n = 0; n < 25; n++) ids.push((await webhook()).id);
    await engine.emit(clinicId, "consult:1");
    expect((await rowsOf("events")).length).toBe(1);
    expect((await rowsOf("deliveries", "webhook_id")).map((d) => d.webhook_id)).toEqual(ids);
    expect((await rowsOf("bells", "webhook_id")).map((b) => b.webhook_id)).toEqual(ids);
  });

  test("leaves out drafts, deleted webhooks, other events and other clinics", async () => {
    const draft = await webhook();
    const deleted = await webhook();
    const offAndDeleted = await webhook({ enabled: false });
    await webhook({ events: ["consult.updated"] });
    await engine.createWebhook(await engine.createClinic(), { url: URL });
    await engine.owner.query(
      "update webhooks set draft = true, enabled = false, draft_until = now() + interval '1 day' where id = $1",
      [draft.id],
    );
    await engine.owner.query("update webhooks set deleted_at = now() where id = any ($1)", [
      [deleted.id, offAndDeleted.id],
    ]);
    await engine.emit(clinicId, "consult:1");
    expect(await counts()).toEqual({ events: 1, deliveries: 0, finished_deliveries: 0, bells: 0, subjects: 1 });
  });

  test("keeps for a webhook that is off what it would have got, as cancelled, and rings nobody", async () => {
    const off = await webhook({ enabled: false, patient: "id", onePerRequest: true });
    const event = await engine.emit(clinicId, "consult:1", classOf(2));
    const kept = {
      event_id: event.id,
      webhook_id: off.id,
      state: "cancelled",
      reason: "off",
      attempt: 0,
      sequence: null,
    };
    expect(await rowsOf("finished_deliveries", "part")).toMatchObject([
      { ...kept, part: 0, participants_per_request: 1, choice_patient: "id", test: false },
      { ...kept, part: 1 },
    ]);
    expect(await counts()).toMatchObject({ deliveries: 0, bells: 0 });
  });

  test.each([
    [1, 1],
    [199, 1],
    [200, 1],
    [201, 2],
    [400, 2],
    [401, 3],
  ])("splits a class of %i into %i requests, numbered from 0, in order", async (patients, parts) => {
    await webhook();
    await engine.emit(clinicId, "consult:1", classOf(patients));
    const deliveries = await rowsOf("deliveries", "id");
    expect(deliveries.map((d) => d.part)).toEqual(Array.from({ length: parts }, (_, n) => n));
    expect(new Set(deliveries.map((d) => d.participants_per_request))).toEqual(new Set([200]));
    expect(await counts()).toMatchObject({ events: 1, bells: 1, subjects: 1 });
  });

  test("makes one request per participant where the manager asked for it, beside webhooks that did not", async () => {
    const single = await webhook({ onePerRequest: true });
    const whole = await webhook();
    await engine.emit(clinicId, "consult:1", classOf(201));
    const deliveries = await rowsOf("deliveries", "id");
    const partsOf = (id: number) => deliveries.filter((d) => d.webhook_id === id).map((d) => d.part);
    expect(partsOf(single.id)).toEqual(Array.from({ length: 201 }, (_, n) => n));
    expect(partsOf(whole.id)).toEqual([0, 1]);
    expect(await rowsOf("bells")).toHaveLength(2);
  });
});

describe("at rest", () => {
  test("no byte of the tables holds a patient's name or e-mail, or an address' path, in plain text", async () => {
    await webhook({ url: `${URL}canary-path-4711`, patient: "all" });
    await webhook({ url: URL, enabled: false });
    const participants: Person[] = [{ id: 1, name: "Canary Quillfeather", email: "canary@example.test" }];
    await engine.emit(clinicId, "consult:subject-in-plain", { ...sampleFacts("participant.added"), participants });
    await engine.owner.query("checkpoint");
    const { rows } = await engine.owner.query<{ name: string; bytes: Buffer }>(
      `select c.relname as name, pg_read_binary_file(pg_relation_filepath(c.oid)) as bytes
       from pg_class c where c.relkind in ('r', 'i', 't') and c.oid >= 16384 and pg_relation_size(c.oid) > 0`,
    );
    const holding = (text: string) => rows.filter(({ bytes }) => bytes.includes(text)).map(({ name }) => name);
    expect(holding("consult:subject-in-plain")).toContain("deliveries"); // what is not sealed is found, so the search works
    for (const canary of ["Canary", "Quillfeather", "canary@example.test", "canary-path-4711"]) {
      expect(holding(canary)).toEqual([]);
    }
  });
});
