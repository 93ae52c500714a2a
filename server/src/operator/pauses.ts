/**
 * The operator's kill switches: sending of one webhook, of one clinic or of all is paused, and goes on later.
 *
 * Owns the rows of `sending_pauses`. Promises: a pause holds on every node from its commit on, for all that is begun after it,
 * which is within about a second for what had been begun; what waits is kept, with its place in the order, and goes on at a
 * rising rate; a webhook made meanwhile is paused, too; pauses of different scopes add up; each act is written down in its own
 * transaction (acts.ts), and in the audit of the clinic it concerns. Reads nothing of any clinic but which webhooks there are.
 * Does not stop what is on its way: that ends by itself, at its deadline at the latest.
 */
import { sql } from "kysely";
import { record } from "../audit/audit.ts";
import type { Db, Tx } from "../db/schema.ts";
import { invalid, notFound } from "../errors.ts";
import { cleanReason, OPERATOR_ACTOR, type OperatorNote, writeDown } from "./acts.ts";

export { REASON_MAX_CHARACTERS } from "./acts.ts";

const LOCK_TIMEOUT = "10s";

/** Null, null: all clinics. */
export interface PauseScope {
  readonly clinicId: number | null;
  readonly webhookId: number | null;
}

export interface Pause extends PauseScope {
  readonly reason: string;
  readonly pausedAt: Temporal.Instant;
}

/** All pauses, the oldest first. `owner` runs as the tables' owner. */
export async function listPauses(owner: Db): Promise<Pause[]> {
  const rows = await owner.selectFrom("sending_pauses").selectAll().orderBy("id").execute();
  return rows.map((row) => ({
    clinicId: row.clinic_id,
    webhookId: row.webhook_id,
    reason: row.reason,
    pausedAt: row.paused_at,
  }));
}

/** Pauses a scope; false where it was paused already. Throws 404 for a clinic or webhook that is not there, 400 for a reason. */
export async function pauseSending(owner: Db, scope: PauseScope, note: OperatorNote): Promise<boolean> {
  checkScope(scope);
  const reason = cleanReason(note.reason);
  return alone(owner, async (tx) => {
    await refuseUnknown(tx, scope);
    const { numInsertedOrUpdatedRows } = await tx
      .insertInto("sending_pauses")
      .values({ clinic_id: scope.clinicId, webhook_id: scope.webhookId, reason })
      .onConflict((conflicting) => conflicting.doNothing())
      .executeTakeFirstOrThrow();
    if (numInsertedOrUpdatedRows === 0n) return false;
    await sql`update webhooks set paused = true where not paused and ${within(scope)}`.execute(tx);
    await writeDownHere(tx, { ...scope, ...note, reason, action: "sending.paused" });
    return true;
  });
}

/** Ends the pause of exactly this scope; false where there was none. What is under another pause as well stays paused. */
export async function resumeSending(owner: Db, scope: PauseScope, note: OperatorNote): Promise<boolean> {
  checkScope(scope);
  const reason = cleanReason(note.reason);
  return alone(owner, async (tx) => {
    const { rows } = await sql`delete from sending_pauses where clinic_id is not distinct from ${scope.clinicId}
      and webhook_id is not distinct from ${scope.webhookId} returning id`.execute(tx);
    if (rows.length === 0) return false;
    await sql`
      with freed as (
        update webhooks set paused = false where paused and ${within(scope)}
        returning clinic_id, id, enabled and not paused and deleted_at is null as sends),
      locked as materialized ( -- in the order of all who wait for locks (delivery/store.ts)
        select r.clinic_id, r.webhook_id from freed f join runs r on r.clinic_id = f.clinic_id and r.webhook_id = f.id
        where f.sends order by r.clinic_id, r.webhook_id for no key update of r),
      rising as (
        -- a probe that came due meanwhile was put off without end (delivery/sql/rest.sql)
        update runs r set recovered_at = now(),
          next_at = case when r.parked_at is not null and r.owner is null and r.next_at = 'infinity' then now() else r.next_at end
        from locked l
        where r.clinic_id = l.clinic_id and r.webhook_id = l.webhook_id)
      insert into bells (clinic_id, webhook_id) select clinic_id, id from freed where sends`.execute(tx);
    await writeDownHere(tx, { ...scope, ...note, reason, action: "sending.resumed" });
    return true;
  });
}

/** Nobody makes or changes a webhook meanwhile, so that none slips through between the pause and its rows. */
function alone<Result>(owner: Db, work: (tx: Tx) => Promise<Result>): Promise<Result> {
  return owner.transaction().execute(async (tx) => {
    await sql`select set_config('lock_timeout', ${LOCK_TIMEOUT}, true)`.execute(tx);
    await sql`lock table webhooks in share row exclusive mode`.execute(tx);
    return work(tx);
  });
}

function checkScope({ clinicId, webhookId }: PauseScope): void {
  if (webhookId === null || clinicId !== null) return;
  throw invalid("clinic_id", "Name the clinic of the webhook as well.", "missing");
}

async function refuseUnknown(tx: Tx, { clinicId, webhookId }: PauseScope): Promise<void> {
  if (clinicId === null) return;
  const clinic = await tx.selectFrom("clinics").select("id").where("id", "=", clinicId).executeTakeFirst();
  if (clinic === undefined) throw notFound("the clinic", "clinic_id", "Check its id.");
  if (webhookId === null) return;
  const webhook = await tx
    .selectFrom("webhooks")
    .select("id")
    .where("clinic_id", "=", clinicId)
    .where("id", "=", webhookId)
    .where("deleted_at", "is", null)
    .executeTakeFirst();
  if (webhook === undefined)
    throw notFound("the webhook", "webhook_id", "Check its id, and that it belongs to that clinic.");
}

function within({ clinicId, webhookId }: PauseScope) {
  if (clinicId === null) return sql`true`;
  return webhookId === null ? sql`clinic_id = ${clinicId}` : sql`clinic_id = ${clinicId} and id = ${webhookId}`;
}

interface Act extends PauseScope, OperatorNote {
  readonly action: "sending.paused" | "sending.resumed";
}

/** As the operator's act, and in the audit of the clinic it concerns. */
async function writeDownHere(tx: Tx, act: Act): Promise<void> {
  await writeDown(tx, act);
  const { clinicId, webhookId, action } = act;
  if (clinicId === null) return;
  const target = webhookId === null ? "webhooks" : `webhook:${webhookId}`;
  const isPaused = action === "sending.paused";
  const views = { before: { paused: !isPaused }, after: { paused: isPaused } };
  await record(tx, { clinicId, actor: OPERATOR_ACTOR, action, target, ...views });
}
