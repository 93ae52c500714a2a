/**
 * Secrets of the server itself, kept in the database under the master key: at present the one that signs sessions.
 *
 * Promises that all nodes of a database have the same one, and that it stays what it was when the master key is rotated.
 */
import { hkdfSync, type KeyObject } from "node:crypto";
import type { Config } from "../config.ts";
import type { Db } from "../db/schema.ts";
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
 * The secret that signs sessions: the configured one, otherwise the one that the database keeps. It begins as what servers
 * from before it was kept derived from their only master key (HKDF-SHA-256), so that nobody is signed out by an upgrade.
 */
export async function loadAuthSecret(config: Pick<Config, "authSecret">, parts: AuthSecretParts): Promise<string> {
  if (config.authSecret !== undefined) return config.authSecret.export().toString("utf8");
  const { owner, seal, masterKeys } = parts;
  const oldest = masterKeys.at(-1);
  if (oldest === undefined) throw new RangeError("there is no master key");
  const first = Buffer.from(hkdfSync("sha256", oldest, Buffer.alloc(0), "hookwell auth secret v1", SECRET_BYTES));
  await owner
    .insertInto("kept_secrets")
    .values({ name: AUTH_SECRET, secret: seal.wrapSecret(AUTH_SECRET, first) })
    .onConflict((conflict) => conflict.column("name").doNothing())
    .execute();
  const { secret } = await owner
    .selectFrom("kept_secrets")
    .select("secret")
    .where("name", "=", AUTH_SECRET)
    .executeTakeFirstOrThrow();
  return seal.unwrapSecret(AUTH_SECRET, secret).toString("base64url");
}
