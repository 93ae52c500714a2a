// What happened in a membership and what comes next, in order of its days. Pure.
import type { Invoice } from "../api/billing.ts";
import type { Membership } from "../api/memberships.ts";
import { dayOf } from "../ui/time.ts";

/** `day` is "YYYY-MM-DD" by the clinic's calendar; `isAhead` has not happened yet. */
export type Step = { day: string; isAhead: boolean } & (
  | { kind: "charge"; invoice: Invoice }
  | { kind: "lastCharge"; outcome: "paid" | "declined" | "awaiting" }
  | { kind: "started" | "nextCharge" | "retry" | "accessEnds" }
  | { kind: "cancelled"; reason: NonNullable<Membership["cancel_reason"]> }
);

/** Within a day, in the order in which they come about. */
const ORDER: readonly Step["kind"][] = [
  ...(["charge", "lastCharge", "started", "cancelled", "retry", "nextCharge", "accessEnds"] as const),
];

function ahead(membership: Membership, today: string): Step[] {
  const { next_charge_on: next, retry_on: retry, access_until: until } = membership;
  const steps: Step[] = [];
  if (retry !== null) steps.push({ kind: "retry", day: retry, isAhead: true });
  if (next !== null) steps.push({ kind: "nextCharge", day: next, isAhead: true });
  if (until !== null) steps.push({ kind: "accessEnds", day: until, isAhead: until > today });
  return steps;
}

function past(
  { started_at, cancelled_at, cancel_reason, last_charge }: Membership,
  charges: readonly Invoice[],
): Step[] {
  const steps: Step[] = charges.map((invoice) => {
    return { kind: "charge", day: invoice.invoice_date, isAhead: false, invoice };
  });
  // An academy membership has no records: of its charges only the latest is told.
  if (charges.length === 0 && last_charge !== null) {
    steps.push({ kind: "lastCharge", day: last_charge.on, isAhead: false, outcome: last_charge.outcome });
  }
  if (started_at !== null) steps.push({ kind: "started", day: dayOf(started_at), isAhead: false });
  if (cancelled_at !== null && cancel_reason !== null) {
    steps.push({ kind: "cancelled", day: dayOf(cancelled_at), isAhead: false, reason: cancel_reason });
  }
  return steps;
}

/** The oldest first, what is ahead last. `charges` are the records that are known of it. */
export function timelineOf(membership: Membership, charges: readonly Invoice[], today: string): Step[] {
  return [...past(membership, charges), ...ahead(membership, today)].sort(
    (one, other) =>
      one.day.localeCompare(other.day) ||
      ORDER.indexOf(one.kind) - ORDER.indexOf(other.kind) ||
      (one.kind === "charge" && other.kind === "charge" ? one.invoice.id - other.invoice.id : 0),
  );
}
