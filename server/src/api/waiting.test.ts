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

/** One more delivery of the webhook, about a consult of its own. */
async function anotherSubject(webhook: number): Promise<string> {
  await desk.schedule();
  return (await desk.list(`webhook_id=${webhook}`))[0].id;
}

/** On the one delivery. */
const ownerOf = async (id: string, statement: string) => {
  const { event_id, webhook } = await desk.detail(id);
  const key = [event_id, webhook.id];
  return desk.api.database.pools.owner.query(`${statement} where event_id = $1 and webhook_id = $2`, key);
};

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
    const due = await told(id);
    expect(due).toMatchObject({ waiting: { for: "turn", delivery: null }, key: null, next: null });
    expect(Date.parse(due.until)).toBeGreaterThan(Date.now());
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

  it("while its receiver is parked names a time where the probe takes it; no other does, and none while one is under way", async () => {
    const { webhook, ids } = await waitingOnes(2);
    const [first = "", second = ""] = ids;
    const due = await anotherSubject(webhook);
    const parked = "failures = 5, failing_since = now(), parked_at = now()";
    await owner(`update deliveries set due_at = now() - interval '1 minute'`, webhook);
    await ownerOf(due, "update deliveries set due_at = now()");
    await owner(`update runs set ${parked}, next_at = ${IN_AN_HOUR}`, webhook);
    const receiver = { waiting: { for: "receiver", delivery: null }, key: "waits_for_receiver" };
    const probed = await told(first);
    expect(probed).toMatchObject(receiver);
    expect(Date.parse(probed.next)).toBeGreaterThan(Date.now());
    expect(Date.parse(probed.until)).toBeGreaterThan(Date.parse(probed.next));
    // Until its webhook is turned off, whichever is tried.
    const untried = { ...receiver, next: null, until: probed.until };
    expect(await told(due)).toEqual(untried);
    expect(await told(second)).toMatchObject({ waiting: { for: "earlier", delivery: first }, ...NO_TIME });
    // The other subject's turn: it has been due for longer now.
    await ownerOf(first, "update deliveries set due_at = now()");
    await ownerOf(due, "update deliveries set due_at = now() - interval '1 minute'");
    expect(await told(first)).toEqual(untried);
    expect((await told(due)).next).toBe(probed.next);
    await owner("update runs set next_at = 'infinity'", webhook);
    expect([await told(first), await told(due)]).toEqual(Array(2).fill(untried));
  });

  it("for a parked receiver is the one that the probe takes, where a time is named", async () => {
    const { webhook, ids } = await waitingOnes(2);
    const others = [await anotherSubject(webhook), await anotherSubject(webhook)];
    const [first = ""] = ids;
    const [oldest = "", other = ""] = others;
    await owner("update deliveries set due_at = now()", webhook);
    await ownerOf(oldest, "update deliveries set due_at = now() - interval '1 minute'");
    await owner(
      `update runs set failures = 5, failing_since = now(), parked_at = now(), next_at = ${IN_AN_HOUR}`,
      webhook,
    );
    const named = [];
    for (const id of [first, oldest, other]) if ((await told(id)).next !== null) named.push(id);
    expect(named).toEqual([oldest]);
    desk.receiver.answer = (_received, response) => response.writeHead(503).end();
    await owner("update runs set next_at = now()", webhook);
    const sent = () =>
      desk.receiver.received
        .map(({ headers }) => String(headers["webhook-id"]))
        .filter((id) => [first, ...others].includes(id));
    await desk.deliverUntil("it was probed", async () => sent().length > 0);
    expect(sent()).toEqual([oldest]);
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
