/**
 * Connections to PostgreSQL.
 *
 * Owns the pools and the role each runs under, the limits that every connection carries, and how values cross
 * between SQL and TypeScript (Temporal instead of Date, integers that are exact or refused). Promises that a connection of
 * `app` or `dispatch` never runs as the owner of the tables, so that row-level security holds. Contains no statements of
 * any room.
 */
import { Kysely, PostgresDialect, sql, type Transaction } from "kysely";
import pg from "pg";
import { type Log, logEvent } from "../log.ts";
import type { Database } from "./schema.ts";
import { LimitedClient, PlanKeepingClient, TemporalClient, temporalTypes } from "./values.ts";

const APP_CONNECTIONS_MAX = 20;
const DISPATCH_CONNECTIONS_MAX = 8;
const ENGINE_CONNECTIONS_MAX = 4;
const PULSE_CONNECTIONS_MAX = 1;
const AUTH_CONNECTIONS_MAX = 5;
const OWNER_CONNECTIONS_MAX = 2;
export const STATEMENT_TIMEOUT_MS = 15_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 30_000;
const ANSWER_MARGIN_MS = 5_000;
const KEEP_ALIVE_AFTER_MS = 10_000;
const LOCK_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 10_000;
const IDLE_CONNECTION_MS = 30_000;
const OWN_CLIENT_ANSWER_MS = 5_000;

export interface PoolsOptions {
  readonly url: string;
  readonly log: Log;
  readonly appConnectionsMax?: number;
  readonly dispatchConnectionsMax?: number;
}

export interface Pools {
  /** Role `hookwell_app`: one clinic at a time, see `inClinic`. */
  readonly app: pg.Pool;
  /** Role `hookwell_dispatch`: the delivery tables of all clinics. */
  readonly dispatch: pg.Pool;
  /** The same role, for the engine's own statements, which are planned once and then kept for a while (see below). */
  readonly engine: pg.Pool;
  /** The same role, for a node's heartbeat alone: however long other statements take, it waits for none of them. */
  readonly pulse: pg.Pool;
  /** Role `hookwell_auth`, schema `auth`, for better-auth, which wants JavaScript's own Date and not Temporal. */
  readonly auth: pg.Pool;
  /** The URL's own user: migrations and partitions. No statement timeout. */
  readonly owner: pg.Pool;
  /** A connection beside the pools, not dialled yet, of role `hookwell_dispatch`; it closes when an answer takes too long. */
  createClient(name: string): pg.Client;
  /** Waits for borrowed connections to come back, then closes all. */
  close(): Promise<void>;
}

/** Makes the pools; nothing is dialled before the first query. The roles exist once the migrations have run. */
export function createPools(options: PoolsOptions): Pools {
  const { url, log } = options;
  const limits = {
    statement_timeout: STATEMENT_TIMEOUT_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    // The server's own time-outs are of no use when its answer never comes (a half-open connection).
    query_timeout: STATEMENT_TIMEOUT_MS + ANSWER_MARGIN_MS,
  };
  const app = createPool({
    url,
    log,
    name: "app",
    role: "hookwell_app",
    max: options.appConnectionsMax ?? APP_CONNECTIONS_MAX,
    limits,
  });
  const dispatch = createPool({
    url,
    log,
    name: "dispatch",
    role: "hookwell_dispatch",
    // The engine's tables go from empty to a million rows and back: a plan kept from one is ruin for the other. (On an empty
    // table every index costs the same, and one that is no use later may be chosen.)
    settings: "-c plan_cache_mode=force_custom_plan -c jit=off",
    max: options.dispatchConnectionsMax ?? DISPATCH_CONNECTIONS_MAX,
    limits,
  });
  const ofEngine = {
    ...{ url, log, role: "hookwell_dispatch", client: PlanKeepingClient, limits },
    // Planning them took longer than running them where little waits. Their plans are made without a look at the parameters, and
    // again now and then (PlanKeepingClient), as the tables are then. The way is always the same: key by key through indexes. Not
    // by a bitmap, which reads all that follows before it begins: TAKE would do that for every bell it steps to.
    settings:
      "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_bitmapscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off",
  };
  const engine = createPool({ ...ofEngine, name: "engine", max: ENGINE_CONNECTIONS_MAX });
  const pulse = createPool({ ...ofEngine, name: "pulse", max: PULSE_CONNECTIONS_MAX });
  const auth = createPool({
    url,
    log,
    name: "auth",
    role: "hookwell_auth",
    schema: "auth",
    plainDates: true,
    max: AUTH_CONNECTIONS_MAX,
    limits,
  });
  const owner = createPool({ url, log, name: "owner", max: OWNER_CONNECTIONS_MAX, limits: {} });
  return {
    app,
    dispatch,
    engine,
    pulse,
    auth,
    owner,
    createClient: (clientName) =>
      new LimitedClient({
        ...configOf({ url, name: clientName, role: "hookwell_dispatch", limits }),
        query_timeout: OWN_CLIENT_ANSWER_MS,
      }),
    async close() {
      await Promise.all([app.end(), dispatch.end(), engine.end(), pulse.end(), auth.end(), owner.end()]);
    },
  };
}

