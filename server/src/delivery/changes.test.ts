/** A webhook that is changed, turned off or deleted while something waits for it or is under way (contract §6). */
import { sampleFacts, verify } from "@hookwell/sdk";
import { describe, expect, test } from "vitest";
import { clinicLog } from "../../test/clinic-log.ts";
import type { TestEngine, TestWebhook, WebhookSettings } from "../../test/engine.ts";
import { withOwnClinic } from "../../test/own-clinic.ts";
import { createReceiver, type Receiver } from "../../test/receiver.ts";
import { until } from "../../test/until.ts";

let engine: TestEngine;
let receiver: Receiver;
let clinicId: number;
const log = () => clinicLog(engine.owner, () => clinicId);

withOwnClinic((own) => {
  ({ engine, receiver, clinicId } = own);
});

const create = (settings: Partial<WebhookSettings> = {}) =>
  engine.createWebhook(clinicId, { url: receiver.url, ...settings });
const change = (webhook: TestWebhook, columns: string) =>
  engine.owner.query(`update webhooks set ${columns}, version = version + 1 where id = $1`, [webhook.id]);
const turnOff = (webhook: TestWebhook) => change(webhook, "enabled = false, off_reason = 'you'");

/** As the page does it: the bell is what wakes the engine. */
async function turnOn(webhook: TestWebhook): Promise<void> {
  await change(webhook, "enabled = true, off_reason = null");
  await engine.owner.query("insert into bells (clinic_id, webhook_id) values ($1, $2)", [clinicId, webhook.id]);
  engine.nudge();
}

/** The engine has looked at everything that was due: another clinic's delivery, emitted now, has gone through. */
async function engineHasLooked(): Promise<void> {
  const other = await engine.createClinic();
  await engine.createWebhook(other, { url: receiver.url });
  await engine.emit(other, "consult:barrier");
  await until("the barrier is through", async () => {
    const { rowCount } = await engine.owner.query("select from finished_deliveries where clinic_id = $1", [other]);
    return rowCount === 1;
  });
}
const arrived = () =>
  receiver.received.map((r) => String(r.headers["webhook-subject"])).filter((subject) => subject !== "consult:barrier");
const asleep = (webhook: TestWebhook) =>
  until("it is not held", async () => (await log().run(webhook.id)).owner === null);

/** One event whose first attempt fails; afterwards it waits for its retry. */
async function failOnce(webhook: TestWebhook): Promise<void> {
  receiver.answer = (_got, response) => response.writeHead(500).end();
  await engine.startDispatcher();
  await engine.emit(clinicId, "consult:1");
  await until("it has failed", async () => (await log().attempts()).length === 1);
  await asleep(webhook);
}

