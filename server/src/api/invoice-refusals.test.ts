/** /v1/invoices refuses what cannot be: it names the field, changes nothing, and says nothing of other clinics. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Answer, type Caller, startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";
import { createKysely } from "../db/pool.ts";

let api: TestApi;
let clinic: TestClinic;
let stranger: TestClinic;
let staff: Caller;
let client: { id: number };

beforeAll(async () => {
  api = await startTestApi();
  clinic = await api.newClinic();
  stranger = await api.newClinic();
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

/** How many events there are about an invoice. */
async function eventsOf({ subject }: { subject: string }): Promise<number> {
  const owner = createKysely(api.database.pools.owner);
  const rows = await owner.selectFrom("events").select("id").where("subject", "=", subject).execute();
  return rows.length;
}

test("bad input names the field and changes nothing", async () => {
  const { id: foreign } = await created("/v1/patients", { name: "Sam Sample" }, stranger.as.manager);
  const taken = await invoice({ invoice_number: "TAKEN-1" });
  const line = (changed: object) => base({ line_items: [MASSAGE, { ...MASSAGE, ...changed }] });
  const made = await created("/v1/invoices", base({ payments: [{ payment_method: "cash", total: 20 }] }));
  const path = `/v1/invoices/${made.id}`;
  const payment = `${path}/payments/${made.payments[0].id}`;
  const cases: [Promise<Answer>, number, string][] = [
    [post("/v1/invoices", base({ client_id: foreign })), 404, "client_id"],
    [post("/v1/invoices", base({ payer_id: foreign })), 404, "payer_id"],
    [post("/v1/invoices", base({ practitioner_id: 999_999 })), 404, "practitioner_id"],
    [post("/v1/invoices", base({ type: "clinic_package" })), 400, "type"],
    [post("/v1/invoices", base({ status: "paid" })), 400, "status"],
    [post("/v1/invoices", base({ currency: "xyz" })), 400, "currency"],
    [post("/v1/invoices", base({ currency: "CAD" })), 400, "currency"],
    [post("/v1/invoices", base({ invoice_date: "2026-02-30" })), 400, "invoice_date"],
    [post("/v1/invoices", base({ invoice_number: " " })), 400, "invoice_number"],
    [post("/v1/invoices", base({ invoice_number: "7".repeat(61) })), 400, "invoice_number"],
    [post("/v1/invoices", base({ invoice_number: taken.invoice_number })), 409, "invoice_number"],
    [post("/v1/invoices", base({ line_items: Array(301).fill(MASSAGE) })), 400, "line_items"],
    [post("/v1/invoices", line({ unit_price: 1.005 })), 400, "line_items.1.unit_price"],
    [post("/v1/invoices", line({ unit_price: -1 })), 400, "line_items.1.unit_price"],
    [post("/v1/invoices", line({ unit_price: 1e12 })), 400, "line_items.1.unit_price"],
    [post("/v1/invoices", line({ unit_price: 1e9, units: 1_000_000 })), 400, "line_items.1.unit_price"],
    [post("/v1/invoices", line({ units: 0 })), 400, "line_items.1.units"],
    [post("/v1/invoices", line({ units: 1.5 })), 400, "line_items.1.units"],
    [post("/v1/invoices", line({ units: 1_000_001 })), 400, "line_items.1.units"],
    [post("/v1/invoices", line({ discount: 191.01 })), 400, "line_items.1.discount"],
    [post("/v1/invoices", line({ tax_rate: 100.001 })), 400, "line_items.1.tax_rate"],
    [post("/v1/invoices", line({ tax_rate: 5.1234 })), 400, "line_items.1.tax_rate"],
    [post("/v1/invoices", line({ description: " " })), 400, "line_items.1.description"],
    [post("/v1/invoices", line({ description: "x".repeat(2_001) })), 400, "line_items.1.description"],
    [
      post("/v1/invoices", base({ payments: [{ payment_method: "gold", total: 1 }] })),
      400,
      "payments.0.payment_method",
    ],
    [post("/v1/invoices", base({ payments: [{ payment_method: "cash", total: 0.001 }] })), 400, "payments.0.total"],
    [post("/v1/invoices", base({ payments: [{ payment_method: "cash", total: 0 }] })), 400, "payments.0.total"],
    [patch(path, { line_items: [{ ...MASSAGE, id: taken.line_items[0].id }] }), 404, "line_items.0.id"],
    [patch(path, { invoice_number: taken.invoice_number }), 409, "invoice_number"],
    [patch(path, { currency: "usd" }), 409, "currency"],
    [patch(path, { total: 7 }), 400, "total"],
    [post(`${path}/line-items`, { ...MASSAGE, units: 0 }), 400, "units"],
    [patch(`${path}/line-items/${made.line_items[0].id}`, { discount: 200 }), 400, "discount"],
    [post(`${path}/payments`, { payment_method: "cash", total: 0 }), 400, "total"],
    [post(`${path}/payments`, { payment_method: "package", total: 1 }), 400, "credit_id"],
    [post(`${path}/payments`, { payment_method: "package", total: 1, credit_id: 999_999 }), 404, "credit_id"],
    [post(`${payment}/refund`, { total: 20.01 }), 409, "total"],
    [post(`${payment}/transfer`, { to_invoice_id: made.id }), 400, "to_invoice_id"],
  ];
  for (const [answer, status, field] of cases) {
    expect(refusal(await answer)).toMatchObject({ status, fields: [field] });
  }
  expect((await staff(path)).json).toEqual(made);
  expect(await eventsOf(made)).toBe(1);
});

test("a search with a control character is refused by its field, as the database could not take it", async () => {
  for (const text of ["%00", "a%00b", "%1F"]) {
    for (const path of ["/v1/invoices", "/v1/patients"]) {
      expect(refusal(await staff(`${path}?q=${text}`))).toEqual({
        status: 400,
        code: "invalid_request",
        fields: ["q"],
      });
    }
  }
});

test("ids of another clinic, or of another invoice, answer 404 everywhere", async () => {
  const made = await created("/v1/invoices", base({ payments: [{ payment_method: "cash", total: 20 }] }));
  const other = await invoice();
  const tail = { line: made.line_items[0].id, payment: made.payments[0].id };
  const cash = { payment_method: "cash", total: 1 };
  const within = (path: string, caller: Caller) => [
    patch(`${path}/line-items/${tail.line}`, { units: 1 }, caller),
    remove(`${path}/line-items/${tail.line}`, caller),
    patch(`${path}/payments/${tail.payment}`, { total: 1 }, caller),
    remove(`${path}/payments/${tail.payment}`, caller),
    post(`${path}/payments/${tail.payment}/refund`, { total: 1 }, caller),
    post(`${path}/payments/${tail.payment}/transfer`, { to_invoice_id: made.id }, caller),
  ];
  const whole = (path: string, caller: Caller) => [
    caller(path),
    patch(path, { invoice_date: "2026-01-01" }, caller),
    remove(path, caller),
    post(`${path}/line-items`, MASSAGE, caller),
    post(`${path}/payments`, cash, caller),
  ];
  for (const id of [made.id, "0", "abc", "99999999999999999999"]) {
    const path = `/v1/invoices/${id}`;
    for (const answer of [...whole(path, stranger.as.manager), ...within(path, stranger.as.manager)]) {
      expect(refusal(await answer)).toMatchObject({ status: 404, code: "not_found" });
    }
  }
  for (const answer of within(`/v1/invoices/${other.id}`, staff)) expect((await answer).status).toBe(404);
  expect((await staff(`/v1/invoices/${made.id}`)).json).toEqual(made);
});
