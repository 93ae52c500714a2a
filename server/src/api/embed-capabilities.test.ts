/** What each capability of an embedded page opens beyond its routes (roles.test.ts): whose act it is, secrets, patients' data. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type Caller, startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";
import { type EmbedKey, embedKey, openEmbed } from "../../test/embed.ts";
import { fillClinic } from "../../test/filled-clinic.ts";
import { until } from "../../test/until.ts";
import { inClinic } from "../db/pool.ts";
import { keepMessage } from "../inbox/messages.ts";
import { emit } from "../outbox/emit.ts";

let api: TestApi;
let clinic: TestClinic;
let manager: Caller;
let key: EmbedKey;

beforeAll(async () => {
  api = await startTestApi();
  clinic = await api.newClinic();
  manager = clinic.as.manager;
  key = await embedKey(clinic);
});
afterAll(() => api.close());

const NEW_WEBHOOK = { url: "https://hooks.example.test/in", events: ["consult.updated"] };
const WITH_PATIENT = {
  ...NEW_WEBHOOK,
  include: { patient: "all" },
  recipient: { organisation: "Example Insurer", country: "CA", purpose: "claims", agreement_on_file: true },
};

describe("a page that manages", () => {
  it("is written down as the host's user in everything it does", async () => {
    const user = { id: "nurse-7", name: "Kim Example" };
    const { call } = await openEmbed(api, key.key, { capabilities: ["view", "manage"], user });
    const made = (await call("/v1/webhooks", { method: "POST", body: NEW_WEBHOOK })).json;
    await call(`/v1/webhooks/${made.id}`, { method: "PATCH", body: { name: "Renamed" } });
    await call(`/v1/webhooks/${made.id}`, { method: "DELETE" });
    const actor = `embed:${key.id}:nurse-7`;
    const { data } = (await manager(`/v1/audit?actor=${encodeURIComponent(actor)}`)).json;
    expect(data.map(({ action }: { action: string }) => action)).toEqual([
      ...["webhook.deleted", "webhook.changed", "webhook.created"],
    ]);
    for (const entry of data) expect(entry.actor).toEqual({ id: actor, name: "Kim Example" });
  });

  it("sees a secret at creation with new-secret, and none without it", async () => {
    const create = (call: Caller) => call("/v1/webhooks", { method: "POST", body: NEW_WEBHOOK });
    const without = await openEmbed(api, key.key, { capabilities: ["view", "manage"] });
    const withSecret = await openEmbed(api, key.key, { capabilities: ["view", "manage", "new-secret"] });
    const hidden = await create(without.call);
    expect([hidden.status, hidden.text.includes("whsec_")]).toEqual([201, false]);
    const shown = await create(withSecret.call);
    expect(shown.json.secret).toMatch(/^whsec_/);
    const rotate = (call: Caller) => call(`/v1/webhooks/${hidden.json.id}/rotate-secret`, { method: "POST", body: {} });
    expect((await rotate(without.call)).json.code).toBe("missing_capability");
    expect((await rotate(withSecret.call)).json.secret).toMatch(/^whsec_/);
  });

  it("is told the test inbox's address, and nothing of what it received", async () => {
    const { call } = await openEmbed(api, key.key, { capabilities: ["view", "manage"] });
    const received = { headers: { "webhook-id": "msg_1" }, body: Buffer.from('{"event":"consult.updated"}') };
    await keepMessage({ ...api.context, secretsOf: async () => [] }, clinic.id, received);
    expect((await manager("/v1/inbox")).json.messages).toHaveLength(1);
    expect((await call("/v1/inbox")).json).toEqual({ url: expect.stringContaining("/inbox/"), messages: [] });
  });
});

describe("patients' data", () => {
  const open = async (...more: ("include-patient" | "new-secret")[]) =>
    (await openEmbed(api, key.key, { capabilities: ["view", "manage", ...more] })).call;
  const lockedFields = ({ json }: { json: { code: string; errors?: { field: string }[] } }) => [
    json.code,
    ...(json.errors ?? []).map(({ field }) => field),
  ];

  it("is turned on only with include-patient, by a box, by an event that always tells of a patient, or on a draft", async () => {
    const [plain, trusted] = [await open(), await open("include-patient")];
    const create = (call: Caller, body: object) => call("/v1/webhooks", { method: "POST", body });
    expect(lockedFields(await create(plain, WITH_PATIENT))).toEqual([
      "patient_data_locked",
      "include.patient",
      "events",
    ]);
    expect(lockedFields(await create(plain, { ...WITH_PATIENT, draft: true }))[0]).toBe("patient_data_locked");
    const account = { ...WITH_PATIENT, include: { patient: "off" }, events: ["patient_account.created"] };
    expect(lockedFields(await create(plain, account))).toEqual(["patient_data_locked", "events"]);
    expect((await create(trusted, WITH_PATIENT)).status).toBe(201);
  });

  it("of a webhook that sends it goes nowhere else and is not more; less of it, a name and a pause are free", async () => {
    const { id } = (await manager("/v1/webhooks", { method: "POST", body: WITH_PATIENT })).json;
    const plain = await open();
    const change = (body: object, call = plain) => call(`/v1/webhooks/${id}`, { method: "PATCH", body });
    expect(lockedFields(await change({ url: "https://elsewhere.example.test/in" }))).toEqual([
      ...["patient_data_locked", "url"],
    ]);
    expect(lockedFields(await change({ events: ["consult.updated", "invoice.created"] }))[1]).toBe("events");
    expect(lockedFields(await change({ headers: [{ name: "X-To", value: "me" }] }))[1]).toBe("headers");
    expect(lockedFields(await change({ recipient: { ...WITH_PATIENT.recipient, organisation: "Other" } }))[1]).toBe(
      "recipient",
    );
    expect((await change({ name: "Claims", enabled: false })).status).toBe(200);
    expect((await change({ enabled: true })).status).toBe(200);
    expect((await change({ include: { patient: "id" } })).status).toBe(200);
    expect(lockedFields(await change({ include: { patient: "all" } }))).toEqual([
      ...["patient_data_locked", "include.patient"],
    ]);
    expect((await change({ include: { patient: "off" } })).status).toBe(200);
    expect((await change({ url: "https://elsewhere.example.test/in" })).status).toBe(200);
    expect(lockedFields(await change({ include: { patient: "id" } }))[0]).toBe("patient_data_locked");
    expect((await change({ include: { patient: "id" } }, await open("include-patient"))).status).toBe(200);
  });

  it("of an event that always tells of a patient goes to no new address while a delivery could still take it there", async () => {
    const own = await api.newClinic();
    const { call } = await openEmbed(api, (await embedKey(own)).key, { capabilities: ["view", "manage"] });
    const account = { ...WITH_PATIENT, include: { patient: "off" }, events: ["patient_account.created"] };
    const { id } = (await own.as.manager("/v1/webhooks", { method: "POST", body: account })).json;
    const change = (body: object, by = call) => by(`/v1/webhooks/${id}`, { method: "PATCH", body });
    const url = "https://mine.example.test/in";
    const away = { events: ["consult.updated"], include: { patient: "off" } };
    const expectLocked = async () => {
      expect(lockedFields(await change({ ...away, url }))).toEqual(["patient_data_locked", "url"]);
      const headers = [{ name: "X-To", value: "me" }];
      expect(lockedFields(await change({ ...away, headers }))).toEqual(["patient_data_locked", "headers"]);
      const recipient = { ...WITH_PATIENT.recipient, organisation: "Other" };
      expect(lockedFields(await change({ ...away, recipient }))).toEqual(["patient_data_locked", "recipient"]);
    };
    // In one change, before there is any delivery.
    await expectLocked();
    const client = { id: 1, name: "Kept Patient", email: "kept@example.test" };
    const facts = { event: "patient_account.created", client } as const;
    await inClinic(api.context.db, own.id, (tx) =>
      emit(api.context, tx, { clinicId: own.id, subject: "patient:1", facts }),
    );
    const [waiting] = (await call(`/v1/deliveries?webhook_id=${id}`)).json.data;
    expect([waiting.event, waiting.state]).toEqual(["patient_account.created", "waiting"]);
    // In two: the event is gone from the webhook, and its delivery waits.
    expect((await change(away)).status).toBe(200);
    await expectLocked();
    // Finished, and sent again.
    await api.database.pools.owner.query(
      `with gone as (delete from deliveries where clinic_id = $1 returning *)
        insert into finished_deliveries (clinic_id, event_id, webhook_id, part, participants_per_request,
          choice_practitioner, choice_patient, test, attempt, state, reason, created_at)
        select clinic_id, event_id, webhook_id, part, participants_per_request,
          choice_practitioner, choice_patient, test, attempt, 'cancelled', 'off', created_at from gone`,
      [own.id],
    );
    await expectLocked();
    expect((await call(`/v1/deliveries/${waiting.id}/resend`, { method: "POST", body: {} })).status).toBe(202);
    await expectLocked();
    await api.database.pools.owner.query("update events set facts = null where clinic_id = $1", [own.id]);
    expect((await change({ ...away, url })).status).toBe(200);
  });

  describe("of an event that is being told while the webhook is changed", () => {
    const url = "https://mine.example.test/in";
    /** A webhook that hears of accounts, and the page that may change it, without `include-patient`. */
    const setUp = async () => {
      const own = await api.newClinic();
      const { call } = await openEmbed(api, (await embedKey(own)).key, { capabilities: ["view", "manage"] });
      const account = { ...WITH_PATIENT, include: { patient: "off" }, events: ["patient_account.created"] };
      const { id } = (await own.as.manager("/v1/webhooks", { method: "POST", body: account })).json;
      const change = (body: object) => call(`/v1/webhooks/${id}`, { method: "PATCH", body });
      const urlNow = async () => (await own.as.manager(`/v1/webhooks/${id}`)).json.url;
      return { own, change, urlNow };
    };
    /** Its event is emitted, and not committed before it is told to. */
    const emitSlowly = async (clinicId: number) => {
      const [emitted, may] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const client = { id: 1, name: "Late Patient", email: "late@example.test" };
      const facts = { event: "patient_account.created", client } as const;
      const committed = inClinic(api.context.db, clinicId, async (tx) => {
        await emit(api.context, tx, { clinicId, subject: "patient:1", facts });
        emitted.resolve();
        await may.promise;
      });
      await emitted.promise;
      const commit = async () => {
        may.resolve();
        await committed;
      };
      onTestFinished(commit);
      return commit;
    };
    const isWaitedFor = async () => {
      const waiting =
        "select from pg_stat_activity where datname = current_database() and query ~ 'pg_sleep|virtualxid'";
      return (await api.database.pools.owner.query(`${waiting} and pid <> pg_backend_pid()`)).rowCount;
    };

    it("goes to no new address, although its delivery was not there yet when the address was changed", async () => {
      const { own, change, urlNow } = await setUp();
      const before = await urlNow();
      const commit = await emitSlowly(own.id);
      expect((await change({ events: ["consult.updated"] })).status).toBe(200);
      let isAnswered = false;
      const moved = change({ url }).finally(() => {
        isAnswered = true;
      });
      await until("the change waits for it", async () => isAnswered || (await isWaitedFor()));
      await commit();
      expect(lockedFields(await moved)).toEqual(["patient_data_locked", "url"]);
      expect(await urlNow()).toBe(before);
    });

    it("holds the change up for a moment only: then it is refused as busy, and goes through afterwards", async () => {
      const { own, change, urlNow } = await setUp();
      const before = await urlNow();
      expect((await change({ events: ["consult.updated"] })).status).toBe(200);
      const commit = await emitSlowly(own.id);
      const refused = await change({ url });
      expect([refused.status, refused.json.code, refused.headers["retry-after"]]).toEqual([503, "busy", "10"]);
      expect(await urlNow()).toBe(before);
      await commit();
      expect((await change({ url })).status).toBe(200);
    });
  });

  it("in what was sent is shown with include-patient alone, and names and e-mails stand as dots in it", async () => {
    const full = await api.newClinic();
    const own = await embedKey(full);
    const { ids } = await fillClinic(api, full, { mark: "Veiled", url: "https://hooks.example.test/in" });
    const page = async (...more: "include-patient"[]) =>
      (await openEmbed(api, own.key, { capabilities: ["view", "manage", ...more] })).call;
    const path = `/v1/deliveries/${ids.deliveries}`;
    const hidden = await (await page())(path);
    expect([hidden.json.request.body, hidden.json.request.veiled]).toEqual([null, true]);
    expect(hidden.text).not.toContain("Veiled Patient");
    const shown = await (await page("include-patient"))(path);
    expect(shown.json.request).toMatchObject({
      veiled: false,
      body: expect.stringContaining('"email"'),
      body_masked: true,
    });
    expect((await full.as.manager(path)).json.request.veiled).toBe(false);
  });
});
