/** What PostgreSQL was busy with, from pg_stat_statements (`--pg-stats`). */
import type { BenchServer } from "./database.ts";

const TOP = 12;
const TEXT_MAX_CHARACTERS = 110;

interface Statement {
  datname: string;
  query: string;
  calls: number;
  rows: number;
  plans: number;
  plan_ms: number;
  exec_ms: number;
  hits: number;
  reads: number;
  wal_mb: number;
}

/** Begins to count anew, where statements are counted at all. */
export async function resetStatements(server: BenchServer): Promise<void> {
  const found = await server.query("select from pg_extension where extname = 'pg_stat_statements'");
  if (found.length > 0) await server.query("select pg_stat_statements_reset()");
}

/** Prints the statements that took most time since the last reset, planning and executing apart. */
export async function printTopStatements(server: BenchServer, print: (line: string) => void): Promise<void> {
  const top = await server.query<Statement>(
    `select d.datname, s.query, s.calls::int, s.rows::int, s.plans::int, s.total_plan_time as plan_ms,
       s.total_exec_time as exec_ms, s.shared_blks_hit::float8 as hits, s.shared_blks_read::float8 as reads,
       s.wal_bytes::float8 / 1e6 as wal_mb
     from pg_stat_statements s join pg_database d on d.oid = s.dbid
     where s.calls > 0 and d.datname <> current_database()
     order by s.total_plan_time + s.total_exec_time desc limit $1`,
    [TOP],
  );
  print("  plan s | exec s |  calls |   rows | ms/call | blocks hit/call | read | WAL MB | statement");
  for (const one of top) print(`  ${line(one)}`);
}

function line(one: Statement): string {
  const figures = [
    (one.plan_ms / 1_000).toFixed(2).padStart(6),
    (one.exec_ms / 1_000).toFixed(2).padStart(6),
    String(one.calls).padStart(6),
    String(one.rows).padStart(6),
    ((one.plan_ms + one.exec_ms) / one.calls).toFixed(2).padStart(7),
    (one.hits / one.calls).toFixed(0).padStart(15),
    String(one.reads).padStart(4),
    one.wal_mb.toFixed(1).padStart(6),
  ];
  const text = one.query.replace(/^(\s*--[^\n]*\n|\s)+/, (head) => head.match(/-- ([A-Z]+)/)?.[0].concat(" ") ?? "");
  return [...figures, text.replace(/\s+/g, " ").slice(0, TEXT_MAX_CHARACTERS)].join(" | ");
}
