import { verify } from "@hookwell/sdk";
import { describe, expect, test } from "vitest";
import { clinicLog } from "../../test/clinic-log.ts";
import type { TestEngine } from "../../test/engine.ts";
import { withOwnClinic } from "../../test/own-clinic.ts";
import { createReceiver, type Receiver } from "../../test/receiver.ts";
import { until } from "../../test/until.ts";
import { deliveryId } from "../outbox/identifiers.ts";

let engine: TestEngine;
let receiver: Receiver;
let clinicId: number;

withOwnClinic((own) => {
  ({ engine, receiver, clinicId } = own);
});

const ids = () => receiver.received.map((r) => r.headers["webhook-id"]);
const log = () => clinicLog(engine.owner, () => clinicId);
const hot = () => log().hot();
const finished = () => log().finished();
const attempts = () => log().attempts();

describe("a delivery", () => {
  test("arrives once, signed so that the receiver can verify it, with the headers of the contract", async () => {
    const webhook = await engine.createWebhook(clinicId, { url: receiver.url, patient: "all" });
    await engine.startDispatcher();
    const event = await engine.emit(clinicId, "consult:1");
    const got = await until("it arrives", () => receiver.received[0]);
    await until("it is settled", async () => (await finished()).length === 1);
    const verification = await verify({
      headers: got.headers,
      body: got.body,
      secrets: webhook.secret,
      nowSeconds: Math.floor(Date.now() / 1000),
    });
    expect(verification).toMatchObject({ ok: true });
    expect(got.headers).toMatchObject({
      "content-type": "application/json",
      "webhook-id": deliveryId({ eventId: event.id, webhookId: webhook.id, part: 0 }),
      "webhook-sequence": "1",
      "webhook-subject": "consult:1",
      "webhook-subject-version": "1",
      "webhook-attempt": "1",
    });
    expect(got.headers["webhook-test"]).toBeUndefined();
    expect(await attempts()).toMatchObject([
      { attempt: 1, outcome: "answered", status: 200, body_sent: true, late: false },
    ]);
    expect(await finished()).toMatchObject([{ state: "delivered", reason: null, sequence: 1 }]);
    expect(await hot()).toEqual([]);
    expect(receiver.received).toHaveLength(1);
  });

  test("goes to every webhook that listens, not to one that does not, and is kept for one that is off", async () => {
    const second = await createReceiver();
    const first = await engine.createWebhook(clinicId, { url: receiver.url });
    const other = await engine.createWebhook(clinicId, { url: second.url, events: ["consult.updated"] });
    const off = await engine.createWebhook(clinicId, { url: second.url, enabled: false });
    await engine.startDispatcher();
    await engine.emit(clinicId, "consult:1");
    await until("it is delivered", async () => (await finished()).length === 2);
    expect(await finished()).toMatchObject([
      { webhook_id: first.id, state: "delivered" },
      { webhook_id: off.id, state: "cancelled", reason: "off" },
    ]);
    expect(second.received).toEqual([]);
    expect(other.id).not.toBe(first.id);
    await second.close();
  });

  test("is split into one request per participant where the manager asked for it, in order, still arrays", async () => {
    await engine.createWebhook(clinicId, { url: receiver.url, patient: "id", onePerRequest: true });
    await engine.startDispatcher();
    await engine.emit(clinicId, "consult:1", "participant.removed");
    const sample = await until("something arrives", () => receiver.received[0]);
    expect(JSON.parse(sample.body)).toHaveLength(1);
    await until("all parts are delivered", async () => (await hot()).length === 0);
    const people = receiver.received.map((r) => JSON.parse(r.body)[0].participant.id);
    expect(new Set(people).size).toBe(receiver.received.length);
    expect(receiver.received.map((r) => r.headers["webhook-sequence"])).toEqual(
      receiver.received.map((_, at) => String(at + 1)),
    );
  });
});

