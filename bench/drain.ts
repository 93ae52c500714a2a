/**
 * How fast one node drains what waits: claimed, unsealed, rendered, signed, sent, answered, settled, every step durable.
 *
 * The node is a real worker process that is warm (it has sent other webhooks' deliveries before, though none of these). What
 * it shall drain is in the database already, through the outbox, and out of its sight: this process holds the rows of the
 * webhooks' runs locked, which the node passes by. Letting go of the lock starts the measurement; it is timed, by the
 * database's clock, from the start of the first attempt until nothing of it is unfinished.
 */
import { mkdir } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { type BenchServer, createMigrated } from "./database.ts";
import { type NodeProcess, startNode } from "./node-process.ts";
import { cpuSeconds, cpuSecondsOfFamily, difference, peakRssMb } from "./process-figures.ts";
import type { BenchReceiver } from "./receiver.ts";
import { resetStatements } from "./statements.ts";
import { type BenchClinic, type BenchEvent, Workload } from "./workload.ts";

/** Each of a clinic's webhooks listens to an event of its own, so that every delivery has its own event with its own seal. */
const EVENTS = ["participant.added", "participant.removed"] as const;
const WARM_UP_CLINICS = 10;
const WARM_UP_EACH = 500;
const POLL_MS = 5;
const DRAIN_LIMIT_MS = 600_000;

export interface Shape {
  webhooks: number;
  /** deliveries that wait for each */
  each: number;
}

export interface Backlog extends Shape {
  /** the database to copy */
  template: string;
  warmUp: BenchClinic[];
  /** the ids of the clinics that are measured, first and last */
  clinics: { first: number; last: number };
}

export interface DrainContext {
  server: BenchServer;
  receiver: BenchReceiver;
  masterKey: string;
  cpuProf?: string | undefined;
  /** called when all is settled and the database is still there */
  onSettled?: () => Promise<void>;
}

export interface DrainFigures {
  /** deliveries a second, first attempt begun → all settled */
  per_second: number;
  /** from letting go, which the node may hear of only at its next look, to the first attempt */
  first_attempt_after_ms: number;
  rss_mb: number | null;
  /** CPU seconds meanwhile */
  cpu: { node: number | null; postgres: number | null; receiver: number | null };
}

/** Makes a database in which all of it waits; it is copied for each run. `more` adds what else shall be there. */
export async function prepareBacklog(
  { server, receiver, masterKey }: DrainContext,
  { name, webhooks, each, more }: Shape & { name: string; more?: (workload: Workload) => Promise<void> },
): Promise<Backlog> {
  const workload = new Workload(await createMigrated(server, name), masterKey);
  try {
    await workload.pools.owner.query("select make_partitions(current_date, current_date + 1)");
    const listening = EVENTS.map((event) => ({ event, url: receiver.url }));
    const warmUp = await workload.createClinics({ clinics: WARM_UP_CLINICS, webhooks: listening });
    const clinics = await workload.createClinics({ clinics: webhooks / EVENTS.length, webhooks: listening });
    await workload.emit(clinics, () => events(each, "waiting"));
    await more?.(workload);
    await workload.pools.owner.query("vacuum analyze");
    const ids = clinics.map(({ id }) => id);
    const range = { first: Math.min(...ids), last: Math.max(...ids) };
    return { template: name, warmUp, clinics: range, webhooks, each };
  } finally {
    await workload.close();
  }
}

/** So many events for each of a clinic's webhooks, every one about a subject of its own. */
function events(each: number, label: string): BenchEvent[] {
  return EVENTS.flatMap((event, at) =>
    Array.from({ length: each }, (_, n) => ({ event, subject: `consult:${label}-${at}-${n}` })),
  );
}

/** Drains a copy of the backlog once. Throws when anything was not delivered, or more than once. */
export async function measureDrain(context: DrainContext, backlog: Backlog): Promise<DrainFigures> {
  const { server, masterKey, cpuProf } = context;
  const name = `${backlog.template}_run`;
  const databaseUrl = await server.create(name, backlog.template);
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    if (cpuProf !== undefined) await mkdir(cpuProf, { recursive: true });
    const { first, last } = backlog.clinics;
    await client.query("begin");
    await client.query("select from runs where clinic_id between $1 and $2 for no key update", [first, last]);
    const node = await startNode({ databaseUrl, role: "worker", masterKey, folder: server.folder, name, cpuProf });
    try {
      await warmUp({ ...context, databaseUrl, client, node }, backlog);
      return await drain({ ...context, databaseUrl, client, node }, backlog);
    } finally {
      await node.stop();
    }
  } finally {
    await client.end();
    await server.drop(name);
  }
}

