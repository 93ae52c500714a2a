/** What the engine keeps in order beside delivering: proofs of addresses, bells nobody answers, what is due, plans that are kept. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { createTestEngine, type TestEngine } from "../../test/engine.ts";
import { createReceiver, type Receiver } from "../../test/receiver.ts";
import { until } from "../../test/until.ts";
import { DeliveryStore } from "./store.ts";

const LEASE_MS = 30_000;
let engine: TestEngine;
let receiver: Receiver;
let clinicId: number;

beforeEach(async () => {
  [engine, receiver] = await Promise.all([createTestEngine(), createReceiver()]);
  clinicId = await engine.createClinic();
});
afterEach(async () => {
  await engine.close();
  await receiver.close();
});

test("an answer that was asked for before the webhook was changed does not prove its new address", async () => {
  const webhook = await engine.createWebhook(clinicId, { url: receiver.url, proved: false });
  let open: (() => void) | undefined;
  receiver.answer = (_got, response) => {
    open = () => response.writeHead(200).end("ok");
  };
  await engine.startDispatcher();
  await engine.emit(clinicId, "consult:1");
  const answer = await until("it is on its way", () => open);
  // When it was asked for is told in ms ago, and errs by the time for which a statement waits: here that is far enough.
  const changed = "update webhooks set updated_at = now() + interval '2 seconds', version = version + 1 where id = $1";
  await engine.owner.query(changed, [webhook.id]);
  answer();
  const run = async () => (await engine.owner.query("select * from runs where webhook_id = $1", [webhook.id])).rows[0];
  await until("it is delivered", async () => (await run()).last_delivered_at);
  expect((await run()).answered_at).toBeNull();

  receiver.answer = (_got, response) => response.writeHead(200).end("ok");
  await until("an answer that was asked for afterwards proves it", async () => {
    await engine.emit(clinicId, "consult:2", "consult.updated");
    return (await run()).answered_at;
  });
});

test("bells of a webhook that is off are taken away, so that they do not pile up before every scan", async () => {
  const webhook = await engine.createWebhook(clinicId, { url: receiver.url, enabled: false });
  await engine.owner.query("insert into bells (clinic_id, webhook_id) values ($1, $2)", [clinicId, webhook.id]);
  await engine.store.reap();
  expect((await engine.owner.query("select from bells")).rows).toEqual([]);
});

test.each([
  ["are off", "update webhooks set enabled = false, off_reason = 'you' where id <> $1"],
  [
    "are paused by the operator",
    "insert into sending_pauses (clinic_id, webhook_id, reason) select clinic_id, id, 'a trial' from webhooks where id <> $1 on conflict do nothing",
  ],
  [
    "this node has given away",
    "update runs set yielded_by = (select max(id) from nodes), yielded_at = now() where webhook_id <> $1",
  ],
])(
  "many webhooks that have been due for long and %s do not keep another one from being taken",
  async (_how, change) => {
    for (const suspect of [false, true]) {
      const webhook = await engine.createWebhook(clinicId, { url: receiver.url, proved: !suspect });
      await engine.owner.query(
        `insert into webhooks (clinic_id, name, url, url_host, events, enabled)
       select clinic_id, name, url, url_host, events, true from webhooks, generate_series(1, 40) where id = $1`,
        [webhook.id],
      );
      await engine.owner.query(
        `insert into runs (clinic_id, webhook_id, next_at, answered_at)
       select clinic_id, id, now() - interval '1 hour', case when $1 then null else now() end from webhooks on conflict do nothing`,
        [suspect],
      );
      await engine.owner.query("update runs set next_at = now() where webhook_id = $1", [webhook.id]);
      const node = await engine.store.register("one", LEASE_MS);
      await engine.owner.query(change, [webhook.id]);
      await engine.owner.query("update webhooks set paused = false"); // derived anew from the pauses
      const scan = await engine.store.take(node, { webhooks: 4, perWebhook: 1, suspect });
      expect(scan.runs.map(({ webhookId }) => webhookId)).toEqual([webhook.id]);
    }
  },
);

test("the engine's statements are planned without a look at their parameters, and not anew for each run", async () => {
  const client = await engine.database.pools.engine.connect();
  const store = new DeliveryStore({ query: client.query.bind(client) } as never);
  const node = await store.register("planner", LEASE_MS);
  for (let n = 0; n < 10; n++) await store.take(node, { webhooks: 8, perWebhook: 8, suspect: false });
  const { rows } = await client.query(
    "select generic_plans, custom_plans from pg_prepared_statements where name = 'engine_take'",
  );
  client.release();
  expect(rows).toEqual([{ generic_plans: 10, custom_plans: 0 }]);
});
