/**
 * The database that comes with Hookwell: a real PostgreSQL from npm, in the data folder.
 *
 * Owns its whole life: making it, starting it, holding its folder against a second Hookwell, taking over one that was
 * orphaned by a kill -9, stopping it. Promises that whatever was committed is there at the next start, whichever process
 * was killed and when. Makes no tables (see migrate.ts) and is not used where `DATABASE_URL` is set.
 *
 * The story of a start: make the folder if it is missing; join the server that already runs on it, or start one; connect;
 * take the folder (see embedded/holder.ts). Two starts at once both get as far as connecting, to the same server, and one
 * of them gets the folder. Whoever holds the folder stops the server at the end, no matter who started it.
 */
import { realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type pg from "pg";
import { type Log, logEvent } from "../log.ts";
import { chooseLauncher } from "./embedded/account.ts";
import { EmbeddedError, findBinaries } from "./embedded/binaries.ts";
import { ensureCluster, makeDataFolder, removeHalfMade, SUPERUSER } from "./embedded/cluster.ts";
import { dial, takeFolder } from "./embedded/holder.ts";
import {
  findPostmaster,
  type Postmaster,
  type PostmasterOptions,
  spawnPostmaster,
  stopPostmaster,
} from "./embedded/postmaster.ts";

export { EmbeddedError } from "./embedded/binaries.ts";

const DATABASE = "hookwell";
/** Recovery after a crash may have to replay much before the first connection is let in. */
const START_LIMIT_MS = 300_000;
const REJOIN_LIMIT_MS = 60_000;
const POLL_MS = 25;
const RETRY_MS = 250;

/** Handed over on the command line at each start, so that they follow the program and not the age of the folder. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  shared_buffers: "128MB",
  max_connections: "100",
  // One transaction may touch every day's partition of several tables.
  max_locks_per_transaction: "256",
  timezone: "UTC",
  log_timezone: "UTC",
  // Statements and error details quote patients' data. Errors reach the program anyway; the file keeps the server's own fate.
  log_min_messages: "log",
  log_min_error_statement: "panic",
  log_error_verbosity: "terse",
};

export interface EmbeddedOptions {
  /** Holds `postgres/`, `postgres-password` and `postgres.log` afterwards. */
  readonly dataFolder: string;
  readonly log: Log;
  /** PostgreSQL settings that win over the usual ones; only tests turn `fsync` off. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Called once if the server goes away while it is in use and does not come back. The process should end then. */
  readonly onLost?: (error: EmbeddedError) => void;
}

export interface EmbeddedDatabase {
  readonly url: string;
  /** True when the server was left running by a process that was killed. */
  readonly adopted: boolean;
  /** Disconnects everybody, stops the server and returns once its process is gone. May be called twice. */
  stop(): Promise<void>;
}

interface Reached {
  readonly postmaster: Postmaster;
  /** Holds the folder. */
  readonly client: pg.Client;
}

type UrlOf = (port: number, database: string) => string;

/** Starts or takes over the database of a data folder. Throws `EmbeddedError` with a sentence for the operator. */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const startedMs = performance.now();
  const { dataFolder, server, urlOf, created } = await prepare(options);
  const reached = await reach(server, urlOf);
  const { postmaster, client } = reached;
  try {
    await createDatabase(client);
  } catch (error) {
    await stopPostmaster(postmaster);
    throw error;
  }
  // Rubbish that cannot be removed is no reason not to start; the next start tries again.
  await removeHalfMade(dataFolder).catch((err: unknown) =>
    logEvent(options.log, "database.rubbish_left", { err }, "warn"),
  );
  const adopted = postmaster.child === undefined;
  logEvent(options.log, adopted ? "database.adopted" : "database.started", {
    pid: postmaster.pid,
    port: postmaster.port,
    state: created ? "new" : "existing",
    duration_ms: Math.round(performance.now() - startedMs),
  });
  const stop = keepHolding({ ...options, dataFolder, reached, url: urlOf(postmaster.port, "postgres") });
  return { url: urlOf(postmaster.port, DATABASE), adopted, stop };
}

async function prepare(options: EmbeddedOptions) {
  const binaries = await findBinaries();
  await makeDataFolder(options.dataFolder);
  // The real path, so that a process started through a link is still recognised.
  const dataFolder = await realpath(options.dataFolder);
  const clusterFolder = join(dataFolder, "postgres");
  const launcher = await chooseLauncher({ binaries, dataFolder, clusterFolder });
  const settings = { ...SETTINGS, ...options.settings };
  const durable = settings.fsync !== "off";
  const { password, created } = await ensureCluster({ binaries, launcher, dataFolder, clusterFolder, durable });
  const server: PostmasterOptions = {
    binaries,
    launcher,
    clusterFolder,
    logFile: join(dataFolder, "postgres.log"),
    settings,
  };
  const urlOf: UrlOf = (port, database) => `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/${database}`;
  return { dataFolder, server, urlOf, created };
}

/** What a server says that ended because of something that passes: a rival's start, a port taken, a predecessor's last work. */
const PASSING_ENDING = /postmaster\.pid" already exists|shared memory block .* still in use|could not create any TCP/;

