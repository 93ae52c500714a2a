/** The unit of work under concurrency, and over random sequences of commands. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestClinic, type StoredEvent, type TestClinic } from "../../test/clinic.ts";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { ProblemError } from "../errors.ts";
import { ARRIVAL_NAMES } from "./consult-arrivals.ts";
import { cancelConsult, restoreConsult } from "./consult-cancelling.ts";
import { type ConsultChanges, changeConsults } from "./consult-changes.ts";
import { listConsults } from "./consult-views.ts";
import { changeConsult, scheduleConsult } from "./consults.ts";
import { addParticipant, changeParticipant, moveParticipant, removeParticipant } from "./participants.ts";
import { clinicTime } from "./times.ts";

let database: TestDatabase;
let clinic: TestClinic;
let practitioners: number[];
let services: number[];
let patients: number[];
const START = "2026-06-08T18:00:00-04:00";

beforeAll(async () => {
  database = await createTestDatabase();
  clinic = await createTestClinic(database.pools);
  practitioners = [(await clinic.practitioner()).id, (await clinic.practitioner("Stevie Stand-In")).id];
  const kinds = [clinic.service("class", 3), clinic.service("group"), clinic.service("one_to_one")];
  services = (await Promise.all(kinds)).map(({ id }) => id);
  patients = await clinic.patients(5);
});
afterAll(() => database.drop());

async function scheduled(patientIds: readonly number[]): Promise<number> {
  const [serviceId = 0] = services;
  const [practitionerId = 0] = practitioners;
  const id = await clinic.schedule({ serviceId, practitionerId, startTime: START, patientIds });
  await clinic.news();
  return id;
}

describe("changes at the same time", () => {
  test("run one after the other: versions rise by one in the order of the commits, and no change is lost", async () => {
    const consultId = await scheduled(patients.slice(0, 1));
    const minutes = Array.from({ length: 20 }, (_, at) => at + 1);
    await Promise.all(
      minutes.map((durationMinutes) =>
        clinic.change((changes) => changeConsult(changes, consultId, { durationMinutes })),
      ),
    );
    const news = await clinic.news();
    expect(news.map(({ subjectVersion }) => subjectVersion)).toEqual(minutes.map((minute) => minute + 1));
    expect(news.map(({ facts }) => facts.consult.duration).sort((a, b) => a - b)).toEqual(minutes);
    const [consult] = await clinic.inTransaction((tx) =>
      listConsults(tx, { clinicId: clinic.id, timeZone: "UTC", from: "2026-06-08", to: "2026-06-09", limit: 1 }),
    );
    expect(news.at(-1)?.facts.consult.duration).toBe(consult?.durationMinutes);
  });

  test("never book more patients than there are places", async () => {
    const consultId = await scheduled([]);
    const answers = await Promise.all(
      patients.map((patientId) =>
        settled(clinic.change((changes) => addParticipant(changes, { consultId, patientId }))),
      ),
    );
    expect(answers.toSorted()).toEqual(["consult_full", "consult_full", "done", "done", "done"]);
    expect(await clinic.news()).toHaveLength(3);
  });

  test("cancel once, however many cancel", async () => {
    const consultId = await scheduled(patients.slice(0, 2));
    await Promise.all(patients.map(() => clinic.change((changes) => cancelConsult(changes, consultId))));
    expect(await clinic.news()).toHaveLength(1);
  });

  test("two patients who swap classes do not block each other", async () => {
    const [a = 0, b = 0] = patients;
    const one = await scheduled([a]);
    const two = await scheduled([b]);
    for (let round = 0; round < 10; round += 1) {
      const [from, to] = round % 2 === 0 ? [one, two] : [two, one];
      await Promise.all([
        clinic.change((changes) => moveParticipant(changes, { consultId: from, patientId: a, toConsultId: to })),
        clinic.change((changes) => moveParticipant(changes, { consultId: to, patientId: b, toConsultId: from })),
      ]);
    }
    expect(await clinic.news()).toHaveLength(40);
  });
});

test("a transaction has one unit of work, so that nothing is told twice", async () => {
  const consultId = await scheduled(patients.slice(0, 1));
  const twice = clinic.inTransaction(async (tx) => {
    await changeConsults(tx, clinic.context, (changes) => cancelConsult(changes, consultId));
    await changeConsults(tx, clinic.context, (changes) => restoreConsult(changes, consultId));
  });
  await expect(twice).rejects.toThrow("one unit of consult changes");
});

describe("whatever a transaction does", () => {
  test("who applies its events knows who is in which consult, and when", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(anyCommand, { maxLength: 6 }), { maxLength: 5 }), async (transactions) => {
        const consults = [await scheduled(patients.slice(0, 2)), await scheduled([])];
        const view = await truth(consults);
        for (const commands of transactions) {
          await clinic.change(async (changes) => {
            for (const command of commands) await tryOut(command, changes, consults);
          });
          const news = await clinic.news();
          expectOneOfEach(news);
          for (const { facts } of news) apply(view, facts);
          expect(view).toEqual(await truth(consults));
        }
      }),
      { numRuns: 60 },
    );
  });
});

/** One of the commands with indexes instead of ids, which are known only when it runs. */
const index = fc.nat({ max: 4 });
const arrival = fc.constantFrom(...ARRIVAL_NAMES);
const status = fc.constantFrom("booked" as const, "held" as const, "wait_listed" as const);
const anyCommand = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), consult: index, patient: index, status }),
  fc.record({ kind: fc.constant("status" as const), consult: index, patient: index, status }),
  fc.record({ kind: fc.constant("arrival" as const), consult: index, patient: index, arrival }),
  fc.record({ kind: fc.constant("swap" as const), consult: index, patient: index }),
  fc.record({ kind: fc.constant("remove" as const), consult: index, patient: index }),
  fc.record({ kind: fc.constant("move" as const), consult: index, patient: index, to: index }),
  fc.record({ kind: fc.constant("cancel" as const), consult: index }),
  fc.record({ kind: fc.constant("restore" as const), consult: index }),
  fc.record({ kind: fc.constant("reschedule" as const), consult: index, hour: fc.integer({ min: 18, max: 20 }) }),
  fc.record({ kind: fc.constant("service" as const), consult: index, service: index }),
  fc.record({ kind: fc.constant("practitioner" as const), consult: index, practitioner: index }),
  fc.record({ kind: fc.constant("schedule" as const), patient: index }),
);
type Command = typeof anyCommand extends fc.Arbitrary<infer C> ? C : never;

