/** Who may call what: a row for every route of the API's own description, and a route without a row fails. */

import type { EmbedCapability } from "@hookwell/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Caller, startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";
import { EMBEDDED, endedPage, FOR_EMBEDDED, openPages } from "../../test/embedded-matrix.ts";
import { API_KEY_SCOPES, type ApiKeyScope, type StaffRole } from "../accounts/principal.ts";

const ROLES: readonly StaffRole[] = ["manager", "practitioner", "front_desk"];
const STAFF = new Set(ROLES);
const MANAGERS = new Set<StaffRole>(["manager"]);
/** For programs alone: no person at all. */
const NOBODY = new Set<StaffRole>();

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
  "GET /v1/webhooks/activity": MANAGERS,
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
  "POST /v1/deliveries/{id}/reveal": MANAGERS,
  "GET /v1/notices": MANAGERS,
  "POST /v1/notices/{id}/read": MANAGERS,
  "POST /v1/notices/read-all": MANAGERS,
  "GET /v1/operational-webhook": MANAGERS,
  "POST /v1/operational-webhook": MANAGERS,
  "PATCH /v1/operational-webhook": MANAGERS,
  "DELETE /v1/operational-webhook": MANAGERS,
  "POST /v1/operational-webhook/rotate-secret": MANAGERS,
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
  "POST /v1/embed-sessions": NOBODY,
  "DELETE /v1/embed-sessions/{id}": NOBODY,
  "GET /v1/staff": MANAGERS,
  "PATCH /v1/staff/{user_id}": MANAGERS,
  "DELETE /v1/staff/{user_id}": MANAGERS,
  "GET /v1/invitations": MANAGERS,
  "POST /v1/invitations": MANAGERS,
  "POST /v1/invitations/{id}/resend": MANAGERS,
  "DELETE /v1/invitations/{id}": MANAGERS,
  "GET /v1/retention": MANAGERS,
  "PATCH /v1/retention": MANAGERS,
  "GET /v1/audit": MANAGERS,
  "GET /v1/audit/actors": MANAGERS,
  "GET /v1/audit/check": MANAGERS,
  "GET /v1/audit/export.csv": MANAGERS,
  "GET /v1/audit/export.json": MANAGERS,
  "GET /v1/stream": MANAGERS,
};

/** For everybody: no session is looked at. */
const OPEN = ["GET /.well-known/hookwell/keys/{token}"];

/** What programs may call, with the scope of their key. Every other route is for people alone. */
const FOR_PROGRAMS: Readonly<Record<string, ApiKeyScope>> = {
  "GET /v1/webhooks/{id}/deliveries": "deliveries:pull",
  "POST /v1/events": "feed",
  "PUT /v1/consults/{id}": "feed",
  "PUT /v1/invoices/{id}": "feed",
  "PUT /v1/memberships/{id}": "feed",
  "POST /v1/embed-sessions": "embed",
  "DELETE /v1/embed-sessions/{id}": "embed",
};

interface Paths {
  readonly [path: string]: { readonly [method: string]: { readonly security?: readonly object[] } };
}

let api: TestApi;
let clinic: TestClinic;
let paths: Paths;
let described: string[];
let keys: Record<ApiKeyScope | "revoked" | "ended page", string>;
/** Open embedded pages, by their capabilities. */
let pages: Map<readonly EmbedCapability[], Caller>;

beforeAll(async () => {
  api = await startTestApi();
  clinic = await api.newClinic();
  keys = await makeKeys();
  pages = await openPages(api, keys.embed);
  ({ paths } = (await api.anonymous("/openapi.json")).json as { paths: Paths });
  described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
});
afterAll(() => api.close());

async function makeKeys(): Promise<typeof keys> {
  const { manager } = clinic.as;
  const settings = { url: "https://hooks.example.test/in", events: ["consult.updated"] };
  const webhook = (await manager("/v1/webhooks", { method: "POST", body: settings })).json;
  const make = async (body: object) => (await manager("/v1/api-keys", { method: "POST", body })).json;
  const revoked = await make({ name: "Revoked", scopes: ["feed"] });
  await manager(`/v1/api-keys/${revoked.id}`, { method: "DELETE" });
  const pull = await make({ name: "Pull", scopes: ["deliveries:pull"], webhook_id: webhook.id });
  const feed = await make({ name: "Feed", scopes: ["feed"] });
  const embed = await make({ name: "Embed", scopes: ["embed"], embed_origins: ["https://suite.example.test"] });
  const given = { feed: feed.key, "deliveries:pull": pull.key, embed: embed.key };
  return { ...given, revoked: revoked.key, "ended page": await endedPage(api, embed.key) };
}

