/** Contract §3 rule 8: a command on a series makes one event for each occurrence, as if each were changed alone. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestClinic, type StoredEvent, type TestClinic } from "../../test/clinic.ts";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { briefOf, refusalOf } from "../../test/refusal.ts";
import { cancelConsult, restoreConsult } from "./consult-cancelling.ts";
import { getConsult } from "./consult-views.ts";
import { changeConsult, type NewConsult } from "./consults.ts";
import { addParticipant, changeParticipant, removeParticipant } from "./participants.ts";
import { cancelSeries, changeSeries, registerInSeries, removeFromSeries, scheduleSeries } from "./series.ts";
import type { Repeats } from "./series-times.ts";
import { getSeries } from "./series-views.ts";

let database: TestDatabase;
let clinic: TestClinic;
let stranger: TestClinic;
let practitionerId: number;
let serviceId: number;
let patients: number[];
const WEEKLY: Repeats = { every: "week", count: 4 };
/** The first four Sundays of March 2026; daylight saving begins on the second. */
const DAYS = ["2026-03-01", "2026-03-08", "2026-03-15", "2026-03-22"];

beforeAll(async () => {
  database = await createTestDatabase();
  stranger = await createTestClinic(database.pools, { name: "Another Invented Clinic" });
});
afterAll(() => database.drop());

beforeEach(async () => {
  clinic = await createTestClinic(database.pools);
  practitionerId = (await clinic.practitioner()).id;
  serviceId = (await clinic.service("class", 3)).id;
  patients = await clinic.patients(4);
});

function schedule(changed: Partial<NewConsult> = {}, repeats = WEEKLY) {
  const consult = { serviceId, practitionerId, startTime: "2026-03-01T18:00", ...changed };
  return clinic.change((changes) => scheduleSeries(changes, consult, repeats));
}

/** Schedules a weekly class and forgets its events. */
async function scheduled(changed: Partial<NewConsult> = {}, repeats = WEEKLY) {
  const series = await schedule(changed, repeats);
  await clinic.news();
  return series;
}

const subjectsOf = (ids: readonly number[]) => ids.map((id) => `consult:${id}`);
const startsOf = (news: readonly StoredEvent[]) => news.map(({ facts }) => facts.consult.start_time);

function brief({ facts, subject }: StoredEvent) {
  const { event, consult, participants } = facts;
  return { event, subject, cancelled: consult.cancelled, patients: participants.map(({ id }) => id) };
}

async function refused(work: Parameters<TestClinic["change"]>[0]) {
  const refusal = await clinic.change((changes) => refusalOf(() => work(changes)));
  expect(await clinic.news()).toEqual([]);
  return briefOf(refusal);
}

describe("a weekly class over the start of daylight saving in Toronto", () => {
  test("is one participant.added for each occurrence, each at 18:00 of its own day", async () => {
    const [a = 0, b = 0] = patients;
    const { consultIds } = await schedule({ patientIds: [a, b] });
    const news = await clinic.news();
    expect(news.map(brief)).toEqual(
      subjectsOf(consultIds).map((subject) => {
        return { event: "participant.added", subject, cancelled: false, patients: [a, b] };
      }),
    );
    expect(news.map(({ facts }) => [facts.consult.start_time, facts.consult.end_time])).toEqual([
      ["2026-03-01T18:00:00-05:00", "2026-03-01T19:00:00-05:00"],
      ["2026-03-08T18:00:00-04:00", "2026-03-08T19:00:00-04:00"],
      ["2026-03-15T18:00:00-04:00", "2026-03-15T19:00:00-04:00"],
      ["2026-03-22T18:00:00-04:00", "2026-03-22T19:00:00-04:00"],
    ]);
  });

  test("that is scheduled empty says nothing, until a patient is registered in all of it", async () => {
    const [a = 0] = patients;
    const { seriesId, consultIds } = await schedule();
    expect(await clinic.news()).toEqual([]);
    await clinic.change((changes) => registerInSeries(changes, { seriesId, patientId: a }));
    expect((await clinic.news()).map(brief)).toEqual(
      subjectsOf(consultIds).map((subject) => {
        return { event: "participant.added", subject, cancelled: false, patients: [a] };
      }),
    );
  });

  test("moves to another time of day from a day on: the wall time again, a missing one pushed on that day alone", async () => {
    const { seriesId } = await scheduled({ patientIds: patients.slice(0, 1) });
    const part = { seriesId, from: DAYS[1] };
    await clinic.change((changes) => changeSeries(changes, part, { timeOfDay: "02:30" }));
    expect(startsOf(await clinic.news())).toEqual([
      "2026-03-08T03:30:00-04:00",
      "2026-03-15T02:30:00-04:00",
      "2026-03-22T02:30:00-04:00",
    ]);
  });
});

