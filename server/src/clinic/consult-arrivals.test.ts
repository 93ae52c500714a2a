/** Statuses that give a place up (contract §3 rule 9), and one patient in another's place (rule 7). */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestClinic, type StoredEvent, type TestClinic } from "../../test/clinic.ts";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { briefOf, refusalOf } from "../../test/refusal.ts";
import type { Arrival } from "./consult-arrivals.ts";
import { cancelConsult, restoreConsult } from "./consult-cancelling.ts";
import { getConsult } from "./consult-views.ts";
import { type ConsultChange, changeConsult } from "./consults.ts";
import { addParticipant, changeParticipant, removeParticipant } from "./participants.ts";
import { changeService } from "./services.ts";

let database: TestDatabase;
let clinic: TestClinic;
let practitionerId: number;
let group: number;
let oneToOne: number;
let patients: number[];
const START = "2026-06-08T18:00:00-04:00";

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

beforeEach(async () => {
  clinic = await createTestClinic(database.pools);
  practitionerId = (await clinic.practitioner()).id;
  group = (await clinic.service("group", 2)).id;
  oneToOne = (await clinic.service("one_to_one")).id;
  patients = await clinic.patients(3);
});

async function scheduled(serviceId: number, patientIds: readonly number[]): Promise<number> {
  const id = await clinic.schedule({ serviceId, practitionerId, startTime: START, patientIds });
  await clinic.news();
  return id;
}

const note = (consultId: number, patientId: number, arrival: Arrival) =>
  clinic.change((changes) => changeParticipant(changes, { consultId, patientId, arrival }));
const change = (id: number, wanted: ConsultChange) => clinic.change((changes) => changeConsult(changes, id, wanted));
const consultNow = (id: number) => clinic.inTransaction((tx) => getConsult(tx, clinic.id, id));

function brief({ facts, subject }: StoredEvent) {
  const { event, consult, participants } = facts;
  return { event, subject, cancelled: consult.cancelled, patients: participants.map(({ id }) => id) };
}

async function briefNews() {
  return (await clinic.news()).map(brief);
}

async function refused(work: Parameters<TestClinic["change"]>[0]) {
  const refusal = await clinic.change((changes) => refusalOf(() => work(changes)));
  expect(await clinic.news()).toEqual([]);
  return briefOf(refusal);
}

