/** Who may call what: a row for every route of the API's own description, and a route without a row fails. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";
import type { StaffRole } from "../accounts/principal.ts";

const ROLES: readonly StaffRole[] = ["manager", "practitioner", "front_desk"];
const STAFF = new Set(ROLES);
const MANAGERS = new Set<StaffRole>(["manager"]);

const MATRIX: Readonly<Record<string, ReadonlySet<StaffRole>>> = {
  "GET /v1/me": STAFF,
  "GET /v1/event-types": STAFF,
  "GET /v1/practitioners": STAFF,
  "POST /v1/practitioners": STAFF,
  "PATCH /v1/practitioners/{id}": STAFF,
  "GET /v1/patients": STAFF,
  "POST /v1/patients": STAFF,
  "GET /v1/patients/{id}": STAFF,
  "PATCH /v1/patients/{id}": STAFF,
  "GET /v1/services": STAFF,
  "POST /v1/services": STAFF,
  "PATCH /v1/services/{id}": STAFF,
  "GET /v1/consults": STAFF,
  "POST /v1/consults": STAFF,
  "GET /v1/consults/{id}": STAFF,
  "PATCH /v1/consults/{id}": STAFF,
  "POST /v1/consults/{id}/participants": STAFF,
  "PATCH /v1/consults/{id}/participants/{patient_id}": STAFF,
  "DELETE /v1/consults/{id}/participants/{patient_id}": STAFF,
  "POST /v1/consults/{id}/participants/{patient_id}/move": STAFF,
  "POST /v1/consults/{id}/cancel": STAFF,
  "POST /v1/consults/{id}/restore": STAFF,
  "GET /v1/series/{id}": STAFF,
  "PATCH /v1/series/{id}": STAFF,
  "POST /v1/series/{id}/cancel": STAFF,
  "POST /v1/series/{id}/participants": STAFF,
  "DELETE /v1/series/{id}/participants/{patient_id}": STAFF,
  "GET /v1/invoices": STAFF,
  "POST /v1/invoices": STAFF,
  "GET /v1/invoices/{id}": STAFF,
  "PATCH /v1/invoices/{id}": STAFF,
  "DELETE /v1/invoices/{id}": STAFF,
  "POST /v1/invoices/{id}/line-items": STAFF,
  "PATCH /v1/invoices/{id}/line-items/{line_item_id}": STAFF,
  "DELETE /v1/invoices/{id}/line-items/{line_item_id}": STAFF,
  "POST /v1/invoices/{id}/payments": STAFF,
  "PATCH /v1/invoices/{id}/payments/{payment_id}": STAFF,
  "DELETE /v1/invoices/{id}/payments/{payment_id}": STAFF,
  "POST /v1/invoices/{id}/payments/{payment_id}/refund": STAFF,
  "POST /v1/invoices/{id}/payments/{payment_id}/transfer": STAFF,
  "GET /v1/packages": STAFF,
  "POST /v1/packages": MANAGERS,
  "PATCH /v1/packages/{id}": MANAGERS,
  "POST /v1/packages/{id}/sell": STAFF,
  "GET /v1/patients/{id}/credits": STAFF,
  "GET /v1/gift-certificates": STAFF,
  "POST /v1/gift-certificates": STAFF,
  "GET /v1/gift-certificates/{id}": STAFF,
  "POST /v1/gift-certificates/redeem": STAFF,
  "GET /v1/courses": STAFF,
  "POST /v1/courses": MANAGERS,
  "PATCH /v1/courses/{id}": MANAGERS,
  "GET /v1/courses/{id}/participants": STAFF,
  "POST /v1/courses/{id}/participants": STAFF,
  "DELETE /v1/courses/{id}/participants/{patient_id}": STAFF,
  "GET /v1/webinars": STAFF,
  "POST /v1/webinars": MANAGERS,
  "PATCH /v1/webinars/{id}": MANAGERS,
  "GET /v1/webinars/{id}/participants": STAFF,
  "POST /v1/webinars/{id}/participants": STAFF,
  "DELETE /v1/webinars/{id}/participants/{patient_id}": STAFF,
  "GET /v1/checkouts": STAFF,
  "POST /v1/checkouts": STAFF,
  "GET /v1/checkouts/{id}": STAFF,
  "POST /v1/checkouts/{id}/complete": STAFF,
  "POST /v1/checkouts/{id}/expire": STAFF,
  "GET /v1/membership-plans": STAFF,
  "POST /v1/membership-plans": MANAGERS,
  "PATCH /v1/membership-plans/{id}": MANAGERS,
  "GET /v1/memberships": STAFF,
  "POST /v1/memberships": STAFF,
  "GET /v1/memberships/{id}": STAFF,
  "POST /v1/memberships/{id}/cancel": STAFF,
  "POST /v1/memberships/{id}/resume": STAFF,
  "POST /v1/memberships/{id}/pause": STAFF,
  "POST /v1/memberships/{id}/switch": STAFF,
  "POST /v1/memberships/{id}/payment-source": STAFF,
  "POST /v1/memberships/{id}/mark-paid": STAFF,
  "GET /v1/webhooks": MANAGERS,
  "POST /v1/webhooks": MANAGERS,
  "POST /v1/webhooks/check-url": MANAGERS,
  "GET /v1/webhooks/{id}": MANAGERS,
  "PATCH /v1/webhooks/{id}": MANAGERS,
  "DELETE /v1/webhooks/{id}": MANAGERS,
  "POST /v1/webhooks/{id}/test": MANAGERS,
  "POST /v1/webhooks/{id}/rotate-secret": MANAGERS,
  "GET /v1/webhooks/{id}/deliveries": MANAGERS,
  "POST /v1/webhooks/{id}/recover/count": MANAGERS,
  "POST /v1/webhooks/{id}/recover": MANAGERS,
  "GET /v1/webhooks/{id}/recover": MANAGERS,
  "GET /v1/webhooks/{id}/recover/{recovery_id}": MANAGERS,
  "POST /v1/webhooks/{id}/recover/{recovery_id}/pause": MANAGERS,
  "POST /v1/webhooks/{id}/recover/{recovery_id}/resume": MANAGERS,
  "POST /v1/webhooks/{id}/recover/{recovery_id}/cancel": MANAGERS,
  "POST /v1/webhooks/{id}/revoke-previous-secret": MANAGERS,
  "GET /v1/webhooks/{id}/public-keys": MANAGERS,
  "GET /v1/deliveries": MANAGERS,
  "GET /v1/deliveries/{id}": MANAGERS,
  "POST /v1/deliveries/{id}/resend": MANAGERS,
  "GET /v1/notices": MANAGERS,
  "POST /v1/notices/{id}/read": MANAGERS,
  "POST /v1/notices/read-all": MANAGERS,
  "GET /v1/operational-webhook": MANAGERS,
  "POST /v1/operational-webhook": MANAGERS,
  "PATCH /v1/operational-webhook": MANAGERS,
  "DELETE /v1/operational-webhook": MANAGERS,
  "GET /v1/imports": MANAGERS,
  "POST /v1/imports": MANAGERS,
  "GET /v1/imports/{id}": MANAGERS,
  "GET /v1/imports/{id}/errors": MANAGERS,
  "GET /v1/imports/{id}/errors.csv": MANAGERS,
  "POST /v1/imports/{id}/start": MANAGERS,
  "GET /v1/imports/templates/{kind}": MANAGERS,
  "GET /v1/inbox": MANAGERS,
  "DELETE /v1/inbox": MANAGERS,
  "GET /v1/events": MANAGERS,
  "PUT /v1/consults/{id}": MANAGERS,
  "PUT /v1/invoices/{id}": MANAGERS,
  "PUT /v1/memberships/{id}": MANAGERS,
  "POST /v1/events": MANAGERS,
  "GET /v1/api-keys": MANAGERS,
  "POST /v1/api-keys": MANAGERS,
  "DELETE /v1/api-keys/{id}": MANAGERS,
  "GET /v1/retention": MANAGERS,
  "PATCH /v1/retention": MANAGERS,
  "GET /v1/stream": MANAGERS,
};

/** For everybody: no session is looked at. */
const OPEN = ["GET /.well-known/hookwell/keys/{token}"];

