/** Services that say with other words what they mean (contract §7): what their answers come to, over real connections. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { clinicLog } from "../../test/clinic-log.ts";
import type { TestEngine, TestWebhook } from "../../test/engine.ts";
import { createNameServer, type NameServer } from "../../test/name-server.ts";
import { withOwnClinic } from "../../test/own-clinic.ts";
import type { Receiver } from "../../test/receiver.ts";
import { until } from "../../test/until.ts";
import { createAllowList } from "../egress/allow-list.ts";
import { createEgress, type Egress } from "../egress/client.ts";

const MAKE = "hook.eu1.make.com";
const GOOGLE = "script.google.com";
const OUTPUT = "https://script.googleusercontent.com/macros/echo?user_content_key=x";
const SIGN_IN = "https://accounts.google.com/signin";
const HOUR_MS = 3_600_000;

let engine: TestEngine;
let receiver: Receiver;
let clinicId: number;
let names: NameServer;
let egress: Egress;
const log = () => clinicLog(engine.owner, () => clinicId);

withOwnClinic((own) => {
  ({ engine, receiver, clinicId } = own);
});
beforeAll(async () => {
  names = await createNameServer({ [MAKE]: ["127.0.0.1"], [GOOGLE]: ["127.0.0.1"] });
});
afterAll(() => names.close());
beforeEach(() => {
  names.asked = [];
  const opened = createAllowList({ networks: [], ports: [], httpHosts: [MAKE, GOOGLE] });
  egress = createEgress({
    rules: { allowLoopback: true, inboxUrlPrefix: null, opened },
    monotonicMs: engine.clock.monotonicMs,
    nameServers: [names.address],
  });
});
afterEach(() => egress.close());

/** A webhook of a service, or of nobody known, whose receiver answers like this from now on, and its first event on its way. */
async function sendTo(host: string | null, answer: Receiver["answer"]): Promise<TestWebhook> {
  receiver.answer = answer;
  const url = new URL(host === GOOGLE ? "/macros/s/x/exec" : "/x", receiver.url);
  url.hostname = host ?? url.hostname;
  const webhook = await engine.createWebhook(clinicId, { url: url.href });
  await engine.startDispatcher({ egress, random: () => 0.5 });
  await engine.emit(clinicId, "consult:1");
  await until("the attempt is settled", async () => (await log().attempts()).length === 1);
  return webhook;
}

const failuresOf = async ({ id }: TestWebhook) => (await log().run(id)).failures as number;
/** The notices, and what each came from. */
async function told(): Promise<object[]> {
  const { rows } = await engine.owner.query("select kind, details from notices where clinic_id = $1 order by id", [
    clinicId,
  ]);
  return rows.map(({ kind, details }) => ({ kind, ...JSON.parse(details) }));
}

/** How long the one delivery that waits has to wait after its attempt. */
async function waitMs(): Promise<number> {
  const [[waiting], [attempt]] = [await log().hot(), await log().attempts()];
  return waiting?.due_at.epochMilliseconds - attempt?.started_at.epochMilliseconds;
}

/** Four fail at once, one more after a minute and a half. */
async function failFor90Seconds(webhook: TestWebhook): Promise<void> {
  for (let n = 2; n <= 4; n++) await engine.emit(clinicId, `consult:${n}`);
  await until("four have failed and it sleeps", async () => {
    return (await log().attempts()).length === 4 && (await log().run(webhook.id)).owner === null;
  });
  await engine.passTime("90 seconds");
  await until("all have been tried again", async () => (await log().attempts()).length > 4);
}

