/** The routes of plans and memberships, as the browser calls them. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Answer, type Caller, startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";

let api: TestApi;
let clinic: TestClinic;
let stranger: TestClinic;
let manager: Caller;
let desk: Caller;
let patientId: number;

beforeAll(async () => {
  api = await startTestApi();
  clinic = await api.newClinic();
  stranger = await api.newClinic({ hasAcademy: false });
  manager = clinic.as.manager;
  desk = clinic.as.front_desk;
  patientId = (await created(desk, "/v1/patients", { name: "Sam Sample", email: null })).id;
});
afterAll(() => api.close());

const post = (caller: Caller, path: string, body: unknown = {}) => caller(path, { method: "POST", body });

async function created(caller: Caller, path: string, body: unknown) {
  const answer = await post(caller, path, body);
  if (answer.status !== 201) throw new Error(`${path} answered ${answer.status}: ${answer.text}`);
  return answer.json;
}

/** Status, code and fields of a refusal. */
function refusal({ status, json }: Answer) {
  return { status, code: json.code, fields: (json.errors ?? []).map(({ field }: { field: string }) => field) };
}

const VISITS = {
  ...{ type: "clinic_package_membership", name: "Monthly visits", price: 80, tax_rate: 13 },
  ...{ recurrence_interval: "month", credit_value: 95 },
};
const LIBRARY = { type: "academy_membership", name: "Movement library", price: 120, recurrence_interval: "year" };

const newPlan = (changed: object = {}) => created(manager, "/v1/membership-plans", { ...VISITS, ...changed });
const assign = (planId: number, source = "practice_card") =>
  post(desk, "/v1/memberships", { plan_id: planId, client_id: patientId, payment_source: source });

describe("plans", () => {
  test("are made, changed and listed, in major units", async () => {
    const plan = await newPlan({ name: " Monthly visits ", currency: "jpy", price: 5000, credit_value: 6000 });
    expect(plan).toEqual({
      ...{ id: plan.id, type: "clinic_package_membership", name: "Monthly visits", price: 5000, tax_rate: 13 },
      ...{ currency: "jpy", recurrence_interval: "month", number_of_payments: null, credit_value: 6000 },
      ...{ item_ids: [], active: true },
    });
    const change = { price: 5500, tax_rate: 0, credit_value: null, number_of_payments: 12, active: false };
    const changed = await manager(`/v1/membership-plans/${plan.id}`, { method: "PATCH", body: change });
    expect(changed).toMatchObject({ status: 200, json: { ...plan, ...change } });
    const { data } = (await desk("/v1/membership-plans?limit=100")).json;
    expect(data).toContainEqual(changed.json);
    expect(refusal(await assign(plan.id))).toEqual({ status: 409, code: "plan_inactive", fields: ["plan_id"] });
  });

  test.each([
    ["price", { price: 10.001 }],
    ["price", { price: -1 }],
    ["tax_rate", { tax_rate: 101 }],
    ["currency", { currency: "xyz" }],
    ["name", { name: " " }],
    ["number_of_payments", { number_of_payments: 0 }],
    ["number_of_payments", { number_of_payments: 1.5 }],
    ["credit_value", { credit_value: 0 }],
    ["credit_value", { ...LIBRARY, credit_value: 5 }],
    ["recurrence_interval", { recurrence_interval: "fortnight" }],
    ["item_ids", { item_ids: [1] }],
    ["type", { type: "gym" }],
  ])("are refused for a wrong %s", async (field, changed) => {
    const answer = await post(manager, "/v1/membership-plans", { ...VISITS, ...changed });
    expect(refusal(answer)).toEqual({ status: 400, code: "invalid_request", fields: [field] });
  });

  test("keep their type and currency, and unknown items are not found", async () => {
    const { id } = await newPlan();
    const patch = (body: object) => manager(`/v1/membership-plans/${id}`, { method: "PATCH", body });
    expect(refusal(await patch({ currency: "usd" }))).toMatchObject({ status: 400 });
    expect(refusal(await patch({ type: "academy_membership" }))).toMatchObject({ status: 400 });
    const unknown = await post(manager, "/v1/membership-plans", { ...LIBRARY, item_ids: [999_999] });
    expect(refusal(unknown)).toEqual({ status: 404, code: "not_found", fields: ["item_ids.0"] });
  });

  test("of the academy need the academy", async () => {
    const answer = await post(stranger.as.manager, "/v1/membership-plans", LIBRARY);
    expect(refusal(answer)).toEqual({ status: 409, code: "no_academy", fields: ["type"] });
  });
});

