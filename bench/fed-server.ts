/**
 * Commit to received, through the whole product: real server processes take events over HTTP at fixed moments, commit them,
 * and deliver them; other webhooks may have their own share beside. An event's commit is timed by PostgreSQL itself
 * (`track_commit_timestamp`), which looks at its clock just before it makes the transaction durable: waiting for the disk counts.
 */

import { sampleFacts } from "@hookwell/sdk";
import pg from "pg";
import { Pool } from "undici";
import { createApiKey } from "../server/src/accounts/api-keys.ts";
import { createKysely, inClinic } from "../server/src/db/pool.ts";
import { type BenchServer, createMigrated } from "./database.ts";
import { type NodeProcess, startNode } from "./node-process.ts";
import { allArrived, awaitArrivals, type Load, openLoop, type Percentiles, percentiles, waitsOf } from "./open-loop.ts";
import { type BenchReceiver, machineMs } from "./receiver.ts";
import { resetStatements } from "./statements.ts";
import { rounded } from "./statistics.ts";
import { type BenchClinic, type ConsultEvent, Workload } from "./workload.ts";

/** What has to be on in the server for all of this. */
export const COMMIT_TIMES = { track_commit_timestamp: "on" } as const;
const BESIDE: readonly ConsultEvent[] = ["participant.added"];
/** So many that nobody waits for one: the events come when they come. */
const CONNECTIONS = 512;
const CLOCK_LOOKS = 50;

export interface FedOptions {
  server: BenchServer;
  receiver: BenchReceiver;
  masterKey: string;
  name: string;
  /** The processes; the first of them takes the events. */
  roles: readonly ("all" | "api" | "worker")[];
  /** These share the load. Each has one webhook for each of the events. */
  clinics: number;
  events: readonly ConsultEvent[];
  warmUp: Load;
  load: Load;
  /** Webhooks that get events of their own as long as the load lasts. Each clinic has one webhook for each of the addresses. */
  beside?: { clinics: number; urls: readonly string[]; eventsPerSecond: number };
  cpuProf?: string | undefined;
  /** called when all has arrived and the database is still there */
  onArrived?: (() => Promise<void>) | undefined;
}

export interface FedFigures {
  commit_to_received_ms: Percentiles;
  /** from the moment at which the request to take the event was sent */
  sent_to_received_ms: Percentiles;
  /** What had not arrived a minute after the last event: it counts with the time for which it was waited. */
  missing: number;
  /** Events committed a second: less than the load where taking the events could not keep up, and then the figures say little. */
  committed_per_second: number;
}

/** Feeds a server of its own and measures. Throws when an event was refused. */
export async function measureFed(options: FedOptions): Promise<FedFigures> {
  const { server, receiver, masterKey, name, roles, cpuProf } = options;
  const databaseUrl = await createMigrated(server, name);
  const nodes: NodeProcess[] = [];
  try {
    const { clinics, beside } = await prepare(databaseUrl, options);
    for (const role of roles) {
      const ofNode = { databaseUrl, role, masterKey, folder: server.folder, name: `${name}_${role}`, cpuProf };
      nodes.push(await startNode(ofNode));
    }
    const feeder = new Feeder(`http://127.0.0.1:${nodes[0]?.port}`);
    await receiver.reset({ record: true });
    try {
      const warm = await feeder.feed({ clinics, events: options.events }, options.warmUp);
      await allArrived(receiver, warm);
      await resetStatements(server);
      const other =
        options.beside &&
        feeder.feed(
          { clinics: beside, events: BESIDE },
          { ...options.load, perSecond: options.beside.eventsPerSecond },
        );
      const sent = await feeder.feed({ clinics, events: options.events }, options.load);
      await other;
      await awaitArrivals(receiver, sent);
      await options.onArrived?.();
      const committed = await commitTimes(databaseUrl, sent);
      const { ms, missing } = waitsOf(receiver, committed);
      return {
        commit_to_received_ms: percentiles(ms),
        sent_to_received_ms: percentiles(waitsOf(receiver, sent).ms),
        missing,
        committed_per_second: rateOf([...committed.values()]),
      };
    } finally {
      await feeder.close();
    }
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
    await server.drop(name);
  }
}

