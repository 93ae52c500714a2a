/**
 * The benchmarks' PostgreSQL: the embedded one from npm, with durable commits, in a temporary folder. Every contestant gets
 * a database of its own on it, hence the same settings.
 */
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { startEmbedded } from "../server/src/db/embedded.ts";
import { migrate } from "../server/src/db/migrate.ts";
import { createPools } from "../server/src/db/pool.ts";
import { silentLog } from "../server/src/log.ts";

/** Several nodes with their pools, the benchmark's own, and the contestants'. */
const CONNECTIONS_MAX = "200";
/** What "durable" means; refused otherwise, so that no figure is made without it. */
const DURABLE = { fsync: "on", synchronous_commit: "on", full_page_writes: "on" } as const;

export interface BenchServer {
  /** Of the temporary folder, which is removed by `stop`. */
  readonly folder: string;
  readonly postmasterPid: number;
  /** A new database: empty, or a copy of another one that nobody is connected to. Returns its URL. */
  create(name: string, template?: string): Promise<string>;
  drop(name: string): Promise<void>;
  /** One statement on the server's own database, outside what is measured. */
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  stop(): Promise<void>;
}

export interface BenchServerOptions {
  /** Loads pg_stat_statements, which costs a few per cent. */
  readonly statements?: boolean;
  readonly settings?: Readonly<Record<string, string>>;
}

/** Starts the server. Throws when its commits are not durable. */
export async function startBenchServer(options: BenchServerOptions = {}): Promise<BenchServer> {
  const folder = await mkdtemp(join(tmpdir(), "hookwell-bench-"));
  await chmod(folder, 0o711); // root runs PostgreSQL as another user, which must be able to pass through
  const settings = {
    max_connections: CONNECTIONS_MAX,
    ...(options.statements && {
      shared_preload_libraries: "pg_stat_statements",
      "pg_stat_statements.track_planning": "on",
    }),
    ...options.settings,
  };
  const embedded = await startEmbedded({ dataFolder: folder, log: silentLog(), settings });
  const client = new pg.Client({ connectionString: embedded.url });
  await client.connect();
  const pid = await readFile(join(folder, "postgres", "postmaster.pid"), "utf8");
  const server: BenchServer = {
    folder,
    postmasterPid: Number(pid.split("\n")[0]),
    async create(name, template = "template0") {
      await client.query(`create database ${name} template ${template} strategy file_copy`);
      const url = new URL(embedded.url);
      url.pathname = `/${name}`;
      return url.href;
    },
    drop: async (name) => void (await client.query(`drop database if exists ${name} with (force)`)),
    query: async (text, values) => (await client.query(text, values)).rows,
    async stop() {
      await client.end();
      await embedded.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  if (options.statements) await client.query("create extension pg_stat_statements");
  await refuseUnlessDurable(server);
  return server;
}

async function refuseUnlessDurable(server: BenchServer): Promise<void> {
  for (const [name, wanted] of Object.entries(DURABLE)) {
    const [row] = await server.query<{ value: string }>("select current_setting($1) as value", [name]);
    if (row?.value === wanted) continue;
    await server.stop();
    throw new Error(`${name} is ${row?.value}: figures are made with durable commits only`);
  }
}

/** A database with all of Hookwell's tables. */
export async function createMigrated(server: BenchServer, name: string): Promise<string> {
  const url = await server.create(name);
  const log = silentLog();
  const pools = createPools({ url, log });
  try {
    await migrate({ owner: pools.owner, log });
  } finally {
    await pools.close();
  }
  return url;
}
