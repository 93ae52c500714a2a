/**
 * How many events the feed takes a second, over real HTTP, beside plain single-row inserts into the same PostgreSQL by the
 * same pool and driver at the same concurrency, every commit durable. The machine is the same for both, and they take turns, so the
 * ratios tell more than the figures.
 */
import { fork } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sampleFacts } from "@hookwell/sdk";
import { Pool } from "undici";
import { startEmbedded } from "../server/src/db/embedded.ts";
import { createPools } from "../server/src/db/pool.ts";
import { silentLog } from "../server/src/log.ts";
import type { FeedServer } from "./feed-server.ts";
import { machineMs } from "./receiver.ts";

const CONCURRENCY = 64;
const BATCH_EVENTS = 100;
const SECONDS = 5;
const ROUNDS = 3;

export interface FeedFigures {
  /** Events accepted, or rows inserted, a second: the median of the rounds. */
  plain_inserts_per_second: number;
  feed_singles_per_second: number;
  feed_batches_of_100_events_per_second: number;
  /** Against plain inserts of the same round. */
  singles_ratio: number;
  batches_ratio: number;
}

/** Runs the measurement on a PostgreSQL of its own with durable commits. */
export async function measureFeed(): Promise<FeedFigures> {
  const dataFolder = await mkdtemp(join(tmpdir(), "hookwell-bench-"));
  await chmod(dataFolder, 0o711); // root runs PostgreSQL as another user, which must be able to pass through
  const database = await startEmbedded({ dataFolder, log: silentLog(), settings: { max_connections: "200" } });
  const child = fork(join(import.meta.dirname, "feed-server.ts"), [database.url, dataFolder]);
  try {
    const server = await new Promise<FeedServer>((fulfil, reject) => {
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
      child.once("message", (message) => fulfil(message as FeedServer));
    });
    return await measure(database.url, server);
  } finally {
    const ended = child.exitCode === null && new Promise((fulfil) => child.once("exit", fulfil));
    if (child.connected) child.disconnect();
    await ended;
    await database.stop();
    await rm(dataFolder, { recursive: true, force: true });
  }
}

async function measure(databaseUrl: string, server: FeedServer): Promise<FeedFigures> {
  const plain = await plainInserts(databaseUrl);
  const feed = feedPoster(server);
  const rounds: Record<"plain" | "singles" | "batches", number>[] = [];
  // One round goes before those that count: connections, prepared statements, compiled code.
  for (let round = 0; round <= ROUNDS; round += 1) {
    const seconds = round === 0 ? 3 : SECONDS;
    rounds.push({
      plain: await perSecond({ atOnce: CONCURRENCY, seconds, each: 1 }, plain.insert),
      singles: await perSecond({ atOnce: CONCURRENCY, seconds, each: 1 }, () => feed.post(1)),
      batches: await perSecond({ atOnce: CONCURRENCY, seconds, each: BATCH_EVENTS }, () => feed.post(BATCH_EVENTS)),
    });
  }
  await Promise.all([plain.close(), feed.close()]);
  const counted = rounds.slice(1);
  const ratio = (name: "singles" | "batches") => Number(median(counted.map((one) => one[name] / one.plain)).toFixed(2));
  const figure = (name: keyof (typeof counted)[number]) => Math.round(median(counted.map((one) => one[name])));
  return {
    plain_inserts_per_second: figure("plain"),
    feed_singles_per_second: figure("singles"),
    feed_batches_of_100_events_per_second: figure("batches"),
    singles_ratio: ratio("singles"),
    batches_ratio: ratio("batches"),
  };
}

interface Load {
  readonly atOnce: number;
  readonly seconds: number;
  /** What one piece of work counts. */
  readonly each: number;
}

/** So many pieces of work at once, each followed by the next, for so long. */
async function perSecond({ atOnce, seconds, each }: Load, work: () => Promise<void>): Promise<number> {
  const begun = machineMs();
  const until = begun + seconds * 1_000;
  let done = 0;
  const worker = async () => {
    while (machineMs() < until) {
      await work();
      done += each;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return done / ((machineMs() - begun) / 1_000);
}

async function plainInserts(databaseUrl: string) {
  const pools = createPools({ url: databaseUrl, log: silentLog(), appConnectionsMax: CONCURRENCY });
  await pools.owner.query(
    `create table plain_inserts (id bigint generated always as identity primary key, body text not null);
     grant insert on plain_inserts to hookwell_app`,
  );
  const body = eventText(0);
  return {
    async insert() {
      await pools.app.query("insert into plain_inserts (body) values ($1)", [body]);
    },
    close: () => pools.close(),
  };
}

function feedPoster({ url, key }: FeedServer) {
  const pool = new Pool(url, { connections: CONCURRENCY });
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  let last = 0;
  return {
    async post(count: number) {
      const events = Array.from({ length: count }, () => eventText(++last));
      const body = count === 1 ? events.join() : `{"events":[${events.join()}]}`;
      const answer = await pool.request({ path: "/v1/events", method: "POST", headers, body });
      await answer.body.dump();
      if (answer.statusCode !== 202) throw new Error(`the feed answered ${answer.statusCode}`);
    },
    close: () => pool.close(),
  };
}

const [BEFORE_KEY = "", BEFORE_CONSULT = "", BEFORE_PATIENT = "", END = ""] = template();

/** Each about a consult of its own, for one of a thousand patients. Cut from a template: it is not what is measured. */
function eventText(n: number): string {
  return `${BEFORE_KEY}bench-${n}${BEFORE_CONSULT}${1_000_000 + n}${BEFORE_PATIENT}${500_000 + (n % 1_000)}${END}`;
}

function template(): string[] {
  const facts = sampleFacts("participant.added");
  facts.consult.id = 123_123_001;
  facts.participants = [{ id: 123_123_002, name: "Sam Sample", email: "sam.sample@example.test" }];
  return JSON.stringify({ key: "123123000", facts }).split(/12312300\d/);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
