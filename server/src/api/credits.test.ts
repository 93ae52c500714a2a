/** Packages, gift certificates and what a patient can pay with, as the browser calls them. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Answer, type Caller, startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";

let api: TestApi;
let clinic: TestClinic;
let stranger: TestClinic;
let staff: Caller;
let manager: Caller;
let patient: { id: number; name: string; email: string | null };

beforeAll(async () => {
  api = await startTestApi();
  clinic = await api.newClinic();
  stranger = await api.newClinic();
  staff = clinic.as.front_desk;
  manager = clinic.as.manager;
});
afterAll(() => api.close());

beforeEach(async () => {
  patient = await created("/v1/patients", { name: "Sam Sample", email: "sam.sample@example.test" });
});

async function created(path: string, body: unknown, caller = staff) {
  const answer = await caller(path, { method: "POST", body });
  if (answer.status !== 201) throw new Error(`${path} answered ${answer.status}: ${answer.text}`);
  return answer.json;
}

/** Status, code and fields of a refusal. */
function refusal({ status, json }: Answer) {
  return { status, code: json.code, fields: (json.errors ?? []).map(({ field }: { field: string }) => field) };
}

const post = (path: string, body: unknown, caller = staff) => caller(path, { method: "POST", body });
const TEN_VISITS = { name: "Ten visits", price: 500, value: 600.5, tax_rate: 5, expires_after_days: 365 };
const newPackage = (changed: object = {}, caller = manager) =>
  created("/v1/packages", { ...TEN_VISITS, ...changed }, caller);
const creditsOf = async (patientId: number) => (await staff(`/v1/patients/${patientId}/credits`)).json.data;

async function eventsOf(subject: string): Promise<string[]> {
  const { rows } = await api.database.pools.owner.query(
    "select name from events where subject = $1 order by subject_version",
    [subject],
  );
  return rows.map(({ name }) => name);
}

