/**
 * A clinic with webhooks and a running dispatcher on a database of its own, for the engine's tests. Everything is real:
 * PostgreSQL, sockets, sealing. Time passes by moving the rows, see passTime().
 */
import { createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import { type BlockChoice, type EventName, type Facts, generateSecret, sampleFacts } from "@hookwell/sdk";
import type pg from "pg";
import { nowMs } from "../../proof/crash/chance.ts";
import type { MovedTimes } from "../../proof/history/history.ts";
import { type Clock, systemClock } from "../src/clock.ts";
import { createKysely, inClinic } from "../src/db/pool.ts";
import type { Database, Db } from "../src/db/schema.ts";
import { Dispatcher, type DispatcherOptions } from "../src/delivery/dispatcher.ts";
import { DeliveryStore } from "../src/delivery/store.ts";
import { createEgress, type Egress } from "../src/egress/client.ts";
import { silentLog } from "../src/log.ts";
import { type EmittedEvent, emit } from "../src/outbox/emit.ts";
import { type DeliveryKey, deliveryId } from "../src/outbox/identifiers.ts";
import { Seal } from "../src/seal/seal.ts";
import { watchedLog } from "./canary/watch.ts";
import type { TestDatabase } from "./database.ts";

export interface WebhookSettings {
  url: string;
  events?: EventName[];
  practitioner?: BlockChoice;
  patient?: BlockChoice;
  onePerRequest?: boolean;
  enabled?: boolean;
  concurrency?: number;
  pacePerSecond?: number;
  headers?: { name: string; value: string }[];
  /** as if the address had answered 2xx before: no slow start */
  proved?: boolean;
}

export interface TestWebhook {
  clinicId: number;
  id: number;
  secret: string;
}

export interface TestEngine {
  database: TestDatabase;
  app: Db;
  dispatch: Db;
  owner: pg.Pool;
  seal: Seal;
  clock: Clock;
  egress: Egress;
  store: DeliveryStore;
  createClinic(): Promise<number>;
  createWebhook(clinicId: number, settings: WebhookSettings): Promise<TestWebhook>;
  /** Emits sample facts (or the given ones) about a subject, and nudges every dispatcher. */
  emit(clinicId: number, subject: string, facts?: Facts | EventName): Promise<EmittedEvent>;
  startDispatcher(options?: Partial<DispatcherOptions>): Promise<Dispatcher>;
  stopDispatchers(): Promise<void>;
  /** What these two have brought forward so far, for the judge: what is not among it had to wait for its time. */
  readonly moved: readonly MovedTimes[];
  /** Moves everything that is due or leased into the past, as if so much time had gone by. */
  passTime(interval: string): Promise<void>;
  /** Retries that wait are due now; unlike passTime it lets every node live. */
  bringDue(): Promise<void>;
  /** A node was last heard of longer ago than its lease: what it holds is given back. */
  loseNode(id: number): Promise<void>;
  /** As after a commit, with the clinic and the webhooks where they are known. */
  nudge: Dispatcher["nudge"];
  close(): Promise<void>;
}

export interface TestEngineOptions {
  deadlineMs?: number;
  /** one of its own by default, which only exists within a run of Vitest */
  database?: TestDatabase;
  /** a random one by default */
  masterKey?: KeyObject;
}

export async function createTestEngine(options: TestEngineOptions = {}): Promise<TestEngine> {
  const database = options.database ?? (await (await import("./database.ts")).createTestDatabase());
  const app = createKysely<Database>(database.pools.app);
  const dispatch = createKysely<Database>(database.pools.dispatch);
  const owner = database.pools.owner;
  const seal = new Seal(options.masterKey ?? createSecretKey(randomBytes(32)));
  const clock = systemClock;
  const rules = { allowLoopback: true, inboxUrlPrefix: null };
  const egress = createEgress({
    rules,
    monotonicMs: clock.monotonicMs,
    ...(options.deadlineMs && { deadlineMs: options.deadlineMs }),
  });
  const store = new DeliveryStore(database.pools.engine, database.pools.pulse);
  // Benchmarks bring a database of their own, and measure no log.
  const log = options.database === undefined ? watchedLog() : silentLog();
  const dispatchers: Dispatcher[] = [];
  const moved: MovedTimes[] = [];
  const nudge: TestEngine["nudge"] = (clinicId, webhookIds) => {
    for (const dispatcher of dispatchers) dispatcher.nudge(clinicId, webhookIds);
  };
  const stopDispatchers = async () => {
    for (const dispatcher of dispatchers.splice(0)) await dispatcher.stop();
  };
  return {
    ...{ database, app, dispatch, owner, seal, clock, egress, store, moved },
    createClinic: () => createClinic(owner, seal),
    createWebhook: (clinicId, settings) => createWebhook({ app, owner, seal }, clinicId, settings),
    async emit(clinicId, subject, facts = "participant.added") {
      const emitted = await inClinic(app, clinicId, (tx) =>
        emit({ seal, clock }, tx, { clinicId, subject, facts: typeof facts === "string" ? sampleFacts(facts) : facts }),
      );
      nudge(); // as a word from another process: it names nobody
      return emitted;
    },
    async startDispatcher(changes = {}) {
      const dispatcher = new Dispatcher({
        store,
        db: dispatch,
        seal,
        egress,
        clock,
        log,
        name: "test",
        ...changes,
      });
      dispatchers.push(dispatcher);
      await dispatcher.start();
      return dispatcher;
    },
    async passTime(interval) {
      const fromMs = nowMs();
      // At once: an engine that saw a webhook due, and not yet failing for so long, would draw its conclusions from that.
      await owner.query(
        `with waiting as (update deliveries set due_at = due_at - $1::interval where due_at < 'infinity'),
           living as (update nodes set alive_until = alive_until - $1::interval)
         update runs set next_at = case when next_at < 'infinity' then next_at - $1::interval else next_at end,
           failing_since = failing_since - $1::interval, parked_at = parked_at - $1::interval,
           warned_at = warned_at - $1::interval, recovered_at = recovered_at - $1::interval`,
        [interval],
      );
      moved.push({ fromMs, untilMs: nowMs(), of: null });
      nudge();
    },
    async bringDue() {
      const fromMs = nowMs();
      const { rows: deliveries } = await owner.query<DeliveryKey>(
        `update deliveries set due_at = now() where due_at > now() and due_at < 'infinity'
         returning event_id as "eventId", webhook_id as "webhookId", part`,
      );
      const { rows: runs } = await owner.query<{ id: string }>(
        "update runs set next_at = now() where next_at > now() and next_at < 'infinity' returning webhook_id::text as id",
      );
      const of = [...deliveries.map(deliveryId), ...runs.map(({ id }) => id)];
      if (of.length > 0) moved.push({ fromMs, untilMs: nowMs(), of });
      nudge();
    },
    async loseNode(id) {
      await owner.query("update nodes set alive_until = now() - interval '1 minute' where id = $1", [id]);
      await store.reap();
      nudge();
    },
    nudge,
    stopDispatchers,
    async close() {
      await stopDispatchers();
      await egress.close();
      await database.drop();
    },
  };
}

async function createClinic(owner: pg.Pool, seal: Seal): Promise<number> {
  const { data_key, data_key_id } = seal.newDataKey();
  const { rows } = await owner.query<{ id: number }>(
    "insert into clinics (name, time_zone, data_key, data_key_id, inbox_token) values ('Test Clinic', 'America/Toronto', $1, $2, $3) returning id",
    [data_key, data_key_id, randomBytes(24).toString("hex")],
  );
  return (rows[0] as { id: number }).id;
}

async function createWebhook(
  { app, owner, seal }: { app: Db; owner: pg.Pool; seal: Seal },
  clinicId: number,
  settings: WebhookSettings,
): Promise<TestWebhook> {
  const secret = generateSecret();
  const clinicSeal = await inClinic(app, clinicId, (tx) => seal.forClinic(tx, clinicId));
  const { rows } = await owner.query<{ id: number }>("select nextval(pg_get_serial_sequence('webhooks', 'id')) as id");
  const { id } = rows[0] as { id: number };
  const enabled = settings.enabled ?? true;
  await owner.query(
    `insert into webhooks (clinic_id, id, name, url, url_host, events, include_practitioner, include_patient,
       one_participant_per_request, headers, pace_per_second, concurrency, enabled, off_reason,
       recipient_organisation, recipient_country, recipient_purpose, recipient_agreement_on_file)
     overriding system value values ($1, $2, 'test', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'Example Org', 'CA', 'testing', true)`,
    [
      clinicId,
      id,
      clinicSeal.seal({ column: "webhooks.url", row: id }, settings.url),
      new URL(settings.url).host,
      settings.events ?? ["participant.added", "consult.updated", "participant.removed"],
      settings.practitioner ?? "off",
      settings.patient ?? "off",
      settings.onePerRequest ?? false,
      settings.headers
        ? clinicSeal.seal({ column: "webhooks.headers", row: id }, JSON.stringify(settings.headers))
        : null,
      settings.pacePerSecond ?? 1000,
      settings.concurrency ?? 8,
      enabled,
      enabled ? null : "you",
    ],
  );
  const secretId = await owner.query<{ id: number }>(
    "select nextval(pg_get_serial_sequence('webhook_secrets', 'id')) as id",
  );
  const row = (secretId.rows[0] as { id: number }).id;
  const sealedSecret = clinicSeal.seal({ column: "webhook_secrets.secret", row: `${id}/${row}` }, secret);
  await owner.query(
    "insert into webhook_secrets (clinic_id, webhook_id, id, secret) overriding system value values ($1, $2, $3, $4)",
    [clinicId, id, row, sealedSecret],
  );
  const answeredAt = settings.proved === false ? "null" : "now()";
  await owner.query(`insert into runs (clinic_id, webhook_id, answered_at) values ($1, $2, ${answeredAt})`, [
    clinicId,
    id,
  ]);
  return { clinicId, id, secret };
}
