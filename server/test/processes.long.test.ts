/**
 * Several processes on one database, started, stopped and killed as operators do: a rolling restart under load, of the API
 * too, loses and doubles nothing, a killed node's webhooks move in time, a stop ends at the deadline, and an idle server leaves
 * the database in peace.
 */
import { createSecretKey, randomBytes } from "node:crypto";
import { sampleFacts } from "@hookwell/sdk";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { WireProxy } from "../../proof/crash/wire-proxy.ts";
import { createApiKey } from "../src/accounts/api-keys.ts";
import { inClinic } from "../src/db/pool.ts";
import { createTestEngine, type TestEngine } from "./engine.ts";
import { type Reception, readLog, reception, violations } from "./history.ts";
import { type ProcessOptions, type ServerProcess, startProcess } from "./processes.ts";
import { createReceiver, type Receiver } from "./receiver.ts";
import { until } from "./until.ts";

const MASTER_KEY = randomBytes(32);
const LEASE_AND_TEN_SECONDS = 40;
const TAKEOVER_GIVE_UP_MS = 90_000;
const DEADLINE_SECONDS = 15;
const STOP_MARGIN_SECONDS = 3;
const IDLE_MS = 60_000;
const REST_MS = 15_000; // a server that has just begun is not idle: it looks at everything once
const WRITERS = 3;
const WAITING_MAX = 500;

let engine: TestEngine;
let receiver: Receiver;
let clinicId: number;
let running: ServerProcess[];

beforeAll(async () => {
  engine = await createTestEngine({ masterKey: createSecretKey(MASTER_KEY) });
});
afterAll(() => engine.close());
beforeEach(async () => {
  running = [];
  receiver = await createReceiver();
  clinicId = await engine.createClinic();
});
afterEach(async () => {
  await receiver.close(); // whoever still waits for an answer has one
  await Promise.all(running.map((server) => server.stop()));
});

async function start(role: ProcessOptions["role"], databaseUrl = engine.database.url): Promise<ServerProcess> {
  const server = await startProcess({ role, databaseUrl, masterKey: MASTER_KEY.toString("base64") });
  running.push(server);
  return server;
}

const rows = async <Row extends object>(text: string, values: unknown[] = []) =>
  (await engine.owner.query<Row>(text, values)).rows;

const unfinished = async () =>
  (await rows<{ n: number }>("select count(*)::int as n from deliveries where clinic_id = $1", [clinicId]))[0]?.n;

interface Feeding {
  /** the API, which moves with each restart */
  readonly origin: () => string;
  readonly consults: readonly number[];
  /** the receivers are far behind */
  readonly isAhead: (changes: number) => boolean;
  readonly isOver: () => boolean;
  /** a request had no answer, or one that says to come again */
  readonly onMiss: () => void;
}

/**
 * A program that posts events of invented consults, one after another, until it is told to stop: each with its key, again and
 * again until it is accepted, as docs/feed.md asks of programs.
 */
async function feed({ consults, isAhead, isOver, onMiss, ...api }: Feeding): Promise<number> {
  const { key } = await inClinic(engine.app, clinicId, (tx) =>
    createApiKey(tx, { clinicId, actor: "test", name: "Relay", scopes: ["feed"] }),
  );
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const sample = sampleFacts("consult.updated");
  for (let changes = 0; ; changes++) {
    await until("the receivers have caught up", () => isOver() || !isAhead(changes), 120_000);
    if (isOver()) return changes;
    const id = consults[changes % consults.length] as number;
    const facts = { ...sample, consult: { ...sample.consult, id } };
    const body = JSON.stringify({ key: `${consults[0]}-${changes}`, facts });
    const isAccepted = async () => {
      const answer = await fetch(`${api.origin()}/v1/events`, { method: "POST", headers, body }).catch(() => null);
      if (answer?.ok) return true;
      if (answer !== null && ![429, 503].includes(answer.status))
        throw new Error(`the event was answered ${answer.status}: ${await answer.text()}`);
      onMiss();
      return false;
    };
    await until("the event is accepted", isAccepted, 120_000);
  }
}

