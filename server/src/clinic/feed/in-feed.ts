/** Transactions of the feed: the only ones that see patients of whom no more is known than the feed's id. */
import { type Kysely, sql } from "kysely";
import type { Database, Tx } from "../../db/schema.ts";

/**
 * As `inClinic`, with the patients in sight that only the feed knows. What `inClinic` needs three turns for, from here to the
 * database and back, is one here: with small groups of events the turns are what costs.
 */
export function inFeed<Result>(
  db: Kysely<Database>,
  clinicId: number,
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  if (!Number.isSafeInteger(clinicId) || clinicId < 1) throw new RangeError(`Not the id of a clinic: ${clinicId}`);
  return db.connection().execute(async (connection) => {
    try {
      await sql
        .raw(
          `begin; select set_config('hookwell.clinic_id', '${clinicId}', true), set_config('hookwell.feed', 'on', true)`,
        )
        .execute(connection);
      // A connection with an open transaction is what a Tx is; Kysely only knows those that it has begun itself.
      const result = await work(connection as unknown as Tx);
      await sql`commit`.execute(connection);
      return result;
    } catch (error) {
      await rollBack(connection);
      throw error;
    }
  });
}

/** Where even this fails, the connection is broken and its transaction with it; the first error says why. */
async function rollBack(connection: Kysely<Database>): Promise<void> {
  try {
    await sql`rollback`.execute(connection);
  } catch {
    // The caller throws the error that came first.
  }
}
