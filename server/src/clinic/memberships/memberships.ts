/**
 * Commands on memberships: assign, cancel, pause, resume, switch, choose where the money comes from, mark as paid.
 *
 * Owns the rows of `memberships` (with charges.ts and renewals.ts, which change what time and money bring about). Promises
 * that a refused command changes nothing, and that asking for what is so already changes nothing either. Events are made by
 * the unit of work, once per transaction.
 *
 * Decided here, since contract §4 leaves it open: a pause gives its days back, so that periods begin later by as many; what
 * was agreed at the assignment stays, however the plan changes; a cancellation can be undone while what was paid for lasts;
 * a switch ends the old membership at once and begins the new one's periods today, without reckoning up the rest.
 */
import { conflict, notFound, type ProblemError } from "../../errors.ts";
import type { PaymentSource } from "./charger.ts";
import { makeCharge, saveCharge, saveMembership, settleCharge, stopRetrying } from "./charges.ts";
import type { MembershipChanges } from "./membership-changes.ts";
import type { OpenMembership } from "./membership-rows.ts";
import { planToAssign } from "./plans.ts";
import { after, type CancelReason, isRunning } from "./states.ts";

export interface NewMembership {
  readonly planId: number;
  /** The patient. */
  readonly clientId: number;
  readonly paymentSource: PaymentSource;
}

/**
 * Gives a patient a membership and makes its first charge; it becomes active when that is paid. Returns its id.
 * @throws ProblemError naming `plan_id` or `client_id`; 409 for a plan that is not offered
 */