async function tryOut(command: Command, changes: ConsultChanges, consults: number[]): Promise<void> {
  try {
    await run(command, changes, consults);
  } catch (error) {
    // A refusal changes nothing, so the transaction may go on.
    if (!(error instanceof ProblemError)) throw error;
  }
}

async function run(command: Command, changes: ConsultChanges, consults: number[]): Promise<void> {
  const at = (list: readonly number[], place: number) => list[place % list.length] ?? 0;
  if (command.kind === "schedule") {
    const where = { serviceId: at(services, 1), practitionerId: at(practitioners, 0), startTime: START };
    consults.push(await scheduleConsult(changes, { ...where, patientIds: [at(patients, command.patient)] }));
    return;
  }
  const consultId = at(consults, command.consult);
  switch (command.kind) {
    case "add":
      return addParticipant(changes, { consultId, patientId: at(patients, command.patient), status: command.status });
    case "status":
      return changeParticipant(changes, {
        consultId,
        patientId: at(patients, command.patient),
        status: command.status,
      });
    case "arrival":
      return changeParticipant(changes, {
        consultId,
        patientId: at(patients, command.patient),
        arrival: command.arrival,
      });
    case "swap":
      return changeConsult(changes, consultId, { patientId: at(patients, command.patient) });
    case "remove":
      return removeParticipant(changes, { consultId, patientId: at(patients, command.patient) });
    case "move": {
      const toConsultId = at(consults, command.to);
      return moveParticipant(changes, { consultId, patientId: at(patients, command.patient), toConsultId });
    }
    case "cancel":
      return cancelConsult(changes, consultId);
    case "restore":
      return restoreConsult(changes, consultId);
    case "reschedule":
      return changeConsult(changes, consultId, { startTime: `2026-06-08T${command.hour}:00:00-04:00` });
    case "service":
      return changeConsult(changes, consultId, { serviceId: at(services, command.service) });
    case "practitioner":
      return changeConsult(changes, consultId, { practitionerId: at(practitioners, command.practitioner) });
  }
}

/** `<consult> <patient>` → the appointment, as the receiver knows it. */
type View = Map<string, string>;

function apply(view: View, { event, consult, service, practitioner, participants }: StoredEvent["facts"]): void {
  for (const { id } of participants) {
    const who = `${consult.id} ${id}`;
    expect(view.has(who)).toBe(event !== "participant.added");
    if (event === "participant.removed") view.delete(who);
    else view.set(who, [consult.start_time, consult.duration, service.id, practitioner.id].join(" "));
  }
}

function expectOneOfEach(news: readonly StoredEvent[]): void {
  const names = news.map(({ subject, facts }) => `${subject} ${facts.event}`);
  expect(names).toEqual([...new Set(names)]);
  const order = ["participant.removed", "consult.updated", "participant.added"];
  const places = news.map(({ facts }) => order.indexOf(facts.event));
  expect(places).toEqual(places.toSorted());
}

/** The same view, read from the tables. */
async function truth(consults: readonly number[]): Promise<View> {
  const rows = await clinic.owner
    .selectFrom("consults as c")
    .leftJoin("consult_participants as p", (join) =>
      join
        .onRef("p.clinic_id", "=", "c.clinic_id")
        .onRef("p.consult_id", "=", "c.id")
        .on("p.status", "=", "booked")
        .on("p.arrival", "!=", "late_cancel"),
    )
    .select(["c.id", "c.starts_at", "c.duration_minutes", "c.service_id", "c.practitioner_id", "c.cancelled_at"])
    .select("p.patient_id")
    .where("c.id", "in", [...consults])
    .execute();
  const view: View = new Map();
  for (const row of rows) {
    if (row.cancelled_at !== null || row.patient_id === null) continue;
    const time = clinicTime(row.starts_at, clinic.clinic.timeZone);
    const known = [time, row.duration_minutes, row.service_id, row.practitioner_id].join(" ");
    view.set(`${row.id} ${row.patient_id}`, known);
  }
  return view;
}

async function settled(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "done";
  } catch (error) {
    if (error instanceof ProblemError) return error.code;
    throw error;
  }
}
