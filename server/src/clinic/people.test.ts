import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestClinic, type TestClinic } from "../../test/clinic.ts";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { briefOf, refusalOf } from "../../test/refusal.ts";
import { getConsult } from "./consult-views.ts";
import {
  addPatient,
  addPractitioner,
  changePatient,
  changePractitioner,
  getPatient,
  listPatients,
  listPractitioners,
} from "./people.ts";
import { addService, changeService, getService, listServices, type NewService } from "./services.ts";

let database: TestDatabase;
let clinic: TestClinic;
let stranger: TestClinic;

beforeAll(async () => {
  database = await createTestDatabase();
  clinic = await createTestClinic(database.pools);
  stranger = await createTestClinic(database.pools, { name: "Another Invented Clinic" });
});
afterAll(() => database.drop());

const invalid = (field: string) => ({ status: 400, code: "invalid_request", fields: [field] });

describe("names and e-mail addresses", () => {
  test("are stored trimmed and in one form of Unicode; an e-mail that is not known is null, never empty", async () => {
    const decomposed = "  Zoe\u0301 Placeholder\u00a0";
    const added = await clinic.inTransaction((tx) => addPatient(tx, clinic.id, { name: decomposed, email: "  " }));
    expect(added).toEqual({ id: added.id, name: "Zo\u00e9 Placeholder", email: null });
    const email = " zoe@example.test ";
    const changed = await clinic.inTransaction((tx) =>
      changePatient(tx, { clinicId: clinic.id, id: added.id, change: { email } }),
    );
    expect(changed).toEqual({ ...added, email: "zoe@example.test" });
    expect(await clinic.inTransaction((tx) => getPatient(tx, clinic.id, added.id))).toEqual(changed);
  });

  test.each([
    ["nothing", ""],
    ["white space", " \u00a0 "],
    ["nothing visible", "\u200b\u2060"],
    ["a line break", "Sam\nSample"],
    ["a line separator", "Sam\u2028Sample"],
    ["a nul", "Sam\u0000"],
    ["half a character", "Sam \ud800"],
    ["more than 200 characters", "x".repeat(201)],
  ])("a name of %s is refused", async (_, name) => {
    const adding = () => clinic.inTransaction((tx) => addPatient(tx, clinic.id, { name, email: null }));
    expect(briefOf(await refusalOf(adding))).toEqual(invalid("name"));
  });

  test.each(["sam", "sam@", "@example.test", "a b@example.test", `${"x".repeat(250)}@e.test`, "a@b@c", "a@\ud800"])(
    "the e-mail %j is refused",
    async (email) => {
      const adding = () => clinic.inTransaction((tx) => addPatient(tx, clinic.id, { name: "Sam Sample", email }));
      expect(briefOf(await refusalOf(adding))).toEqual(invalid("email"));
    },
  );

  test("a practitioner needs an e-mail, when added and ever after", async () => {
    for (const email of [null, "", "  "]) {
      const adding = () => clinic.inTransaction((tx) => addPractitioner(tx, clinic.id, { name: "Pat Pretend", email }));
      expect(briefOf(await refusalOf(adding))).toEqual(invalid("email"));
    }
    const { id } = await clinic.practitioner();
    const change = { email: null };
    const taking = () => clinic.inTransaction((tx) => changePractitioner(tx, { clinicId: clinic.id, id, change }));
    expect(briefOf(await refusalOf(taking))).toEqual(invalid("email"));
  });
});

describe("patients are found", () => {
  test("by parts of their name, whatever the case and the accents, page by page in the order of their names", async () => {
    const own = await createTestClinic(database.pools);
    for (const name of ["Émile Sample", "emilie Example", "Robin 100%", "Zoé Émilien", "Max_Invented"]) {
      await own.patient(name, null);
    }
    const find = async (search?: string, after?: number) => {
      const page = { clinicId: own.id, search, after, limit: 2 };
      return own.inTransaction((tx) => listPatients(tx, page));
    };
    const names = async (search: string) => (await find(search)).map(({ name }) => name);
    expect(await names("SAMPLE emile")).toEqual(["Émile Sample"]);
    expect(await names("100%")).toEqual(["Robin 100%"]);
    expect(await names("x_i")).toEqual(["Max_Invented"]);
    expect(await names("%")).toEqual(["Robin 100%"]);
    expect(await names("nobody")).toEqual([]);
    const seen: string[] = [];
    for (let page = await find(); page.length > 0; page = await find(undefined, page.at(-1)?.id)) {
      seen.push(...page.map(({ name }) => name));
    }
    expect(seen).toEqual(["Émile Sample", "emilie Example", "Max_Invented", "Robin 100%", "Zoé Émilien"]);
  });
});