describe("packages", () => {
  test("are defined and changed by managers and listed for all; what was sold stays as it was sold", async () => {
    const made = await newPackage();
    expect(made).toEqual({ id: made.id, ...TEN_VISITS, currency: "cad", active: true });
    const { json: sold } = await post(`/v1/packages/${made.id}/sell`, {
      client_id: patient.id,
      payments: [{ payment_method: "cash", total: 525 }],
    });
    const change = { name: "Ten visits (new)", value: 700, expires_after_days: null, active: false };
    const changed = await manager(`/v1/packages/${made.id}`, { method: "PATCH", body: change });
    expect(changed).toMatchObject({ status: 200, json: { ...made, ...change } });
    expect((await staff("/v1/packages?limit=100")).json.data).toContainEqual(changed.json);
    expect(await creditsOf(patient.id)).toEqual([sold.credit]);
    expect(sold.credit).toMatchObject({ name: "Ten visits", value: 600.5, remaining: 600.5 });
    expect(refusal(await post(`/v1/packages/${made.id}/sell`, { client_id: patient.id }))).toMatchObject({
      status: 409,
      code: "package_inactive",
    });
  });

  test("are sold as one record with its payments; the credit is there once it is paid in full", async () => {
    const { id } = await newPackage();
    const half = { payment_method: "debit_card", total: 262.5 };
    const { invoice, credit } = await created(`/v1/packages/${id}/sell`, { client_id: patient.id, payments: [half] });
    expect(invoice).toMatchObject({
      type: "clinic_package",
      status: "partially_paid",
      client: patient,
      subtotal: 500,
      taxes: 25,
      total: 525,
      line_items: [{ description: "Ten visits", unit_price: 500, units: 1, tax_rate: 5 }],
    });
    expect(invoice).not.toHaveProperty("unpaid_subtotal_balance");
    expect([credit, await creditsOf(patient.id)]).toEqual([null, []]);
    await created(`/v1/invoices/${invoice.id}/payments`, half);
    const [open] = await creditsOf(patient.id);
    expect(open).toEqual({
      id: open.id,
      kind: "package",
      name: "Ten visits",
      value: 600.5,
      remaining: 600.5,
      currency: "cad",
      expires_on: expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/),
    });
    expect(await eventsOf(invoice.subject)).toEqual(["invoice.created", "invoice.updated"]);
  });

  test("pay invoices: by hand, and at creation by auto-deduct", async () => {
    const { id } = await newPackage({ tax_rate: 0, price: 100, value: 100 });
    const paid = [{ payment_method: "cash", total: 100 }];
    const { invoice: record, credit } = await created(`/v1/packages/${id}/sell`, {
      client_id: patient.id,
      payments: paid,
    });
    const line_items = [{ description: "Massage", unit_price: 70, units: 1 }];
    const first = await created("/v1/invoices", { client_id: patient.id, line_items, auto_deduct: true });
    expect(first).toMatchObject({
      status: "paid_in_full",
      payments: [{ payment_method: "package", total: 70, from_package: true, credit_id: credit.id }],
    });
    const second = await created("/v1/invoices", { client_id: patient.id, line_items });
    const payment = { payment_method: "package", credit_id: credit.id };
    const paying = (total: number) => post(`/v1/invoices/${second.id}/payments`, { ...payment, total });
    expect(refusal(await paying(30.01))).toEqual({ status: 409, code: "credit_too_small", fields: ["total"] });
    expect((await paying(30)).json).toMatchObject({ status: "partially_paid", unpaid_subtotal_balance: 40 });
    expect(await creditsOf(patient.id)).toEqual([]);
    expect(await eventsOf(record.subject)).toEqual(["invoice.created"]);
    expect(await eventsOf(first.subject)).toEqual(["invoice.created"]);
    expect(await eventsOf(second.subject)).toEqual(["invoice.created", "invoice.updated"]);
  });

  test("are sold once for one Idempotency-Key", async () => {
    const { id } = await newPackage();
    const headers = { "idempotency-key": `sale-${id}` };
    const sell = () => staff(`/v1/packages/${id}/sell`, { method: "POST", body: { client_id: patient.id }, headers });
    const [one, other] = [await sell(), await sell()];
    expect(other.json).toEqual(one.json);
    expect((await staff(`/v1/invoices?patient_id=${patient.id}`)).json.data).toHaveLength(1);
  });

  test.each([
    [{ name: " " }, "name"],
    [{ price: -1 }, "price"],
    [{ price: 1.005 }, "price"],
    [{ price: "100" }, "price"],
    [{ value: 0 }, "value"],
    [{ value: 1e12 }, "value"],
    [{ value: 0.5, price: 100, currency: "jpy" }, "value"],
    [{ tax_rate: 100.1 }, "tax_rate"],
    [{ tax_rate: 1.2345 }, "tax_rate"],
    [{ currency: "zzz" }, "currency"],
    [{ currency: "CAD" }, "currency"],
    [{ expires_after_days: 0 }, "expires_after_days"],
    [{ expires_after_days: 1.5 }, "expires_after_days"],
    [{ expires_after_days: 3_651 }, "expires_after_days"],
    [{ id: 7 }, "id"],
  ])("refuse %j, naming the field", async (changed, field) => {
    const answer = await post("/v1/packages", { ...TEN_VISITS, ...changed }, manager);
    expect(refusal(answer)).toEqual({ status: 400, code: "invalid_request", fields: [field] });
  });

  test("keep their currency, and cannot be sold for more than they cost", async () => {
    const { id } = await newPackage();
    const change = await manager(`/v1/packages/${id}`, { method: "PATCH", body: { currency: "usd" } });
    expect(refusal(change)).toMatchObject({ status: 400, fields: ["currency"] });
    const payments = [{ payment_method: "cash", total: 525.01 }];
    const sale = await post(`/v1/packages/${id}/sell`, { client_id: patient.id, payments });
    expect(refusal(sale)).toMatchObject({ status: 409, code: "over_paid" });
    expect((await staff(`/v1/invoices?patient_id=${patient.id}`)).json.data).toEqual([]);
  });
});

