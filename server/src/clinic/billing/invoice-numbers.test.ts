/** Invoice numbers: unique in a clinic, and always one to be had for whoever gives none (contract §4). */
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { TestBilling } from "../../../test/billing.ts";
import { createTestClinic } from "../../../test/clinic.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/database.ts";
import { briefOf, refusalOf } from "../../../test/refusal.ts";
import { until } from "../../../test/until.ts";
import { changeInvoices } from "./invoice-changes.ts";
import { changeInvoice, createInvoice } from "./invoices.ts";

let database: TestDatabase;
let billing: TestBilling;
let clientId: number;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

beforeEach(async () => {
  billing = new TestBilling(await createTestClinic(database.pools));
  clientId = (await billing.clinic.patient()).id;
});

describe("numbers", () => {
  test("are of their type, and unique in the clinic across all four types", async () => {
    const types = ["clinic_package", "clinic_package_membership", "clinic_package_gift_certificate"] as const;
    for (const type of types) await billing.invoice({ clientId, type });
    const numbers = (await billing.news()).map(({ invoice }) => invoice.invoice_number);
    expect(numbers).toEqual(["PKG-00001", "MEM-00001", "GIFT-00001"]);
    const refusal = await refusalOf(() => billing.invoice({ clientId, number: "MEM-00001" }));
    expect(briefOf(refusal)).toEqual({ status: 409, code: "number_taken", fields: ["invoice_number"] });
    const stranger = new TestBilling(await createTestClinic(database.pools));
    await stranger.invoice({ clientId: (await stranger.clinic.patient()).id, number: "MEM-00001" });
  });

  test("that a person has taken are passed over", async () => {
    await billing.invoice({ clientId, number: "INV-00001" });
    await billing.invoice({ clientId, number: "INV-00002" });
    await billing.invoice({ clientId });
    expect((await billing.news()).at(-1)?.invoice.invoice_number).toBe("INV-00003");
  });

  test("taken by two at once are given to one, and the other is told", async () => {
    const both = [1, 2].map(() => billing.invoice({ clientId, number: "ONE-FOR-TWO" }));
    const results = await Promise.allSettled(both);
    expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    const [first, second] = [await billing.invoice({ clientId }), await billing.invoice({ clientId })];
    const rename = (id: number) => billing.change((all) => changeInvoice(all, id, { number: "TWO-FOR-ONE" }));
    const renamed = await Promise.allSettled([rename(first), rename(second)]);
    const refused = renamed.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
    expect(refused.map(briefOf)).toEqual([{ status: 409, code: "number_taken", fields: ["invoice_number"] }]);
  });

  test("drawn by many at once are all different", async () => {
    await Promise.all(Array.from({ length: 12 }, () => billing.invoice({ clientId })));
    const numbers = (await billing.news()).map(({ invoice }) => invoice.invoice_number);
    expect(new Set(numbers).size).toBe(12);
  });

  test("are found however many of them are taken in a row, also after a transaction that came to nothing", async () => {
    const brought = sql`
      insert into invoices (clinic_id, type, invoice_number, invoice_date, currency, client_id)
      select ${billing.clinic.id}, 'patient_invoice', 'INV-' || lpad(n::text, 5, '0'), '2025-01-01', 'cad', ${clientId}
      from generate_series(1, 2500) n where n <> 2400`;
    await brought.execute(billing.clinic.owner);
    const context = { ...billing.clinic.context, credits: billing.credits };
    const failing = billing.clinic.inTransaction(async (tx) => {
      await changeInvoices(tx, context, (all) => createInvoice(all, { type: "patient_invoice", clientId, lines: [] }));
      throw new Error("after its number");
    });
    await expect(failing).rejects.toThrow("after its number");
    await billing.invoice({ clientId });
    await billing.invoice({ clientId });
    const numbers = (await billing.news()).map(({ invoice }) => invoice.invoice_number);
    expect(numbers).toEqual(["INV-02400", "INV-02501"]);
  });

  test("go on beyond their five digits", async () => {
    await sql`insert into invoice_numbers (clinic_id, type, last_number)
      values (${billing.clinic.id}, 'patient_invoice', 99998)`.execute(billing.clinic.owner);
    await billing.invoice({ clientId, number: "INV-100000" });
    for (let made = 0; made < 2; made += 1) await billing.invoice({ clientId });
    const numbers = (await billing.news()).map(({ invoice }) => invoice.invoice_number);
    expect(numbers).toEqual(["INV-100000", "INV-99999", "INV-100001"]);
  });

  test("of ours that somebody takes by hand at that very moment are drawn again", async () => {
    const committed = Promise.withResolvers<void>();
    const inserted = Promise.withResolvers<void>();
    const context = { ...billing.clinic.context, credits: billing.credits };
    const byHand = billing.clinic.inTransaction(async (tx) => {
      await changeInvoices(tx, context, (all) =>
        createInvoice(all, { type: "patient_invoice", clientId, lines: [], number: "INV-00001" }),
      );
      inserted.resolve();
      await committed.promise;
    });
    await inserted.promise;
    const automatic = billing.invoice({ clientId });
    await until("ours waits for the one taken by hand", isWaiting);
    committed.resolve();
    await Promise.all([byHand, automatic]);
    const numbers = (await billing.news()).map(({ invoice }) => invoice.invoice_number);
    expect(numbers.toSorted()).toEqual(["INV-00001", "INV-00002"]);
  });
});

/** Whether a transaction of this database waits for another one. */
async function isWaiting(): Promise<boolean> {
  const waiting = sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  return (await waiting.execute(billing.clinic.owner)).rows.length > 0;
}