/** What is no credential of anybody: made up, cut, changed, of another kind, or taken back. */
function forgeries(): Record<string, Record<string, string>> {
  const bearer = (text: string) => ({ authorization: `Bearer ${text}` });
  return {
    "a session that nobody has": { cookie: `hookwell.session_token=${"x".repeat(32)}.${"A".repeat(43)}%3D` },
    "an unsigned session": { cookie: `hookwell.session_token=${"x".repeat(32)}` },
    "a key that nobody has": bearer(`hk_${"A".repeat(49)}`),
    "a cut key": bearer(keys.feed.slice(0, -1)),
    "a changed key": bearer(keys.feed.replace(/.$/, (last) => (last === "A" ? "B" : "A"))),
    "a revoked key": bearer(keys.revoked),
    "a key in another scheme": { authorization: `Basic ${Buffer.from(`key:${keys.feed}`).toString("base64")}` },
    "an embedded page that was ended": bearer(keys["ended page"]),
    "an embedded page that nobody has": bearer(`hes_${"A".repeat(49)}`),
    "an embedded page as a cookie": { cookie: `hookwell.session_token=${keys["ended page"]}` },
    "a key as a cookie": { cookie: `hookwell.session_token=${keys.feed}` },
  };
}

describe("the matrix", () => {
  const openTo = (way: string) =>
    described.filter((route) => {
      const [method = "", path = ""] = route.split(" ");
      return paths[path]?.[method.toLowerCase()]?.security?.some((one) => way in one);
    });

  it("says of every route in its description whether programs may call it, and whether the embedded page may", () => {
    expect(openTo("key").toSorted()).toEqual(Object.keys(FOR_PROGRAMS).toSorted());
    expect(openTo("embedded").toSorted()).toEqual(Object.keys(FOR_EMBEDDED).toSorted());
  });

  it("has a row for every route, and no row too many", () => {
    expect(described.toSorted()).toEqual([...Object.keys(MATRIX), ...OPEN].toSorted());
  });
});

describe.each(Object.entries(MATRIX))("%s", (route, allowed) => {
  const [method, path] = route.split(" ") as ["GET" | "POST" | "PATCH" | "PUT" | "DELETE", string];
  // A stream that is opened does not end: whoever may open it is refused for a parameter too many.
  const url = path.replaceAll(/\{\w+\}/g, "999999") + (path === "/v1/stream" ? "?surprise=1" : "");
  const call = method === "GET" || method === "DELETE" ? { method } : { method, body: {} };

  it("refuses whoever is not signed in", async () => {
    const answer = await api.anonymous(url, call);
    expect([answer.status, answer.json.code]).toEqual([401, "sign_in_required"]);
  });

  it.runIf(method !== "GET")("refuses another site's page, whoever is signed in", async () => {
    const answer = await clinic.as.manager(url, { ...call, headers: { "sec-fetch-site": "same-site" } });
    expect([answer.status, answer.json.code]).toEqual([403, "other_site"]);
  });

  it("refuses what is no credential, whatever it looks like", async () => {
    for (const [what, headers] of Object.entries(forgeries())) {
      const answer = await api.anonymous(url, { ...call, headers });
      expect([what, answer.status, answer.headers["cache-control"]]).toEqual([what, 401, "no-store"]);
    }
  });

  it.each(API_KEY_SCOPES)("opens to a key with the scope %s only where the matrix says so", async (scope) => {
    const headers = { authorization: `Bearer ${keys[scope]}` };
    const answer = await api.anonymous(url, { ...call, headers });
    if (FOR_PROGRAMS[route] === scope) expect([401, 403, 500]).not.toContain(answer.status);
    else expect([answer.status, answer.json.code]).toEqual([403, "wrong_scope"]);
  });

  it.each(EMBEDDED)("opens to an embedded page only where the matrix says so: %j", async (...capabilities) => {
    const page = [...pages].find(([held]) => held.join() === capabilities.join())?.[1];
    const answer = await page?.(url, call);
    const needed = FOR_EMBEDDED[route];
    if (needed?.every((one) => capabilities.includes(one))) expect([401, 403, 500]).not.toContain(answer?.status);
    else expect([answer?.status, answer?.json.code]).toEqual([403, needed ? "missing_capability" : "not_embedded"]);
  });

  it.each(ROLES)("is as the matrix says for the role %s", async (role) => {
    const answer = await clinic.as[role](url, call);
    if (allowed.has(role)) expect([401, 403, 500]).not.toContain(answer.status);
    else
      expect([answer.status, answer.json.code]).toEqual([403, allowed === NOBODY ? "programs_only" : "manager_only"]);
  });
});

describe.each(OPEN)("%s", (route) => {
  it("is described as open, and asks nobody to sign in", async () => {
    const [method = "", path = ""] = route.split(" ");
    expect(paths[path]?.[method.toLowerCase()]?.security).toEqual([]);
    const answer = await api.anonymous(path.replaceAll(/\{\w+\}/g, "999999"));
    expect([answer.status, answer.json.code]).toEqual([404, "not_found"]);
  });
});
