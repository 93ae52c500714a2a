/**
 * `npm run bench -- --soak <minutes> [--rate <events a second>]`: a steady load on a PostgreSQL of its own with durable
 * commits and its usual autovacuum, loopback receiver, one node. Every 10 s it looks at the hot tables and at the node, and
 * in the end it says, for each, how much it grew in an hour after the warm-up. What has to hold: nothing grows but events,
 * attempts and finished deliveries, which are dropped by the day.
 */
import { type ChildProcess, fork } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmbedded } from "../server/src/db/embedded.ts";
import { migrate } from "../server/src/db/migrate.ts";
import { createPools, type Pools } from "../server/src/db/pool.ts";
import { silentLog } from "../server/src/log.ts";
import { growthOf, percentile, type Sample, warmUpOf } from "./growth.ts";
import { machineMs } from "./receiver.ts";

const SAMPLE_EVERY_MS = 10_000;
const MINUTES_MAX = 24 * 60;
const RATE_MAX = 5_000;
const RATE_DEFAULT = 200;
const HOT_TABLES = ["deliveries", "bells", "runs", "subjects", "nodes", "notices"];
/** A delivery that has not arrived by then is said to be missing. */
const STRAGGLERS_MS = 30_000;

interface SoakOptions {
  readonly minutes: number;
  readonly rate: number;
}

/** Reads `--soak <minutes> [--rate N]`; a sentence for whoever typed it where that is wrong. */
export function readSoakOptions(args: readonly string[]): SoakOptions | string {
  const numberAfter = (flag: string, otherwise: number) => {
    const at = args.indexOf(flag);
    return at < 0 ? otherwise : Number(args[at + 1]);
  };
  const minutes = numberAfter("--soak", Number.NaN);
  const rate = numberAfter("--rate", RATE_DEFAULT);
  if (!(minutes > 0 && minutes <= MINUTES_MAX)) return `--soak takes minutes, more than 0 and at most ${MINUTES_MAX}`;
  if (!(rate >= 1 && rate <= RATE_MAX)) return `--rate takes events a second, from 1 to ${RATE_MAX}`;
  return { minutes, rate };
}

/** Runs the soak of the command line and prints its figures, the last line as JSON. */
export async function soak(args: readonly string[], print: (line: string) => void): Promise<void> {
  const options = readSoakOptions(args);
  if (typeof options === "string") {
    process.stderr.write(`${options}\n`);
    process.exitCode = 2;
    return;
  }
  print(
    `${options.rate} events a second for ${options.minutes} min, one node, embedded PostgreSQL with durable commits …`,
  );
  const dataFolder = await mkdtemp(join(tmpdir(), "hookwell-soak-"));
  await chmod(dataFolder, 0o711); // root runs PostgreSQL as another user, which must be able to pass through
  const log = silentLog();
  const server = await startEmbedded({ dataFolder, log });
  const pools = createPools({ url: server.url, log });
  const children: ChildProcess[] = [];
  try {
    await migrate({ owner: pools.owner, log });
    const watch = new Watch(pools.owner);
    const receiver = fork(join(import.meta.dirname, "soak-receiver.ts"));
    children.push(receiver);
    const receiverUrl = await watch.receiver(receiver);
    const node = fork(join(import.meta.dirname, "soak-node.ts"), [server.url, receiverUrl, String(options.rate)]);
    children.push(node);
    watch.node(node);
    print(JSON.stringify({ node: process.version, ...options, ...(await watch.run(node, { ...options, print })) }));
  } finally {
    for (const child of children) child.kill();
    await pools.close();
    await server.stop();
    await rm(dataFolder, { recursive: true, force: true });
  }
}

interface RunOptions extends SoakOptions {
  readonly print: (line: string) => void;
}

/** What is seen of the node, its receiver and the database. Holds what has not arrived yet, and samples; nothing else. */
class Watch {
  readonly #owner: Pools["owner"];
  readonly #series = new Map<string, Sample[]>();
  readonly #committed = new Map<string, number>();
  readonly #early = new Map<string, number>();
  #latencies: number[] = [];
  readonly #windows: number[] = [];
  #arrived = 0;
  #late = 0;
  #failed = 0;
  #rss = 0;

  constructor(owner: Pools["owner"]) {
    this.#owner = owner;
  }

  /** Listens to the receiver and returns its address. */
  receiver(child: ChildProcess): Promise<string> {
    return new Promise((fulfil, reject) => {
      child.once("error", reject);
      child.on("message", ({ port, arrived = [] }: { port?: number; arrived?: [string, number][] }) => {
        if (port !== undefined) fulfil(`http://127.0.0.1:${port}/hook`);
        for (const [id, at] of arrived) this.#match(id, { arrivedAt: at });
      });
    });
  }