describe("Make", () => {
  test("says that it has accepted a message: it is delivered", async () => {
    await sendTo(MAKE, (_got, response) => response.writeHead(200).end("Accepted"));
    expect(await log().finished()).toMatchObject([{ state: "delivered", attempt: 1 }]);
    expect(receiver.received).toHaveLength(1);
  });

  test("says 400 because its queue is full: it is let alone for as long as it asks, as after a 429", async () => {
    const webhook = await sendTo(MAKE, (_got, response) =>
      response.writeHead(400, { "retry-after": "3600" }).end("Queue is full."),
    );
    expect(await log().attempts()).toMatchObject([{ outcome: "answered", status: 400 }]);
    expect(await waitMs()).toBeGreaterThan(HOUR_MS - 1_000);
    expect(await failuresOf(webhook)).toBe(1);
  });

  test("whose queue stays full is parked, and the clinic is told; all is sent once there is room", async () => {
    const webhook = await sendTo(MAKE, (_got, response) => response.writeHead(400).end("Queue is full."));
    await failFor90Seconds(webhook);
    await until("it is parked", async () => (await log().run(webhook.id)).parked_at !== null);
    await until("the clinic is told", async () => (await told()).length === 1);
    expect(await told()).toMatchObject([{ kind: "webhook.failing", status: 400 }]);
    receiver.answer = (_got, response) => response.writeHead(200).end("Accepted");
    await engine.passTime("10 minutes");
    await until("all is delivered", async () => {
      await engine.bringDue();
      return (await log().finished()).length === 4;
    });
  });

  test.each([
    ["Make says 400 for another reason", MAKE, "Bad request"],
    ["another says 400 because its queue is full", null, "Queue is full."],
  ])("is not meant where %s: that is about the one message, and nobody is told", async (_what, host, text) => {
    const webhook = await sendTo(host, (_got, response) =>
      response.writeHead(400, { "retry-after": "3600" }).end(text),
    );
    expect(await waitMs()).toBeLessThan(60_000);
    await failFor90Seconds(webhook);
    expect(await log().run(webhook.id)).toMatchObject({ failures: 0, parked_at: null });
    expect(await told()).toEqual([]);
  });

  test("says 410 because the scenario behind the address is gone: the webhook is off, and the clinic is told", async () => {
    const webhook = await sendTo(MAKE, (_got, response) => response.writeHead(410).end("Webhook is deactivated"));
    await until("the webhook is off", async () => !(await log().webhook(webhook.id)).enabled);
    expect(await log().webhook(webhook.id)).toMatchObject({ off_reason: "receiver_gone" });
    expect(await told()).toMatchObject([{ kind: "webhook.gone", status: 410 }]);
    expect(await log().hot()).toMatchObject([{ attempt: 1, begun_at: null }]);
  });
});

describe("Google Apps Script", () => {
  test("redirects to its output once it has run: it is delivered, and nobody goes to look at the output", async () => {
    await sendTo(GOOGLE, (_got, response) => response.writeHead(302, { location: OUTPUT }).end());
    expect(await log().finished()).toMatchObject([{ state: "delivered", attempt: 1 }]);
    expect(await log().attempts()).toMatchObject([{ outcome: "answered", status: 302 }]);
    expect(receiver.received).toHaveLength(1);
    expect(names.asked).not.toContain(new URL(OUTPUT).host);
  });

  test("redirects to its sign-in because the script is not public: it fails, is tried again, and the clinic is told", async () => {
    const webhook = await sendTo(GOOGLE, (_got, response) => response.writeHead(302, { location: SIGN_IN }).end());
    expect(await log().finished()).toEqual([]);
    expect(await waitMs()).toBeLessThan(60_000);
    expect(await failuresOf(webhook)).toBe(1);
    await failFor90Seconds(webhook);
    await until("the clinic is told", async () => (await told()).length === 1);
    expect(await told()).toMatchObject([{ kind: "webhook.failing", status: 302 }]);
    expect(names.asked).not.toContain(new URL(SIGN_IN).host);
  });

  test("redirects to what only another service's address leads to: there it is no success", async () => {
    await sendTo(MAKE, (_got, response) => response.writeHead(302, { location: OUTPUT }).end());
    expect(await log().finished()).toEqual([]);
    expect(await log().hot()).toMatchObject([{ attempt: 1, begun_at: null }]);
  });
});
