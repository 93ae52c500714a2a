/** Recover through the API: who may, what is refused by which field, and that the count is what is queued. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Caller, startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";
import { Recoverer } from "../delivery/recover.ts";
import { silentLog } from "../log.ts";

let api: TestApi;
let clinic: TestClinic;
let manager: Caller;
let recoverer: Recoverer;
let webhookId: number;

beforeAll(async () => {
  api = await startTestApi({ allowLoopback: true });
  clinic = await api.newClinic();
  manager = clinic.as.manager;
  recoverer = new Recoverer({ pool: api.database.pools.dispatch, log: silentLog(), nudge: () => {} });
  webhookId = await webhookThatMissed(5);
});
afterAll(() => api.close());

const post = (path: string, body: object = {}, caller = manager) => caller(path, { method: "POST", body });
const base = () => `/v1/webhooks/${webhookId}/recover`;
const RANGE = { from: "2020-01-01T00:00", states: ["failed", "off"] };

/** A webhook that was off while so many consults were scheduled, and is on again. */
async function webhookThatMissed(consults: number): Promise<number> {
  const settings = { url: "http://127.0.0.1:1/hook", events: ["participant.added"] };
  const { id } = (await post("/v1/webhooks", settings)).json;
  await manager(`/v1/webhooks/${id}`, { method: "PATCH", body: { enabled: false } });
  const service = (await post("/v1/services", { name: "Invented class", kind: "class", duration: 60 })).json.id;
  const practitioner = (await post("/v1/practitioners", { name: "Pat Pretend", email: "pat@example.test" })).json.id;
  const patient = (await post("/v1/patients", { name: "Test Patient", email: null })).json.id;
  for (let n = 0; n < consults; n++) {
    await post("/v1/consults", {
      ...{ service_id: service, practitioner_id: practitioner, patient_ids: [patient] },
      start_time: `2026-11-0${n + 1}T09:00`,
    });
  }
  await manager(`/v1/webhooks/${id}`, { method: "PATCH", body: { enabled: true } });
  return id;
}

describe("a recovery", () => {
  it("is counted, started once per Idempotency-Key, shown, paused, resumed, and queues what was counted", async () => {
    const counted = await post(`${base()}/count`, RANGE);
    expect([counted.status, counted.json]).toEqual([200, { found: 5, left_out: 0, counted_all: true }]);
    const call = {
      method: "POST",
      body: { ...RANGE, pace_per_second: 2 },
      headers: { "idempotency-key": "go" },
    } as const;
    const started = await manager(base(), call);
    expect(started.status).toBe(202);
    const { id } = started.json;
    expect(started.json).toMatchObject({
      ...{ state: "running", waits_for: null, found: 5, queued: 0, left: 5, waiting: 0, to: null, ended_at: null },
      ...{ from: "2020-01-01T00:00:00-05:00", states: ["failed", "off"], started_by: "Test manager" },
    });
    expect((await manager(base(), call)).json.id).toBe(id);
    expect((await post(base(), RANGE)).json.code).toBe("recovery_active");

    // Its address has never answered, so one a second is its pace, and half of that the recovery's.
    expect(started.json.pace_per_second).toBe(0.5);
    await recoverer.runOnce();
    expect((await post(`${base()}/${id}/pause`)).json).toMatchObject({
      state: "paused",
      queued: 1,
      left: 4,
      waiting: 1,
    });
    await recoverer.runOnce();
    expect((await manager(`${base()}/${id}`)).json.queued).toBe(1);
    expect((await post(`${base()}/${id}/resume`)).json.state).toBe("running");
    await api.database.pools.owner.query("update runs set answered_at = now() where webhook_id = $1", [webhookId]);
    for (let batch = 0; batch < 4; batch++) {
      await recoverer.runOnce();
      // as if the first attempt of each had been begun, and the time of the next batch had come
      await api.database.pools.owner.query("update deliveries set attempt = 1 where webhook_id = $1", [webhookId]);
      await api.database.pools.owner.query("update recoveries set next_at = now() where webhook_id = $1", [webhookId]);
    }
    const list = (await manager(base())).json;
    expect(list).toMatchObject({ next_cursor: null, data: [{ id, state: "done", queued: 5, left: 0, waiting: 5 }] });
    expect(list.data[0].ended_at).toMatch(/^\d{4}-/);
    expect((await post(`${base()}/${id}/cancel`)).json).toMatchObject({ status: 409, code: "recovery_ended" });
    expect((await post(base(), RANGE)).json).toMatchObject({ status: 409, code: "nothing_to_recover" });
    const { rows } = await api.database.pools.owner.query(
      "select action, target from audit where action like 'recovery.%' order by id",
    );
    const target = `webhook:${webhookId}/recovery:${id}`;
    const actions = ["recovery.started", "recovery.paused", "recovery.resumed"];
    expect(rows).toEqual(actions.map((action) => ({ action, target })));
  });

  it("is refused by the field that is wrong, and nothing is started", async () => {
    for (const [change, field] of [
      [{ from: undefined }, "from"],
      [{ from: "yesterday" }, "from"],
      [{ to: "never" }, "to"],
      [{ to: RANGE.from }, "to"],
      [{ states: [] }, "states"],
      [{ states: ["delivered"] }, "states.0"],
      [{ pace_per_second: 0 }, "pace_per_second"],
      [{ pace_per_second: 501 }, "pace_per_second"],
      [{ pace_per_second: 1.5 }, "pace_per_second"],
      [{ colour: "red" }, "colour"],
    ] as const) {
      const answer = await post(base(), { ...RANGE, ...change });
      expect([answer.status, answer.json.errors?.[0]?.field], JSON.stringify(change)).toEqual([400, field]);
    }
    const { rows } = await api.database.pools.owner.query("select from recoveries where state = 'running'");
    expect(rows).toHaveLength(0);
  });

  it("is not found for another clinic, another webhook, or a webhook that was deleted", async () => {
    const missed = await webhookThatMissed(1);
    const { id } = (await post(`/v1/webhooks/${missed}/recover`, RANGE)).json;
    const stranger = (await api.newClinic()).as.manager;
    const found = async (caller: Caller, webhook: number) => [
      (await caller(`/v1/webhooks/${webhook}/recover`)).status,
      (await caller(`/v1/webhooks/${webhook}/recover/${id}`)).status,
      (await post(`/v1/webhooks/${webhook}/recover/${id}/cancel`, {}, caller)).status,
      (await post(`/v1/webhooks/${webhook}/recover/count`, RANGE, caller)).status,
      (await post(`/v1/webhooks/${webhook}/recover`, RANGE, caller)).status,
    ];
    expect(await found(stranger, missed)).toEqual([404, 404, 404, 404, 404]);
    expect((await found(manager, webhookId)).slice(1, 3)).toEqual([404, 404]);
    expect((await manager(`/v1/webhooks/${missed}/recover/${id}`)).json.state).toBe("running");
    await manager(`/v1/webhooks/${missed}`, { method: "DELETE" });
    expect(await found(manager, missed)).toEqual([404, 404, 404, 404, 404]);
  });
});
