/** Bad input to consults: it names the field, and changes nothing. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestClinic, type TestClinic } from "../../test/clinic.ts";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { briefOf, refusalOf } from "../../test/refusal.ts";
import { cancelConsult } from "./consult-cancelling.ts";
import type { ConsultChanges } from "./consult-changes.ts";
import { changeConsult, type NewConsult, scheduleConsult } from "./consults.ts";
import { addParticipant, changeParticipant, moveParticipant, removeParticipant } from "./participants.ts";

let database: TestDatabase;
let clinic: TestClinic;
let stranger: TestClinic;
let base: NewConsult;
let patients: number[];
let strangers: number[];

beforeAll(async () => {
  database = await createTestDatabase();
  stranger = await createTestClinic(database.pools, { name: "Another Invented Clinic" });
  strangers = await stranger.patients(2);
});
afterAll(() => database.drop());

beforeEach(async () => {
  clinic = await createTestClinic(database.pools);
  patients = await clinic.patients(4);
  const { id: practitionerId } = await clinic.practitioner();
  const { id: serviceId } = await clinic.service("class", 2);
  base = { serviceId, practitionerId, startTime: "2026-06-08T18:00" };
});

/** Every row of the clinic's consults, to be compared. */
async function rows() {
  return clinic.inTransaction(async (tx) => ({
    consults: await tx.selectFrom("consults").selectAll().orderBy("id").execute(),
    participants: await tx.selectFrom("consult_participants").selectAll().orderBy("place").execute(),
  }));
}

/** The refusal of a command; also sees to it that it changed nothing, even for a transaction that goes on. */
async function refused(command: (changes: ConsultChanges) => Promise<unknown>) {
  const before = await rows();
  await clinic.news();
  const refusal = await clinic.change((changes) => refusalOf(() => command(changes)));
  expect(await rows()).toEqual(before);
  expect(await clinic.news()).toEqual([]);
  expect(refusal.title.length).toBeGreaterThan(20);
  return briefOf(refusal);
}

describe("scheduling is refused", () => {
  const scheduling = (change: () => Partial<NewConsult>) =>
    refused((tx) => scheduleConsult(tx, { ...base, ...change() }));

  test("when it ends before it starts, or lasts longer than a day", async () => {
    for (const durationMinutes of [0, -30, 1.5, 1_441, Number.NaN]) {
      const answer = await scheduling(() => ({ durationMinutes }));
      expect(answer).toEqual({ status: 400, code: "invalid_request", fields: ["duration"] });
    }
  });

  test("when its start is no time", async () => {
    const answer = await scheduling(() => ({ startTime: "next Monday" }));
    expect(answer).toEqual({ status: 400, code: "invalid_request", fields: ["start_time"] });
  });

  test("with a patient, a service or a practitioner of another clinic, like one who does not exist", async () => {
    const { id: foreignService } = await stranger.service();
    const { id: foreignPractitioner } = await stranger.practitioner();
    const [own = 0] = patients;
    const [foreign = 0] = strangers;
    const cases: [Partial<NewConsult>, string][] = [
      [{ patientIds: [own, foreign] }, "patient_ids.1"],
      [{ patientIds: [9_007_199_254_740_991] }, "patient_ids.0"],
      [{ participants: [{ patientId: foreign, status: "held" }] }, "participants.0.patient_id"],
      [{ serviceId: foreignService }, "service_id"],
      [{ practitionerId: foreignPractitioner }, "practitioner_id"],
    ];
    for (const [change, field] of cases) {
      expect(await scheduling(() => change)).toEqual({ status: 404, code: "not_found", fields: [field] });
    }
  });

  test("with a patient twice", async () => {
    const [a = 0, b = 0] = patients;
    const participants = [{ patientId: a, status: "wait_listed" as const }];
    const answer = await scheduling(() => ({ patientIds: [b, a], participants }));
    expect(answer).toEqual({ status: 409, code: "already_in_consult", fields: ["participants.0.patient_id"] });
  });

  test("with more patients than places, held ones included; the wait list always has room", async () => {
    const [a = 0, b = 0, c = 0, d = 0] = patients;
    const participants = [{ patientId: c, status: "held" as const }];
    const answer = await scheduling(() => ({ patientIds: [a, b], participants }));
    expect(answer).toEqual({ status: 409, code: "consult_full", fields: ["participants.0.patient_id"] });
    const waiting = [c, d].map((patientId) => ({ patientId, status: "wait_listed" as const }));
    await clinic.schedule({ ...base, patientIds: [a, b], participants: waiting });
  });

  test("with two patients on a one-to-one service", async () => {
    const { id: serviceId } = await clinic.service("one_to_one");
    const answer = await scheduling(() => ({ serviceId, patientIds: patients.slice(0, 2) }));
    expect(answer).toEqual({ status: 409, code: "consult_full", fields: ["patient_ids.1"] });
  });

  test("with more than 1,000 participants, even on the wait list", async () => {
    const many = Array.from({ length: 1_001 }, (_, at) => ({ patientId: at + 1, status: "wait_listed" as const }));
    const answer = await scheduling(() => ({ participants: many }));
    expect(answer).toEqual({ status: 400, code: "invalid_request", fields: ["participants.1000.patient_id"] });
  });

  test("with notes or a room that cannot be stored", async () => {
    const cases: [Partial<NewConsult>, string][] = [
      [{ notes: "nul\u0000" }, "notes"],
      [{ notes: "x".repeat(10_001) }, "notes"],
      [{ room: "two\nlines" }, "room"],
      [{ room: "x".repeat(201) }, "room"],
    ];
    for (const [change, field] of cases) expect((await scheduling(() => change)).fields).toEqual([field]);
  });
});

