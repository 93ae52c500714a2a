/**
 * Which events one transaction makes of a consult: pure, the whole of contract §3 rules 2, 3, 5, 6 and 9.
 *
 * Owns the comparison of a consult before and after a transaction. Promises that a receiver who knew the state before and
 * applies the events in the order given knows the state after. Knows no names, no rows and no outbox.
 */

/** What receivers are told of a consult; room, notes and arrival are not part of it. */
export interface ConsultState {
  readonly startsAt: Temporal.Instant;
  readonly durationMinutes: number;
  readonly serviceId: number;
  readonly practitionerId: number;
  readonly cancelled: boolean;
  /** Patients who are booked, in the order in which they joined. Held and wait-listed places are nobody's business. */
  readonly booked: readonly number[];
}

export interface ConsultEvent {
  readonly event: "participant.removed" | "consult.updated" | "participant.added";
  readonly cancelled: boolean;
  /** Never empty: a consult with nobody in it makes no event. */
  readonly patientIds: readonly number[];
}

/**
 * The events of one transaction, in the order in which they are sent: removed, updated, added, at most one of each.
 * @param before null when the consult came to exist in this transaction
 */
export function consultEvents(before: ConsultState | null, after: ConsultState): ConsultEvent[] {
  const known = before === null || before.cancelled ? [] : before.booked;
  // A cancellation takes everybody out at once and swallows whatever else happened in the transaction.
  const present = after.cancelled ? [] : after.booked;
  const wasKnown = new Set(known);
  const isPresent = new Set(present);
  const changed = before !== null && !isSameAppointment(before, after);
  const events: ConsultEvent[] = [
    { event: "participant.removed", cancelled: after.cancelled, patientIds: known.filter((id) => !isPresent.has(id)) },
    {
      event: "consult.updated",
      cancelled: false,
      patientIds: changed ? present.filter((id) => wasKnown.has(id)) : [],
    },
    { event: "participant.added", cancelled: false, patientIds: present.filter((id) => !wasKnown.has(id)) },
  ];
  return events.filter(({ patientIds }) => patientIds.length > 0);
}

function isSameAppointment(a: ConsultState, b: ConsultState): boolean {
  return (
    a.startsAt.equals(b.startsAt) &&
    a.durationMinutes === b.durationMinutes &&
    a.serviceId === b.serviceId &&
    a.practitionerId === b.practitionerId
  );
}
