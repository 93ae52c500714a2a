/** /v1/invoices over HTTP: real server, real sessions, real row-level security. */
import type { InvoiceFacts } from "@hookwell/sdk";
import { checkFacts } from "@hookwell/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Answer, type Caller, startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";
import { createKysely } from "../db/pool.ts";

let api: TestApi;
let clinic: TestClinic;
let staff: Caller;
let client: { id: number; name: string; email: string | null };

beforeAll(async () => {
  api = await startTestApi();
  clinic = await api.newClinic();
  staff = clinic.as.front_desk;
  client = await created("/v1/patients", { name: "Sam Sample", email: "sam.sample@example.test" });
});
afterAll(() => api.close());

const post = (path: string, body?: unknown, caller = staff) => caller(path, { method: "POST", body });
const patch = (path: string, body: unknown, caller = staff) => caller(path, { method: "PATCH", body });
const remove = (path: string, caller = staff) => caller(path, { method: "DELETE" });

async function created(path: string, body: unknown, caller = staff) {
  const answer = await post(path, body, caller);
  if (answer.status !== 201) throw new Error(`${path} answered ${answer.status}: ${answer.text}`);
  return answer.json;
}

/** Status, code and fields of a refusal. */
function refusal({ status, json }: Answer) {
  return { status, code: json.code, fields: (json.errors ?? []).map(({ field }: { field: string }) => field) };
}

const MASSAGE = { description: "Massage", unit_price: 95.5, units: 2, discount: 1, tax_rate: 13 };
const base = (changed: object = {}) => ({ client_id: client.id, line_items: [MASSAGE], ...changed });
const invoice = (changed: object = {}) => created("/v1/invoices", base(changed));

/** The names and bodies of the events about an invoice, in order. */
async function eventsOf({ subject }: { subject: string }) {
  const owner = createKysely(api.database.pools.owner);
  const rows = await owner.selectFrom("events").selectAll().where("subject", "=", subject).orderBy("id").execute();
  const seal = await api.context.seal.forClinic(owner, clinic.id);
  return rows.map(({ id, facts }) => {
    const checked = checkFacts(JSON.parse(seal.open({ column: "events.facts", row: id }, facts as Buffer)));
    if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
    return checked.facts as InvoiceFacts;
  });
}
const namesOf = async (of: { subject: string }) => (await eventsOf(of)).map(({ event }) => event);

