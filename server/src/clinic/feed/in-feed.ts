/** Transactions of the feed: the only ones that see patients of whom no more is known than the feed's id. */
import { type Kysely, sql } from "kysely";
import { onOneConnection } from "../../db/pool.ts";
import type { Database, Tx } from "../../db/schema.ts";

/**
 * As `inClinic`, with the patients in sight that only the feed knows, and begun together with the first statement of `work`: with
 * small groups of events the ways from here to the database and back are what costs.
 * @param work must have waited for all that it asked for when it ends, also where it throws
 */
export function inFeed<Result>(
  db: Kysely<Database>,
  clinicId: number,
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  if (!Number.isSafeInteger(clinicId) || clinicId < 1) throw new RangeError(`Not the id of a clinic: ${clinicId}`);
  return onOneConnection(db, async (connection) => {
    const begun = sql
      .raw(
        `begin; select set_config('hookwell.clinic_id', '${clinicId}', true), set_config('hookwell.feed', 'on', true)`,
      )
      .execute(connection);
    try {
      // A connection with an open transaction is what a Tx is; Kysely only knows those that it has begun itself.
      const [beginning, working] = await Promise.allSettled([begun, work(connection as unknown as Tx)]);
      // Where it was not begun, what came of the work is of no interest: nothing was stored for want of a clinic.
      if (beginning.status === "rejected") throw beginning.reason;
      if (working.status === "rejected") throw working.reason;
      await sql`commit`.execute(connection);
      return working.value;
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