describe("registering in a series", () => {
  test("from a day on leaves earlier ones, cancelled ones and those that the patient is in alone", async () => {
    const [a = 0] = patients;
    const { seriesId, consultIds } = await scheduled();
    const [, second = 0, third = 0, last = 0] = consultIds;
    await clinic.change((changes) => cancelConsult(changes, second));
    await clinic.change((changes) => addParticipant(changes, { consultId: third, patientId: a, status: "held" }));
    const part = { seriesId, from: DAYS[1], patientId: a };
    expect(await clinic.change((changes) => registerInSeries(changes, part))).toEqual([last]);
    expect((await clinic.news()).map(brief)).toEqual([
      { event: "participant.added", subject: `consult:${last}`, cancelled: false, patients: [a] },
    ]);
    expect(await clinic.change((changes) => registerInSeries(changes, part))).toEqual([]);
    expect(await clinic.news()).toEqual([]);
  });

  test("brings back a patient who cancelled one of them late", async () => {
    const [a = 0] = patients;
    const { seriesId, consultIds } = await scheduled({ patientIds: [a] });
    const [first = 0] = consultIds;
    await clinic.change((changes) =>
      changeParticipant(changes, { consultId: first, patientId: a, arrival: "late_cancel" }),
    );
    await clinic.news();
    await clinic.change((changes) => registerInSeries(changes, { seriesId, patientId: a }));
    expect((await clinic.news()).map(brief)).toMatchObject([{ event: "participant.added", patients: [a] }]);
    const { participants } = await clinic.inTransaction((tx) => getConsult(tx, clinic.id, first));
    expect(participants).toMatchObject([{ status: "booked", arrival: "expected" }]);
  });

  test("is refused as a whole where one is full, and for a patient of another clinic", async () => {
    const [a = 0, b = 0, c = 0, d = 0] = patients;
    const { seriesId, consultIds } = await scheduled({ patientIds: [a, b] });
    await clinic.change((changes) => addParticipant(changes, { consultId: consultIds[2] ?? 0, patientId: c }));
    await clinic.news();
    const full = await refused((changes) => registerInSeries(changes, { seriesId, patientId: d }));
    expect(full).toEqual({ status: 409, code: "consult_full", fields: ["patient_id"] });
    await clinic.change((changes) => registerInSeries(changes, { seriesId, patientId: d, from: DAYS[3] }));
    expect(await clinic.news()).toHaveLength(1);
    const { id: foreign } = await stranger.patient();
    const unknown = await refused((changes) => registerInSeries(changes, { seriesId, patientId: foreign }));
    expect(unknown).toEqual({ status: 404, code: "not_found", fields: ["patient_id"] });
  });

  test("is undone from a day on: removed from each, not cancelled", async () => {
    const [a = 0, b = 0] = patients;
    const { seriesId, consultIds } = await scheduled({ patientIds: [a, b] });
    await clinic.change((changes) => removeParticipant(changes, { consultId: consultIds[3] ?? 0, patientId: a }));
    await clinic.news();
    const part = { seriesId, from: DAYS[1], patientId: a };
    await clinic.change((changes) => removeFromSeries(changes, part));
    expect((await clinic.news()).map(brief)).toEqual(
      subjectsOf(consultIds.slice(1, 3)).map((subject) => {
        return { event: "participant.removed", subject, cancelled: false, patients: [a] };
      }),
    );
    const gone = await refused((changes) => removeFromSeries(changes, part));
    expect(gone).toEqual({ status: 404, code: "not_found", fields: [] });
  });
});