describe("memberships", () => {
  test("are assigned, paused, cancelled, taken up again and listed", async () => {
    const plan = await newPlan();
    const { status, json: membership } = await assign(plan.id);
    expect(status).toBe(201);
    expect(membership).toMatchObject({
      plan: { id: plan.id, name: "Monthly visits", type: "clinic_package_membership" },
      client: { id: patientId, name: "Sam Sample", email: null },
      ...{ state: "active", recurrence_interval: "month", payments_made: 1, number_of_payments: null },
      ...{ payment_source: "practice_card", cancelled_at: null, cancel_reason: null, access_until: null },
      ...{ last_charge: { outcome: "paid" }, retry_on: null, subject: `membership:${membership.id}` },
    });
    expect(membership.started_at).toMatch(/-0[45]:00$/);
    const [invoice] = membership.invoices;
    expect((await desk(`/v1/invoices/${invoice}`)).json).toMatchObject({ status: "paid", total: 90.4 });
    expect((await desk(`/v1/patients/${patientId}/credits`)).json.data).toContainEqual(
      expect.objectContaining({ kind: "membership", value: 95, remaining: 95 }),
    );
    const at = `/v1/memberships/${membership.id}`;
    expect((await post(desk, `${at}/pause`)).json.state).toBe("paused");
    expect((await post(desk, `${at}/resume`)).json.state).toBe("active");
    const cancelled = await post(desk, `${at}/cancel`, { by: "patient", at: "period_end" });
    expect(cancelled.json).toMatchObject({
      ...{ state: "cancelled", cancel_reason: "patient", access_until: membership.next_charge_on },
    });
    const resumed = await post(desk, `${at}/resume`);
    expect(resumed.json).toEqual((await desk(at)).json);
    expect((await desk(`/v1/memberships?plan_id=${plan.id}&state=active&patient_id=${patientId}`)).json).toEqual({
      data: [resumed.json],
      next_cursor: null,
    });
    expect((await desk(`/v1/memberships?plan_id=${plan.id}&state=cancelled`)).json.data).toEqual([]);
  });

  test("are listed newest first, page by page", async () => {
    const plan = await newPlan();
    const ids = [];
    for (let at = 0; at < 3; at += 1) ids.unshift((await assign(plan.id, "at_desk")).json.id);
    const first = (await desk(`/v1/memberships?plan_id=${plan.id}&limit=2`)).json;
    const second = (await desk(`/v1/memberships?plan_id=${plan.id}&limit=2&cursor=${first.next_cursor}`)).json;
    expect([...first.data, ...second.data].map(({ id }) => id)).toEqual(ids);
    expect(second.next_cursor).toBeNull();
  });

  test("are switched to another plan, and the two are answered", async () => {
    const [plan, library] = [await newPlan(), await newPlan({ ...LIBRARY, credit_value: null })];
    const { id } = (await assign(plan.id)).json;
    const same = await post(desk, `/v1/memberships/${id}/switch`, { plan_id: plan.id });
    expect(refusal(same)).toEqual({ status: 409, code: "same_plan", fields: ["plan_id"] });
    const { status, json } = await post(desk, `/v1/memberships/${id}/switch`, { plan_id: library.id });
    expect(status).toBe(200);
    expect(json).toMatchObject({
      cancelled: { id, state: "cancelled", cancel_reason: "switched" },
      started: { state: "active", plan: { id: library.id }, invoices: [] },
    });
  });

  test("of the academy are marked as paid; of clinic packages through their record alone", async () => {
    const library = await newPlan({ ...LIBRARY, credit_value: null });
    const { id, state } = (await assign(library.id, "at_desk")).json;
    expect(state).toBe("pending");
    expect((await post(desk, `/v1/memberships/${id}/mark-paid`)).json).toMatchObject({ state: "active" });
    const visits = (await assign((await newPlan()).id, "at_desk")).json;
    expect(refusal(await post(desk, `/v1/memberships/${visits.id}/mark-paid`))).toMatchObject({
      ...{ status: 409, code: "has_invoice" },
    });
    const pay = { payment_method: "e_transfer", total: 90.4 };
    await created(desk, `/v1/invoices/${visits.invoices[0]}/payments`, pay);
    expect((await desk(`/v1/memberships/${visits.id}`)).json).toMatchObject({ state: "active", payments_made: 1 });
  });

  test("whose card is declined can be given another way to pay", async () => {
    const { id, state, retry_on, last_charge } = (await assign((await newPlan()).id, "practice_card_declined")).json;
    expect({ state, last_charge }).toMatchObject({ state: "pending", last_charge: { outcome: "declined" } });
    expect(retry_on).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    const changed = await post(desk, `/v1/memberships/${id}/payment-source`, { payment_source: "at_desk" });
    expect(changed.json).toMatchObject({
      payment_source: "at_desk",
      retry_on: null,
      last_charge: { outcome: "awaiting" },
    });
    expect(refusal(await post(desk, `/v1/memberships/${id}/resume`))).toMatchObject({ code: "membership_pending" });
  });

  test("are assigned once however often the same request comes", async () => {
    const { id } = await newPlan();
    const body = { plan_id: id, client_id: patientId, payment_source: "practice_card" };
    const headers = { "idempotency-key": "assign-once" };
    const answers = await Promise.all([1, 2, 3].map(() => desk("/v1/memberships", { method: "POST", body, headers })));
    expect(new Set(answers.map(({ json }) => json.id)).size).toBe(1);
    expect((await desk(`/v1/memberships?plan_id=${id}`)).json.data).toHaveLength(1);
  });

  test.each([
    ["plan_id", { plan_id: 999_999 }, 404],
    ["client_id", { client_id: 999_999 }, 404],
    ["payment_source", { payment_source: "gold" }, 400],
    ["plan_id", { plan_id: -1 }, 400],
    ["extra", { extra: 1 }, 400],
  ])("are refused for a wrong %s, and nothing is stored", async (field, changed, status) => {
    const { id } = await newPlan();
    const body = { plan_id: id, client_id: patientId, payment_source: "at_desk", ...changed };
    expect(refusal(await post(desk, "/v1/memberships", body))).toMatchObject({ status, fields: [field] });
    expect((await desk(`/v1/memberships?plan_id=${id}`)).json.data).toEqual([]);
  });

  test("of another clinic do not exist, by whatever route and in whatever field", async () => {
    const theirs = await created(stranger.as.manager, "/v1/membership-plans", VISITS);
    const them = await created(stranger.as.manager, "/v1/patients", { name: "Ann Example", email: null });
    const wanted = { plan_id: theirs.id, client_id: them.id, payment_source: "practice_card" };
    const { id } = await created(stranger.as.manager, "/v1/memberships", wanted);
    const own = await newPlan();
    const acts = ["cancel", "pause", "resume", "mark-paid"].map((act) => post(desk, `/v1/memberships/${id}/${act}`));
    const mine = (await assign(own.id)).json.id;
    const answers = await Promise.all([
      ...acts,
      desk(`/v1/memberships/${id}`),
      post(desk, `/v1/memberships/${id}/switch`, { plan_id: own.id }),
      post(desk, `/v1/memberships/${id}/payment-source`, { payment_source: "at_desk" }),
      post(desk, `/v1/memberships/${mine}/switch`, { plan_id: theirs.id }),
      post(desk, "/v1/memberships", { plan_id: theirs.id, client_id: patientId, payment_source: "at_desk" }),
      post(desk, "/v1/memberships", { plan_id: own.id, client_id: them.id, payment_source: "at_desk" }),
      manager(`/v1/membership-plans/${theirs.id}`, { method: "PATCH", body: { name: "Mine now" } }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 404));
    expect((await desk(`/v1/memberships/${mine}`)).json.state).toBe("active");
    expect((await stranger.as.manager(`/v1/memberships/${id}`)).json.state).toBe("active");
  });
});
