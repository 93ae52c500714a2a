/** Snapshots over HTTP, as other software sends them. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, type Caller, startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";

let api: TestApi;
let clinic: TestClinic;
let feed: Caller;

beforeAll(async () => {
  api = await startTestApi();
  clinic = await api.newClinic();
  const body = { name: "Relay", scopes: ["feed"] };
  const { key } = (await clinic.as.manager("/v1/api-keys", { method: "POST", body })).json;
  feed = (path, call) => api.anonymous(path, { ...call, headers: { authorization: `Bearer ${key}` } });
});
afterAll(() => api.close());

const put = (path: string, body: unknown) => feed(`/v1/${path}`, { method: "PUT", body });
const fields = ({ json }: Answer) => (json.errors ?? []).map(({ field }: { field: string }) => field);

const SAM = { id: "sam@example.test", name: "Sam Sample", email: "sam@example.test" };
const CONSULT = {
  service: { id: 12, name: "Massage" },
  practitioner: { id: 71, name: "Pat Pretend", email: "pat@example.test" },
  start_time: "2026-11-03T09:00:00-05:00",
  duration: 45,
  cancelled: false,
  participants: [SAM],
};
const LINE = { id: 1, description: "Massage", unit_price: 100, units: 1, subtotal: 100, taxes: 13, total: 113 };
const INVOICE = {
  type: "patient_invoice",
  invoice_number: "INV-1",
  invoice_date: "2026-09-22",
  currency: "cad",
  line_items: [LINE],
  payments: [{ id: "p", payment_method: "cash", total: 113, refunded: 113 }],
  practitioner: null,
  client: SAM,
};
const MEMBERSHIP = {
  type: "academy_membership",
  plan: { id: 9, name: "Movement library" },
  recurrence_interval: "year",
  state: "active",
  client: SAM,
};

describe("a snapshot", () => {
  it("of each kind is taken under the caller's own id, and says what it made", async () => {
    const consult = await put("consults/90210", { ...CONSULT, version: 1 });
    expect([consult.status, consult.json]).toEqual([
      201,
      { id: 90_210, events: ["participant.added"], unchanged: false },
    ]);
    const again = await put("consults/90210", { ...CONSULT, version: 1 });
    expect([again.status, again.json]).toEqual([200, { id: 90_210, events: [], unchanged: true }]);
    const invoice = await put("invoices/inv:7%2Fb", INVOICE);
    expect([invoice.status, invoice.json.events]).toEqual([201, ["invoice.created"]]);
    const membership = await put("memberships/m-1", MEMBERSHIP);
    expect([membership.status, membership.json.events]).toEqual([201, ["membership.started"]]);
    const { json } = await clinic.as.manager("/v1/events");
    expect(json.data.map(({ subject }: { subject: string }) => subject).sort()).toEqual(
      ["consult:90210", `invoice:${invoice.json.id}`, `membership:${membership.json.id}`].sort(),
    );
  });

  it("wakes the dispatcher when it has made an event, and only then", async () => {
    const before = api.nudges();
    await put("consults/90310", CONSULT);
    expect(api.nudges()).toBe(before + 1);
    await put("consults/90310", CONSULT);
    expect(api.nudges()).toBe(before + 1);
  });

  it("deletes an invoice, alone or with its last content beside", async () => {
    await put("invoices/70", INVOICE);
    expect((await put("invoices/70", { ...INVOICE, deleted: true })).json.events).toEqual(["invoice.deleted"]);
    await put("invoices/71", INVOICE);
    expect((await put("invoices/71", { deleted: true })).json.events).toEqual(["invoice.deleted"]);
    expect((await put("invoices/72", { deleted: true })).status).toBe(404);
  });

  it("is refused whole where a field is wrong, missing or unknown", async () => {
    const { duration: _, ...short } = CONSULT;
    expect(fields(await put("consults/1", { ...short, end_time: "2026" }))).toEqual(["duration", "end_time"]);
    expect(fields(await put("invoices/1", { ...INVOICE, line_items: [{ ...LINE, total: 1 }] }))).toEqual([
      "line_items.0.total",
    ]);
    expect(fields(await put("invoices/1", { ...INVOICE, status: "paid" }))).toEqual(["status"]);
    expect(fields(await put("memberships/1", { ...MEMBERSHIP, state: "gone" }))).toEqual(["state"]);
    expect(fields(await put("consults/1", { ...CONSULT, participants: [{ ...SAM, id: null }] }))).toEqual([
      "participants.0.id",
    ]);
    expect((await put(`consults/${"x".repeat(65)}`, CONSULT)).status).toBe(400);
  });

  it("does not come in the way of the clinic's own routes, nor they in its", async () => {
    expect((await clinic.as.front_desk("/v1/consults/90210")).status).toBe(404);
    expect((await clinic.as.front_desk("/v1/consults/90210", { method: "PUT", body: CONSULT })).status).toBe(403);
    expect((await clinic.as.manager("/v1/patients")).json.data).toEqual([]);
  });
});
