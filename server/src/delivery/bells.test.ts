/**
 * Bells of webhooks that a node holds, or that are parked: gone once a TAKE has come across them, so that those of receivers
 * that hang or are dead are not gone through by every TAKE. What they said is not lost with the node that heard them, and
 * found by the probe.
 */
import { beforeEach, expect, test } from "vitest";
import type { TestEngine, TestWebhook } from "../../test/engine.ts";
import { withOwnClinic } from "../../test/own-clinic.ts";
import type { Receiver } from "../../test/receiver.ts";

const LEASE_MS = 30_000;
let engine: TestEngine;
let receiver: Receiver;
let clinicId: number;
let webhook: TestWebhook;
let holder: number;

withOwnClinic((own) => {
  ({ engine, receiver, clinicId } = own);
});

/** What a node begins of the webhook, subject and attempt, and of which webhooks it hears bells. */
async function take(node: number): Promise<{ begun: [string, number][]; rung: number[] }> {
  const { begun, rung } = await engine.store.take(node, { webhooks: 64, perWebhook: 8, suspect: false });
  const own = begun.filter(({ webhookId }) => webhookId === webhook.id);
  return { begun: own.map(({ orderKey, attempt }) => [orderKey, attempt]), rung: rung.map((key) => key.webhookId) };
}

const bells = async () =>
  (await engine.owner.query("select from bells where webhook_id = $1", [webhook.id])).rows.length;

beforeEach(async () => {
  webhook = await engine.createWebhook(clinicId, { url: receiver.url });
  holder = await engine.store.register("holder", LEASE_MS);
  await engine.emit(clinicId, "consult:1");
  expect((await take(holder)).begun).toEqual([["consult:1", 1]]);
  await engine.emit(clinicId, "consult:2");
});

test("its holder hears a bell once, without a place for what it tells of", async () => {
  expect((await take(holder)).rung).toEqual([webhook.id]);
  expect(await bells()).toBe(0);
  expect((await take(holder)).rung).toEqual([]);
});

test("its holder waits for nobody who has the run, hears it all the same, and leaves the bell for later", async () => {
  const client = await engine.owner.connect();
  await client.query("begin");
  await client.query("select from runs where webhook_id = $1 for update", [webhook.id]);
  expect((await take(holder)).rung).toEqual([webhook.id]);
  expect(await bells()).toBe(1);
  await client.query("commit");
  client.release();
});

test("another node leaves it to the holder", async () => {
  const other = await engine.store.register("other", LEASE_MS);
  expect((await take(other)).rung).toEqual([]);
  expect(await bells()).toBe(1);
});

test("what a lost node has heard is begun by the next one", async () => {
  await take(holder);
  expect(await bells()).toBe(0);
  await engine.loseNode(holder);
  await engine.store.reap();
  const next = await engine.store.register("next", LEASE_MS);
  expect((await take(next)).begun).toEqual([
    ["consult:1", 2],
    ["consult:2", 1],
  ]);
});

test("those of a parked webhook go, and its probe finds what they told of", async () => {
  const { owner, store } = engine;
  await store.release(holder, [{ clinicId, webhookId: webhook.id, fence: 1, version: 1, nextInMs: null }]);
  const park =
    "update runs set parked_at = now(), failures = 5, failing_since = now(), next_at = $2 where webhook_id = $1";
  await owner.query(park, [webhook.id, "2999-01-01"]);
  const { rung, begun } = await take(holder);
  expect({ rung, begun, left: await bells() }).toEqual({ rung: [], begun: [], left: 0 });
  await owner.query("update runs set next_at = now() where webhook_id = $1", [webhook.id]);
  const probe = await store.take(holder, { webhooks: 64, perWebhook: 8, suspect: true });
  expect(probe.runs).toMatchObject([{ webhookId: webhook.id, seen: 2 }]);
});
