/**
 * Crashes under load: a durable PostgreSQL, nodes as they are served, a client that emits, receivers that are never touched,
 * and faults at random moments. At the end the judge reads the logs and the rows.
 *
 * Owns the course of a run. Promises: a seed repeats the choice of faults and the load, though not the moments to the
 * millisecond; everything it started is ended. Judges nothing itself (reckoning.ts).
 */
import { createSecretKey, randomBytes } from "node:crypto";
import { EventEmitter } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { migrate } from "../../server/src/db/migrate.ts";
import { createPools, type Pools } from "../../server/src/db/pool.ts";
import { silentLog } from "../../server/src/log.ts";
import { createTestEngine, type TestEngine } from "../../server/test/engine.ts";
import { generator } from "./chance.ts";
import { end, forkProgram, message } from "./children.ts";
import type { ClientOrders, ClientWebhook } from "./client-process.ts";
import { Cluster } from "./cluster.ts";
import { type Fault, type Scene, type Struck, strike } from "./faults.ts";
import { Fleet } from "./fleet.ts";
import type { Manner } from "./receiver-process.ts";
import { type CrashFigures, reckon } from "./reckoning.ts";

export interface CrashOptions {
  /** in the order in which they strike */
  faults: readonly Fault[];
  seed: number;
  /** between two faults; chosen at random up to this */
  pauseMs: number;
  nodes: number;
  perSecond: number;
  /** leaves the logs in the folder that is said, to be looked at */
  keep: boolean;
  /** ends the run, and everything it has started */
  signal: AbortSignal;
  say: (line: string) => void;
}

const CLINICS = 3;
const MANNERS: readonly Manner[] = ["plain", "slow", "flaky", "plain"];
const SUBJECTS = 60;
const CONCURRENCY = 32;
const FIRST_FAULT_AFTER_MS = 3_000;
/** A fault after which a webhook is silent for longer is counted as that long. */
const AGAIN_LIMIT_MS = 120_000;
const DRAIN_LIMIT_MS = 240_000;
/** `runs.next_at` and rows come due by themselves; nothing is moved. */
const LOOK_EVERY_MS = 500;

/** Plays one run. Throws when something could not be started. */
export async function crash(options: CrashOptions): Promise<CrashFigures> {
  await using parts = new AsyncDisposableStack();
  // Apart from the database, whose disk may be full.
  const logs = await mkdtemp(join(tmpdir(), "hookwell-crash-logs-"));
  parts.defer(() =>
    options.keep ? options.say(`the logs are in ${logs}`) : rm(logs, { recursive: true, force: true }),
  );
  const cluster = await Cluster.start({ smallDisk: options.faults.includes("disk") });
  parts.defer(() => cluster.stop());
  const { url } = await cluster.address();
  const pools = createPools({ url, log: silentLog() });
  parts.defer(() => pools.close());
  await migrate({ owner: pools.owner, log: silentLog() });
  const masterKey = randomBytes(32);
  const database = { url, pools, drop: async () => {} };
  const engine = await createTestEngine({ database, masterKey: createSecretKey(masterKey) });
  parts.defer(() => engine.egress.close());
  const stage = await setStage(parts, {
    url,
    logs,
    options,
    cluster,
    engine,
    masterKey: masterKey.toString("base64"),
    pools,
  });
  const struck = await strikeAll(options, stage);
  options.say("the client stops; what waits is delivered …");
  await end(stage.client, "SIGTERM");
  await drained(pools, options.signal);
  await stage.fleet.stop();
  return await reckon({ ...stage, struck, pools, disk: cluster.disk });
}

type Stage = Awaited<ReturnType<typeof setStage>>;

interface Making {
  /** the folder of the logs */
  logs: string;
  /** the operator's address of the database */
  url: string;
  options: CrashOptions;
  cluster: Cluster;
  engine: TestEngine;
  masterKey: string;
  pools: Pools;
}

async function setStage(
  parts: AsyncDisposableStack,
  { url, logs, options, cluster, engine, masterKey, pools }: Making,
) {
  const files = { client: join(logs, "client.ndjson"), receivers: join(logs, "receivers.ndjson") };
  const receivers = forkProgram("receiver-process.ts", files.receivers, String(options.seed));
  parts.defer(() => end(receivers, "SIGTERM"));
  const { port } = await message<{ port?: number }>(receivers, (one) => one.port !== undefined);
  const { webhooks, keys } = await makeWebhooks(engine, port ?? 0);
  const nodes = await cluster.address();
  const settings = {
    databaseUrl: nodes.url,
    masterKey,
    dataFolder: logs,
    logFile: join(logs, "nodes.log"),
  };
  const fleet = new Fleet(settings);
  parts.defer(() => fleet.stop());
  await fleet.start(options.nodes);
  const clientAddress = await cluster.address();
  const { perSecond, seed } = options;
  const orders: ClientOrders = {
    databaseUrl: clientAddress.url,
    masterKey,
    logFile: files.client,
    perSecond,
    subjects: SUBJECTS,
    seed,
    webhooks,
  };
  const client = forkProgram("client-process.ts", JSON.stringify(orders));
  parts.defer(() => end(client, "SIGKILL"));
  await message<{ ready?: true }>(client, ({ ready }) => ready === true);
  const ask: Scene["ask"] = async <Row>(text: string, values: unknown[] = []) => {
    try {
      return ((await pools.owner.query(text, values)).rows[0] as Row | undefined) ?? null;
    } catch (error) {
      if (isAway(error)) return null;
      throw error;
    }
  };
  const scene: Scene = {
    cluster,
    fleet,
    nodesProxy: nodes.proxy,
    databaseUrl: url,
    claims: new Set(),
    random: generator(options.seed),
    ask,
  };
  const arrivals = new EventEmitter();
  receivers.on("message", (one: { arrived?: { key: string; atMs: number }[] }) => {
    for (const { key, atMs } of one.arrived ?? []) arrivals.emit("arrived", key, atMs);
  });
  // Whether a webhook that is turned off and on is silent says nothing.
  const steady = new Set(
    [...keys]
      .filter(([, id]) => !webhooks.some((one) => one.toggles && one.settings.webhook === id))
      .map(([key]) => key),
  );
  return { client, fleet, files, keys, scene, arrivals, steady };
}