describe("cancelling a series", () => {
  test("from a day on is one event for each that is still live, and what is cancelled already says nothing", async () => {
    const [a = 0, b = 0] = patients;
    const { seriesId, consultIds } = await scheduled({ patientIds: [a, b] });
    const [, second = 0, third = 0, last = 0] = consultIds;
    await clinic.change((changes) => cancelConsult(changes, third));
    await clinic.news();
    await clinic.change((changes) => cancelSeries(changes, { seriesId, from: DAYS[1] }));
    expect((await clinic.news()).map(brief)).toEqual(
      subjectsOf([second, last]).map((subject) => {
        return { event: "participant.removed", subject, cancelled: true, patients: [a, b] };
      }),
    );
    await clinic.change((changes) => cancelSeries(changes, { seriesId, from: DAYS[1] }));
    expect(await clinic.news()).toEqual([]);
    const { occurrences } = await clinic.inTransaction((tx) => getSeries(tx, clinic.id, seriesId));
    expect(occurrences.map(({ cancelledAt }) => cancelledAt !== null)).toEqual([false, true, true, true]);
  });

  test("leaves each occurrence to be restored alone, under the same id", async () => {
    const [a = 0] = patients;
    const { seriesId, consultIds } = await scheduled({ patientIds: [a] });
    await clinic.change((changes) => cancelSeries(changes, { seriesId }));
    await clinic.news();
    const [first = 0] = consultIds;
    await clinic.change((changes) => restoreConsult(changes, first));
    expect((await clinic.news()).map(brief)).toEqual([
      { event: "participant.added", subject: `consult:${first}`, cancelled: false, patients: [a] },
    ]);
  });

  test("and a change of it at the same time do not block each other, and each occurrence hears of one before the other", async () => {
    const { seriesId, consultIds } = await scheduled({ patientIds: patients.slice(0, 1) });
    await Promise.all([
      clinic.change((changes) => cancelSeries(changes, { seriesId })),
      clinic.change((changes) => changeSeries(changes, { seriesId }, { durationMinutes: 30 })),
      ...consultIds.toReversed().map((id) => clinic.change((changes) => changeConsult(changes, id, { room: "2" }))),
    ]);
    const events = (await clinic.news()).map(({ facts }) => facts.event);
    expect(events.filter((event) => event === "participant.removed")).toHaveLength(4);
    // Either all were changed before they were cancelled, or none.
    expect([0, 4]).toContain(events.filter((event) => event === "consult.updated").length);
  });
});