describe("a late cancellation", () => {
  test("of a one-to-one consult cancels it, once, and a restored one has its patient again", async () => {
    const [a = 0] = patients;
    const id = await scheduled(oneToOne, [a]);
    await note(id, a, "late_cancel");
    await note(id, a, "late_cancel");
    await clinic.change((changes) => cancelConsult(changes, id));
    const subject = `consult:${id}`;
    expect(await briefNews()).toEqual([{ event: "participant.removed", subject, cancelled: true, patients: [a] }]);
    expect(await consultNow(id)).toMatchObject({ participants: [{ status: "booked", arrival: "late_cancel" }] });
    await clinic.change((changes) => restoreConsult(changes, id));
    expect(await briefNews()).toEqual([{ event: "participant.added", subject, cancelled: false, patients: [a] }]);
    expect(await consultNow(id)).toMatchObject({ cancelledAt: null, participants: [{ arrival: "expected" }] });
  });

  test("in a group takes that patient out alone, tells why he is gone, and frees the place", async () => {
    const [a = 0, b = 0, c = 0] = patients;
    const id = await scheduled(group, [a, b]);
    await note(id, a, "late_cancel");
    const subject = `consult:${id}`;
    expect(await briefNews()).toEqual([{ event: "participant.removed", subject, cancelled: false, patients: [a] }]);
    await change(id, { durationMinutes: 30 });
    expect(await briefNews()).toMatchObject([{ event: "consult.updated", patients: [b] }]);
    await clinic.change((changes) => addParticipant(changes, { consultId: id, patientId: c }));
    expect(await briefNews()).toMatchObject([{ event: "participant.added", patients: [c] }]);
    const full = await refused((changes) =>
      changeParticipant(changes, { consultId: id, patientId: a, arrival: "expected" }),
    );
    expect(full).toEqual({ status: 409, code: "consult_full", fields: ["arrival"] });
    await clinic.change((changes) => cancelConsult(changes, id));
    await clinic.change((changes) => restoreConsult(changes, id));
    expect(await briefNews()).toMatchObject([{ patients: [b, c] }, { event: "participant.added", patients: [b, c] }]);
  });

  test("that is taken back, or whose patient joins again, is participant.added", async () => {
    const [a = 0, b = 0] = patients;
    const id = await scheduled(group, [a, b]);
    await note(id, a, "late_cancel");
    await note(id, a, "expected");
    await note(id, a, "late_cancel");
    await clinic.change((changes) => addParticipant(changes, { consultId: id, patientId: a }));
    expect((await briefNews()).map(({ event, patients: [who] }) => [event, who])).toEqual([
      ["participant.removed", a],
      ["participant.added", a],
      ["participant.removed", a],
      ["participant.added", a],
    ]);
    const { participants } = await consultNow(id);
    expect(participants.map(({ patient }) => patient.id)).toEqual([b, a]);
  });

  test("of a held or wait-listed place is nobody's business", async () => {
    const [a = 0, b = 0] = patients;
    const participants = [
      { patientId: a, status: "held" as const },
      { patientId: b, status: "wait_listed" as const },
    ];
    const id = await clinic.schedule({ serviceId: oneToOne, practitionerId, startTime: START, participants });
    await note(id, b, "late_cancel");
    await note(id, a, "late_cancel");
    expect(await clinic.news()).toEqual([]);
    expect((await consultNow(id)).cancelledAt).toBeNull();
  });

  test("cannot be taken back in a cancelled consult, which is restored instead", async () => {
    const [a = 0] = patients;
    const id = await scheduled(oneToOne, [a]);
    await note(id, a, "late_cancel");
    await clinic.news();
    const answer = await refused((changes) =>
      changeParticipant(changes, { consultId: id, patientId: a, arrival: "arrived" }),
    );
    expect(answer).toEqual({ status: 409, code: "consult_cancelled", fields: ["arrival"] });
  });
});

test("an arrival and a plain no-show send nothing, in a one-to-one consult too, and keep the place", async () => {
  const [a = 0, b = 0] = patients;
  const id = await scheduled(oneToOne, [a]);
  for (const arrival of ["arrived", "no_show", "expected"] as const) await note(id, a, arrival);
  expect(await clinic.news()).toEqual([]);
  const full = await refused((changes) => addParticipant(changes, { consultId: id, patientId: b }));
  expect(full).toMatchObject({ code: "consult_full" });
});