async function reach(server: PostmasterOptions, urlOf: UrlOf): Promise<Reached> {
  for (const end = performance.now() + START_LIMIT_MS; performance.now() < end; await pause(POLL_MS)) {
    const postmaster = (await findPostmaster(server.clusterFolder)) ?? (await spawnPostmaster(server));
    const client = await holdOn(postmaster, {
      url: urlOf(postmaster.port, "postgres"),
      folder: server.clusterFolder,
      end,
    });
    if (client !== undefined) return { postmaster, client };
    if (postmaster.child === undefined) continue;
    const said = await postmaster.said();
    if (!PASSING_ENDING.test(said)) throw cannotStart(server, said);
    await pause(RETRY_MS);
  }
  throw new EmbeddedError(
    `PostgreSQL in ${server.clusterFolder} was not ready after ${START_LIMIT_MS / 1_000} seconds. See ${server.logFile}, then start again.`,
  );
}

/** Connects and takes the folder. Undefined when the server has ended meanwhile, or is not ready in time. */
async function holdOn(
  postmaster: Postmaster,
  target: { url: string; folder: string; end: number },
): Promise<pg.Client | undefined> {
  while (performance.now() < target.end) {
    const dialled = await dial(target.url);
    if (dialled === "not yet") {
      if (!(await postmaster.alive())) return undefined;
      await pause(POLL_MS);
      continue;
    }
    if ("refused" in dialled) {
      if (postmaster.child !== undefined) await stopPostmaster(postmaster);
      throw cannotLogIn(target.folder, dialled.refused);
    }
    const taken = await takeFolder(dialled.client);
    if (taken === "held") return dialled.client;
    await dialled.client.end();
    if (taken !== "server ended") throw heldByOther(target.folder, taken.heldBy);
  }
  return undefined;
}

async function createDatabase(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query("select from pg_database where datname = $1", [DATABASE]);
  if (rowCount === 0) await client.query(`create database ${DATABASE}`);
}

interface HoldOptions extends EmbeddedOptions {
  readonly reached: Reached;
  readonly url: string;
}

/** Watches the connection that holds the folder, for as long as the database is in use. Returns the way to stop it all. */
function keepHolding(options: HoldOptions): () => Promise<void> {
  const { log, reached, url, dataFolder } = options;
  const { postmaster } = reached;
  let client = reached.client;
  let stopping: Promise<void> | undefined;

  const lost = (message: string) => {
    const error = new EmbeddedError(`${message} See ${join(dataFolder, "postgres.log")}, then start Hookwell again.`);
    logEvent(log, "database.lost", { pid: postmaster.pid, err: error }, "fatal");
    options.onLost?.(error);
  };
  // When one of its processes crashes, PostgreSQL ends all connections, recovers, and goes on with the same postmaster.
  const rejoin = async () => {
    logEvent(log, "database.connection_lost", { pid: postmaster.pid }, "warn");
    for (const end = performance.now() + REJOIN_LIMIT_MS; performance.now() < end; await pause(POLL_MS)) {
      const dialled = await dial(url);
      if (stopping !== undefined) return;
      if (typeof dialled === "object" && "client" in dialled && (await takeFolder(dialled.client)) === "held") {
        client = dialled.client;
        watch();
        return;
      }
      if (!(await postmaster.alive())) break;
    }
    lost(`The embedded database in ${dataFolder} has gone away while it was in use.`);
  };
  const watch = () => {
    client.once("end", () => {
      if (stopping === undefined)
        rejoin().catch((error: unknown) => lost(`The embedded database failed: ${String(error)}.`));
    });
  };
  watch();

  const stop = async () => {
    // Still held while the server goes down, so that nobody can take over a server that is about to end.
    const manner = await stopPostmaster(postmaster);
    await client.end();
    logEvent(log, "database.stopped", { pid: postmaster.pid, outcome: manner });
  };
  return () => {
    stopping ??= stop();
    return stopping;
  };
}

function heldByOther(clusterFolder: string, pid: number): EmbeddedError {
  const who = pid > 0 ? `another Hookwell (process ${pid})` : "another program";
  return new EmbeddedError(
    `The data folder ${dirname(clusterFolder)} is in use by ${who}. Stop that one first, or set HOOKWELL_DATA_FOLDER to another folder.`,
  );
}

function cannotLogIn(clusterFolder: string, cause: Error): EmbeddedError {
  return new EmbeddedError(
    `The PostgreSQL in ${clusterFolder} does not let Hookwell in (${cause.message}). If another program runs it, stop that ` +
      `program; otherwise restore ${clusterFolder}-password from your backup, or set HOOKWELL_DATA_FOLDER to another folder.`,
    { cause },
  );
}

function cannotStart(server: PostmasterOptions, said: string): EmbeddedError {
  return new EmbeddedError(
    `PostgreSQL in ${server.clusterFolder} could not start. The end of ${server.logFile}:\n${said}\n` +
      "Check that the disk has room and that the folder was made by this version, or set HOOKWELL_DATA_FOLDER to another folder.",
  );
}