describe("changing a series", () => {
  test("is one consult.updated for each occurrence that is not as it was", async () => {
    const [a = 0] = patients;
    const other = await clinic.practitioner("Stevie Stand-In", "stevie.standin@example.test");
    const { id: group } = await clinic.service("group");
    const { seriesId, consultIds } = await scheduled({ patientIds: [a] });
    const [first = 0] = consultIds;
    await clinic.change((changes) => changeConsult(changes, first, { practitionerId: other.id }));
    await clinic.news();
    const change = { practitionerId: other.id };
    expect(await clinic.change((changes) => changeSeries(changes, { seriesId }, change))).toEqual(consultIds.slice(1));
    const news = await clinic.news();
    expect(news.map(({ subject }) => subject)).toEqual(subjectsOf(consultIds.slice(1)));
    for (const { facts } of news) expect(facts).toMatchObject({ event: "consult.updated", practitioner: other });
    await clinic.change((changes) => changeSeries(changes, { seriesId }, { ...change, timeOfDay: "18:00" }));
    expect(await clinic.news()).toEqual([]);
    const all = { serviceId: group, durationMinutes: 45 };
    await clinic.change((changes) => changeSeries(changes, { seriesId, from: DAYS[3] }, all));
    expect(await clinic.news()).toMatchObject([
      { facts: { event: "consult.updated", service: { id: group }, consult: { duration: 45 } } },
    ]);
  });

  test("is refused as a whole, naming the field", async () => {
    const { seriesId } = await scheduled({ patientIds: patients.slice(0, 2) });
    const { id: oneToOne } = await clinic.service("one_to_one");
    const { id: foreign } = await stranger.practitioner();
    const cases: [Parameters<typeof changeSeries>[2], string][] = [
      [{ serviceId: oneToOne }, "service_id"],
      [{ practitionerId: foreign }, "practitioner_id"],
      [{ durationMinutes: 0 }, "duration"],
      [{ timeOfDay: "25:00" }, "start_time"],
      [{ timeOfDay: "2026-03-01T18:00" }, "start_time"],
    ];
    for (const [change, field] of cases) {
      expect((await refused((changes) => changeSeries(changes, { seriesId }, change))).fields).toEqual([field]);
    }
    const from = await refused((changes) => cancelSeries(changes, { seriesId, from: "tomorrow" }));
    expect(from).toMatchObject({ status: 400, fields: ["from"] });
  });
});

describe("a series is bounded", () => {
  test("104 classes of 48 patients are one transaction; one patient more in each is refused", async () => {
    serviceId = (await clinic.service("class")).id;
    const many = await clinic.patients(49);
    const repeats = { every: "week" as const, count: 104 };
    const over = await clinic.change((changes) =>
      refusalOf(() => scheduleSeries(changes, { ...base(), patientIds: many }, repeats)),
    );
    expect(briefOf(over)).toEqual({ status: 400, code: "invalid_request", fields: ["repeats"] });
    const { seriesId } = await schedule({ patientIds: many.slice(1) }, repeats);
    const news = await clinic.news();
    expect(news).toHaveLength(104);
    expect(new Set(news.map(({ facts }) => facts.participants.length))).toEqual(new Set([48]));
    expect(news[0]?.facts.participants.map(({ id }) => id)).toEqual(many.slice(1));
    await clinic.change((changes) => registerInSeries(changes, { seriesId, patientId: many[0] ?? 0 }));
    await clinic.news();
    const tooLarge = await refused((changes) => cancelSeries(changes, { seriesId }));
    expect(tooLarge).toEqual({ status: 409, code: "series_too_large", fields: ["from"] });
    await clinic.change((changes) => cancelSeries(changes, { seriesId, from: "2027-03-01" }));
    await clinic.change((changes) => cancelSeries(changes, { seriesId }));
    expect(await clinic.news()).toHaveLength(104);
  });
});

const base = () => ({ serviceId, practitionerId, startTime: "2026-03-01T18:00" });

test("a series of another clinic is answered like one that does not exist", async () => {
  const { id: foreignService } = await stranger.service();
  const { id: foreignPractitioner } = await stranger.practitioner();
  const consult = { serviceId: foreignService, practitionerId: foreignPractitioner, startTime: "2026-03-01T18:00" };
  const theirs = await stranger.change((changes) => scheduleSeries(changes, consult, WEEKLY));
  const [patientId = 0] = patients;
  for (const seriesId of [theirs.seriesId, 9_007_199_254_740_991]) {
    const commands: Parameters<TestClinic["change"]>[0][] = [
      (changes) => registerInSeries(changes, { seriesId, patientId }),
      (changes) => removeFromSeries(changes, { seriesId, patientId }),
      (changes) => cancelSeries(changes, { seriesId }),
      (changes) => changeSeries(changes, { seriesId }, { durationMinutes: 5 }),
      (changes) => getSeries(changes.tx, clinic.id, seriesId),
    ];
    for (const command of commands) expect(await refused(command)).toMatchObject({ status: 404, code: "not_found" });
  }
});
