/**
 * A new secret for signing sessions, in place of the one that the database keeps: after a leak, and where it once was derived
 * from a master key (docs/keys.md).
 *
 * Promises that it happens whole or not at all: sessions, links, half-done sign-ins and trusted devices end, and second factors,
 * which are sealed under the old secret, are sealed under the new one, so that nobody loses theirs. Servers that run know the
 * old one until they are started anew.
 */
import { symmetricDecrypt, symmetricEncrypt } from "better-auth/crypto";
import { sql } from "kysely";
import { type Config, ConfigError } from "../config.ts";
import type { Tx } from "../db/schema.ts";
import { type AuthSecretParts, loadAuthSecret, replaceAuthSecret } from "../seal/kept-secrets.ts";

interface SecondFactor {
  readonly id: string;
  readonly secret: string;
  readonly backupCodes: string;
}

/** @throws ConfigError where the secret is the operator's own setting */
export function refuseConfigured({ authSecret }: Pick<Config, "authSecret">): void {
  if (authSecret === undefined) return;
  throw new ConfigError(["HOOKWELL_AUTH_SECRET is set, so it signs the sessions. Change it there, on every server."]);
}

/** Returns how many sessions ended. @throws ConfigError as above */
export async function renewAuthSecret(config: Pick<Config, "authSecret">, parts: AuthSecretParts): Promise<number> {
  refuseConfigured(config);
  const before = await loadAuthSecret(config, parts);
  return parts.owner.transaction().execute(async (tx) => {
    const after = await replaceAuthSecret(tx, parts.seal);
    await sealFactorsAnew(tx, before, after);
    const { rows } = await sql`delete from auth."session" returning "id"`.execute(tx);
    await sql`delete from auth."verification"`.execute(tx);
    return rows.length;
  });
}

async function sealFactorsAnew(tx: Tx, before: string, after: string): Promise<void> {
  const anew = async (data: string) =>
    symmetricEncrypt({ key: after, data: await symmetricDecrypt({ key: before, data }) });
  const { rows } = await sql<SecondFactor>`
    select "id", "secret", "backupCodes" from auth."twoFactor" order by "id" for update`.execute(tx);
  for (const { id, secret, backupCodes } of rows) {
    await sql`update auth."twoFactor" set "secret" = ${await anew(secret)}, "backupCodes" = ${await anew(backupCodes)}
      where "id" = ${id}`.execute(tx);
  }
}