describe("a webhook that is turned off", () => {
  test("while it is being drained gets nothing more, keeps what waits, and goes on in order once it is on again", async () => {
    const webhook = await create({ concurrency: 1 });
    let release: (() => void) | null = null;
    receiver.answer = (_got, response) => {
      release = () => response.writeHead(200).end();
    };
    await engine.startDispatcher();
    for (let n = 1; n <= 4; n++) await engine.emit(clinicId, "consult:1", "consult.updated");
    const answer = await until("the first is in flight", () => release);
    await turnOff(webhook);
    receiver.answer = (_got, response) => response.writeHead(200).end();
    answer();
    await asleep(webhook);
    await engine.emit(clinicId, "consult:1", "consult.updated");
    await engine.bringDue();
    await engineHasLooked();
    expect(arrived()).toEqual(["consult:1"]);
    expect(await log().hot()).toHaveLength(3);
    expect(await log().finished()).toMatchObject([{ state: "delivered" }, { state: "cancelled", reason: "off" }]);
    await turnOn(webhook);
    await until("what waited is delivered", async () => (await log().hot()).length === 0);
    const versions = receiver.received.filter((r) => r.headers["webhook-subject"] === "consult:1");
    expect(versions.map((r) => r.headers["webhook-subject-version"])).toEqual(["1", "2", "3", "4"]);
  });

  test("while a retry waits sends it only once it is on again", async () => {
    const webhook = await create();
    await failOnce(webhook);
    await turnOff(webhook);
    receiver.answer = (_got, response) => response.writeHead(200).end();
    await engine.bringDue();
    await engineHasLooked();
    expect(arrived()).toHaveLength(1);
    expect(await log().hot()).toMatchObject([{ attempt: 1, begun_at: null }]);
    await turnOn(webhook);
    await until("it is delivered", async () => (await log().hot()).length === 0);
    expect(arrived()).toHaveLength(2);
  });

  test("together with hundreds of others, all with something due, keeps no other webhook waiting", async () => {
    const off = await create();
    await turnOff(off);
    await engine.owner.query(
      `insert into webhooks (clinic_id, name, url, url_host, events, enabled, off_reason)
       select clinic_id, name, url, url_host, events, false, 'you' from webhooks, generate_series(1, 400) where id = $1`,
      [off.id],
    );
    await engine.owner.query(
      `insert into runs (clinic_id, webhook_id, next_at) select clinic_id, id, now() - interval '1 hour' from webhooks
       where clinic_id = $1 on conflict do nothing`,
      [clinicId],
    );
    await engine.owner.query(
      "insert into bells (clinic_id, webhook_id) select clinic_id, id from webhooks where clinic_id = $1",
      [clinicId],
    );
    await engine.startDispatcher();
    await engineHasLooked();
    await engine.store.reap();
    const { rows } = await engine.owner.query("select next_at from runs where clinic_id = $1", [clinicId]);
    expect(new Set(rows.map((run) => run.next_at))).toEqual(new Set(["infinity"])); // and they rest from now on
  });

  test("by its receiver's 410 gets what waited once a person turns it on again", async () => {
    const webhook = await create({ concurrency: 1 });
    receiver.answer = (_got, response) => response.writeHead(410).end();
    await engine.startDispatcher();
    await engine.emit(clinicId, "consult:1");
    await until("it is off", async () => !(await log().webhook(webhook.id)).enabled);
    expect(await log().webhook(webhook.id)).toMatchObject({ off_reason: "receiver_gone" });
    await asleep(webhook);
    receiver.answer = (_got, response) => response.writeHead(200).end();
    await engine.bringDue();
    await turnOn(webhook);
    await until("it is delivered", async () => (await log().hot()).length === 0);
    expect(receiver.received.map((r) => r.headers["webhook-attempt"])).toEqual(["1", "2"]);
  });
});