interface Running extends DrainContext {
  databaseUrl: string;
  client: pg.Client;
  node: NodeProcess;
}

/** Connections, prepared statements, compiled code: a service has them, and a benchmark of a few seconds would pay for them. */
async function warmUp(running: Running, { warmUp: clinics }: Backlog): Promise<void> {
  const workload = new Workload(running.databaseUrl, running.masterKey);
  try {
    await running.receiver.reset({ record: false });
    await workload.emit(clinics, () => events(WARM_UP_EACH, "warm-up"));
    await received(running, WARM_UP_CLINICS * EVENTS.length * WARM_UP_EACH);
    const ids = clinics.map(({ id }) => id);
    await settled(running, { first: Math.min(...ids), last: Math.max(...ids) });
  } finally {
    await workload.close();
  }
}

async function drain(running: Running, backlog: Backlog): Promise<DrainFigures> {
  const { client, server, receiver, node } = running;
  const total = backlog.webhooks * backlog.each;
  await receiver.reset({ record: false });
  await server.query("checkpoint");
  await resetStatements(server);
  const cpu = () => [cpuSeconds(node.pid), cpuSecondsOfFamily(server.postmasterPid), cpuSeconds(receiver.pid)] as const;
  const cpuBefore = cpu();
  await client.query("commit");
  const { rows } = await client.query<{ at: number }>("select extract(epoch from clock_timestamp())::float8 as at");
  const letGo = rows[0]?.at ?? Number.NaN;
  await received(running, total);
  const ended = await settled(running, backlog.clinics);
  const used = cpu().map((after, at) => difference(after, cpuBefore[at] ?? null));
  await running.onSettled?.();
  const begun = await firstAttempt(running, backlog);
  if ((await receiver.count()) !== total) throw new Error(`${await receiver.count()} arrived instead of ${total}`);
  return {
    per_second: total / (ended - begun),
    first_attempt_after_ms: (begun - letGo) * 1_000,
    rss_mb: peakRssMb(node.pid),
    cpu: { node: used[0] ?? null, postgres: used[1] ?? null, receiver: used[2] ?? null },
  };
}

async function received({ receiver, node }: Running, count: number): Promise<void> {
  for (const giveUpAt = performance.now() + DRAIN_LIMIT_MS; (await receiver.count()) < count; await pause(POLL_MS)) {
    await node.assertAlive();
    if (performance.now() > giveUpAt) throw new Error(`${await receiver.count()} of ${count} arrived in time`);
  }
}

/** Waits until nothing of these clinics is unfinished; the database's time then, in seconds. */
async function settled({ databaseUrl, node }: Running, clinics: Backlog["clinics"]): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    for (const giveUpAt = performance.now() + DRAIN_LIMIT_MS; performance.now() < giveUpAt; await pause(POLL_MS)) {
      const { rows } = await client.query<{ left: boolean; at: number }>(
        `select exists (select from deliveries where clinic_id between $1 and $2) as left,
           extract(epoch from clock_timestamp())::float8 as at`,
        [clinics.first, clinics.last],
      );
      if (rows[0]?.left === false) return rows[0].at;
      await node.assertAlive();
    }
  } finally {
    await client.end();
  }
  throw new Error("not everything was settled in time");
}

/** When the first attempt began, in the database's seconds. Every delivery must have one attempt that was answered with 200. */
async function firstAttempt({ client }: Running, { clinics, webhooks, each }: Backlog): Promise<number> {
  const { rows } = await client.query<{ begun: number; attempts: number; delivered: number }>(
    `select (select extract(epoch from min(started_at))::float8 from attempts where clinic_id between $1 and $2) as begun,
       (select count(*)::int from attempts where clinic_id between $1 and $2 and status = 200 and not late) as attempts,
       (select count(*)::int from finished_deliveries where clinic_id between $1 and $2 and state = 'delivered') as delivered`,
    [clinics.first, clinics.last],
  );
  const found = rows[0];
  const total = webhooks * each;
  if (found?.attempts !== total || found.delivered !== total) {
    throw new Error(`${found?.attempts} attempts and ${found?.delivered} delivered instead of ${total}`);
  }
  return found.begun;
}
