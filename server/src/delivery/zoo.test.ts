/**
 * The receiver zoo: whatever a receiver does, its delivery comes to a known end within the deadline, little is kept of what
 * it said, the webhook goes on, and no connection is used again over which something came that was not asked for.
 */
import { createServer, type Socket } from "node:net";
import { sampleFacts } from "@hookwell/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clinicLog } from "../../test/clinic-log.ts";
import { createTestEngine, type TestEngine } from "../../test/engine.ts";
import { createFrozenReceiver } from "../../test/frozen-receiver.ts";
import { createRawReceiver, OK, type RawReceiver } from "../../test/raw-receiver.ts";
import { until } from "../../test/until.ts";
import { type Animal, BOMB, explode, ZOO } from "../../test/zoo.ts";
import { createKysely } from "../db/pool.ts";
import { ANSWER_BYTES_MAX } from "../egress/exchange.ts";
import { answerRow } from "./attempt.ts";

const DEADLINE_MS = 1_000;
/** What a busy machine may add: the attempt's own clock stands beside it, and a deadline that is not kept is far beyond. */
const DEADLINE_BOUND_MS = 3 * DEADLINE_MS;
const ANSWER_HEADERS_BYTES_MAX = 60_000;
/** Far more than the buffers of a connection hold, far less than comes over loopback within the deadline. */
const TAKEN_BYTES_MAX = 12 * 1_024 * 1_024;
let engine: TestEngine;
/** A receiver that is well, of another clinic: whatever the others do, it gets its own. */
let neighbour: RawReceiver;
let neighbourId: number;
let neighbourEvents = 0;

beforeAll(async () => {
  engine = await createTestEngine({ deadlineMs: DEADLINE_MS });
  neighbour = await createRawReceiver();
  neighbourId = await engine.createClinic();
  await engine.createWebhook(neighbourId, { url: neighbour.url.href });
  await engine.startDispatcher();
});
afterAll(async () => {
  await engine.close();
  await neighbour.close();
});

/** Something happens at the neighbour's now, and arrives. */
async function neighbourIsServed(): Promise<void> {
  const subject = `consult:${++neighbourEvents}`;
  await engine.emit(neighbourId, subject);
  const arrived = `webhook-subject: ${subject}\r\n`;
  await until("the neighbour has got its own", () => neighbour.requests.some((request) => request.includes(arrived)));
}

/** A clinic of its own with a webhook for the receiver, and one event on its way. */
async function visit(url: string) {
  const clinicId = await engine.createClinic();
  const webhook = await engine.createWebhook(clinicId, { url, concurrency: 1 });
  const log = clinicLog(engine.owner, () => clinicId);
  await engine.emit(clinicId, "consult:1");
  const [attempt] = await until("the attempt is settled", async () => {
    const attempts = await log.attempts();
    return attempts.length > 0 ? attempts : null;
  });
  if (attempt === undefined) throw new Error("there is no attempt");
  return { clinicId, webhook, log, attempt };
}
type Visit = Awaited<ReturnType<typeof visit>>;

/** What is kept of the answer, as it is read on the page. */
async function keptOf({
  clinicId,
  attempt,
}: Visit): Promise<{ text: string; truncated: boolean; headers: Record<string, string> } | null> {
  const seal = await engine.seal.forClinic(createKysely(engine.owner), clinicId);
  const { event_id: eventId, webhook_id: webhookId, part } = attempt;
  const row = answerRow({ eventId, webhookId, part, attempt: attempt.attempt });
  const kept = JSON.parse(seal.open({ column: "attempts.answer", row }, attempt.answer));
  return "text" in kept ? kept : null;
}

/** What waits of one clinic is due now. The others' animals are in the middle of their own waiting. */
async function bringDue(clinicId: number): Promise<void> {
  await engine.owner.query("update deliveries set due_at = now() where clinic_id = $1 and due_at > now()", [clinicId]);
  await engine.owner.query("update runs set next_at = now() where clinic_id = $1 and next_at > now()", [clinicId]);
  engine.nudge();
}

/** Tells the sockets that have seen the animal's behaviour from those that came later. */
function behave(receiver: RawReceiver, { answer, answerAtOnce }: Animal): Set<Socket> {
  const used = new Set<Socket>();
  receiver.answerAtOnce = (socket) => {
    used.add(socket);
    answerAtOnce?.(socket);
  };
  receiver.answer = (socket, request) => (answer ?? (() => {}))(socket, request);
  return used;
}

// Before all others: what is measured is the most that this process ever took.
test("a bomb is neither unpacked nor read to its end: what is kept of it is small, and so is what it takes to read it", async () => {
  const receiver = await createRawReceiver();
  receiver.answer = explode;
  const before = process.resourceUsage().maxRSS;
  const visited = await visit(receiver.url.href);
  expect(await visited.log.finished()).toMatchObject([{ state: "delivered" }]);
  expect(process.resourceUsage().maxRSS - before).toBeLessThan(BOMB.unpackedBytes / 1_024 / 8);
  const kept = await keptOf(visited);
  expect(kept).toMatchObject({ truncated: true, headers: { "content-encoding": "gzip" } });
  expect(kept?.text.length).toBeLessThanOrEqual(ANSWER_BYTES_MAX);
  expect(kept?.text.slice(0, 2)).toBe("\u001f\ufffd"); // as gzip begins, and as no text does
  await receiver.close();
});

