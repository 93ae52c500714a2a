/**
 * Secrets of the server itself, kept in the database under the master key: at present the one that signs sessions.
 *
 * Promises that all nodes of a database have the same one, and that it stays what it was when the master key is rotated.
 */
import { hkdfSync, type KeyObject, randomBytes } from "node:crypto";
import { sql } from "kysely";
import type { Config } from "../config.ts";
import type { Db, Tx } from "../db/schema.ts";
import type { Seal } from "./seal.ts";

const AUTH_SECRET = "auth";
const SECRET_BYTES = 32;

export interface AuthSecretParts {
  /** The owner's: no other role reaches the table. */
  readonly owner: Db;
  readonly seal: Seal;
  readonly masterKeys: readonly KeyObject[];
}

/**
 * The secret that signs sessions: the configured one, otherwise the one that the database keeps. In a new database it begins
 * as chance has it. Where there are users already, it begins as what servers from before it was kept derived from their only
 * master key (HKDF-SHA-256), so that nobody is signed out by an upgrade; docs/keys.md says what that means.
 */
export async function loadAuthSecret(config: Pick<Config, "authSecret">, parts: AuthSecretParts): Promise<string> {
  if (config.authSecret !== undefined) return config.authSecret.export().toString("utf8");
  const { owner, seal, masterKeys } = parts;
  let kept = await keptSecret(owner);
  if (kept === undefined) {
    const first = (await hasUsers(owner)) ? derived(masterKeys) : randomBytes(SECRET_BYTES);
    // Another node may be first; then its secret is the one.
    await owner
      .insertInto("kept_secrets")
      .values({ name: AUTH_SECRET, secret: seal.wrapSecret(AUTH_SECRET, first) })
      .onConflict((conflict) => conflict.column("name").doNothing())
      .execute();
    kept = await keptSecret(owner);
  }
  if (kept === undefined) throw new Error("the secret that signs sessions was taken away while it was made");
  return seal.unwrapSecret(AUTH_SECRET, kept).toString("base64url");
}

/** Puts one made by chance in its place, and returns it. What was signed or sealed with the old one is the caller's. */
export async function replaceAuthSecret(tx: Tx, seal: Seal): Promise<string> {
  const next = randomBytes(SECRET_BYTES);
  await tx
    .updateTable("kept_secrets")
    .set({ secret: seal.wrapSecret(AUTH_SECRET, next) })
    .where("name", "=", AUTH_SECRET)
    .executeTakeFirstOrThrow();
  return next.toString("base64url");
}

async function keptSecret(owner: Db): Promise<Buffer | undefined> {
  const row = await owner
    .selectFrom("kept_secrets")
    .select("secret")
    .where("name", "=", AUTH_SECRET)
    .executeTakeFirst();
  return row?.secret;
}

async function hasUsers(owner: Db): Promise<boolean> {
  const { rows } = await sql<{ any: boolean }>`select exists (select from auth."user") as any`.execute(owner);
  return rows[0]?.any === true;
}

function derived(masterKeys: readonly KeyObject[]): Buffer {
  const oldest = masterKeys.at(-1);
  if (oldest === undefined) throw new RangeError("there is no master key");
  return Buffer.from(hkdfSync("sha256", oldest, Buffer.alloc(0), "hookwell auth secret v1", SECRET_BYTES));
}
