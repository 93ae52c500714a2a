/** Several commands in one transaction (contract §3 rule 5), and the times that events carry (contract §5). */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestClinic, type StoredEvent, type TestClinic } from "../../test/clinic.ts";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { cancelConsult, restoreConsult } from "./consult-cancelling.ts";
import { changeConsults } from "./consult-changes.ts";
import { changeConsult } from "./consults.ts";
import { addParticipant, removeParticipant } from "./participants.ts";

let database: TestDatabase;
let clinic: TestClinic;
let practitionerId: number;
let serviceId: number;
let patients: number[];
const START = "2026-06-08T18:00:00-04:00";

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

beforeEach(async () => {
  clinic = await createTestClinic(database.pools);
  practitionerId = (await clinic.practitioner()).id;
  serviceId = (await clinic.service("class")).id;
  patients = await clinic.patients(4);
});

/** Schedules a class and forgets the event of its creation. */
async function scheduled(patientIds: readonly number[], startTime = START): Promise<number> {
  const id = await clinic.schedule({ serviceId, practitionerId, startTime, patientIds });
  await clinic.news();
  return id;
}

/** An event as one line: who it is about and what it says of the consult. */
function brief({ facts, subject }: StoredEvent) {
  const { event, consult, participants } = facts;
  return { event, subject, cancelled: consult.cancelled, patients: participants.map(({ id }) => id) };
}

async function briefNews() {
  return (await clinic.news()).map(brief);
}

describe("one transaction with several commands", () => {
  test("makes at most one event each, in the order removed, updated, added", async () => {
    const [a = 0, b = 0, c = 0, d = 0] = patients;
    const consultId = await scheduled([a, b]);
    await clinic.change(async (changes) => {
      await addParticipant(changes, { consultId, patientId: c });
      await changeConsult(changes, consultId, { durationMinutes: 30 });
      await addParticipant(changes, { consultId, patientId: d });
      await changeConsult(changes, consultId, { durationMinutes: 90 });
      await removeParticipant(changes, { consultId, patientId: a });
    });
    const news = await clinic.news();
    expect(news.map(brief)).toMatchObject([
      { event: "participant.removed", patients: [a] },
      { event: "consult.updated", patients: [b] },
      { event: "participant.added", patients: [c, d] },
    ]);
    expect(news.map(({ subjectVersion }) => subjectVersion)).toEqual([2, 3, 4]);
    expect(news.map(({ facts }) => facts.consult.duration)).toEqual([90, 90, 90]);
  });

  test("added and removed is nothing, and so is a change that is taken back", async () => {
    const [a = 0, b = 0] = patients;
    const consultId = await scheduled([a]);
    await clinic.change(async (changes) => {
      await addParticipant(changes, { consultId, patientId: b });
      await changeConsult(changes, consultId, { startTime: "2026-06-10T09:00" });
      await removeParticipant(changes, { consultId, patientId: b });
      await changeConsult(changes, consultId, { startTime: START });
      await cancelConsult(changes, consultId);
      await restoreConsult(changes, consultId);
    });
    expect(await clinic.news()).toEqual([]);
  });

  test("a cancellation swallows the rest: all who were there before, and nobody else", async () => {
    const [a = 0, b = 0, c = 0] = patients;
    const consultId = await scheduled([a, b]);
    await clinic.change(async (changes) => {
      await changeConsult(changes, consultId, { durationMinutes: 30 });
      await removeParticipant(changes, { consultId, patientId: a });
      await addParticipant(changes, { consultId, patientId: c });
      await cancelConsult(changes, consultId);
    });
    expect(await briefNews()).toEqual([
      { event: "participant.removed", subject: `consult:${consultId}`, cancelled: true, patients: [a, b] },
    ]);
  });

  test("rolled back, it makes no event and uses up no version", async () => {
    const [a = 0] = patients;
    const id = await scheduled([a]);
    const failing = clinic.inTransaction(async (tx) => {
      await changeConsults(tx, clinic.context, (changes) => cancelConsult(changes, id));
      throw new Error("after the events");
    });
    await expect(failing).rejects.toThrow("after the events");
    expect(await clinic.news()).toEqual([]);
    await clinic.change((changes) => cancelConsult(changes, id));
    expect(await clinic.news()).toMatchObject([{ subjectVersion: 2 }]);
  });
});

describe("times in events", () => {
  test("two hours over the end of daylight saving in Toronto", async () => {
    const [a = 0] = patients;
    const startTime = "2026-11-01T00:30";
    await clinic.schedule({ serviceId, practitionerId, startTime, durationMinutes: 120, patientIds: [a] });
    const consult = { start_time: "2026-11-01T00:30:00-04:00", end_time: "2026-11-01T01:30:00-05:00", duration: 120 };
    expect(await clinic.news()).toMatchObject([{ facts: { consult } }]);
  });

  test("a clinic at +05:45", async () => {
    clinic = await createTestClinic(database.pools, { timeZone: "Asia/Kathmandu" });
    const { id: inNepal } = await clinic.practitioner();
    const { id: service } = await clinic.service();
    const { id: patient } = await clinic.patient();
    const consult = { serviceId: service, practitionerId: inNepal, patientIds: [patient] };
    await clinic.schedule({ ...consult, startTime: "2026-11-01T09:00" });
    await clinic.schedule({ ...consult, startTime: "2026-11-01T03:15:00Z" });
    const expected = { start_time: "2026-11-01T09:00:00+05:45", end_time: "2026-11-01T10:00:00+05:45" };
    expect(await clinic.news()).toMatchObject([{ facts: { consult: expected } }, { facts: { consult: expected } }]);
  });

  test.each([
    ["missing", "2026-03-08T02:30", "2026-03-08T03:30:00-04:00"],
    ["doubled", "2026-11-01T01:30", "2026-11-01T01:30:00-04:00"],
  ])("a %s wall time is read as compatible", async (_, startTime, expected) => {
    const [a = 0] = patients;
    await clinic.schedule({ serviceId, practitionerId, startTime, patientIds: [a] });
    expect(await clinic.news()).toMatchObject([{ facts: { consult: { start_time: expected } } }]);
  });
});
