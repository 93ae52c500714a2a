/**
 * Commands that cancel and restore a consult.
 *
 * Owns the cancelled state. Promises that a cancelled consult keeps its appointment and its participants, so that it can be
 * restored with the same ids (contract §3 rule 9); that cancelling what is cancelled, or restoring what is live, is nothing.
 */
import { conflict, type ProblemError } from "../errors.ts";
import { hasLeft, takesPlace } from "./consult-arrivals.ts";
import { among, type ConsultChanges, type OpenConsult } from "./consult-changes.ts";
import { getService } from "./services.ts";

/** Takes everybody out at once; their places are kept for a restore. Cancelled already: nothing. @throws ProblemError 404 */
export async function cancelConsult(changes: ConsultChanges, id: number): Promise<void> {
  const consult = await changes.open(id);
  if (consult.cancelledAt === null) await cancelAll(changes, [id]);
}

/** Cancels consults that the unit of work holds and that are live. */
export async function cancelAll(changes: ConsultChanges, ids: readonly number[]): Promise<void> {
  await setCancelled(changes, ids, changes.context.outbox.clock.now());
}

/** Undoes a cancellation, with the same participants. Not cancelled: nothing. @throws ProblemError 404 */
export async function restoreConsult(changes: ConsultChanges, id: number): Promise<void> {
  const consult = await changes.open(id);
  if (consult.cancelledAt === null) return;
  await bringBack(changes, consult);
  await setCancelled(changes, [id], null);
}

/**
 * A one-to-one consult that its patient cancelled late comes back with that patient: there is nobody else whom it could be
 * restored for. Who left a group stays away.
 */
async function bringBack(changes: ConsultChanges, consult: OpenConsult): Promise<void> {
  const { tx, clinicId } = changes;
  const { kind } = await getService(tx, clinicId, consult.serviceId);
  if (kind !== "one_to_one" || consult.participants.some(takesPlace)) return;
  const last = consult.participants.filter((one) => one.status === "booked" && hasLeft(one)).at(-1);
  if (last === undefined) return;
  await tx
    .updateTable("consult_participants")
    .set({ arrival: "expected" })
    .where("clinic_id", "=", clinicId)
    .where("consult_id", "=", consult.id)
    .where("patient_id", "=", last.patientId)
    .execute();
}

async function setCancelled(
  { tx, clinicId }: ConsultChanges,
  ids: readonly number[],
  at: Temporal.Instant | null,
): Promise<void> {
  await tx
    .updateTable("consults")
    .set({ cancelled_at: at })
    .where("clinic_id", "=", clinicId)
    .where("id", "=", among(ids))
    .execute();
}

/** The answer to a change of a cancelled consult. */
export function cancelledAlready(field?: string): ProblemError {
  return conflict("consult_cancelled", "This consult is cancelled. Restore it first, then change it.", field);
}
