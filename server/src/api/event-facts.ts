/** The sealed facts of events, for whoever shows what was made of them. Only reads. */
import type { Tx } from "../db/schema.ts";

/** By the event's id; those whose facts are no longer kept are missing. */
export async function readFacts(
  tx: Tx,
  clinicId: number,
  events: readonly { readonly eventId: string }[],
): Promise<ReadonlyMap<string, Buffer>> {
  if (events.length === 0) return new Map();
  const ids = [...new Set(events.map(({ eventId }) => eventId))];
  const rows = await tx
    .selectFrom("events")
    .select(["id", "facts"])
    .where("clinic_id", "=", clinicId)
    .where("id", "in", ids)
    .execute();
  return new Map(rows.flatMap(({ id, facts }) => (facts === null ? [] : [[id, facts]])));
}