describe("an invoice", () => {
  test("is made with its lines and payments: one event, which says what the answer says", async () => {
    const practitioner = await created("/v1/practitioners", { name: "Pat Pretend", email: "pat@example.test" });
    const payer = await created("/v1/patients", { name: "Robin Example", email: null });
    const made = await invoice({
      practitioner_id: practitioner.id,
      payer_id: payer.id,
      invoice_date: "2026-09-22",
      payments: [
        { payment_method: "credit_card", total: 100 },
        { payment_method: "cash", total: 5, status: "draft" },
      ],
    });
    expect(made).toEqual({
      id: made.id,
      type: "patient_invoice",
      status: "partially_paid",
      invoice_number: expect.stringMatching(/^INV-\d{5}$/),
      invoice_date: "2026-09-22",
      currency: "cad",
      subtotal: 190,
      taxes: 24.7,
      total: 214.7,
      unpaid_subtotal_balance: 101.5,
      client,
      payer,
      practitioner: { id: practitioner.id, name: "Pat Pretend" },
      line_items: [{ id: expect.any(Number), ...MASSAGE, subtotal: 190, taxes: 24.7, total: 214.7 }],
      payments: [
        {
          id: expect.any(Number),
          payment_method: "credit_card",
          subtotal: 88.5,
          taxes: 11.5,
          total: 100,
          status: "paid",
          from_package: false,
          credit_id: null,
          refunded: 0,
          created_at: expect.stringMatching(/-0[45]:00$/),
        },
        expect.objectContaining({ payment_method: "cash", total: 5, status: "draft" }),
      ],
      subject: `invoice:${made.id}`,
      created_at: expect.any(String),
    });
    expect((await staff(`/v1/invoices/${made.id}`)).json).toEqual(made);
    const [event, ...more] = await eventsOf(made);
    expect(more).toEqual([]);
    expect(event).toMatchObject({ event: "invoice.created", client, practitioner });
    expect(event?.invoice).toMatchObject({ status: "partially_paid", total: 214.7, unpaid_subtotal_balance: 101.5 });
    expect(JSON.stringify(event)).not.toContain("Robin");
  });

  test("adds up 25.06, 25.61 and 25.63 at 15 % to 87.74, and knows yen and dinars", async () => {
    const line = (unit_price: number) => ({ description: "Visit", unit_price, units: 1, tax_rate: 15 });
    const made = await invoice({ line_items: [line(25.06), line(25.61), line(25.63)] });
    expect([made.subtotal, made.taxes, made.total]).toEqual([76.3, 11.44, 87.74]);
    const untaxed = (unit_price: number) => [{ description: "Visit", unit_price, units: 1 }];
    expect((await invoice({ currency: "jpy", line_items: untaxed(5000) })).total).toBe(5000);
    const dinars = await invoice({ currency: "kwd", line_items: untaxed(1.25) });
    expect(dinars.total).toBe(1.25);
    expect((await eventsOf(dinars))[0]?.invoice).toMatchObject({ currency: "kwd", total: 1.25 });
  });

  test("is changed in every field; lines with an id keep it", async () => {
    const made = await invoice();
    const path = `/v1/invoices/${made.id}`;
    const other = await created("/v1/patients", { name: "Max Invented", email: null });
    const practitioner = await created("/v1/practitioners", { name: "Pat II", email: "pat2@example.test" });
    const [first] = made.line_items;
    const changed = await patch(path, {
      invoice_date: "2026-01-31",
      invoice_number: " Custom 7 ",
      client_id: other.id,
      practitioner_id: practitioner.id,
      line_items: [
        { description: "Roller", unit_price: 24.5, units: 1 },
        { ...MASSAGE, id: first.id, units: 1 },
      ],
    });
    expect(changed).toMatchObject({
      status: 200,
      json: { invoice_date: "2026-01-31", invoice_number: "Custom 7", client: other, subtotal: 119 },
    });
    expect(changed.json.line_items.map(({ id }: { id: number }) => id)[1]).toBe(first.id);
    expect(await namesOf(made)).toEqual(["invoice.created", "invoice.updated"]);
    expect((await patch(path, { practitioner_id: null })).json.practitioner).toBeNull();
    expect((await eventsOf(made)).at(-1)).toMatchObject({ event: "invoice.updated", practitioner: null });
  });

  test("saved as it is, or with another payer, sends nothing", async () => {
    const made = await invoice();
    const path = `/v1/invoices/${made.id}`;
    const { subtotal: _, taxes: __, total: ___, ...line } = made.line_items[0];
    const same = { invoice_date: made.invoice_date, invoice_number: made.invoice_number, client_id: client.id };
    await patch(path, { ...same, currency: "cad", line_items: [line] });
    const payer = await created("/v1/patients", { name: "Robin Example", email: null });
    expect((await patch(path, { payer_id: payer.id })).json.payer).toEqual(payer);
    expect((await patch(path, { payer_id: null })).json.payer).toBeNull();
    expect(await namesOf(made)).toEqual(["invoice.created"]);
  });

  test("takes lines one by one", async () => {
    const made = await invoice({ line_items: [] });
    expect(made).toMatchObject({ status: "no_payment_needed", line_items: [], payments: [], total: 0 });
    const path = `/v1/invoices/${made.id}/line-items`;
    const added = await created(path, { description: "Roller", unit_price: 10, units: 3, tax_rate: 5.125 });
    expect(added).toMatchObject({ status: "draft", taxes: 1.54, line_items: [{ tax_rate: 5.125, discount: 0 }] });
    const [{ id }] = added.line_items;
    const changed = await patch(`${path}/${id}`, { discount: 10 });
    expect(changed.json.line_items).toMatchObject([{ id, units: 3, tax_rate: 5.125, subtotal: 20, taxes: 1.03 }]);
    expect((await remove(`${path}/${id}`)).json).toMatchObject({ line_items: [], status: "no_payment_needed" });
    expect(await namesOf(made)).toEqual(["invoice.created", ...Array(3).fill("invoice.updated")]);
  });

  test("is deleted with its last state in the event, but not while it holds money", async () => {
    const made = await invoice();
    const path = `/v1/invoices/${made.id}`;
    const { payments } = await created(`${path}/payments`, { payment_method: "cash", total: 20 });
    expect(refusal(await remove(path))).toMatchObject({ status: 409, code: "invoice_has_money" });
    await post(`${path}/payments/${payments[0].id}/refund`, { total: 20 });
    const last = (await staff(path)).json;
    expect((await remove(path)).status).toBe(204);
    expect((await staff(path)).status).toBe(404);
    const event = (await eventsOf(made)).at(-1);
    expect(event).toMatchObject({ event: "invoice.deleted", invoice: { status: "refunded", total: last.total } });
    expect(event?.invoice.payments).toMatchObject([{ total: 20, status: "refunded" }]);
    expect((await remove(path)).status).toBe(404);
  });
});