describe("order", () => {
  test("of one consult is kept through failures, while another consult is not held up", async () => {
    await engine.createWebhook(clinicId, { url: receiver.url });
    let failing = true;
    receiver.answer = (got, response) => {
      const isFirst = got.headers["webhook-subject"] === "consult:1";
      response.writeHead(failing && isFirst ? 500 : 200).end();
    };
    await engine.startDispatcher();
    await engine.emit(clinicId, "consult:1");
    await until("the first fails", () => receiver.received.length === 1);
    await engine.emit(clinicId, "consult:1", "consult.updated");
    await engine.emit(clinicId, "consult:2");
    await engine.emit(clinicId, "consult:1", "participant.removed");
    await until("the other consult's arrives", () =>
      receiver.received.some((r) => r.headers["webhook-subject"] === "consult:2"),
    );
    expect(receiver.received.filter((r) => r.headers["webhook-subject"] === "consult:1")).toHaveLength(1);
    failing = false;
    await until("all is delivered", async () => {
      await engine.bringDue();
      return (await hot()).length === 0;
    });
    const versions = receiver.received
      .filter((r) => r.headers["webhook-subject"] === "consult:1")
      .map((r) => [r.headers["webhook-subject-version"], r.headers["webhook-attempt"]]);
    expect(versions).toEqual([
      ["1", "1"],
      ["1", "2"],
      ["2", "1"],
      ["3", "1"],
    ]);
  });

  test("of a receiver that was down: nothing is lost once it is up again, sequence numbers have no gap", async () => {
    await engine.createWebhook(clinicId, { url: receiver.url, proved: false });
    await receiver.down();
    await engine.startDispatcher();
    for (let n = 0; n < 12; n++) await engine.emit(clinicId, `consult:${n % 3}`);
    await until("an attempt failed", async () =>
      (await attempts()).some((a) => a.outcome === "connection_refused" && a.body_sent === false),
    );
    await receiver.up();
    await until("all is delivered", async () => {
      await engine.bringDue();
      return (await hot()).length === 0;
    });
    expect(new Set(ids()).size).toBe(12);
    const sequences = (await finished()).map((f) => f.sequence).sort((a, b) => a - b);
    expect(sequences).toEqual(Array.from({ length: 12 }, (_, at) => at + 1));
    for (const subject of ["consult:0", "consult:1", "consult:2"]) {
      const versions = receiver.received
        .filter((r) => r.headers["webhook-subject"] === subject)
        .map((r) => Number(r.headers["webhook-subject-version"]));
      expect(versions).toEqual([1, 2, 3, 4]);
    }
  });
});

describe("a lost node", () => {
  test("leaves its begun delivery to the next one, which sends it again under the same id and says so in the log", async () => {
    const webhook = await engine.createWebhook(clinicId, { url: receiver.url });
    const node = await engine.store.register("lost", 30_000);
    const event = await engine.emit(clinicId, "consult:1");
    const taken = await engine.store.take(node, { webhooks: 10, perWebhook: 8, suspect: false });
    expect(taken.begun.filter((b) => b.clinicId === clinicId)).toMatchObject([{ attempt: 1, sequence: 1 }]);
    await engine.loseNode(node); // it is never heard of again
    await engine.startDispatcher();
    await until("it is delivered", async () => (await finished()).length === 1);
    expect(ids()).toEqual([deliveryId({ eventId: event.id, webhookId: webhook.id, part: 0 })]);
    expect(await attempts()).toMatchObject([
      { attempt: 1, outcome: "unknown", duration_ms: null, body_sent: true },
      { attempt: 2, outcome: "answered", status: 200 },
    ]);
    expect(await finished()).toMatchObject([{ state: "delivered", sequence: 1 }]);
  });

  test("whose result comes late changes nothing that was begun anew, but its attempt is kept and marked", async () => {
    await engine.createWebhook(clinicId, { url: receiver.url });
    const node = await engine.store.register("slow", 30_000);
    await engine.emit(clinicId, "consult:1");
    const [lost] = (await engine.store.take(node, { webhooks: 10, perWebhook: 8, suspect: false })).begun.filter(
      (b) => b.clinicId === clinicId,
    );
    if (!lost) throw new Error("nothing was begun");
    await engine.passTime("40 seconds");
    await engine.store.reap();
    const next = await engine.store.register("next", 30_000);
    const [again] = (await engine.store.take(next, { webhooks: 10, perWebhook: 8, suspect: false })).begun.filter(
      (b) => b.clinicId === clinicId,
    );
    expect(again).toMatchObject({ id: lost.id, attempt: 2, sequence: lost.sequence });
    const result = {
      begun: lost,
      version: 1,
      startedMsAgo: 10,
      durationMs: 5,
      outcome: "answered",
      status: 200,
      choice: null,
      bodySent: true,
      answer: null,
      next: { do: "finish" as const, state: "delivered" as const, reason: null },
    };
    expect(await engine.store.settle([result])).toEqual([]);
    expect(await hot()).toHaveLength(1);
    expect(await attempts()).toMatchObject([{ attempt: 1, outcome: "answered", status: 200, late: true }]);
    await engine.store.retire(next);
  });
});

