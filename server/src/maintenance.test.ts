import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi } from "../test/api.ts";
import { silentLog } from "./log.ts";
import { runMaintenance } from "./maintenance.ts";

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const query = async (text: string) => (await api.database.pools.owner.query(text)).rows;
const maintain = () => runMaintenance({ owner: api.database.pools.owner, log: silentLog(), retentionDays: 30 });

describe("maintenance", () => {
  it("keeps partitions ahead, and may run as often as one likes", async () => {
    expect(await maintain()).toBe(true);
    const partitions = "select count(*)::int as n from pg_inherits where inhparent = 'events'::regclass";
    const [first] = await query(partitions);
    expect(first.n).toBe(1 + 9); // the default one, yesterday, today, seven days ahead
    expect(await maintain()).toBe(true);
    expect(await query(partitions)).toEqual([first]);
  });

  it("removes what was kept for its time, and nothing younger", async () => {
    const clinic = await api.newClinic();
    const { manager } = clinic.as;
    const body = {
      url: "https://hooks.example.test/",
      events: ["consult.updated"],
      draft: true,
      signatures: ["v1", "v1a"],
    };
    const draft = async () =>
      (await manager("/v1/webhooks", { method: "POST", body, headers: { "idempotency-key": crypto.randomUUID() } }))
        .json.id;
    const old = await draft();
    const young = await draft();
    await query(`update webhooks set draft_until = now() - interval '1 second' where id = ${old}`);
    await query(
      "update idempotency_keys set created_at = now() - interval '8 days' where ctid = (select min(ctid) from idempotency_keys)",
    );
    for (const age of ["25 hours", "23 hours"]) {
      await query(
        `insert into inbox_messages (clinic_id, received_at, message) values (${clinic.id}, now() - interval '${age}', '')`,
      );
    }
    for (const days of [8, 6]) {
      await query(`insert into feed_keys (clinic_id, key_hash, event_id, body_hash, created_at)
        values (${clinic.id}, '\\x0${days}', gen_random_uuid(), '', now() - interval '${days} days')`);
    }
    for (const days of [91, 89]) {
      await query(`insert into recoveries (clinic_id, webhook_id, states, from_time, until_event_id, cursor_event_id,
          cursor_part, found, left_out, counted_all, state, started_by, started_by_name, ended_at)
        values (${clinic.id}, ${young}, '{off}', '2026-01-01', gen_random_uuid(), gen_random_uuid(), 0, 1, 0, true, 'done',
          'x', '${days}', now() - interval '${days} days')`);
    }
    await query(`insert into webhook_keys (clinic_id, webhook_id, private_key, public_key, retires_at)
      select clinic_id, webhook_id, '', public_key, now() - interval '1 second' from webhook_keys where webhook_id = ${young}`);
    expect(await maintain()).toBe(true);
    expect(await query("select started_by_name from recoveries")).toEqual([{ started_by_name: "89" }]);
    expect(await query("select key_hash from feed_keys")).toEqual([{ key_hash: Buffer.of(6) }]);
    expect(await query(`select id from webhooks where clinic_id = ${clinic.id} and deleted_at is null`)).toEqual([
      { id: young },
    ]);
    expect(await query(`select webhook_id from webhook_secrets where clinic_id = ${clinic.id}`)).toEqual([
      { webhook_id: young },
    ]);
    expect(await query("select webhook_id, retires_at from webhook_keys")).toEqual([
      { webhook_id: young, retires_at: null },
    ]);
    expect(await query("select count(*)::int as n from idempotency_keys")).toEqual([{ n: 1 }]);
    expect(await query("select count(*)::int as n from inbox_messages")).toEqual([{ n: 1 }]);
  });

  it("goes on with the rest where one task fails, and says that not all was done", async () => {
    await query("alter table inbox_messages rename to hidden");
    try {
      expect(await maintain()).toBe(false);
    } finally {
      await query("alter table hidden rename to inbox_messages");
    }
    expect(await maintain()).toBe(true);
  });
});