describe("another patient on a one-to-one consult", () => {
  test("is removed(A), then added(B), of one subject, in this order", async () => {
    const [a = 0, b = 0] = patients;
    const id = await scheduled(oneToOne, [a]);
    await change(id, { patientId: b });
    const news = await clinic.news();
    const subject = `consult:${id}`;
    expect(news.map(brief)).toEqual([
      { event: "participant.removed", subject, cancelled: false, patients: [a] },
      { event: "participant.added", subject, cancelled: false, patients: [b] },
    ]);
    expect(news.map(({ subjectVersion }) => subjectVersion)).toEqual([2, 3]);
    expect(await consultNow(id)).toMatchObject({ participants: [{ patient: { id: b }, status: "booked" }] });
  });

  test("with another time in the same change is no update: the new patient never knew the old time", async () => {
    const [a = 0, b = 0] = patients;
    const id = await scheduled(oneToOne, [a]);
    await change(id, { patientId: b, startTime: "2026-06-09T09:00" });
    const news = await clinic.news();
    expect(news.map(({ facts }) => [facts.event, facts.consult.start_time])).toEqual([
      ["participant.removed", "2026-06-09T09:00:00-04:00"],
      ["participant.added", "2026-06-09T09:00:00-04:00"],
    ]);
  });

  test("who is the same patient is nothing; a held place stays a held place; an empty one is booked", async () => {
    const [a = 0, b = 0] = patients;
    const id = await scheduled(oneToOne, [a]);
    await change(id, { patientId: a });
    const held = [{ patientId: a, status: "held" as const }];
    const heldId = await clinic.schedule({ serviceId: oneToOne, practitionerId, startTime: START, participants: held });
    await change(heldId, { patientId: b });
    expect(await clinic.news()).toEqual([]);
    expect(await consultNow(heldId)).toMatchObject({ participants: [{ patient: { id: b }, status: "held" }] });
    const empty = await scheduled(oneToOne, []);
    await change(empty, { patientId: a });
    expect(await briefNews()).toMatchObject([{ event: "participant.added", patients: [a] }]);
  });

  test("is refused in a group, in a cancelled consult, for a stranger and for one who waits for it; and changes nothing", async () => {
    const [a = 0, b = 0, c = 0] = patients;
    const id = await scheduled(oneToOne, [a]);
    const cancelled = await scheduled(oneToOne, [a]);
    await clinic.change((changes) => cancelConsult(changes, cancelled));
    const several = await scheduled(group, [a]);
    await clinic.change((changes) => addParticipant(changes, { consultId: id, patientId: c, status: "wait_listed" }));
    const cases: [number, number, string][] = [
      [several, b, "not_one_to_one"],
      [cancelled, b, "consult_cancelled"],
      [id, 9_007_199_254_740_991, "not_found"],
      [id, c, "already_in_consult"],
    ];
    for (const [consultId, patientId, code] of cases) {
      const before = await consultNow(consultId);
      const wanted = { patientId, notes: "Not kept." };
      const answer = await refused((changes) => changeConsult(changes, consultId, wanted));
      expect(answer).toMatchObject({ code, fields: ["patient_id"] });
      expect(await consultNow(consultId)).toEqual(before);
    }
  });
});

describe("another length and another number of places of a service", () => {
  test("send nothing, leave what is scheduled as it is, and hold from now on", async () => {
    const [a = 0, b = 0, c = 0] = patients;
    const id = await scheduled(group, [a, b]);
    const less = { durationMinutes: 30, capacity: 1 };
    await clinic.inTransaction((tx) => changeService(tx, { clinicId: clinic.id, id: group, change: less }));
    expect(await clinic.news()).toEqual([]);
    expect(await consultNow(id)).toMatchObject({ durationMinutes: 60, participants: [{}, {}] });
    const full = await refused((changes) => addParticipant(changes, { consultId: id, patientId: c }));
    expect(full).toMatchObject({ code: "consult_full" });
    // Whoever is there already may stay, change the kind of place, and leave.
    const waits = { consultId: id, patientId: c, status: "wait_listed" as const };
    await clinic.change((changes) => addParticipant(changes, waits));
    await clinic.change((changes) => changeParticipant(changes, { consultId: id, patientId: b, status: "held" }));
    await clinic.change((changes) => removeParticipant(changes, { consultId: id, patientId: b }));
    await clinic.news();
    await clinic.schedule({ serviceId: group, practitionerId, startTime: START, patientIds: [a] });
    expect(await clinic.news()).toMatchObject([{ facts: { consult: { duration: 30 } } }]);
  });

  test("are refused out of range, naming the field", async () => {
    const cases = [
      [group, { durationMinutes: 0 }, "duration"],
      [group, { capacity: 1_001 }, "capacity"],
      [oneToOne, { capacity: 2 }, "capacity"],
      [group, { name: " " }, "name"],
    ] as const;
    for (const [id, wanted, field] of cases) {
      const answer = await clinic.inTransaction((tx) =>
        refusalOf(() => changeService(tx, { clinicId: clinic.id, id, change: wanted })),
      );
      expect(briefOf(answer)).toMatchObject({ status: 400, fields: [field] });
    }
  });
});