describe("between a failure and its retry", () => {
  /** Fails once, changes the webhook, and lets the retry through. */
  async function retryAfter(webhook: TestWebhook, columns: string): Promise<unknown[]> {
    await failOnce(webhook);
    await change(webhook, columns);
    receiver.answer = (_got, response) => response.writeHead(200).end();
    await until("it is delivered", async () => {
      await engine.bringDue();
      return (await log().hot()).length === 0;
    });
    expect(receiver.received.map((r) => r.headers["webhook-attempt"])).toEqual(["1", "2"]);
    return receiver.received.map((r) => JSON.parse(r.body)[0]);
  }
  const { participants, practitioner } = sampleFacts("participant.added");
  const [person] = participants;

  test("what was narrowed at one attempt stays narrow at the next, though it was ticked again in between", async () => {
    const webhook = await create({ patient: "all" });
    receiver.answer = (_got, response) => response.writeHead(500).end();
    await engine.emit(clinicId, "consult:1");
    await change(webhook, "include_patient = 'off'");
    await engine.startDispatcher();
    await until("it has failed", async () => (await log().attempts()).length === 1);
    await asleep(webhook);
    await change(webhook, "include_patient = 'all'");
    receiver.answer = (_got, response) => response.writeHead(200).end();
    await engine.bringDue();
    await until("it is delivered", async () => (await log().hot()).length === 0);
    const [first, second] = receiver.received;
    expect(first?.body).not.toContain('participant"');
    expect(second?.body).toBe(first?.body);
  });

  test("a narrower data choice takes effect: the retry carries less, and the log says what each attempt carried", async () => {
    const webhook = await create({ patient: "all", practitioner: "all" });
    const bodies = await retryAfter(webhook, "include_patient = 'id', include_practitioner = 'off'");
    expect(bodies[0]).toMatchObject({ participant: person, practitioner });
    expect(bodies[1]).toMatchObject({ participant: { id: person?.id } });
    expect((bodies[1] as { participant: object }).participant).not.toHaveProperty("name");
    expect(bodies[1]).not.toHaveProperty("practitioner");
    expect(await log().attempts()).toMatchObject([
      { choice_patient: "all", choice_practitioner: "all" },
      { choice_patient: "id", choice_practitioner: "off" },
    ]);
  });

  test("a wider data choice does not: the retry carries what it would have carried then", async () => {
    const webhook = await create({ patient: "id" });
    const bodies = await retryAfter(webhook, "include_patient = 'all', include_practitioner = 'all'");
    expect(bodies[1]).toEqual(bodies[0]);
    expect(bodies[1]).not.toHaveProperty("practitioner");
    expect(await log().attempts()).toMatchObject([{ choice_patient: "id" }, { choice_patient: "id" }]);
  });

  test("a changed address is where the retry goes", async () => {
    const moved = await createReceiver();
    const webhook = await create();
    await failOnce(webhook);
    const clinicSeal = await engine.seal.forClinic(engine.dispatch, clinicId);
    const url = clinicSeal.seal({ column: "webhooks.url", row: webhook.id }, moved.url);
    await engine.owner.query("update webhooks set url = $2, version = version + 1 where id = $1", [webhook.id, url]);
    await until("it is delivered", async () => {
      await engine.bringDue();
      return (await log().hot()).length === 0;
    });
    expect([receiver.received.length, moved.received.length]).toEqual([1, 1]);
    await moved.close();
  });

  test("a rotated secret signs the retry beside the old one, until the old one retires", async () => {
    const webhook = await create();
    const clinicSeal = await engine.seal.forClinic(engine.dispatch, clinicId);
    const newSecret = "whsec_c2VjcmV0LW9mLWEtdGVzdC1vbmx5LTMyLWJ5dGVzISE=";
    await failOnce(webhook);
    await engine.owner.query("update webhook_secrets set retires_at = now() + interval '1 day' where webhook_id = $1", [
      webhook.id,
    ]);
    const { rows } = await engine.owner.query("select nextval(pg_get_serial_sequence('webhook_secrets', 'id')) as id");
    const sealed = clinicSeal.seal({ column: "webhook_secrets.secret", row: `${webhook.id}/${rows[0].id}` }, newSecret);
    await engine.owner.query(
      "insert into webhook_secrets (clinic_id, webhook_id, id, secret) overriding system value values ($1, $2, $3, $4)",
      [clinicId, webhook.id, rows[0].id, sealed],
    );
    await change(webhook, "name = name");
    const retried = async (count: number) => {
      await engine.bringDue(); // once, while nothing is in flight: exactly one more attempt
      await until(`attempt ${count} is made`, async () => (await log().attempts()).length === count);
      await asleep(webhook);
      const { headers, body } = receiver.received.at(-1) as (typeof receiver.received)[number];
      const nowSeconds = Math.floor(Date.now() / 1000);
      const verified = [webhook.secret, newSecret].map((secrets) => verify({ headers, body, secrets, nowSeconds }));
      return (await Promise.all(verified)).map((verification) => verification.ok);
    };
    expect(await retried(2)).toEqual([true, true]);
    await engine.owner.query(
      "update webhook_secrets set retires_at = now() where retires_at is not null and webhook_id = $1",
      [webhook.id],
    );
    await change(webhook, "name = name");
    expect(await retried(3)).toEqual([false, true]);
  });
});

describe("a webhook that is deleted", () => {
  test("while a request is in flight leaves the attempt in the log, and sends nothing more", async () => {
    const webhook = await create({ concurrency: 1 });
    let release: (() => void) | null = null;
    receiver.answer = (_got, response) => {
      release = () => response.writeHead(200).end();
    };
    await engine.startDispatcher();
    await engine.emit(clinicId, "consult:1");
    // Between two subjects no order is promised: the other one comes when the first is under way.
    const answer = await until("the first is in flight", () => release);
    await engine.emit(clinicId, "consult:2");
    await change(webhook, "deleted_at = now()");
    await engine.owner.query("delete from deliveries where clinic_id = $1", [clinicId]);
    receiver.answer = (_got, response) => response.writeHead(200).end();
    answer();
    await until("its attempt is in the log", async () => (await log().attempts()).length === 1);
    await engineHasLooked();
    expect(arrived()).toEqual(["consult:1"]);
    expect(await log().attempts()).toMatchObject([{ outcome: "answered", status: 200, late: true }]);
  });
});
