/**
 * Migrations: numbered SQL files that only go forward.
 *
 * Owns the table `hookwell_migrations`. Promises that each file runs exactly once and whole (one transaction a file), that
 * nodes which start at the same time wait for one another, and that a file which was changed after it had run is refused.
 * Does not go back: expand first, contract in a later file. Statements that cannot run inside a transaction do not belong
 * in these files.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type pg from "pg";
import { type Log, logEvent } from "../log.ts";

/** One lock per database; any fixed number that nothing else uses. */
const MIGRATION_LOCK_KEY = 4_400_001;
/** How long a node waits for another one's migrations. */
const MIGRATION_LOCK_WAIT_MS = 600_000;
/** A migration gives up rather than queue the whole clinic behind a table lock that it cannot get. */
const TABLE_LOCK_WAIT_MS = 5_000;
const FILE_NAME_PATTERN = /^(\d{4})_[a-z0-9_]+\.sql$/;
const ENDS_TRANSACTION_PATTERN = /^\s*(begin|start\s+transaction|commit|rollback)\s*;/im;

const MIGRATIONS_FOLDER: string = fileURLToPath(new URL("./migrations/", import.meta.url));

/** The migrations cannot go on; the message says which file and what to do. */
export class MigrationError extends Error {
  override readonly name = "MigrationError";
}

export interface MigrateOptions {
  /** A pool of the owner, see `createPools`. */
  readonly owner: pg.Pool;
  readonly log: Log;
  readonly folder?: string;
}

export interface MigrateResult {
  /** File names applied by this call, in order. */
  readonly applied: readonly string[];
  /** Applied by a newer Hookwell and unknown to this one. Fine during a rolling upgrade, since files expand first. */
  readonly unknown: readonly string[];
}

interface MigrationFile {
  readonly name: string;
  readonly text: string;
  readonly sha256: string;
}

interface AppliedMigration {
  readonly name: string;
  readonly sha256: string;
}

/** Brings the database up to date. Safe to call from every node at every start. Throws `MigrationError`. */
export async function migrate(options: MigrateOptions): Promise<MigrateResult> {
  const files = await readMigrations(options.folder ?? MIGRATIONS_FOLDER);
  const client = await options.owner.connect();
  try {
    await client.query(`set lock_timeout = ${MIGRATION_LOCK_WAIT_MS}`);
    await client.query("select pg_advisory_lock($1)", [MIGRATION_LOCK_KEY]);
    await client.query(`set lock_timeout = ${TABLE_LOCK_WAIT_MS}`);
    const done = await readApplied(client);
    const pending = pendingAfter(done, files);
    for (const file of pending) {
      await applyFile(client, file);
      logEvent(options.log, "migration.applied", { migration: file.name });
    }
    const known = new Set(files.map(({ name }) => name));
    return {
      applied: pending.map(({ name }) => name),
      unknown: done.map(({ name }) => name).filter((name) => !known.has(name)),
    };
  } finally {
    // Closed, not returned: this frees the lock and forgets whatever a file has set in its session.
    client.release(true);
  }
}

async function readMigrations(folder: string): Promise<MigrationFile[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();
  const seen = new Map<string, string>();
  for (const name of names) {
    const number = FILE_NAME_PATTERN.exec(name)?.[1];
    if (number === undefined)
      throw new MigrationError(`The migration ${name} is not named like 0001_what_it_does.sql.`);
    const twin = seen.get(number);
    if (twin !== undefined)
      throw new MigrationError(`The migrations ${twin} and ${name} have the same number. Renumber the newer one.`);
    seen.set(number, name);
  }
  return Promise.all(names.map((name) => readMigration(folder, name)));
}

async function readMigration(folder: string, name: string): Promise<MigrationFile> {
  // A checkout may turn line ends around; that is no change.
  const text = (await readFile(`${folder}/${name}`, "utf8")).replaceAll("\r\n", "\n");
  if (ENDS_TRANSACTION_PATTERN.test(text)) {
    throw new MigrationError(
      `The migration ${name} begins or ends a transaction. Take that out: each file runs in one already.`,
    );
  }
  return { name, text, sha256: createHash("sha256").update(text).digest("hex") };
}

async function readApplied(client: pg.ClientBase): Promise<AppliedMigration[]> {
  await client.query(`create table if not exists hookwell_migrations (
    name text primary key, sha256 text not null, applied_at timestamptz not null default now())`);
  const { rows } = await client.query<AppliedMigration>("select name, sha256 from hookwell_migrations order by name");
  return rows;
}

function pendingAfter(done: readonly AppliedMigration[], files: readonly MigrationFile[]): MigrationFile[] {
  const hashes = new Map(done.map(({ name, sha256 }) => [name, sha256]));
  const last = done.at(-1)?.name ?? "";
  const pending: MigrationFile[] = [];
  for (const file of files) {
    const applied = hashes.get(file.name);
    if (applied === undefined && file.name < last) {
      throw new MigrationError(
        `The migration ${file.name} comes before ${last}, which has already run. Give it the next free number.`,
      );
    }
    if (applied !== undefined && applied !== file.sha256) {
      throw new MigrationError(
        `The migration ${file.name} was changed after it had run on this database. Restore the file and put the change into a new one.`,
      );
    }
    if (applied === undefined) pending.push(file);
  }
  return pending;
}

async function applyFile(client: pg.ClientBase, file: MigrationFile): Promise<void> {
  await client.query("begin");
  try {
    await client.query(file.text);
    await client.query("insert into hookwell_migrations (name, sha256) values ($1, $2)", [file.name, file.sha256]);
    await client.query("commit");
  } catch (cause) {
    // The caller closes this connection, which rolls back, even where the connection itself was what failed.
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MigrationError(`The migration ${file.name} failed and changed nothing: ${reason}`, { cause });
  }
}