describe("the schedule", () => {
  test("gives up after ten attempts and then lets the next of the subject go", async () => {
    await engine.createWebhook(clinicId, { url: receiver.url });
    // Of this one delivery: its webhook is neither paced nor parked for it.
    receiver.answer = (got, response) =>
      response.writeHead(got.headers["webhook-subject-version"] === "1" ? 422 : 200).end("no");
    await engine.startDispatcher({ random: () => 0.5 });
    await engine.emit(clinicId, "consult:1");
    await engine.emit(clinicId, "consult:1", "consult.updated");
    await until("both have ended", async () => {
      await engine.bringDue();
      return (await finished()).length === 2;
    });
    expect(await finished()).toMatchObject([
      { state: "given_up", reason: "schedule_ended", attempt: 10 },
      { state: "delivered", attempt: 1 },
    ]);
    expect((await attempts()).map((a) => a.attempt)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1]);
  });

  test("a receiver that says 410 turns its webhook off and nothing that waits is lost", async () => {
    const webhook = await engine.createWebhook(clinicId, { url: receiver.url });
    receiver.answer = (_got, response) => response.writeHead(410).end();
    await engine.startDispatcher();
    await engine.emit(clinicId, "consult:1");
    const row = await until("it is off", async () => {
      const { rows } = await engine.owner.query("select * from webhooks where id = $1 and not enabled", [webhook.id]);
      return rows[0];
    });
    expect(row).toMatchObject({ off_reason: "receiver_gone", version: 2 });
    expect(await hot()).toHaveLength(1);
  });
});

describe("the limits of a webhook", () => {
  test("its concurrency is never exceeded", async () => {
    await engine.createWebhook(clinicId, { url: receiver.url, concurrency: 3 });
    const waiting: (() => void)[] = [];
    receiver.answer = (_got, response) => {
      waiting.push(() => response.writeHead(200).end());
    };
    await engine.startDispatcher();
    for (let n = 0; n < 10; n++) await engine.emit(clinicId, `consult:${n}`);
    await until("all its places are taken", () => receiver.open === 3);
    for (let n = 0; n < 10; n++) {
      const release = await until("another request is open", () => waiting.shift());
      release();
    }
    await until("all is delivered", async () => (await hot()).length === 0);
    expect(receiver.openMost).toBe(3);
  });

  test("an address that has never answered 2xx gets one request at a time", async () => {
    await engine.createWebhook(clinicId, { url: receiver.url, proved: false });
    receiver.answer = (_got, response) => response.writeHead(500).end();
    await engine.startDispatcher();
    for (let n = 0; n < 3; n++) await engine.emit(clinicId, `consult:${n}`);
    await until("all three were tried", async () => (await attempts()).length === 3);
    expect(receiver.openMost).toBe(1);
  });
});
