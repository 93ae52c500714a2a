/** What the whole server costs while there is nothing to do: one clinic with a webhook, nobody comes. */
import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { type BenchServer, createMigrated, startBenchServer } from "./database.ts";
import { startNode } from "./node-process.ts";
import { medians, type PartFigures, type SuiteOptions, spreads } from "./part.ts";
import { cpuSeconds } from "./process-figures.ts";
import { startReceiver } from "./receiver.ts";
import { Workload } from "./workload.ts";

const NAME = "idle";
/** Until what a start brings with it is over. */
const SETTLE_MS = 15_000;
const WINDOW_MS = 60_000;

interface Reading {
  atMs: number;
  /** statements, those that begin and end transactions included, as pg_stat_statements counts them */
  queries: number;
  /** transactions; autovacuum's, too */
  transactions: number;
  cpuSeconds: number | null;
}

export async function idle(options: SuiteOptions): Promise<PartFigures> {
  const server = await startBenchServer({ statements: true });
  const receiver = await startReceiver();
  const masterKey = randomBytes(32).toString("base64");
  const windows: { from: Reading; to: Reading }[] = [];
  try {
    const databaseUrl = await createMigrated(server, NAME);
    const workload = new Workload(databaseUrl, masterKey);
    await workload.createClinics({ clinics: 1, webhooks: [{ event: "participant.added", url: receiver.url }] });
    await workload.close();
    const ofNode = { databaseUrl, masterKey, folder: server.folder, name: NAME, cpuProf: options.cpuProf };
    const node = await startNode({ ...ofNode, role: "all" });
    try {
      await pause(SETTLE_MS);
      for (let run = 1; run <= options.runs; run += 1) {
        const from = await read(server, node.pid);
        await pause(WINDOW_MS);
        const to = await read(server, node.pid);
        await node.assertAlive();
        windows.push({ from, to });
        options.print(`Run ${run}: ${JSON.stringify(rates({ from, to }))}`);
      }
    } finally {
      await node.stop();
    }
  } finally {
    receiver.close();
    await server.stop();
  }
  return figures(windows.map(rates));
}

/** Read over a connection to another database of the same server, so that it does not count itself. */
async function read(server: BenchServer, pid: number): Promise<Reading> {
  const [row] = await server.query<{ queries: number; transactions: number }>(
    `select (select coalesce(sum(s.calls), 0)::int from pg_stat_statements s where s.dbid = d.oid) as queries,
       (select (xact_commit + xact_rollback)::int from pg_stat_database b where b.datid = d.oid) as transactions
     from pg_database d where d.datname = $1`,
    [NAME],
  );
  if (row === undefined) throw new Error("the server's database is gone");
  return { atMs: performance.now(), ...row, cpuSeconds: cpuSeconds(pid) };
}

interface Rates {
  queries: number;
  transactions: number;
  /** of a core */
  cpu: number | null;
}

function rates({ from, to }: { from: Reading; to: Reading }): Rates {
  const seconds = (to.atMs - from.atMs) / 1_000;
  const isKnown = from.cpuSeconds !== null && to.cpuSeconds !== null;
  return {
    queries: (to.queries - from.queries) / seconds,
    transactions: (to.transactions - from.transactions) / seconds,
    cpu: isKnown ? ((to.cpuSeconds ?? 0) - (from.cpuSeconds ?? 0)) / seconds : null,
  };
}

function figures(windows: readonly Rates[]): PartFigures {
  const queries = { idle_queries_per_s: windows.map((one) => one.queries) };
  const cpus = windows.map((one) => one.cpu).filter((cpu) => cpu !== null);
  const cpu: Record<string, number[]> = cpus.length === windows.length ? { idle_cpu: cpus } : {};
  const others = { idle_transactions_per_s: windows.map((one) => one.transactions) };
  return {
    keys: { ...medians(queries), idle_cpu: null, ...medians(cpu) },
    supporting: medians(others),
    details: spreads({ ...queries, ...cpu, ...others }),
  };
}