let api: TestApi;
let clinic: TestClinic;
let described: string[];

beforeAll(async () => {
  api = await startTestApi();
  clinic = await api.newClinic();
  const { paths } = (await api.anonymous("/openapi.json")).json as { paths: Record<string, object> };
  described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
});
afterAll(() => api.close());

describe("the matrix", () => {
  it("has a row for every route, and no row too many", () => {
    expect(described.toSorted()).toEqual([...Object.keys(MATRIX), ...OPEN].toSorted());
  });
});

describe.each(Object.entries(MATRIX))("%s", (route, allowed) => {
  const [method, path] = route.split(" ") as ["GET" | "POST" | "PATCH" | "DELETE", string];
  // A stream that is opened does not end: whoever may open it is refused for a parameter too many.
  const url = path.replaceAll(/\{\w+\}/g, "999999") + (path === "/v1/stream" ? "?surprise=1" : "");
  const call = method === "GET" || method === "DELETE" ? { method } : { method, body: {} };

  it("refuses whoever is not signed in", async () => {
    const answer = await api.anonymous(url, call);
    expect([answer.status, answer.json.code]).toEqual([401, "sign_in_required"]);
  });

  it.each(ROLES)("is as the matrix says for the role %s", async (role) => {
    const answer = await clinic.as[role](url, call);
    if (allowed.has(role)) expect([401, 403, 500]).not.toContain(answer.status);
    else expect([answer.status, answer.json.code]).toEqual([403, "manager_only"]);
  });
});

describe.each(OPEN)("%s", (route) => {
  it("is described as open, and asks nobody to sign in", async () => {
    const [method = "", path = ""] = route.split(" ");
    const { paths } = (await api.anonymous("/openapi.json")).json;
    expect(paths[path][method.toLowerCase()].security).toEqual([]);
    const answer = await api.anonymous(path.replaceAll(/\{\w+\}/g, "999999"));
    expect([answer.status, answer.json.code]).toEqual([404, "not_found"]);
  });
});