interface ConnectionOptions {
  readonly url: string;
  /** Shown as the connections' application name, after `hookwell `. */
  readonly name: string;
  /** Database role to run as; without one, the URL's own user. */
  readonly role?: string;
  /** Where unqualified names are looked for; the URL's own search path by default. */
  readonly schema?: string;
  /** Further settings of every connection, as startup options. */
  readonly settings?: string;
  readonly limits: pg.ClientConfig;
}

interface PoolOptions extends ConnectionOptions {
  readonly log: Log;
  readonly max: number;
  readonly client?: typeof LimitedClient;
  /** Leaves values as pg has them, for libraries that do not know Temporal. */
  readonly plainDates?: boolean;
}

function createPool(options: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    ...configOf(options),
    max: options.max,
    idleTimeoutMillis: IDLE_CONNECTION_MS,
    ...(options.plainDates
      ? { Client: LimitedClient }
      : { types: temporalTypes, Client: options.client ?? TemporalClient }),
  });
  // A borrowed connection that breaks between two statements has no listener of the pool's, and Node would end the process.
  // Whoever borrowed it hears of it from the next statement.
  pool.on("connect", (client) => client.on("error", () => {}));
  // An idle connection that breaks is replaced by the pool; without a listener Node would end the process.
  pool.on("error", (err) => {
    // Connections on their way out are of no interest to anybody.
    if (!pool.ending) logEvent(options.log, "database.connection_lost", { pool: options.name, err }, "warn");
  });
  return pool;
}

function configOf(options: ConnectionOptions): pg.ClientConfig {
  return {
    ...options.limits,
    ...addressOf(options),
    application_name: `hookwell ${options.name}`,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
  };
}

/** The role goes into the startup options, so that there is no moment at which a connection runs as anybody else. */
function addressOf({ url, role, schema, settings = "" }: ConnectionOptions): pg.ClientConfig {
  const address = new URL(url);
  // pg lets the URL's options win over ours, so they are taken out of it, and ours come last.
  const options = [address.searchParams.get("options") ?? "", "-c TimeZone=UTC -c DateStyle=ISO", settings];
  address.searchParams.delete("options");
  if (schema !== undefined) options.push(`-c search_path=${schema}`);
  if (role !== undefined) options.push(`-c role=${role}`);
  return { connectionString: address.href, options: options.join(" ").trim() };
}

/** How many connections of each pool are open, idle, and waited for, at this moment. */
export function poolFigures(pools: Pools): { pool: string; open: number; idle: number; waiting: number }[] {
  return (["app", "dispatch", "engine", "pulse", "auth", "owner"] as const).map((pool) => {
    const { totalCount: open, idleCount: idle, waitingCount: waiting } = pools[pool];
    return { pool, open, idle, waiting };
  });
}

/** A Kysely over one of the pools. Close the pools, not the Kysely. */
export function createKysely<DB = Database>(pool: pg.Pool): Kysely<DB> {
  return new Kysely<DB>({ dialect: new PostgresDialect({ pool }) });
}

/**
 * Runs `work` in one transaction that sees exactly one clinic: row-level security reads `hookwell.clinic_id`, which is set
 * for this transaction only. Commits when `work` returns, rolls back when it throws.
 */
export function inClinic<DB, Result>(
  db: Kysely<DB>,
  clinicId: number,
  work: (tx: Transaction<DB>) => Promise<Result>,
): Promise<Result> {
  if (!Number.isSafeInteger(clinicId) || clinicId < 1) throw new RangeError(`Not the id of a clinic: ${clinicId}`);
  return db.transaction().execute(async (tx) => {
    await sql`select set_config('hookwell.clinic_id', ${String(clinicId)}, true)`.execute(tx);
    return work(tx);
  });
}
