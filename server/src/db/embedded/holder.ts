/**
 * Who holds the data folder. PostgreSQL itself allows one server per folder; on that server one advisory lock, taken on a
 * connection that is kept for life, says which Hookwell process may use it. The lock dies with its connection, so a killed
 * process never leaves a claim behind, as a file with a process id would.
 */
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";

/** On the database `postgres` of the embedded server; any fixed number would do. */
const HOLDER_LOCK_KEY = 4_400_002;
const POLL_MS = 25;
/** PostgreSQL notices at once that a killed process' connection is gone, unless a long statement still runs on it. */
const DEAD_HOLDER_LIMIT_MS = 30_000;

/** `heldBy` is the process id of the one who has the folder, 0 when it cannot be told. */
export type Taken = "held" | "server ended" | { readonly heldBy: number };

/** Takes the folder on this connection, for as long as the connection lives. */
export async function takeFolder(client: pg.Client): Promise<Taken> {
  try {
    return await tryToTake(client);
  } catch (error) {
    if (error instanceof Error && isPassing(error)) return "server ended";
    throw error;
  }
}

async function tryToTake(client: pg.Client): Promise<Taken> {
  for (const end = performance.now() + DEAD_HOLDER_LIMIT_MS; ; await pause(POLL_MS)) {
    const { rows } = await client.query<{ taken: boolean }>("select pg_try_advisory_lock($1) as taken", [
      HOLDER_LOCK_KEY,
    ]);
    if (rows[0]?.taken) return "held";
    const heldBy = await holderOf(client);
    // Freed in between, or left by a process that no longer lives: worth another look.
    const mayComeFree = heldBy === undefined || (heldBy > 0 && !isRunning(heldBy));
    if (!mayComeFree || performance.now() > end) return { heldBy: heldBy ?? 0 };
  }
}

/** The name under which a holder can be found again. */
function holderName(): string {
  return `hookwell ${process.pid}`;
}

async function holderOf(client: pg.Client): Promise<number | undefined> {
  const { rows } = await client.query<{ name: string }>(
    `select a.application_name as name from pg_locks l join pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'advisory' and l.granted and l.classid = 0 and l.objid = $1 and l.objsubid = 1`,
    [HOLDER_LOCK_KEY],
  );
  const name = rows[0]?.name;
  return name === undefined ? undefined : Number(/^hookwell (\d+)$/.exec(name)?.[1] ?? 0);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** What a first connection may meet: it opened, or the server is not there yet, or it turns us away for good. */
export type Dialled = { readonly client: pg.Client } | "not yet" | { readonly refused: Error };

/** The server starts or stops (57P03), was just told to stop (57P01), has crashed (57P02), or is full (53300). */
const PASSING_STATES = new Set(["57P03", "57P01", "57P02", "53300"]);
const PASSING_ERRNOS = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT"]);
const DIAL_LIMIT_MS = 10_000;

/** One attempt to connect as the holder. */
export async function dial(url: string): Promise<Dialled> {
  const client = new pg.Client({
    connectionString: url,
    application_name: holderName(),
    connectionTimeoutMillis: DIAL_LIMIT_MS,
    keepAlive: true,
  });
  // Without a listener Node would end the process; what it means is decided by whoever waits for "end".
  client.on("error", () => undefined);
  try {
    await client.connect();
    return { client };
  } catch (error) {
    await client.end().catch(() => undefined);
    if (!(error instanceof Error)) throw error;
    return isPassing(error) ? "not yet" : { refused: error };
  }
}

function isPassing(error: Error): boolean {
  const code = "code" in error ? String(error.code) : "";
  return (
    PASSING_STATES.has(code) ||
    PASSING_ERRNOS.has(code) ||
    /terminated|timeout expired|not queryable/.test(error.message)
  );
}