/** No connection, or one that was cut or refused: these have no SQLSTATE, or one of class 08, 53 or 57. */
function isAway(error: unknown): boolean {
  const { code } = error as { code?: string };
  return code === undefined || !/^[0-9A-Z]{5}$/.test(code) || /^(08|53|57)/.test(code);
}

/** Clinics, each with a webhook of every manner; the last of each is turned off and on by its manager. */
async function makeWebhooks(engine: TestEngine, port: number) {
  const webhooks: ClientWebhook[] = [];
  const keys = new Map<string, string>();
  for (let n = 0; n < CLINICS; n++) {
    const clinicId = await engine.createClinic();
    for (const [place, manner] of MANNERS.entries()) {
      const key = `c${n}w${place}`;
      const url = `http://127.0.0.1:${port}/hook/${key}/${manner}`;
      const chosen = { practitioner: "id", patient: "all", onePerRequest: place === 0 } as const;
      const { id, secret } = await engine.createWebhook(clinicId, { url, concurrency: CONCURRENCY, ...chosen });
      keys.set(key, String(id));
      const settings = {
        ...{ clinic: String(clinicId), webhook: String(id), ...chosen, enabled: true, deleted: false, address: url },
        events: ["participant.added", "consult.updated", "participant.removed"],
      };
      webhooks.push({ settings, secrets: [secret], toggles: place === MANNERS.length - 1 });
    }
  }
  return { webhooks, keys };
}

/** Every second fault strikes while the one before it may still be felt; then it is waited until each webhook delivers again. */
async function strikeAll(options: CrashOptions, { scene, arrivals, steady }: Stage): Promise<Struck[]> {
  const { faults, pauseMs, signal, say } = options;
  await pause(FIRST_FAULT_AFTER_MS, undefined, { signal });
  const struck: Struck[] = [];
  for (const [n, fault] of faults.entries()) {
    const { disk } = scene.cluster;
    if (fault === "disk" && disk.problem !== null) {
      say(`${n + 1}/${faults.length} disk: skipped, ${disk.problem}`);
      continue;
    }
    const one = await strike(fault, scene);
    // Every second one strikes while the one before is still felt, but for the first of each kind, which is timed.
    const isFirst = struck.every((earlier) => earlier.fault !== fault);
    struck.push(one);
    const isWaitedFor = isFirst || n % 2 === 1 || n === faults.length - 1;
    const again = isWaitedFor ? await deliversAgain(one.atMs, { arrivals, steady, signal }) : [];
    one.againMs = again.map(({ ms }) => ms);
    const last = again.toSorted((a, b) => b.ms - a.ms)[0];
    const said = last ? `, again after ${Math.round(last.ms)} ms (${last.key} was the last)` : "";
    say(`${n + 1}/${faults.length} ${fault}: ${one.inFlight.length} in flight${said}`);
    await pause(pauseMs * (0.2 + 0.8 * scene.random()), undefined, { signal });
  }
  return struck;
}

/** How long after the fault each webhook's receiver heard something again. */
async function deliversAgain(
  atMs: number,
  { arrivals, steady, signal }: Pick<Stage, "arrivals" | "steady"> & { signal: AbortSignal },
): Promise<{ key: string; ms: number }[]> {
  const again = new Map<string, number>();
  const onArrived = (key: string, arrivedMs: number) => {
    if (arrivedMs > atMs && steady.has(key) && !again.has(key)) again.set(key, arrivedMs - atMs);
  };
  arrivals.on("arrived", onArrived);
  const giveUpAtMs = performance.now() + AGAIN_LIMIT_MS;
  while (again.size < steady.size && performance.now() < giveUpAtMs) await pause(LOOK_EVERY_MS, undefined, { signal });
  arrivals.off("arrived", onArrived);
  return [...steady].map((key) => ({ key, ms: again.get(key) ?? AGAIN_LIMIT_MS }));
}

/** Waits for what is due; what is left after DRAIN_LIMIT_MS is for the judge to name. */
async function drained(pools: Pools, signal: AbortSignal): Promise<void> {
  const giveUpAtMs = performance.now() + DRAIN_LIMIT_MS;
  for (let left = 1; left > 0 && performance.now() < giveUpAtMs; await pause(LOOK_EVERY_MS, undefined, { signal })) {
    const { rows } = await pools.owner.query<{ n: number }>(
      `select count(*)::int as n from deliveries d join webhooks w on w.clinic_id = d.clinic_id and w.id = d.webhook_id
       where w.enabled`,
    );
    left = rows[0]?.n ?? 0;
  }
}