describe("services", () => {
  const service: NewService = { name: "Invented class", kind: "class", durationMinutes: 60, capacity: 12 };
  const add = (changed: Partial<NewService>) =>
    clinic.inTransaction((tx) => addService(tx, clinic.id, { ...service, ...changed }));

  test("are kept as given and can be renamed", async () => {
    const added = await add({});
    expect(added).toEqual({ id: added.id, ...service });
    const name = " Renamed ";
    const renamed = await clinic.inTransaction((tx) =>
      changeService(tx, { clinicId: clinic.id, id: added.id, change: { name } }),
    );
    expect(renamed).toEqual({ ...added, name: "Renamed" });
    expect(await clinic.inTransaction((tx) => listServices(tx, { clinicId: clinic.id, limit: 1 }))).toEqual([renamed]);
  });

  test("are refused with a duration or a capacity that cannot be", async () => {
    for (const durationMinutes of [0, 1.5, 1_441]) {
      expect(briefOf(await refusalOf(() => add({ durationMinutes })))).toEqual(invalid("duration"));
    }
    for (const capacity of [0, 2.5, 1_001]) {
      expect(briefOf(await refusalOf(() => add({ capacity })))).toEqual(invalid("capacity"));
    }
    expect(briefOf(await refusalOf(() => add({ kind: "one_to_one", capacity: 2 })))).toEqual(invalid("capacity"));
  });
});

describe("another clinic", () => {
  test("has no people, services and consults here: its ids answer 404, for reading and for changing", async () => {
    const { id: patient } = await stranger.patient();
    const { id: practitionerId } = await stranger.practitioner();
    const { id: serviceId } = await stranger.service();
    const consult = await stranger.schedule({ serviceId, practitionerId, startTime: "2026-06-08T18:00" });
    const clinicId = clinic.id;
    const change = { name: "Robin Renamed" };
    const answers = await clinic.inTransaction(async (tx) => [
      await refusalOf(() => getPatient(tx, clinicId, patient)),
      await refusalOf(() => changePatient(tx, { clinicId, id: patient, change })),
      await refusalOf(() => changePractitioner(tx, { clinicId, id: practitionerId, change })),
      await refusalOf(() => getService(tx, clinicId, serviceId)),
      await refusalOf(() => changeService(tx, { clinicId, id: serviceId, change: { name: "Renamed" } })),
      await refusalOf(() => getConsult(tx, clinicId, consult)),
    ]);
    for (const answer of answers) expect(briefOf(answer)).toEqual({ status: 404, code: "not_found", fields: [] });
    expect((await stranger.inTransaction((tx) => getPatient(tx, stranger.id, patient))).name).toBe("Sam Sample");
  });

  test("is invisible even to a query that forgets to ask for the own clinic, or names the other one", async () => {
    await stranger.patient();
    await clinic.patient();
    const seen = await clinic.inTransaction(async (tx) => {
      const tables = ["patients", "practitioners", "services", "consults", "consult_participants", "staff"] as const;
      const counts: number[] = [];
      for (const table of tables) {
        const { rows } = await sql<{ foreign: number }>`
          select count(*) as foreign from ${sql.table(table)} where clinic_id <> ${clinic.id}`.execute(tx);
        counts.push(rows[0]?.foreign ?? -1);
      }
      const { rows } = await sql<{ id: number }>`select id from clinics`.execute(tx);
      return { counts, clinics: rows.map(({ id }) => id) };
    });
    expect(seen).toEqual({ counts: [0, 0, 0, 0, 0, 0], clinics: [clinic.id] });
    const borrowed = await clinic.inTransaction((tx) => listPractitioners(tx, { clinicId: stranger.id, limit: 10 }));
    expect(borrowed).toEqual([]);
  });

  test("cannot be written to", async () => {
    const planting = clinic.inTransaction((tx) => addPatient(tx, stranger.id, { name: "Sam Sample", email: null }));
    await expect(planting).rejects.toThrow("row-level security");
    const { id: patientId } = await stranger.patient();
    const { id: serviceId } = await clinic.service();
    const { id: practitionerId } = await clinic.practitioner();
    const consultId = await clinic.schedule({ serviceId, practitionerId, startTime: "2026-06-08T18:00" });
    const row = { clinic_id: clinic.id, consult_id: consultId, patient_id: patientId };
    // The second wall: even without the command's own check, the composite key holds the patient to the clinic.
    const seating = clinic.inTransaction((tx) => tx.insertInto("consult_participants").values(row).execute());
    await expect(seating).rejects.toThrow("foreign key");
  });
});
