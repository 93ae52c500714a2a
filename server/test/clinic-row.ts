/** A clinic's bare row, for tests that need its id and nothing else. Its data key opens nothing. */
import { randomBytes, randomUUID } from "node:crypto";
import type pg from "pg";

/** Inserts it as the owner and returns its id. */
export async function newClinicId(owner: pg.Pool): Promise<number> {
  const { rows } = await owner.query<{ id: number }>(
    "insert into clinics (name, time_zone, data_key, data_key_id, inbox_token) values ('Test', 'UTC', $1, $2, $3) returning id",
    [randomBytes(61), randomUUID(), randomBytes(24).toString("hex")],
  );
  return (rows[0] as { id: number }).id;
}
