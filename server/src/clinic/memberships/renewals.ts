/**
 * What time brings about in a membership: the next period's charge, another try, the end of a term, the end of access.
 *
 * Promises: one step a transaction, so that what fails holds up nothing else; a step that is not due does nothing, so that
 * two nodes and a restart make no difference; of the periods missed during a standstill each is charged by itself, dated
 * its own first day, up to `CATCH_UP_MAX_PERIODS`. None of these tells receivers anything but the end of dunning (§4).
 */
import { sql } from "kysely";
import type { Tx } from "../../db/schema.ts";
import { logEvent } from "../../log.ts";
import { type DueContext, DueRowFailed, type DueWork } from "../due-work.ts";
import type { Charger } from "./charger.ts";
import { makeCharge, saveMembership, tryCharge } from "./charges.ts";
import type { MembershipChanges } from "./membership-changes.ts";
import type { OpenMembership } from "./membership-rows.ts";
import { changeMemberships, type MembershipContext } from "./membership-transaction.ts";
import { firstToCharge, periodStart } from "./periods.ts";
import { after } from "./states.ts";

/** While staff have the record open, the membership is put aside: a moment later they are done. */
const RECORD_BUSY_WAIT_SECONDS = 5;
const FIRST_WAIT_MINUTES = 1;
const LONGEST_WAIT_MINUTES = 360;
const FAILURES_COUNTED_MAX = 30;

/** The scheduler's work on memberships, one membership a transaction. */
export function membershipWork(charger: Charger): DueWork {
  return {
    name: "memberships",
    async runDue(tx, context, now) {
      const id = await takeDue(tx, context.clinicId, now);
      if (id === undefined) return 0;
      try {
        await workOn(tx, { ...context, charger }, id);
      } catch (error) {
        throw new DueRowFailed(id, error);
      }
      return 1;
    },
    postpone,
  };
}

async function workOn(tx: Tx, context: DueContext & MembershipContext, id: number): Promise<void> {
  if (await isRecordBusy(tx, context.clinicId, id)) return putAside(tx, context, id);
  const { skipped } = await changeMemberships(tx, context, (changes) => runStep(changes, id));
  if (skipped > 0) {
    const fields = { clinic_id: context.clinicId, count: skipped, reason: "missed for too long" };
    logEvent(context.log, "membership.periods_let_go", fields, "warn");
  }
}

async function postpone(
  tx: Tx,
  { clinicId }: DueContext,
  { rowId, now }: { readonly rowId: number; readonly now: Temporal.Instant },
): Promise<number> {
  const waitMinutes = sql`least(${LONGEST_WAIT_MINUTES}::float8, ${FIRST_WAIT_MINUTES} * 2 ^ due_failures)`;
  const row = await tx
    .updateTable("memberships")
    .set({
      due_failures: sql<number>`least(due_failures + 1, ${FAILURES_COUNTED_MAX})`,
      due_at: sql<Temporal.Instant>`${now}::timestamptz + make_interval(secs => 60 * ${waitMinutes})`,
    })
    .where("clinic_id", "=", clinicId)
    .where("id", "=", rowId)
    .where("due_at", "<=", now)
    .returning("due_failures")
    .executeTakeFirst();
  return row?.due_failures ?? 0;
}

/** Locks the membership that has been due for longest; others' are passed over. */
async function takeDue(tx: Tx, clinicId: number, now: Temporal.Instant): Promise<number | undefined> {
  const row = await tx
    .selectFrom("memberships")
    .select("id")
    .where("clinic_id", "=", clinicId)
    .where("due_at", "<=", now)
    .orderBy("due_at")
    .orderBy("id")
    .limit(1)
    .forNoKeyUpdate()
    .skipLocked()
    .executeTakeFirst();
  return row?.id;
}

/**
 * Whether somebody else has the record that would be paid now. Billing locks the invoice first and then the membership;
 * here it is the other way round, and waiting would be waiting in a ring.
 */
async function isRecordBusy(tx: Tx, clinicId: number, id: number): Promise<boolean> {
  const charge = await tx
    .selectFrom("membership_charges")
    .select("invoice_id")
    .where("clinic_id", "=", clinicId)
    .where("membership_id", "=", id)
    .where("retry_on", "is not", null)
    .where("invoice_id", "is not", null)
    .executeTakeFirst();
  if (charge === undefined) return false;
  const free = await tx
    .selectFrom("invoices")
    .select("id")
    .where("clinic_id", "=", clinicId)
    .where("id", "=", charge.invoice_id)
    .forNoKeyUpdate()
    .skipLocked()
    .executeTakeFirst();
  return free === undefined;
}

async function putAside(tx: Tx, { clinicId, outbox }: MembershipContext, id: number): Promise<void> {
  await tx
    .updateTable("memberships")
    .set({ due_at: outbox.clock.now().add({ seconds: RECORD_BUSY_WAIT_SECONDS }) })
    .where("clinic_id", "=", clinicId)
    .where("id", "=", id)
    .execute();
}

interface Step {
  /** Periods that were let go because they were missed for too long. */
  readonly skipped: number;
}

/** The one step that is due today, if any. */
async function runStep(changes: MembershipChanges, id: number): Promise<Step> {
  const membership = await changes.open(id);
  const { state, charge, nextPeriodOn, accessUntil, accessEnded } = membership;
  const isDue = (date: Temporal.PlainDate | null | undefined) =>
    date != null && Temporal.PlainDate.compare(date, changes.today) <= 0;
  if (state === "cancelled") {
    if (!accessEnded && isDue(accessUntil)) await saveMembership(changes, id, { access_ended: true });
  } else if (charge?.retryOn != null) {
    if (isDue(charge.retryOn)) await tryCharge(changes, membership, charge);
  } else if (state === "active" && isDue(nextPeriodOn)) {
    return { skipped: await beginPeriod(changes, membership) };
  }
  return { skipped: 0 };
}

/** Returns how many periods before it were let go. */
async function beginPeriod(changes: MembershipChanges, membership: OpenMembership): Promise<number> {
  const { id, anchorOn, recurrenceInterval, nextPeriod, numberOfPayments, chargesMade } = membership;
  if (anchorOn === null) throw new Error(`membership ${id} is active without an anchor`);
  if (numberOfPayments !== null && chargesMade >= numberOfPayments) {
    await complete(changes, membership);
    return 0;
  }
  const anchor = { on: anchorOn, interval: recurrenceInterval };
  const period = firstToCharge(anchor, nextPeriod, changes.today);
  await saveMembership(changes, id, {
    next_period: period + 1,
    next_period_on: periodStart(anchor, period + 1).toString(),
  });
  await makeCharge(changes, membership, periodStart(anchor, period));
  return period - nextPeriod;
}

/** The last period of a fixed term is over; nobody is told (contract §4). */
async function complete(changes: MembershipChanges, { id, state, nextPeriodOn }: OpenMembership): Promise<void> {
  const accessUntil = nextPeriodOn?.toString() ?? null;
  await saveMembership(changes, id, {
    state: after("complete", state),
    access_until: accessUntil,
    access_ended: true,
  });
}