  node(child: ChildProcess): void {
    child.on("message", (report: { committed: [string, number][]; late: number; failed: number; rss: number }) => {
      this.#rss = report.rss;
      this.#late = report.late;
      this.#failed = report.failed;
      for (const [id, at] of report.committed) this.#match(id, { committedAt: at });
    });
  }

  /** The receiver can have a delivery before the node hears of its own commit, and the two reports come as they come. */
  #match(id: string, seen: { committedAt?: number; arrivedAt?: number }): void {
    const committedAt = seen.committedAt ?? this.#committed.get(id);
    const arrivedAt = seen.arrivedAt ?? this.#early.get(id);
    if (committedAt === undefined) this.#early.set(id, arrivedAt as number);
    else if (arrivedAt === undefined) this.#committed.set(id, committedAt);
    else {
      this.#committed.delete(id);
      this.#early.delete(id);
      this.#arrived += 1;
      this.#latencies.push(Math.max(0, arrivedAt - committedAt));
    }
  }

  async run(node: ChildProcess, { minutes, print }: RunOptions): Promise<object> {
    const ended = new Promise<number | null>((fulfil) => node.once("exit", fulfil));
    let isRunning = true;
    void ended.then(() => {
      isRunning = false;
    });
    const begun = machineMs();
    for (let n = 1; n * SAMPLE_EVERY_MS <= minutes * 60_000; n++) {
      const due = begun + n * SAMPLE_EVERY_MS;
      while (isRunning && machineMs() < due) await new Promise((fulfil) => setTimeout(fulfil, 50));
      if (!isRunning) throw new Error("the node ended before its time");
      print(await this.#sample((machineMs() - begun) / 1_000));
    }
    node.send("stop");
    const code = await ended;
    if (code !== 0) throw new Error(`the node ended with ${code}`);
    const giveUpAt = machineMs() + STRAGGLERS_MS;
    while (this.#committed.size > 0 && machineMs() < giveUpAt) await new Promise((fulfil) => setTimeout(fulfil, 50));
    return this.#figures(minutes * 60);
  }

  async #sample(at: number): Promise<string> {
    const note = (name: string, value: number) => {
      this.#series.set(name, [...(this.#series.get(name) ?? []), { at, value }]);
    };
    const { rows } = await this.#owner.query<{ name: string; heap: number; indexes: number; dead: number }>(
      `select relname as name, pg_table_size(relid)::float8 as heap, pg_indexes_size(relid)::float8 as indexes,
         n_dead_tup::float8 as dead from pg_stat_user_tables where relname = any($1) order by 1`,
      [HOT_TABLES],
    );
    for (const { name, heap, indexes, dead } of rows) {
      note(`${name}_table_bytes`, heap);
      note(`${name}_index_bytes`, indexes);
      note(`${name}_dead_rows`, dead);
    }
    note("rss_bytes", this.#rss);
    const perSecond = this.#arrived / (SAMPLE_EVERY_MS / 1_000);
    const p99 = percentile(this.#latencies, 0.99);
    note("deliveries_per_second", perSecond);
    note("p99_ms", p99);
    this.#windows.push(...this.#latencies);
    this.#latencies = [];
    this.#arrived = 0;
    const sizes = rows.map(({ name, heap, indexes, dead }) => `${name} ${kib(heap)}+${kib(indexes)} KiB, ${dead} dead`);
    return `${Math.round(at)} s: ${perSecond}/s, p99 ${p99} ms, node ${kib(this.#rss) >> 10} MiB; ${sizes.join("; ")}`;
  }

  #figures(seconds: number): object {
    const warmUp = warmUpOf(seconds);
    const growth = Object.fromEntries([...this.#series].map(([name, samples]) => [name, growthOf(samples, warmUp)]));
    const rss = (this.#series.get("rss_bytes") ?? []).map(({ value }) => value);
    return {
      soak_deliveries: this.#windows.length + this.#latencies.length,
      soak_missing: this.#committed.size,
      soak_late_emits: this.#late,
      soak_failed_emits: this.#failed,
      soak_p50_ms: percentile(this.#windows, 0.5),
      soak_p99_ms: percentile(this.#windows, 0.99),
      soak_rss_mb_max: Math.round(Math.max(...rss) / 1e6),
      soak_warm_up_s: Math.round(warmUp),
      soak_growth: growth,
    };
  }
}

function kib(bytes: number): number {
  return Math.round(bytes / 1_024);
}