export async function assignMembership(changes: MembershipChanges, wanted: NewMembership): Promise<number> {
  const { tx, clinicId } = changes;
  const plan = await planToAssign(tx, clinicId, wanted.planId);
  const { id } = await tx
    .insertInto("memberships")
    .values({
      clinic_id: clinicId,
      plan_id: plan.id,
      client_id: await ownPatient(changes, wanted.clientId),
      payment_source: wanted.paymentSource,
      price_minor: plan.priceMinor,
      tax_rate_thousandths: plan.taxRateThousandths,
      currency: plan.currency,
      recurrence_interval: plan.recurrenceInterval,
      number_of_payments: plan.numberOfPayments,
      credit_value_minor: plan.creditValueMinor,
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  changes.created(id);
  await makeCharge(changes, await changes.open(id), changes.today);
  return id;
}

async function ownPatient({ tx, clinicId }: MembershipChanges, id: number): Promise<number> {
  const own = tx.selectFrom("patients").select("id").where("clinic_id", "=", clinicId).where("id", "=", id);
  await own.executeTakeFirstOrThrow(() => notFound("the patient", "client_id"));
  return id;
}

export interface Cancellation {
  readonly by: Exclude<CancelReason, "payment_failed">;
  /** Access goes now, or when the period that was paid for is over. Told either way at once, and once (contract §1). */
  readonly at: "now" | "period_end";
}

/** Cancels a membership; one that never began is withdrawn. Cancelled already: at most its access ends earlier. */
export async function cancelMembership(changes: MembershipChanges, id: number, cancellation: Cancellation) {
  const membership = await changes.open(id);
  const { state } = membership;
  if (state === "ended") throw over();
  if (state === "cancelled") return endAccessEarlier(changes, membership, cancellation);
  if (state === "paused") return cancelMembership(await unpaused(changes, membership), id, cancellation);
  await stopRetrying(changes, membership);
  const until = cancellation.at === "now" ? changes.today : lastsUntil(changes, membership);
  const wasRunning = isRunning(state);
  await saveMembership(changes, id, {
    state: after(wasRunning ? "cancel" : "withdraw", state),
    cancelled_at: changes.now,
    cancel_reason: cancellation.by,
    access_until: wasRunning ? until.toString() : null,
    access_ended: !wasRunning || Temporal.PlainDate.compare(until, changes.today) <= 0,
  });
}

/** The first day that is not paid for, today at the earliest. A period whose charge was declined is not. */
function lastsUntil({ today }: MembershipChanges, { charge, nextPeriodOn }: OpenMembership): Temporal.PlainDate {
  if (nextPeriodOn === null || charge?.outcome === "declined") return today;
  return Temporal.PlainDate.compare(nextPeriodOn, today) > 0 ? nextPeriodOn : today;
}

async function endAccessEarlier(changes: MembershipChanges, membership: OpenMembership, { at }: Cancellation) {
  if (at === "period_end" || membership.accessEnded) return;
  await saveMembership(changes, membership.id, { access_until: changes.today.toString(), access_ended: true });
}

/** Ends a pause, or undoes a cancellation while what was paid for lasts. Active already: nothing. @throws ProblemError */
export async function resumeMembership(changes: MembershipChanges, id: number): Promise<void> {
  const membership = await changes.open(id);
  const { state, cancelReason } = membership;
  if (state === "active") return;
  if (state === "pending") throw notStarted();
  if (state === "paused") {
    await unpaused(changes, membership);
    return;
  }
  if (state === "ended" || Temporal.PlainDate.compare(lastsUntil(changes, membership), changes.today) <= 0)
    throw over();
  if (cancelReason === "switched") {
    throw conflict("switched", "This membership was switched to another plan. Switch the new one back instead.");
  }
  await saveMembership(changes, id, {
    state: after("undo", state),
    cancelled_at: null,
    cancel_reason: null,
    access_until: null,
    access_ended: false,
  });
}

/** Ends the pause: the next period begins later by as many days as it lasted. */
async function unpaused(changes: MembershipChanges, membership: OpenMembership): Promise<MembershipChanges> {
  const { id, state, pausedOn, nextPeriodOn } = membership;
  if (pausedOn === null || nextPeriodOn === null) throw new Error(`membership ${id} is paused without a day`);
  const { days } = pausedOn.until(changes.today, { largestUnit: "day" });
  const next = nextPeriodOn.add({ days: Math.max(0, days) }).toString();
  // A pause that ended on its first day moves nothing: the periods stay counted from where they were.
  const moved = days > 0 ? { anchor_on: next, next_period: 0, next_period_on: next } : {};
  await saveMembership(changes, id, { state: after("unpause", state), paused_on: null, ...moved });
  return changes;
}

/** Stops charging; access stays, and nothing is told (contract §4). Paused already: nothing. @throws ProblemError 409 */
export async function pauseMembership(changes: MembershipChanges, id: number): Promise<void> {
  const { state, charge } = await changes.open(id);
  if (state === "paused") return;
  if (state === "pending") throw notStarted();
  if (state !== "active") throw over();
  if (charge?.retryOn != null) {
    throw conflict("charge_unpaid", "A charge was declined and is tried again. Have it paid first, or cancel.");
  }
  await saveMembership(changes, id, { state: after("pause", state), paused_on: changes.today.toString() });
}

/**
 * Ends a membership and gives the patient one of another plan instead, paid from the same source. Returns the new one's id.
 * @throws ProblemError naming `plan_id`; 409 `card_declined` where the new one's first charge is declined: nothing changes
 */
export async function switchMembership(changes: MembershipChanges, id: number, planId: number): Promise<number> {
  const membership = await changes.open(id);
  if (membership.state === "pending") throw notStarted();
  if (!isRunning(membership.state)) throw over();
  if (membership.plan.id === planId) {
    throw conflict("same_plan", "The patient has this plan already. Choose another one.", "plan_id");
  }
  const { clientId, paymentSource } = membership;
  await cancelMembership(changes, id, { by: "switched", at: "now" });
  const newId = await assignMembership(changes, { planId, clientId, paymentSource });
  if ((await changes.open(newId)).charge?.outcome === "declined") {
    throw conflict("card_declined", "The card was declined, so nothing was changed. Choose another way to pay first.");
  }
  return newId;
}

/** Where the money comes from. With a card, what is unpaid of the latest charge is asked of it at once. @throws ProblemError */
export async function changePaymentSource(changes: MembershipChanges, id: number, source: PaymentSource) {
  const { state, charge, paymentSource } = await changes.open(id);
  if (state === "cancelled" || state === "ended") throw over();
  if (source === paymentSource) return;
  await saveMembership(changes, id, { payment_source: source });
  if (charge === null || charge.outcome === "paid") return;
  // Its record is not touched here but by the scheduler, which asks the card within a moment. What was declined before says
  // nothing of the new source: the days of its tries are counted from today.
  const today = changes.today.toString();
  const values =
    source === "at_desk"
      ? { outcome: "awaiting" as const, declined_on: null, retry_on: null }
      : { declined_on: charge.outcome === "declined" ? today : null, retry_on: today };
  await saveCharge(changes, id, { number: charge.number, values });
}

/** The oldest unpaid charge of an academy membership was paid at the desk: it has no record to pay. @throws ProblemError 409 */
export async function markPaid(changes: MembershipChanges, id: number): Promise<void> {
  const membership = await changes.open(id);
  if (membership.plan.type !== "academy_membership") {
    throw conflict("has_invoice", "Each charge of this membership has a record of its own. Add the payment there.");
  }
  if (membership.state === "cancelled" || membership.state === "ended") throw over();
  const unpaid = await changes.tx
    .selectFrom("membership_charges")
    .select("number")
    .where("clinic_id", "=", changes.clinicId)
    .where("membership_id", "=", id)
    .where("outcome", "<>", "paid")
    .orderBy("number")
    .executeTakeFirst();
  if (unpaid === undefined) throw conflict("nothing_to_pay", "Every charge so far is paid. There is nothing to mark.");
  await settleCharge(changes, membership, unpaid.number);
}

function notStarted(): ProblemError {
  return conflict(
    "membership_pending",
    "This membership has not begun: its first charge is not paid. Have it paid first.",
  );
}

function over(): ProblemError {
  return conflict("membership_over", "This membership is over. Assign the plan again.");
}