describe("a rolling restart under load", () => {
  test("loses nothing, doubles nothing, leaves no gap and keeps the order", async () => {
    const receptions: Reception[] = [];
    const webhooks = new Map<string, string>();
    for (let n = 0; n < 6; n++) {
      const path = `${receiver.url}/${n}`;
      const { id } = await engine.createWebhook(clinicId, { url: path, patient: "id", concurrency: 4 });
      webhooks.set(new URL(path).pathname, String(id));
    }
    receiver.answer = (got, response) => {
      receptions.push(reception(webhooks.get(got.path) ?? "", got, 200));
      setTimeout(() => response.writeHead(200).end("ok"), Math.random() * 400);
    };
    const proxy = await WireProxy.listen(Number(new URL(engine.database.url).port));
    onTestFinished(() => proxy.close());
    const startApi = () => start("api", proxy.urlFor(engine.database.url));
    let api = await startApi();
    const missing = new Set<number>();
    let workers: ServerProcess[] = await Promise.all([start("worker"), start("worker")]);
    let isOver = false;
    const feeding = Array.from({ length: WRITERS }, (_, writer) =>
      feed({
        origin: () => api.origin,
        onMiss: () => void missing.add(writer),
        consults: Array.from({ length: 10 }, (_, n) => 1_000 * (writer + 1) + n),
        isAhead: (changes) => changes * WRITERS * webhooks.size - receptions.length > WAITING_MAX,
        isOver: () => isOver,
      }),
    );
    await until("both workers deliver", () => receptions.length > 50);
    /** kill -9 when events are committed and their answers on the way: their programs cannot know. */
    const killApi = () =>
      proxy.set({ statement: /^ ?commit/i, after: /^emit /, moment: "after", spring: () => api.signal("SIGKILL") });
    const restarts = [
      { stop: () => api.signal("SIGTERM"), ending: { code: 0, signal: null } },
      { stop: killApi, ending: { code: null, signal: "SIGKILL" } },
    ];
    for (const { stop, ending } of restarts) {
      stop();
      expect(await api.ended).toEqual(ending);
      missing.clear();
      await until("every writer has had no answer", () => missing.size === WRITERS);
      api = await startApi();
      for (const worker of workers) {
        const before = receptions.length;
        expect(await worker.stop()).toEqual({ code: 0, signal: null });
        expect(await rows("select from nodes where name like '% ' || $1::text", [worker.pid])).toEqual([]);
        const next = await start("worker");
        workers = [...workers.filter((one) => one !== worker), next];
        await until("deliveries go on", () => receptions.length > before + 50);
      }
    }
    isOver = true;
    const changes = (await Promise.all(feeding)).reduce((sum, n) => sum + n, 0);
    await until("all is delivered", async () => (await unfinished()) === 0, 120_000);

    const log = await readLog(engine, clinicId);
    expect(await violations({ ...log, receptions })).toEqual([]);
    expect(log.events.length).toBe(changes);
    expect(log.committed.length).toBe(changes * webhooks.size);
    expect(receptions).toHaveLength(log.committed.length);
    expect(log.attempts.filter(({ isInDoubt }) => isInDoubt)).toEqual([]);
    expect(receptions.filter(({ attempt }) => attempt !== 1)).toEqual([]);
  });
});

describe("a worker that is asked to stop", () => {
  test("while a receiver hangs is not ready at once, takes nothing more, and ends well at the deadline", async () => {
    await engine.createWebhook(clinicId, { url: receiver.url, concurrency: 1 });
    receiver.answer = () => {}; // never
    const worker = await start("worker");
    await engine.emit(clinicId, "consult:1");
    await until("it is on its way", () => receiver.received.length === 1);
    await engine.emit(clinicId, "consult:2");
    worker.signal("SIGTERM");
    await until("it says that it is not ready", async () => (await fetch(`${worker.origin}/readyz`)).status === 503);
    await until("it says that it takes nothing more", async () => {
      const [node] = await rows<{ takes: boolean }>("select takes from nodes where name like '% ' || $1::text", [
        worker.pid,
      ]);
      return node?.takes === false;
    });
    expect(await worker.ended).toEqual({ code: 0, signal: null });
    expect(receiver.received).toHaveLength(1);
    const attempts = await rows(
      `select outcome, late, duration_ms <= $2 * 1000 as "inTime", now() - started_at <= $3 * interval '1 second' as "endedSoon"
       from attempts where clinic_id = $1`,
      [clinicId, DEADLINE_SECONDS + 1, DEADLINE_SECONDS + STOP_MARGIN_SECONDS],
    );
    expect(attempts).toEqual([{ outcome: "timed_out", late: false, inTime: true, endedSoon: true }]);
    expect(await rows("select from runs where clinic_id = $1 and owner is not null", [clinicId])).toEqual([]);
    expect(await rows("select from nodes")).toEqual([]);
  });
});

