import type { ConsultFacts } from "@hookwell/sdk";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestClinic, type TestClinic } from "../../../test/clinic.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/database.ts";
import { givenConsult, givenInvoice, givenMembership, putInto, SAM } from "../../../test/feed.ts";
import { briefOf, refusalOf } from "../../../test/refusal.ts";
import { createInvoice } from "../billing/invoices.ts";
import { changeBilling } from "../billing-transaction.ts";
import { scheduleConsult } from "../consults.ts";
import { getPatient, listPatients } from "../people.ts";

let database: TestDatabase;
let clinic: TestClinic;
let put: ReturnType<typeof putInto>;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  clinic = await createTestClinic(database.pools);
  put = putInto(clinic);
});

const owner = async (text: string) => (await database.pools.owner.query(text)).rows;
/** The id that the table's next row would get. */
const nextOf = async (table: string) => {
  const [{ next }] = await owner(`select coalesce(last_value, 0) + (is_called::int) as next from ${table}_id_seq`);
  return Number(next);
};
const oneToOne = async () => {
  const practitioner = await clinic.practitioner();
  const service = await clinic.service("one_to_one");
  return { practitionerId: practitioner.id, serviceId: service.id, startTime: "2026-11-03T09:00" };
};

describe("ids that are texts", () => {
  test("get an integer that stays the same, for each kind and each clinic apart", async () => {
    const first = await put.consult({ id: "a-1" }, givenConsult({ participants: [{ ...SAM, id: "p-1" }] }));
    expect(first.id).toBeGreaterThanOrEqual(2 ** 52);
    expect((await put.consult({ id: "a-1" }, givenConsult())).id).toBe(first.id);
    const invoice = await put.invoice({ id: "a-1" }, givenInvoice({ client: { ...SAM, id: "p-1" } }));
    expect(invoice.id).not.toBe(first.id);
    const [added, , , created] = (await clinic.news()).map(
      ({ facts }) => facts as ConsultFacts & { client: typeof SAM },
    );
    expect(added?.participants[0]?.id).toBe(created?.client.id);
    const other = putInto(await createTestClinic(database.pools));
    expect((await other.consult({ id: "a-1" }, givenConsult())).id).not.toBe(first.id);
  });

  test("of digits are the integer itself", async () => {
    expect((await put.consult({ id: "4711" }, givenConsult())).id).toBe(4711);
    expect((await put.consult({ id: 4711 }, givenConsult())).unchanged).toBe(true);
  });

  test("never get an integer that the caller uses, nor may the caller use one that was given", async () => {
    const { id } = await put.consult({ id: "x" }, givenConsult());
    expect(briefOf(await refusalOf(() => put.consult({ id }, givenConsult())))).toMatchObject({ code: "id_in_use" });
    expect((await put.consult({ id: id + 1 }, givenConsult())).id).toBe(id + 1);
    await owner(`alter table feed_ids alter column id restart with ${id + 1}`);
    const next = await put.consult({ id: "y" }, givenConsult());
    expect([id, id + 1]).not.toContain(next.id);
  });
});

describe("ids that are integers", () => {
  test("of a record of the clinic's own are refused", async () => {
    const patient = await clinic.patient();
    const id = await clinic.schedule(await oneToOne());
    expect(briefOf(await refusalOf(() => put.consult({ id }, givenConsult())))).toEqual({
      ...{ status: 409, code: "id_in_use", fields: ["id"] },
    });
    const client = { ...SAM, id: patient.id };
    const refused = briefOf(await refusalOf(() => put.invoice({ id: 1 }, givenInvoice({ client }))));
    expect(refused).toEqual({ status: 409, code: "id_in_use", fields: ["client.id"] });
    expect((await refusalOf(() => put.membership({ id: 1 }, givenMembership({ client })))).code).toBe("id_in_use");
  });

  test("that the feed has taken are never drawn by the clinic: consults and patients get the next ones", async () => {
    const consult = await nextOf("consults");
    const patient = await nextOf("patients");
    for (const n of [0, 1, 2]) {
      const participants = [{ ...SAM, id: patient + n }];
      await put.consult({ id: consult + n }, givenConsult({ participants }));
    }
    expect(await clinic.schedule(await oneToOne())).toBe(consult + 3);
    expect((await clinic.patient()).id).toBe(patient + 3);
    expect(await clinic.patients(2)).toEqual([patient + 4, patient + 5]);
  });

  test("are never drawn by the clinic for invoices and memberships either", async () => {
    const { id: clientId } = await clinic.patient();
    const [invoice, membership] = [await nextOf("invoices"), await nextOf("memberships")];
    await put.invoice({ id: invoice }, givenInvoice());
    await put.membership({ id: membership }, givenMembership());
    const lines = [{ description: "Massage", unitPriceMinor: 10_000, units: 1 }];
    const wanted = { type: "patient_invoice", clientId, lines } as const;
    const drawn = await clinic.inTransaction((tx) =>
      changeBilling(tx, clinic.context, (invoices) => createInvoice(invoices, wanted)),
    );
    expect(drawn).toBe(invoice + 1);
    const rows = await owner(`
      with plan as (insert into membership_plans (clinic_id, type, name, price_minor, tax_rate_thousandths, currency, recurrence_interval)
        values (${clinic.id}, 'academy_membership', 'Plan', 0, 0, 'cad', 'month') returning id)
      insert into memberships (clinic_id, plan_id, client_id, payment_source, price_minor, tax_rate_thousandths, currency, recurrence_interval)
      select ${clinic.id}, plan.id, ${clientId}, 'at_desk', 0, 0, 'cad', 'month' from plan returning id`);
    expect(rows).toEqual([{ id: membership + 1 }]);
  });

  test("are taken once when the feed and the clinic come at the same time", async () => {
    const wanted = await nextOf("consults");
    const new_ = await oneToOne();
    let fed: Promise<string> | undefined;
    await clinic.change(async (changes) => {
      expect(await scheduleConsult(changes, new_)).toBe(wanted);
      fed = refusalOf(() => put.consult({ id: wanted }, givenConsult())).then(({ code }) => code);
    });
    expect(await fed).toBe("id_in_use");
  });
});

describe("patients of whom only the feed tells", () => {
  test("are ids without a name that no list, no search and no id of the clinic's shows", async () => {
    await put.consult({ id: 1 }, givenConsult());
    expect(await owner(`select id, name, email, feed_only from patients where clinic_id = ${clinic.id}`)).toEqual([
      { id: SAM.id, name: "", email: null, feed_only: true },
    ]);
    const listed = await clinic.inTransaction((tx) => listPatients(tx, { clinicId: clinic.id, limit: 10 }));
    expect(listed).toEqual([]);
    const got = refusalOf(() => clinic.inTransaction((tx) => getPatient(tx, clinic.id, SAM.id)));
    expect((await got).status).toBe(404);
    const booked = { ...(await oneToOne()), patientIds: [SAM.id] };
    expect((await refusalOf(() => clinic.schedule(booked))).status).toBe(404);
  });
});
