/** What a delivery that waits is said to wait for, and that no time is named which will not be kept. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Caller } from "../../test/api.ts";
import { type DeliveriesApi, openDeliveriesApi } from "../../test/deliveries-api.ts";
import { createKysely } from "../db/pool.ts";
import { pauseSending } from "../operator/pauses.ts";

const IN_AN_HOUR = "now() + interval '1 hour'";

let desk: DeliveriesApi;
let manager: Caller;

beforeAll(async () => {
  desk = await openDeliveriesApi();
  ({ manager } = desk);
});
afterAll(() => desk.close());

const owner = (statement: string, webhook: number) =>
  desk.api.database.pools.owner.query(`${statement} where webhook_id = $1`, [webhook]);

/** A webhook with deliveries about one consult: the first is to be tried in an hour. */
async function waitingOnes(count: number): Promise<{ webhook: number; ids: string[] }> {
  const { id: webhook } = await desk.newWebhook();
  const consult = (await desk.schedule()).json;
  for (let n = 1; n < count; n++) {
    const body = { start_time: `2026-11-0${2 + n}T09:00` };
    expect((await manager(`/v1/consults/${consult.id}`, { method: "PATCH", body })).status).toBe(200);
  }
  await owner(`update deliveries set due_at = ${IN_AN_HOUR}`, webhook);
  const ids = (await desk.list(`webhook_id=${webhook}`)).map(({ id }: { id: string }) => id).toReversed();
  expect(ids).toHaveLength(count);
  return { webhook, ids };
}

/** As the list and the delivery alone tell it, which is the same. */
async function told(id: string) {
  const shown = await desk.detail(id);
  const listed = (await desk.list(`id=${id}`))[0];
  const { waiting, sentence, sentence_key, next_attempt_at, tries_until } = shown;
  expect(listed).toMatchObject({ waiting, sentence, sentence_key, next_attempt_at, tries_until });
  return { waiting, key: sentence_key, next: next_attempt_at, until: tries_until };
}

const NO_TIME = { next: null, until: null };

describe("a delivery that waits", () => {
  it("for its own time names that; one that is due waits for its turn", async () => {
    const { webhook, ids } = await waitingOnes(1);
    const [id = ""] = ids;
    const own = { waiting: { for: "time", delivery: null }, key: null };
    const planned = await told(id);
    expect(planned).toMatchObject(own);
    expect(Date.parse(planned.next)).toBeGreaterThan(Date.now());
    await owner("update deliveries set due_at = now()", webhook);
    expect(await told(id)).toMatchObject({ waiting: { for: "turn", delivery: null }, key: null });
  });

  it("behind others of its subject names the first of them and no time, and no other webhook's", async () => {
    const { ids } = await waitingOnes(3);
    const [first = "", second = "", third = ""] = ids;
    const behind = { waiting: { for: "earlier", delivery: first }, key: "waits_for_earlier", ...NO_TIME };
    expect((await told(first)).waiting).toEqual({ for: "time", delivery: null });
    expect(await told(second)).toEqual(behind);
    expect(await told(third)).toEqual(behind);
    const other = await waitingOnes(1);
    expect((await told(other.ids[0] ?? "")).waiting).toEqual({ for: "time", delivery: null });
  });

  it("while its webhook is off, or paused by the operator, names no time", async () => {
    const { webhook, ids } = await waitingOnes(2);
    const [first = "", second = ""] = ids;
    const clinicId = desk.clinic.id;
    const note = { reason: "It floods a receiver.", cameFrom: "test" };
    await pauseSending(createKysely(desk.api.database.pools.owner), { clinicId, webhookId: webhook }, note);
    const paused = { waiting: { for: "paused", delivery: null }, key: "waits_until_resumed", ...NO_TIME };
    expect([await told(first), await told(second)]).toEqual([paused, paused]);
    await manager(`/v1/webhooks/${webhook}`, { method: "PATCH", body: { enabled: false } });
    const off = { waiting: { for: "off", delivery: null }, key: "waits_until_on", ...NO_TIME };
    expect([await told(first), await told(second)]).toEqual([off, off]);
  });

  it("while its receiver is parked waits for the probe; no time is named while one is under way", async () => {
    const { webhook, ids } = await waitingOnes(2);
    const [first = "", second = ""] = ids;
    const parked = "failures = 5, failing_since = now(), parked_at = now()";
    await owner("update deliveries set due_at = now()", webhook);
    await owner(`update runs set ${parked}, next_at = ${IN_AN_HOUR}`, webhook);
    const receiver = { waiting: { for: "receiver", delivery: null }, key: "waits_for_receiver" };
    const probed = await told(first);
    expect(probed).toMatchObject(receiver);
    expect(Date.parse(probed.next)).toBeGreaterThan(Date.now());
    expect(await told(second)).toMatchObject({ waiting: { for: "earlier", delivery: first }, ...NO_TIME });
    await owner("update runs set next_at = 'infinity'", webhook);
    expect(await told(first)).toEqual({ ...receiver, ...NO_TIME });
  });
});

it("what is finished waits for nothing, and what comes after it of its subject is free", async () => {
  const { webhook, ids } = await waitingOnes(2);
  const [first = "", second = ""] = ids;
  desk.receiver.answer = (_received, response) => response.writeHead(200).end();
  await owner("update deliveries set due_at = now()", webhook);
  await desk.deliverUntil("all was delivered", async () => (await desk.detail(second)).state === "delivered");
  const nothing = { waiting: null, key: null, ...NO_TIME };
  expect([await told(first), await told(second)]).toEqual([nothing, nothing]);
});
