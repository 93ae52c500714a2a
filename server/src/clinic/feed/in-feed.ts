/** Transactions of the feed: the only ones that see patients of whom no more is known than the feed's id. */
import { type Kysely, sql } from "kysely";
import { inClinic } from "../../db/pool.ts";
import type { Database, Tx } from "../../db/schema.ts";

/** As `inClinic`, with the patients in sight that only the feed knows. */
export function inFeed<Result>(
  db: Kysely<Database>,
  clinicId: number,
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  return inClinic(db, clinicId, async (tx) => {
    await seeFeedOnly(tx);
    return work(tx);
  });
}

/** Makes a transaction one of the feed's, up to its end. */
export async function seeFeedOnly(tx: Tx): Promise<void> {
  await sql`select set_config('hookwell.feed', 'on', true)`.execute(tx);
}