describe.concurrent("a receiver that", () => {
  test.each(ZOO)("$does", async (animal) => {
    const receiver = await createRawReceiver();
    const used = behave(receiver, animal);
    const [visited] = await Promise.all([visit(receiver.url.href), neighbourIsServed()]);
    const { log, attempt, clinicId, webhook } = visited;
    expect(attempt).toMatchObject({
      outcome: animal.outcome,
      status: animal.status ?? null,
      body_sent: true,
      late: false,
    });
    expect(attempt.duration_ms).toBeLessThan(DEADLINE_BOUND_MS);
    const kept = await keptOf(visited);
    expect(Buffer.byteLength(kept?.text ?? "", "utf8")).toBeLessThanOrEqual(3 * ANSWER_BYTES_MAX); // bytes that are no text become 3
    expect(JSON.stringify(kept?.headers ?? {}).length).toBeLessThan(ANSWER_HEADERS_BYTES_MAX);
    for (const socket of used) expect(socket.bytesWritten).toBeLessThan(TAKEN_BYTES_MAX);
    const isDelivered = animal.delivers ?? false;
    expect((await log.finished()).map(({ state }) => state)).toEqual(isDelivered ? ["delivered"] : []);
    if (animal.poisons)
      await until("its connection is closed", () => [...used].every((socket) => !receiver.open.has(socket)));

    const after: Socket[] = [];
    receiver.answerAtOnce = () => {};
    receiver.answer = (socket) => {
      after.push(socket);
      socket.write(OK);
    };
    await engine.emit(clinicId, "consult:2");
    await until("both are delivered", async () => {
      await bringDue(clinicId);
      return (await log.finished()).length === 2;
    });
    expect((await log.finished()).map(({ state }) => state)).toEqual(["delivered", "delivered"]);
    if (animal.poisons) expect(after.filter((socket) => used.has(socket))).toEqual([]);
    expect(after).toHaveLength(isDelivered ? 1 : 2);
    expect(await log.webhook(webhook.id)).toMatchObject({ enabled: true });
    await receiver.close();
  });

  test("never reads a large body is given up at the deadline", async () => {
    const sockets: Socket[] = [];
    const server = createServer({ pauseOnConnect: true }, (socket) => sockets.push(socket.on("error", () => {})));
    await new Promise<void>((fulfil) => server.listen(0, "127.0.0.1", fulfil));
    const clinicId = await engine.createClinic();
    const { port } = server.address() as { port: number };
    await engine.createWebhook(clinicId, { url: `http://127.0.0.1:${port}/`, events: ["invoice.created"] });
    const facts = sampleFacts("invoice.created");
    // More than any socket's buffers take, so that it cannot all have left.
    for (const item of facts.invoice.line_items) item.description = "x".repeat(12_000_000);
    await engine.emit(clinicId, "invoice:1", facts);
    const log = clinicLog(engine.owner, () => clinicId);
    const [attempt] = await until("the attempt is settled", async () => {
      const attempts = await log.attempts();
      return attempts.length > 0 ? attempts : null;
    });
    expect(attempt).toMatchObject({ outcome: "timed_out", body_sent: true });
    expect(attempt?.duration_ms).toBeLessThan(DEADLINE_BOUND_MS);
    expect(await log.hot()).toMatchObject([{ attempt: 1, begun_at: null }]);
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  test("vanishes without a word, its connection still open, costs one deadline and that connection", async () => {
    const receiver = await createRawReceiver();
    const { log, clinicId } = await visit(receiver.url.href);
    const used = [...receiver.open];
    for (const socket of used) socket.pause();
    await engine.emit(clinicId, "consult:2");
    const second = await until("the second attempt is settled", async () => (await log.attempts())[1]);
    expect(second).toMatchObject({ outcome: "timed_out", body_sent: true });
    expect(second.duration_ms).toBeLessThan(DEADLINE_BOUND_MS);
    await until("all is delivered", async () => {
      await bringDue(clinicId);
      return (await log.hot()).length === 0;
    });
    expect((await log.finished()).map(({ state }) => state)).toEqual(["delivered", "delivered"]);
    expect(receiver.requests).toHaveLength(2); // the one in between was never read
    await receiver.close();
  });

  test("is frozen reads nothing more, and in the end nothing even reaches it; once it is back it gets everything", async ({
    onTestFinished,
  }) => {
    const receiver = await createFrozenReceiver();
    onTestFinished(() => receiver.close());
    const { log, clinicId } = await visit(receiver.url);
    receiver.freeze();
    await engine.emit(clinicId, "consult:2");
    // First over the connection that stands, then over new ones, until there is no room for another in the queue.
    const tries = await until("a message has not left", async () => {
      await bringDue(clinicId);
      const attempts = (await log.attempts()).slice(1);
      return attempts.some(({ body_sent }) => !body_sent) ? attempts : null;
    });
    expect(new Set(tries.map(({ outcome }) => outcome))).toEqual(new Set(["timed_out"]));
    expect(tries.map(({ body_sent }) => body_sent)).toEqual([...tries.slice(1).map(() => true), false]);
    await neighbourIsServed();
    expect(await log.hot()).toMatchObject([{ sequence: 2 }]);
    receiver.thaw();
    await until("all is delivered", async () => {
      await bringDue(clinicId);
      return (await log.finished()).length === 2;
    });
    expect((await log.finished()).map(({ state }) => state)).toEqual(["delivered", "delivered"]);
    // It has read by now what its machine took for it: the same message as often, under one id.
    expect(new Set(receiver.ids()).size).toBe(2);
  });

  test("says that it is gone turns its webhook off, and nothing more is sent to it", async () => {
    const receiver = await createRawReceiver();
    receiver.answer = (socket) => socket.write("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n");
    const { log, webhook, attempt, clinicId } = await visit(receiver.url.href);
    expect(attempt).toMatchObject({ outcome: "answered", status: 410 });
    await until("the webhook is off", async () => !(await log.webhook(webhook.id)).enabled);
    expect(await log.webhook(webhook.id)).toMatchObject({ off_reason: "receiver_gone" });
    await engine.emit(clinicId, "consult:2");
    await bringDue(clinicId);
    expect((await log.finished()).map(({ reason }) => reason)).toEqual(["off"]);
    expect([receiver.requests.length, (await log.hot()).length]).toEqual([1, 1]);
    await receiver.close();
  });
});

const SECOND_MS = 1_000;
const HOUR_MS = 3_600 * SECOND_MS;
const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
/** An instant, to the second, in each form that RFC 9110 knows. */
const imfDate = (at: Date) => at.toUTCString();
function rfc850Date(at: Date): string {
  const [, day, month, year, time] = imfDate(at).split(" ") as [string, string, string, string, string];
  return `${days[at.getUTCDay()]}, ${day}-${month}-${year.slice(2)} ${time} GMT`;
}
function asctimeDate(at: Date): string {
  const [week, , month, year, time] = imfDate(at).replace(",", "").split(" ") as [
    string,
    string,
    string,
    string,
    string,
  ];
  return `${week} ${month} ${String(at.getUTCDate()).padStart(2)} ${time} ${year}`;
}
const inAnHour = () => new Date(Date.now() + HOUR_MS);

describe.concurrent("Retry-After of a receiver that is too busy", () => {
  const FIRST_WAIT = 5 * SECOND_MS;
  test.each<[string, number, (() => string)[], number]>([
    ["seconds", 503, [() => "3600"], HOUR_MS],
    ["seconds, of 429", 429, [() => "3600"], HOUR_MS],
    ["a date", 503, [() => imfDate(inAnHour())], HOUR_MS],
    ["a date as RFC 850 wrote it", 503, [() => rfc850Date(inAnHour())], HOUR_MS],
    ["a date as asctime writes it", 503, [() => asctimeDate(inAnHour())], HOUR_MS],
    ["a date in the past", 503, [() => imfDate(new Date(0))], FIRST_WAIT],
    ["negative seconds", 503, [() => "-3600"], FIRST_WAIT],
    ["fewer seconds than the schedule has", 503, [() => "1"], FIRST_WAIT],
    ["more than a day", 503, [() => "99999999"], 24 * HOUR_MS],
    ["a number that no number is", 503, [() => "9".repeat(400)], 24 * HOUR_MS],
    ["a date in a hundred years", 503, [() => imfDate(new Date(Date.now() + 876_000 * HOUR_MS))], 24 * HOUR_MS],
    ["junk", 503, [() => "soon"], FIRST_WAIT],
    ["a fraction", 503, [() => "3600.5"], FIRST_WAIT],
    ["nothing", 503, [() => ""], FIRST_WAIT],
    ["several values", 503, [() => "3600", () => "7200"], FIRST_WAIT],
    ["seconds, where the answer is no request to wait", 500, [() => "3600"], FIRST_WAIT],
  ])("given as %s", async (_what, status, values, waitMs) => {
    const receiver = await createRawReceiver();
    const lines = values.map((value) => `Retry-After: ${value()}\r\n`).join("");
    receiver.answer = (socket) => socket.write(`HTTP/1.1 ${status} Busy\r\n${lines}Content-Length: 0\r\n\r\n`);
    const { log, attempt } = await visit(receiver.url.href);
    const [{ due_at }] = (await log.hot()) as [{ due_at: Temporal.Instant }];
    const waited = due_at.epochMilliseconds - (attempt.started_at as Temporal.Instant).epochMilliseconds;
    // Jitter is 10 % of the schedule's own wait, and a date has no fractions of a second.
    expect(waited).toBeGreaterThan(waitMs - 0.1 * FIRST_WAIT - SECOND_MS);
    expect(waited).toBeLessThan(waitMs + 60 * SECOND_MS);
    await receiver.close();
  });
});
