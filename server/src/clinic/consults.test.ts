/** Contract §3 for single changes of consults, each rule on a real database, as a receiver is told of it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestClinic, type StoredEvent, type TestClinic } from "../../test/clinic.ts";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { cancelConsult, restoreConsult } from "./consult-cancelling.ts";
import { getConsult } from "./consult-views.ts";
import { changeConsult } from "./consults.ts";
import { addParticipant, changeParticipant, moveParticipant, removeParticipant } from "./participants.ts";
import { changePatient, changePractitioner } from "./people.ts";
import { changeService } from "./services.ts";

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

describe("participant.added", () => {
  test("one event for all patients of a new class, with everything known of it at that moment", async () => {
    const [a = 0, b = 0] = patients;
    const id = await clinic.schedule({ serviceId, practitionerId, startTime: START, patientIds: [b, a] });
    const [event, ...others] = await clinic.news();
    expect(others).toEqual([]);
    expect(event).toEqual({
      subject: `consult:${id}`,
      subjectVersion: 1,
      parts: 1,
      facts: {
        event: "participant.added",
        consult: { id, start_time: START, end_time: "2026-06-08T19:00:00-04:00", duration: 60, cancelled: false },
        service: { id: serviceId, name: "Invented class" },
        practitioner: { id: practitionerId, name: "Pat Pretend", email: "pat.pretend@example.test" },
        participants: [
          { id: b, name: "Sample 1", email: null },
          { id: a, name: "Sample 0", email: null },
        ],
      },
    });
  });

  test("a one-to-one consult is about one patient", async () => {
    const { id: oneToOne } = await clinic.service("one_to_one");
    const [a = 0] = patients;
    await clinic.schedule({ serviceId: oneToOne, practitionerId, startTime: START, patientIds: [a] });
    expect(await briefNews()).toMatchObject([{ event: "participant.added", patients: [a] }]);
  });

  test("a back-dated consult fires as usual", async () => {
    const [a = 0] = patients;
    await clinic.schedule({ serviceId, practitionerId, startTime: "2019-01-07T09:00", patientIds: [a] });
    expect(await clinic.news()).toMatchObject([{ facts: { consult: { start_time: "2019-01-07T09:00:00-05:00" } } }]);
  });

  test("nothing for a class that is created empty, changed and cancelled", async () => {
    const id = await clinic.schedule({ serviceId, practitionerId, startTime: START });
    await clinic.change((changes) => changeConsult(changes, id, { durationMinutes: 30 }));
    await clinic.change((changes) => cancelConsult(changes, id));
    await clinic.change((changes) => restoreConsult(changes, id));
    expect(await clinic.news()).toEqual([]);
  });

  test("nothing for held and wait-listed places, until one is booked", async () => {
    const [a = 0, b = 0] = patients;
    const participants = [
      { patientId: a, status: "held" as const },
      { patientId: b, status: "wait_listed" as const },
    ];
    const consultId = await clinic.schedule({ serviceId, practitionerId, startTime: START, participants });
    await clinic.change((changes) => changeConsult(changes, consultId, { startTime: "2026-06-09T18:00" }));
    expect(await clinic.news()).toEqual([]);
    await clinic.change((changes) => changeParticipant(changes, { consultId, patientId: a, status: "booked" }));
    expect(await briefNews()).toMatchObject([{ event: "participant.added", patients: [a], cancelled: false }]);
    await clinic.change((changes) => changeParticipant(changes, { consultId, patientId: a, status: "held" }));
    expect(await briefNews()).toMatchObject([{ event: "participant.removed", patients: [a], cancelled: false }]);
    await clinic.change((changes) => removeParticipant(changes, { consultId, patientId: b }));
    expect(await clinic.news()).toEqual([]);
  });

  test("a patient who joins later is told of alone", async () => {
    const [a = 0, b = 0] = patients;
    const consultId = await scheduled([a]);
    await clinic.change((changes) => addParticipant(changes, { consultId, patientId: b }));
    expect(await briefNews()).toEqual([
      { event: "participant.added", subject: `consult:${consultId}`, cancelled: false, patients: [b] },
    ]);
  });

  test("200 participants make one request, 201 the same event in two", async () => {
    const many = await clinic.patients(201);
    const full = await clinic.schedule({ serviceId, practitionerId, startTime: START, patientIds: many.slice(0, 200) });
    const over = await clinic.schedule({ serviceId, practitionerId, startTime: START, patientIds: many });
    const news = await clinic.news();
    expect(news.map(({ subject, parts, facts }) => [subject, parts, facts.participants.length])).toEqual([
      [`consult:${full}`, 1, 200],
      [`consult:${over}`, 2, 201],
    ]);
  });
});

describe("consult.updated", () => {
  test("a reschedule keeps the id and lists everybody who is in it", async () => {
    const [a = 0, b = 0] = patients;
    const id = await scheduled([a, b]);
    await clinic.change((changes) => changeConsult(changes, id, { startTime: "2026-12-07T18:00" }));
    const [event] = await clinic.news();
    expect(event?.facts).toMatchObject({
      event: "consult.updated",
      consult: { id, start_time: "2026-12-07T18:00:00-05:00", end_time: "2026-12-07T19:00:00-05:00", cancelled: false },
      participants: [{ id: a }, { id: b }],
    });
  });

  test("another practitioner and another service are updates too", async () => {
    const [a = 0] = patients;
    const id = await scheduled([a]);
    const other = await clinic.practitioner("Stevie Stand-In", "stevie.standin@example.test");
    const { id: otherService } = await clinic.service("group");
    await clinic.change((changes) => changeConsult(changes, id, { practitionerId: other.id }));
    await clinic.change((changes) => changeConsult(changes, id, { serviceId: otherService }));
    expect(await clinic.news()).toMatchObject([
      { facts: { event: "consult.updated", practitioner: other, service: { id: serviceId } }, subjectVersion: 2 },
      { facts: { event: "consult.updated", practitioner: other, service: { id: otherService } }, subjectVersion: 3 },
    ]);
  });

  test("nothing for notes, room, arrival and a save that changes nothing", async () => {
    const [a = 0] = patients;
    const consultId = await scheduled([a]);
    const same = { startTime: "2026-06-08T22:00:00Z", durationMinutes: 60, serviceId, practitionerId };
    await clinic.change((changes) => changeConsult(changes, consultId, { notes: "Bring a mat.", room: "2" }));
    await clinic.change((changes) => changeConsult(changes, consultId, same));
    await clinic.change((changes) => changeConsult(changes, consultId, {}));
    await clinic.change((changes) => changeParticipant(changes, { consultId, patientId: a, arrival: "no_show" }));
    await clinic.change((changes) => changeParticipant(changes, { consultId, patientId: a, status: "booked" }));
    expect(await clinic.news()).toEqual([]);
  });

  test("renames send nothing, and later events carry the new names", async () => {
    const [a = 0] = patients;
    const id = await scheduled([a]);
    const clinicId = clinic.id;
    await clinic.inTransaction(async (tx) => {
      await changeService(tx, { clinicId, id: serviceId, change: { name: "Renamed class" } });
      await changePatient(tx, { clinicId, id: a, change: { name: "Robin Renamed", email: "robin@example.test" } });
      await changePractitioner(tx, { clinicId, id: practitionerId, change: { name: "Pat Renamed" } });
    });
    expect(await clinic.news()).toEqual([]);
    await clinic.change((changes) => changeConsult(changes, id, { durationMinutes: 45 }));
    expect(await clinic.news()).toMatchObject([
      {
        facts: {
          service: { name: "Renamed class" },
          practitioner: { name: "Pat Renamed", email: "pat.pretend@example.test" },
          participants: [{ name: "Robin Renamed", email: "robin@example.test" }],
        },
      },
    ]);
  });
});

describe("participant.removed", () => {
  test("one patient leaves: one object, and the consult is not cancelled", async () => {
    const [a = 0, b = 0] = patients;
    const consultId = await scheduled([a, b]);
    await clinic.change((changes) => removeParticipant(changes, { consultId, patientId: a }));
    expect(await briefNews()).toEqual([
      { event: "participant.removed", subject: `consult:${consultId}`, cancelled: false, patients: [a] },
    ]);
  });

  test("cancelling takes all out in one event, cancelled: true; a second cancelling says nothing", async () => {
    const [a = 0, b = 0, c = 0] = patients;
    const id = await scheduled([a, b, c]);
    await clinic.change((changes) => cancelConsult(changes, id));
    await clinic.change((changes) => cancelConsult(changes, id));
    expect(await briefNews()).toEqual([
      { event: "participant.removed", subject: `consult:${id}`, cancelled: true, patients: [a, b, c] },
    ]);
  });

  test("the moment of a cancellation is the first one's", async () => {
    const id = await scheduled([]);
    const first = clinic.clock.now();
    await clinic.change((changes) => cancelConsult(changes, id));
    clinic.clock.advance({ hours: 1 });
    await clinic.change((changes) => cancelConsult(changes, id));
    const { cancelledAt } = await clinic.inTransaction((tx) => getConsult(tx, clinic.id, id));
    expect(cancelledAt?.equals(first)).toBe(true);
  });

  test("a restored consult adds the same patients under the same id; a second restoring says nothing", async () => {
    const [a = 0, b = 0] = patients;
    const id = await scheduled([a, b]);
    await clinic.change((changes) => cancelConsult(changes, id));
    await clinic.change((changes) => restoreConsult(changes, id));
    await clinic.change((changes) => restoreConsult(changes, id));
    expect(await clinic.news()).toMatchObject([
      { facts: { event: "participant.removed", consult: { id, cancelled: true } }, subjectVersion: 2 },
      {
        facts: { event: "participant.added", consult: { id, cancelled: false }, participants: [{ id: a }, { id: b }] },
        subjectVersion: 3,
      },
    ]);
  });

  test("a patient moved to another class is removed from the old, then added to the new", async () => {
    const [a = 0, b = 0] = patients;
    const later = await scheduled([b]);
    const from = await scheduled([a, b].slice(0, 1));
    await clinic.change((changes) => moveParticipant(changes, { consultId: from, patientId: a, toConsultId: later }));
    expect(await briefNews()).toEqual([
      { event: "participant.removed", subject: `consult:${from}`, cancelled: false, patients: [a] },
      { event: "participant.added", subject: `consult:${later}`, cancelled: false, patients: [a] },
    ]);
  });

  test("a held place that moves makes no event", async () => {
    const [a = 0] = patients;
    const held = [{ patientId: a, status: "held" as const }];
    const from = await clinic.schedule({ serviceId, practitionerId, startTime: START, participants: held });
    const to = await scheduled([]);
    await clinic.change((changes) => moveParticipant(changes, { consultId: from, patientId: a, toConsultId: to }));
    expect(await clinic.news()).toEqual([]);
  });
});