function rateOf(moments: readonly number[]): number {
  return rounded((moments.length - 1) / ((Math.max(...moments) - Math.min(...moments)) / 1_000));
}

interface FedClinic {
  id: number;
  key: string;
}

async function prepare(databaseUrl: string, { masterKey, receiver, clinics, events, beside }: FedOptions) {
  const workload = new Workload(databaseUrl, masterKey);
  try {
    const listening = events.map((event) => ({ event, url: receiver.url }));
    const own = await workload.createClinics({ clinics, webhooks: listening });
    const webhooks = (beside?.urls ?? []).flatMap((url) => BESIDE.map((event) => ({ event, url })));
    const others = await workload.createClinics({ clinics: beside?.clinics ?? 0, webhooks });
    const withKeys = (some: BenchClinic[]) => Promise.all(some.map((clinic) => withKey(workload, clinic)));
    return { clinics: await withKeys(own), beside: await withKeys(others) };
  } finally {
    await workload.close();
  }
}

async function withKey({ pools }: Workload, { id }: BenchClinic): Promise<FedClinic> {
  const given = { clinicId: id, actor: "bench", name: "Bench", scopes: ["feed"] as const };
  const { key } = await inClinic(createKysely(pools.app), id, (tx) => createApiKey(tx, given));
  return { id, key };
}

interface Fed {
  clinics: readonly FedClinic[];
  events: readonly ConsultEvent[];
}

class Feeder {
  readonly #pool: Pool;
  #last = 0;

  constructor(url: string) {
    this.#pool = new Pool(url, { connections: CONNECTIONS });
  }

  /** Posts events for the clinics in turn, each clinic's of all kinds in turn, at fixed moments. When each was sent (machineMs), by its subject. */
  async feed({ clinics, events }: Fed, load: Load): Promise<Map<string, number>> {
    const sent = new Map<string, number>();
    await openLoop(load, async (n) => {
      const clinic = clinics[n % clinics.length];
      const event = events[Math.floor(n / clinics.length) % events.length];
      if (clinic === undefined || event === undefined) throw new Error("there is no clinic to feed");
      this.#last += 1;
      const consult = 1_000_000 + this.#last;
      sent.set(`consult:${consult}`, machineMs());
      await this.#post(clinic, event, consult);
    });
    return sent;
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async #post({ key }: FedClinic, event: ConsultEvent, consult: number): Promise<void> {
    const facts = { ...sampleFacts("participant.added"), event };
    facts.consult.id = consult;
    const answer = await this.#pool.request({
      ...{ path: "/v1/events", method: "POST" },
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ key: `bench-${consult}`, facts }),
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 202) throw new Error(`the feed answered ${answer.statusCode}: ${text}`);
  }
}

/** When the events about these subjects were committed, as machineMs. */
async function commitTimes(databaseUrl: string, subjects: ReadonlyMap<string, number>): Promise<Map<string, number>> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const offset = await clockOffset(client);
    const { rows } = await client.query<{ subject: string; at: number }>(
      "select subject, extract(epoch from pg_xact_commit_timestamp(xmin))::float8 * 1000 as at from events",
    );
    const committed = new Map(
      rows.filter(({ subject }) => subjects.has(subject)).map((r) => [r.subject, r.at - offset]),
    );
    if (committed.size !== subjects.size) throw new Error(`${committed.size} of ${subjects.size} events were stored`);
    return committed;
  } finally {
    await client.end();
  }
}

/** The database's clock minus machineMs(): both are this machine's. Of many looks the one that took the least time is the best. */
async function clockOffset(client: pg.Client): Promise<number> {
  let best = { took: Number.POSITIVE_INFINITY, offset: 0 };
  for (let look = 0; look < CLOCK_LOOKS; look += 1) {
    const before = machineMs();
    const { rows } = await client.query<{ at: number }>(
      "select extract(epoch from clock_timestamp())::float8 * 1000 as at",
    );
    const took = machineMs() - before;
    if (took < best.took) best = { took, offset: (rows[0]?.at ?? Number.NaN) - (before + took / 2) };
  }
  return best.offset;
}
