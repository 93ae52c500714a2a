/** Webhooks through the API: every rule of contract §6 with its field, secrets, drafts, audit, and other clinics. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Caller, startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";
import { createLog, type Log } from "../log.ts";
import { WEBHOOKS_PER_CLINIC_MAX } from "../webhooks/webhooks.ts";

const logged: string[] = [];
const log: Log = createLog({ destination: { write: (line) => void logged.push(line) }, level: "debug" });
const RECIPIENT = { organisation: "Example Insurer", country: "CA", purpose: "claims", agreement_on_file: true };
const BODY = { url: "https://hooks.example.test/in?key=canary-address", events: ["consult.updated"] };

let api: TestApi;
let clinic: TestClinic;
let stranger: TestClinic;
let manager: Caller;

beforeAll(async () => {
  api = await startTestApi({ log });
  clinic = await api.newClinic();
  stranger = await api.newClinic();
  manager = clinic.as.manager;
});
afterAll(() => api.close());

const create = (body: object = {}, caller = manager) =>
  caller("/v1/webhooks", { method: "POST", body: { ...BODY, ...body } });
const patch = (id: number, body: object) => manager(`/v1/webhooks/${id}`, { method: "PATCH", body });
const remove = (id: number) => manager(`/v1/webhooks/${id}`, { method: "DELETE" });

async function created(body: object = {}) {
  const answer = await create(body);
  if (answer.status !== 201) throw new Error(`creating answered ${answer.status}: ${answer.text}`);
  return answer.json;
}

async function audit(): Promise<
  { action: string; target: string; before: string | null; after: string | null; actor: string }[]
> {
  const { rows } = await api.database.pools.owner.query("select * from audit where clinic_id = $1 order by id", [
    clinic.id,
  ]);
  return rows;
}

describe("a created webhook", () => {
  it("shows its secret once, its whole address to who edits it, and neither in a list", async () => {
    const webhook = await created({ headers: [{ name: "X-Key", value: "canary-header" }] });
    expect(webhook).toMatchObject({
      name: "hooks.example.test",
      enabled: true,
      state: "ready",
      version: 1,
      url: BODY.url,
    });
    expect(webhook.secret).toMatch(/^whsec_/);
    const one = await manager(`/v1/webhooks/${webhook.id}`);
    expect(one.json).toEqual({ ...webhook, secret: undefined });
    expect(one.json.headers).toEqual([{ name: "X-Key", value: "canary-header" }]);
    const list = await manager("/v1/webhooks");
    expect(list.text).not.toMatch(/canary|whsec_/);
    expect(list.json.data[0]).toMatchObject({ id: webhook.id, url_masked: "https://hooks.example.test/••••••" });
    await remove(webhook.id);
  });

  it("is stored sealed: no address, header or secret stands in the database in clear", async () => {
    const webhook = await created({ headers: [{ name: "X-Key", value: "canary-header" }] });
    const { rows } = await api.database.pools.owner.query<{ row: string }>(
      "select w::text as row from webhooks w union all select s::text from webhook_secrets s",
    );
    const hex = (text: string) => Buffer.from(text).toString("hex");
    for (const { row } of rows) {
      for (const canary of ["canary-address", "canary-header", webhook.secret.slice(6)]) {
        expect(row.includes(canary) || row.includes(hex(canary))).toBe(false);
      }
    }
    await remove(webhook.id);
  });
});

describe("a wrong field is named, and nothing is made", () => {
  it.each<[string, object, string[]]>([
    ["no address", { url: "nothing" }, ["url"]],
    ["http", { url: "http://hooks.example.test/" }, ["url"]],
    ["credentials", { url: "https://a:b@hooks.example.test/" }, ["url"]],
    ["a fragment", { url: "https://hooks.example.test/#x" }, ["url"]],
    ["a long address", { url: `https://hooks.example.test/${"x".repeat(2_048)}` }, ["url"]],
    ["a port below 1024", { url: "https://hooks.example.test:22/" }, ["url"]],
    ["a private address", { url: "https://10.0.0.1/" }, ["url"]],
    ["the metadata service", { url: "https://169.254.169.254/latest" }, ["url"]],
    ["a name without a dot", { url: "https://intranet/" }, ["url"]],
    ["an unknown event", { events: ["consult.updated", "consult.exploded"] }, ["events.1"]],
    ["events of another kind", { events: "consult.updated" }, ["events"]],
    ["a long name", { name: "x".repeat(101) }, ["name"]],
    ["an unknown choice", { include: { patient: "everything" } }, ["include.patient"]],
    ["patients' data to nobody", { include: { patient: "id" } }, ["recipient"]],
    ["the account event to nobody", { events: ["patient_account.created"] }, ["recipient"]],
    ["an empty organisation", { recipient: { ...RECIPIENT, organisation: " " } }, ["recipient.organisation"]],
    ["no such country", { recipient: { ...RECIPIENT, country: "XQ" } }, ["recipient.country"]],
    ["a long purpose", { recipient: { ...RECIPIENT, purpose: "x".repeat(501) } }, ["recipient.purpose"]],
    [
      "half a recipient",
      { recipient: { organisation: "X", country: "CA", purpose: "y" } },
      ["recipient.agreement_on_file"],
    ],
    ["a denied header", { headers: [{ name: "Host", value: "x" }] }, ["headers.0.name"]],
    ["no pace", { pace_per_second: 0 }, ["pace_per_second"]],
    ["too fast", { pace_per_second: 1_001 }, ["pace_per_second"]],
    ["too many at once", { concurrency: 65 }, ["concurrency"]],
    ["another format", { format: "cloudevents" }, ["format"]],
    ["another signature", { signatures: ["v1", "v9"] }, ["signatures"]],
    ["on without events", { events: [], enabled: true }, ["enabled"]],
    ["an unknown field", { secret: "whsec_mine" }, ["secret"]],
    ["text for a switch", { enabled: "yes" }, ["enabled"]],
  ])("%s", async (_what, body, fields) => {
    const answer = await create(body);
    expect(answer.status).toBe(400);
    expect(answer.json.code).toBe("invalid_request");
    expect(answer.json.errors.map(({ field }: { field: string }) => field)).toEqual(fields);
    for (const { message } of answer.json.errors) expect(message).toMatch(/^[A-Z].*[.!?]$/);
    expect((await manager("/v1/webhooks")).json.data).toEqual([]);
  });

  it.each([
    ["nothing", "not_a_url"],
    ["http://hooks.example.test/", "not_https"],
    ["https://a:b@hooks.example.test/", "credentials"],
    ["https://hooks.example.test/#x", "fragment"],
    [`https://hooks.example.test/${"x".repeat(2_048)}`, "too_long"],
    ["https://hooks.example.test:22/", "port"],
    ["https://intranet/", "host"],
    ["https://10.0.0.1/", "blocked_address"],
  ])("the address %s with the word %s", async (url, code) => {
    expect((await create({ url })).json.errors).toEqual([{ field: "url", code, message: expect.any(String) }]);
  });

  it("and both that are missing", async () => {
    const answer = await manager("/v1/webhooks", { method: "POST", body: {} });
    expect(answer.json.errors.map(({ field }: { field: string }) => field)).toEqual(["url", "events"]);
  });
});

describe("a change", () => {
  it("counts the version up, and only the version that was seen may be changed", async () => {
    const { id } = await created();
    const renamed = await patch(id, { name: "Insurer", version: 1 });
    expect(renamed.json).toMatchObject({ name: "Insurer", version: 2 });
    const stale = await patch(id, { name: "Other", version: 1 });
    expect([stale.status, stale.json.code]).toEqual([409, "changed_meanwhile"]);
    const same = await patch(id, { name: "Insurer", version: 2 });
    expect([same.status, same.json.version]).toEqual([200, 2]);
    await remove(id);
  });

  it("is audited with before and after, masked, by whom; a change of nothing is not", async () => {
    const { id } = await created();
    const before = (await audit()).length;
    await patch(id, {
      url: "https://other.example.test/in?key=canary-address-2",
      events: ["consult.updated", "participant.added"],
    });
    await patch(id, {});
    const entries = (await audit()).slice(before - 1);
    expect(entries.map(({ action, target }) => [action, target])).toEqual([
      ["webhook.created", `webhook:${id}`],
      ["webhook.changed", `webhook:${id}`],
    ]);
    const me = (await manager("/v1/me")).json.user.id;
    expect(entries.map(({ actor }) => actor)).toEqual([me, me]);
    expect(JSON.parse(entries[1]?.before ?? "")).toMatchObject({ events: ["consult.updated"] });
    expect(JSON.parse(entries[1]?.after ?? "")).toMatchObject({ changed: ["url", "events"] });
    expect(JSON.stringify(entries)).not.toContain("canary");
    await remove(id);
  });

  it("of the address, or to more patients' data, is told to every manager once; one to less, or of a draft, is not", async () => {
    const told = async (id: number) => {
      const { rows } = await api.database.pools.owner.query(
        "select kind from notices where clinic_id = $1 and webhook_id = $2 order by id",
        [clinic.id, id],
      );
      return rows.map(({ kind }) => kind.replace("webhook.", ""));
    };
    const webhook = await created();
    expect(await told(webhook.id)).toEqual([]);
    await patch(webhook.id, { name: "New name", include: { patient: "id" }, recipient: RECIPIENT });
    await patch(webhook.id, { include: { patient: "off" } });
    await patch(webhook.id, { url: "https://other.example.test/in" });
    expect(await told(webhook.id)).toEqual(["patient_data_on", "address_changed"]);
    const draft = await created({ draft: true, include: { patient: "all" }, recipient: RECIPIENT });
    await patch(draft.id, { url: "https://other.example.test/draft" });
    expect(await told(draft.id)).toEqual([]);
    await patch(draft.id, { draft: false });
    expect(await told(draft.id)).toEqual(["patient_data_on"]);
    // An event that always tells of a patient turns it on, whatever the box says; where it is on already, it is no news.
    await patch(webhook.id, { events: ["consult.updated", "patient_account.created"] });
    await patch(webhook.id, { include: { patient: "all" } });
    await patch(webhook.id, { events: ["consult.updated"] });
    expect(await told(webhook.id)).toEqual(["patient_data_on", "address_changed", "patient_data_on"]);
    const account = await created({ events: ["patient_account.created"], recipient: RECIPIENT });
    expect(await told(account.id)).toEqual(["patient_data_on"]);
  });

  it("that is refused leaves neither a change nor an audit entry", async () => {
    const { id } = await created();
    const before = await audit();
    expect((await patch(id, { name: "New", url: "nothing" })).status).toBe(400);
    expect((await manager(`/v1/webhooks/${id}`)).json).toMatchObject({ name: "hooks.example.test", version: 1 });
    expect(await audit()).toEqual(before);
    await remove(id);
  });

  it("of the address makes the new one prove itself and forgets what the old one did; turning on rings the bell", async () => {
    const { id } = await created();
    const owner = api.database.pools.owner;
    const past = "answered_at = now(), last_delivered_at = now() - interval '1 hour', last_failed_at = now()";
    await owner.query(`update runs set ${past} where webhook_id = $1`, [id]);
    expect((await patch(id, { enabled: false })).json).toMatchObject({ last_delivered_at: expect.any(String) });
    const proved = () => owner.query("select answered_at is not null as proved from runs where webhook_id = $1", [id]);
    const bells = () => owner.query("select count(*)::int as n from bells where webhook_id = $1", [id]);
    expect((await proved()).rows[0].proved).toBe(true);
    expect((await patch(id, { url: "https://other.example.test/" })).json).toMatchObject({
      ...{ last_delivered_at: null, last_failed_at: null },
    });
    expect((await proved()).rows[0].proved).toBe(false);
    expect((await bells()).rows[0].n).toBe(0);
    await patch(id, { enabled: true });
    expect((await bells()).rows[0].n).toBe(1);
    await remove(id);
  });
});

describe("another clinic", () => {
  it("gets 404 for ids that are not its own, and sees none of them", async () => {
    const { id } = await created();
    const their = stranger.as.manager;
    const path = `/v1/webhooks/${id}`;
    expect((await their(path)).status).toBe(404);
    expect((await their(path, { method: "PATCH", body: { name: "Mine" } })).status).toBe(404);
    expect((await their(path, { method: "DELETE" })).status).toBe(404);
    expect((await their(`${path}/test`, { method: "POST", body: { event: "consult.updated" } })).status).toBe(404);
    expect((await their(`${path}/rotate-secret`, { method: "POST", body: {} })).status).toBe(404);
    expect((await their("/v1/webhooks")).json.data).toEqual([]);
    for (const garbage of ["abc", "0", "-1", "1e3", "9007199254740993"]) {
      expect((await manager(`/v1/webhooks/${garbage}`)).status).toBe(404);
    }
    await remove(id);
  });
});

describe("limits", () => {
  it("a clinic has 25 webhooks, also when two are made at the same time, and pages through them", async () => {
    const full = (await api.newClinic()).as.manager;
    const answers = await Promise.all(Array.from({ length: WEBHOOKS_PER_CLINIC_MAX + 2 }, () => create({}, full)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(WEBHOOKS_PER_CLINIC_MAX);
    expect(answers.filter(({ json }) => json.code === "too_many_webhooks")).toHaveLength(2);
    const seen: number[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const page: { data: { id: number }[]; next_cursor: string | null } = (
        await full(`/v1/webhooks?limit=10${cursor && `&cursor=${cursor}`}`)
      ).json;
      seen.push(...page.data.map(({ id }) => id));
      cursor = page.next_cursor;
    }
    expect(seen).toHaveLength(WEBHOOKS_PER_CLINIC_MAX);
    expect(new Set(seen).size).toBe(WEBHOOKS_PER_CLINIC_MAX);
    expect((await full("/v1/webhooks?limit=101")).json.errors[0].field).toBe("limit");
    expect((await full("/v1/webhooks?cursor=made-up")).json.errors[0].field).toBe("cursor");
  });
});

describe("the log", () => {
  it("holds no address, secret or header of any of the above", () => {
    expect(logged.length).toBeGreaterThan(50);
    const text = logged.join("");
    expect(text).not.toMatch(/canary|whsec_|hooks\.example|Example Insurer/);
  });
});