describe("changing is refused", () => {
  test("for a consult of another clinic, like one that does not exist", async () => {
    const { id: serviceId } = await stranger.service();
    const { id: practitionerId } = await stranger.practitioner();
    const consultId = await stranger.schedule({ ...base, serviceId, practitionerId, patientIds: strangers });
    const [patientId = 0] = strangers;
    const commands: ((changes: ConsultChanges, id: number) => Promise<void>)[] = [
      (changes, id) => changeConsult(changes, id, { durationMinutes: 5 }),
      (changes, id) => cancelConsult(changes, id),
      (changes, id) => addParticipant(changes, { consultId: id, patientId }),
      (changes, id) => changeParticipant(changes, { consultId: id, patientId, arrival: "arrived" }),
      (changes, id) => removeParticipant(changes, { consultId: id, patientId }),
    ];
    for (const command of commands) {
      for (const id of [consultId, 9_007_199_254_740_991]) {
        expect(await refused((changes) => command(changes, id))).toEqual({
          status: 404,
          code: "not_found",
          fields: [],
        });
      }
    }
  });

  test("to a service with fewer places than are taken", async () => {
    const consultId = await clinic.schedule({ ...base, patientIds: patients.slice(0, 2) });
    const { id: serviceId } = await clinic.service("one_to_one");
    const answer = await refused((changes) => changeConsult(changes, consultId, { serviceId }));
    expect(answer).toEqual({ status: 409, code: "consult_full", fields: ["service_id"] });
  });

  test("of appointment and participants once it is cancelled, while notes and a save without a change pass", async () => {
    const [a = 0, b = 0] = patients;
    const consultId = await clinic.schedule({ ...base, patientIds: [a] });
    const other = await clinic.schedule(base);
    await clinic.change((changes) => cancelConsult(changes, consultId));
    const commands: ((changes: ConsultChanges) => Promise<void>)[] = [
      (changes) => changeConsult(changes, consultId, { durationMinutes: 5, notes: "Not kept." }),
      (changes) => addParticipant(changes, { consultId, patientId: b }),
      (changes) => changeParticipant(changes, { consultId, patientId: a, status: "held" }),
      (changes) => removeParticipant(changes, { consultId, patientId: a }),
      (changes) => moveParticipant(changes, { consultId, patientId: a, toConsultId: other }),
    ];
    for (const command of commands) expect(await refused(command)).toMatchObject({ code: "consult_cancelled" });
    await clinic.change((changes) => changeConsult(changes, consultId, { durationMinutes: 60, notes: "Called." }));
  });

  test("of a patient who is not in it, or who is in it already", async () => {
    const [a = 0, b = 0] = patients;
    const consultId = await clinic.schedule({ ...base, patientIds: [a] });
    const notThere = await refused((changes) => removeParticipant(changes, { consultId, patientId: b }));
    expect(notThere).toMatchObject({ status: 404 });
    const twice = await refused((changes) => addParticipant(changes, { consultId, patientId: a }));
    expect(twice).toEqual({ status: 409, code: "already_in_consult", fields: ["patient_id"] });
  });

  test("of a place when all are taken", async () => {
    const [a = 0, b = 0, c = 0] = patients;
    const consultId = await clinic.schedule({ ...base, patientIds: [a, b] });
    const full = await refused((changes) => addParticipant(changes, { consultId, patientId: c }));
    expect(full).toEqual({ status: 409, code: "consult_full", fields: ["patient_id"] });
    await clinic.change((changes) => addParticipant(changes, { consultId, patientId: c, status: "wait_listed" }));
    const booking = await refused((changes) =>
      changeParticipant(changes, { consultId, patientId: c, status: "booked" }),
    );
    expect(booking).toEqual({ status: 409, code: "consult_full", fields: ["status"] });
    await clinic.change((changes) => removeParticipant(changes, { consultId, patientId: a }));
    await clinic.change((changes) => changeParticipant(changes, { consultId, patientId: c, status: "booked" }));
  });

  test("of a move to nowhere, to itself, to a full or a cancelled consult, or to one the patient is in", async () => {
    const [a = 0, b = 0, c = 0] = patients;
    const consultId = await clinic.schedule({ ...base, patientIds: [a] });
    const full = await clinic.schedule({ ...base, patientIds: [b, c] });
    const same = await clinic.schedule({ ...base, patientIds: [a] });
    const cancelled = await clinic.schedule(base);
    await clinic.change((changes) => cancelConsult(changes, cancelled));
    const cases: [number, string][] = [
      [9_007_199_254_740_991, "not_found"],
      [consultId, "invalid_request"],
      [full, "consult_full"],
      [same, "already_in_consult"],
      [cancelled, "consult_cancelled"],
    ];
    for (const [toConsultId, code] of cases) {
      const answer = await refused((changes) => moveParticipant(changes, { consultId, patientId: a, toConsultId }));
      expect(answer).toMatchObject({ code, fields: ["to_consult_id"] });
    }
  });
});
