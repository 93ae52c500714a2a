import { CompiledQuery } from "kysely";
import type { Db } from "../src/db/schema.ts";

/** Runs a statement as a test has written it, and returns how many rows it has changed. */
export async function run(db: Db, text: string, values: readonly unknown[] = []): Promise<number> {
  const { numAffectedRows } = await db.executeQuery(CompiledQuery.raw(text, [...values]));
  return Number(numAffectedRows ?? 0);
}