describe("a worker that is killed", () => {
  test("loses its webhooks to another within the lease and 10 s, by the database's clock", async () => {
    await engine.createWebhook(clinicId, { url: receiver.url });
    const answered: string[] = [];
    receiver.answer = (got) => void answered.push(String(got.headers["webhook-attempt"])); // the first is never answered
    const workers = await Promise.all([start("worker"), start("worker")]);
    await engine.emit(clinicId, "consult:1");
    await until("it is on its way", () => receiver.received.length === 1);
    const [holder] = await rows<{ name: string }>(
      "select name from nodes join runs on runs.owner = nodes.id where clinic_id = $1",
      [clinicId],
    );
    const one = workers.find(({ pid }) => holder?.name.endsWith(` ${pid}`));
    if (one === undefined) throw new Error("nobody holds it");
    // The lease is longest where the node has just said that it lives.
    const lastBeat = async () =>
      (
        await rows<{ t: Temporal.Instant }>(
          "select max(alive_until) as t from nodes where name like '% ' || $1::text",
          [one.pid],
        )
      )[0]?.t;
    const before = await lastBeat();
    await until("it has just beaten", async () => String(await lastBeat()) !== String(before));
    one.signal("SIGKILL");
    await one.ended;
    const [killed] = await rows<{ at: Temporal.Instant }>("select now() as at");
    receiver.answer = (_got, response) => response.writeHead(200).end("ok");
    await until("it is sent again", () => receiver.received.length === 2, TAKEOVER_GIVE_UP_MS);
    await until("and settled", async () => (await unfinished()) === 0);
    const [again] = await rows<{ seconds: number }>(
      "select extract(epoch from started_at - $2::timestamptz)::float8 as seconds from attempts where clinic_id = $1 and attempt = 2",
      [clinicId, killed?.at],
    );
    process.stderr.write(`taken over ${again?.seconds.toFixed(2)} s after the kill\n`);
    expect(again?.seconds).toBeLessThan(LEASE_AND_TEN_SECONDS);
    expect(
      await rows("select attempt, outcome from attempts where clinic_id = $1 order by attempt", [clinicId]),
    ).toEqual([
      { attempt: 1, outcome: "unknown" },
      { attempt: 2, outcome: "answered" },
    ]);
  });
});

describe("an idle server", () => {
  test("asks its database at most five times a second", async () => {
    for (const table of ["deliveries", "bells"]) await rows(`delete from ${table}`); // what the others have left to be retried
    await start("all");
    const transactions = async () => {
      const [row] = await rows<{ n: number }>(
        "select xact_commit + xact_rollback as n from pg_stat_database where datname = current_database()",
      );
      return row?.n ?? 0;
    };
    const passed = (fromMs: number, ms: number) =>
      until(`${ms / 1_000} s have passed`, () => performance.now() - fromMs >= ms, 2 * ms);
    await passed(performance.now(), REST_MS);
    const [before, beganMs] = [await transactions(), performance.now()];
    await passed(beganMs, IDLE_MS);
    const [after, endedMs] = [await transactions(), performance.now()];
    const perSecond = ((after - before) * 1000) / (endedMs - beganMs);
    process.stderr.write(`${perSecond.toFixed(2)} transactions a second\n`);
    expect(perSecond).toBeLessThanOrEqual(5);
  });
});