describe("gift certificates", () => {
  const sell = (changed: object = {}) =>
    created("/v1/gift-certificates", {
      purchaser_id: patient.id,
      value: 50,
      payments: [{ payment_method: "credit_card", total: 50 }],
      ...changed,
    });
  const redeem = (code: string, patient_id: number, caller = staff) =>
    post("/v1/gift-certificates/redeem", { code, patient_id }, caller);

  test("are sold, shown with their code, and redeemed without an event", async () => {
    const { gift_certificate: gift, invoice } = await sell();
    expect(gift).toEqual({
      id: gift.id,
      code: expect.stringMatching(/^([0-9A-Z]{4}-){3}[0-9A-Z]{4}$/),
      value: 50,
      remaining: 50,
      currency: "cad",
      purchaser: patient,
      redeemer: null,
      invoice_id: invoice.id,
      state: "ready",
      expires_on: null,
    });
    expect(invoice).toMatchObject({ type: "clinic_package_gift_certificate", client: patient, taxes: 0, total: 50 });
    const receiver = await created("/v1/patients", { name: "Robin Example" });
    const redeemed = await redeem(gift.code.toLowerCase(), receiver.id);
    expect(redeemed).toMatchObject({ status: 200, json: { ...gift, redeemer: receiver, state: "redeemed" } });
    expect((await staff(`/v1/gift-certificates/${gift.id}`)).json).toEqual(redeemed.json);
    expect(await creditsOf(receiver.id)).toMatchObject([{ kind: "gift_certificate", remaining: 50, expires_on: null }]);
    expect(await eventsOf(invoice.subject)).toEqual(["invoice.created"]);
  });

  test("are listed newest first, in pages that meet without a gap", async () => {
    const sold: number[] = [];
    for (let count = 0; count < 3; count += 1) sold.unshift((await sell({ payments: [] })).gift_certificate.id);
    const first = (await staff("/v1/gift-certificates?limit=2")).json;
    const second = (await staff(`/v1/gift-certificates?limit=2&cursor=${first.next_cursor}`)).json;
    const listed = [...first.data, ...second.data].map(({ id }: { id: number }) => id);
    expect(listed.slice(0, 3)).toEqual(sold);
    expect(first.data[0]).toMatchObject({ state: "unpaid", remaining: 0 });
  });

  test.each([
    [{ value: 0 }, "value"],
    [{ value: 10.001 }, "value"],
    [{ value: -5 }, "value"],
    [{ currency: "nope" }, "currency"],
    [{ code: "7K3M-9QTX-2B4W-HJ5R" }, "code"],
    [{ expires_on: "2026-02-30" }, "expires_on"],
    [{ expires_on: "2020-01-01" }, "expires_on"],
    [{ payments: [{ payment_method: "shells", total: 50 }] }, "payments.0.payment_method"],
    [{ payments: [{ payment_method: "cash", total: 0.001 }] }, "payments.0.total"],
  ])("refuse %j, naming the field", async (changed, field) => {
    const answer = await post("/v1/gift-certificates", { purchaser_id: patient.id, value: 50, ...changed });
    expect(refusal(answer)).toEqual({ status: 400, code: "invalid_request", fields: [field] });
  });

  test("cannot be guessed at speed: after 20 tries in a minute there is a pause", async () => {
    const { practitioner } = clinic.as;
    const answers: Answer[] = [];
    for (let tries = 0; tries < 21; tries += 1)
      answers.push(await redeem("7K3M-9QTX-2B4W-HJ5R", patient.id, practitioner));
    expect(answers.slice(0, 20).every(({ status }) => status === 404)).toBe(true);
    const last = answers.at(-1);
    expect(last?.status).toBe(429);
    expect(last?.json).toMatchObject({ code: "too_many_requests" });
    expect(Number(last?.headers["retry-after"])).toBeGreaterThan(0);
  });
});

describe("another clinic", () => {
  test("has no packages, certificates, credits and patients here, and its ids change nothing", async () => {
    const theirs = stranger.as.manager;
    const foreign = await created("/v1/patients", { name: "Max Invented" }, theirs);
    const { id: packageId } = await newPackage({}, theirs);
    const { gift_certificate: gift } = await created(
      "/v1/gift-certificates",
      { purchaser_id: foreign.id, value: 50, payments: [{ payment_method: "cash", total: 50 }] },
      theirs,
    );
    const own = await newPackage();
    const notFound = { status: 404, code: "not_found" };
    const answers = [
      await manager(`/v1/packages/${packageId}`, { method: "PATCH", body: { active: false } }),
      await post(`/v1/packages/${packageId}/sell`, { client_id: patient.id }),
      await post(`/v1/packages/${own.id}/sell`, { client_id: foreign.id }),
      await post(`/v1/packages/${own.id}/sell`, { client_id: patient.id, payer_id: foreign.id }),
      await staff(`/v1/gift-certificates/${gift.id}`),
      await post("/v1/gift-certificates", { purchaser_id: foreign.id, value: 50 }),
      await post("/v1/gift-certificates/redeem", { code: gift.code, patient_id: patient.id }),
      await staff(`/v1/patients/${foreign.id}/credits`),
      await staff("/v1/gift-certificates/0"),
      await staff("/v1/patients/nobody/credits"),
    ];
    for (const answer of answers) expect(refusal(answer)).toMatchObject(notFound);
    expect(answers.map((answer) => refusal(answer).fields)).toEqual([
      ...[[], [], ["client_id"], ["payer_id"], [], ["purchaser_id"], ["code"], [], [], []],
    ]);
    expect((await theirs("/v1/packages")).json.data).toMatchObject([{ id: packageId, active: true }]);
    expect((await theirs(`/v1/gift-certificates/${gift.id}`)).json.state).toBe("ready");
  });
});
