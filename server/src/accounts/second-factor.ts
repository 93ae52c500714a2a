/**
 * The way back for who has lost the second factor and the backup codes: the operator turns it off.
 *
 * Promises that everything that was opened with it ends in the same transaction: sessions, trusted devices, half-done
 * sign-ins and links. The password stays what it was. Turning it on and off by its own person is better-auth's (auth.ts).
 */
import { sql } from "kysely";
import type { Tx } from "../db/schema.ts";

/** Who has an account with this e-mail, folded as accounts are found by it (door.ts); null where nobody has. */
export async function accountIdOf(tx: Tx, email: string): Promise<string | null> {
  const { rows } = await sql<{ id: string }>`
    select "id" from auth."user" where "email" = ${email} for update`.execute(tx);
  return rows[0]?.id ?? null;
}

/** Turns a person's second factor off; false, and nothing is changed, where there is none. `tx` runs as the owner. */
export async function removeSecondFactor(tx: Tx, userId: string): Promise<boolean> {
  const { rows } = await sql`
    update auth."user" set "twoFactorEnabled" = false, "updatedAt" = now()
    where "id" = ${userId} and "twoFactorEnabled" returning "id"`.execute(tx);
  if (rows.length === 0) return false;
  await sql`delete from auth."twoFactor" where "userId" = ${userId}`.execute(tx);
  await sql`delete from auth."session" where "userId" = ${userId}`.execute(tx);
  // Links, half-done sign-ins and trusted devices are all rows of this table, with the person as value (door.ts).
  await sql`delete from auth."verification" where "value" = ${userId}`.execute(tx);
  return true;
}