describe("payments", () => {
  test("are added, corrected, refunded, moved and voided", async () => {
    const made = await invoice();
    const other = await invoice();
    const path = `/v1/invoices/${made.id}/payments`;
    const added = await created(path, { payment_method: "cash", total: 50, status: "draft" });
    expect(added).toMatchObject({ status: "draft", payments: [{ status: "draft", total: 50 }] });
    const payment = `${path}/${added.payments[0].id}`;
    const settled = await patch(payment, { status: "paid", total: 100, payment_method: "e_transfer" });
    expect(settled.json).toMatchObject({ status: "partially_paid", unpaid_subtotal_balance: 101.5 });
    const refunded = await post(`${payment}/refund`, { total: 10 });
    expect(refunded).toMatchObject({ status: 200, json: { status: "partially_refunded" } });
    expect(refunded.json.payments).toMatchObject([{ total: 100, refunded: 10, status: "partially_refunded" }]);
    const moved = await post(`${payment}/transfer`, { to_invoice_id: other.id, total: 40 });
    expect(moved).toMatchObject({
      status: 200,
      json: { from: { id: made.id, payments: [{ total: 60 }] }, to: { id: other.id, payments: [{ total: 40 }] } },
    });
    const there = `/v1/invoices/${other.id}/payments/${moved.json.to.payments[0].id}`;
    expect((await remove(there)).json).toMatchObject({ id: other.id, status: "draft", payments: [] });
    expect(await namesOf(other)).toEqual(["invoice.created", "invoice.updated", "invoice.updated"]);
  });

  test("are added once for one Idempotency-Key", async () => {
    const made = await invoice();
    const body = { payment_method: "cash", total: 50 };
    const call = { method: "POST" as const, body, headers: { "idempotency-key": "one-payment" } };
    const first = await staff(`/v1/invoices/${made.id}/payments`, call);
    const again = await staff(`/v1/invoices/${made.id}/payments`, call);
    expect(again).toMatchObject({ status: 201, json: first.json });
    expect((await staff(`/v1/invoices/${made.id}`)).json.payments).toHaveLength(1);
    expect(await namesOf(made)).toEqual(["invoice.created", "invoice.updated"]);
  });
});

describe("the list", () => {
  let own: Caller;
  beforeAll(async () => {
    own = (await api.newClinic()).as.manager;
  });

  test("shows the newest first, page by page, by type, status, patient and number", async () => {
    const [a, b] = [
      await created("/v1/patients", { name: "Ann Example" }, own),
      await created("/v1/patients", { name: "Bob Example" }, own),
    ];
    const make = (client_id: number, changed: object = {}) =>
      created("/v1/invoices", { client_id, line_items: [MASSAGE], ...changed }, own);
    const first = await make(a.id, { invoice_number: "A_100%" });
    const second = await make(b.id, { payments: [{ payment_method: "cash", total: 214.7 }] });
    const third = await make(a.id);
    const ids = async (query: string) => {
      const answer = await own(`/v1/invoices${query}`);
      return answer.json.data.map(({ id }: { id: number }) => id);
    };
    expect((await own("/v1/invoices")).json).toEqual({ data: [third, second, first], next_cursor: null });
    expect(await ids("?status=paid_in_full")).toEqual([second.id]);
    expect(await ids(`?patient_id=${a.id}&status=draft`)).toEqual([third.id, first.id]);
    expect(await ids("?type=clinic_package")).toEqual([]);
    expect(await ids("?q=a_1")).toEqual([first.id]);
    expect(await ids("?q=0000")).toEqual([third.id, second.id]);
    expect(await ids("?q=%25")).toEqual([first.id]);
    const page = await own("/v1/invoices?limit=2");
    expect(page.json.data).toEqual([third, second]);
    expect(await ids(`?limit=2&cursor=${page.json.next_cursor}`)).toEqual([first.id]);
  });

  test.each(["status=open", "type=invoice", "patient_id=x", "cursor=nonsense", "limit=0"])(
    "refuses ?%s",
    async (query) => {
      const [field] = query.split("=");
      expect(refusal(await own(`/v1/invoices?${query}`))).toMatchObject({ status: 400, fields: [field] });
    },
  );
});

test("GET /v1/me says how many decimals the clinic's amounts have", async () => {
  expect((await staff("/v1/me")).json.clinic).toMatchObject({ currency: "cad", currency_exponent: 2 });
});
