/**
 * Recoveries as people handle them: counted first, then started, paused, resumed, cancelled (contract §7, Recover).
 *
 * Owns the rows of `recoveries`. Promises: the count is what a recovery started at that moment would queue, as long as
 * nobody sends one of them again meanwhile; one that runs or is paused per webhook; every command is audited in its
 * transaction. The work itself is recover.ts; what it has queued stays queued when it is paused or cancelled.
 */
import { CompiledQuery, sql } from "kysely";
import { record } from "../audit/audit.ts";
import type { Tx } from "../db/schema.ts";
import { conflict, invalid, notFound } from "../errors.ts";
import { BEYOND_EVENT_IDS, lowestEventId } from "../outbox/identifiers.ts";
import { UNPROVED_PER_SECOND } from "./run.ts";
import { sqlFile } from "./sql-file.ts";

/** `failed`: given up. `off`: never sent, because the webhook was off. */
export const RECOVERED_STATES = ["failed", "off"] as const;
export type RecoveredState = (typeof RECOVERED_STATES)[number];
export const RECOVERY_PACE_MAX_PER_SECOND = 500;
/** Counting stops here; a recovery does not. */
export const RECOVERABLE_COUNTED_MAX = 200_000;
/** Waiting ones are counted up to here. */
const WAITING_COUNTED_MAX = 10_000;
const COUNT = sqlFile("count_recoverable");

export interface RecoverScope {
  readonly clinicId: number;
  readonly webhookId: number;
}

export interface RecoverRange {
  /** When the events happened: from this instant on … */
  readonly from: Temporal.Instant;
  /** … and before that one; null: up to now. */
  readonly to: Temporal.Instant | null;
  readonly states: readonly RecoveredState[];
}

export interface RecoverCount {
  readonly found: number;
  /** Not among `found`: their content is no longer kept. */
  readonly leftOut: number;
  /** False where there are more than RECOVERABLE_COUNTED_MAX: then the two are "at least". */
  readonly countedAll: boolean;
}

/** What a running recovery waits for, apart from its pace. */
export type RecoveryHold = "webhook_off" | "webhook_parked";

export interface Recovery extends RecoverRange, RecoverCount {
  readonly id: number;
  readonly state: "running" | "paused" | "done" | "cancelled";
  readonly waitsFor: RecoveryHold | null;
  readonly queued: number;
  /** Of the queued ones, those that are not finished yet; up to WAITING_COUNTED_MAX. */
  readonly waiting: number;
  /** Of the queued ones, those that have arrived since. */
  readonly delivered: number;
  /** Of the queued ones, those that have ended otherwise since: given up once more, or cancelled. */
  readonly failed: number;
  /** Deliveries a second as they are queued now: as it was asked for, and at most half of the webhook's own pace. */
  readonly pacePerSecond: number;
  readonly startedByName: string;
  readonly createdAt: Temporal.Instant;
  readonly endedAt: Temporal.Instant | null;
}

/** Counts what a recovery would queue now. @throws ProblemError 404, or naming `to` */
export async function countRecoverable(tx: Tx, scope: RecoverScope, range: RecoverRange): Promise<RecoverCount> {
  await findWebhook(tx, scope);
  return count(tx, scope, range);
}

export interface NewRecovery extends RecoverRange {
  /** 1 to RECOVERY_PACE_MAX_PER_SECOND; null: half of the webhook's own. */
  readonly pacePerSecond: number | null;
  readonly by: { readonly userId: string; readonly userName: string };
}

/** Starts one. @throws ProblemError 404, naming `to`, 409 `recovery_active` or `nothing_to_recover` */
export async function startRecovery(tx: Tx, scope: RecoverScope, wanted: NewRecovery): Promise<Recovery> {
  await findWebhook(tx, scope);
  const { found, leftOut, countedAll } = await count(tx, scope, wanted);
  if (found === 0)
    throw conflict("nothing_to_recover", "There is nothing to send again in this range. Choose another one.");
  const { from, to, states, pacePerSecond, by } = wanted;
  const inserted = await tx
    .insertInto("recoveries")
    .values({
      ...{ clinic_id: scope.clinicId, webhook_id: scope.webhookId, states: [...new Set(states)] },
      ...{ from_time: from, to_time: to, pace_per_second: pacePerSecond },
      ...{ cursor_event_id: lowestEventId(from.epochMilliseconds), cursor_part: -1, until_event_id: boundOf(to) },
      ...{ found, left_out: leftOut, counted_all: countedAll, started_by: by.userId, started_by_name: by.userName },
    })
    // Of two that start at the same time one waits for the other here, and finds it.
    .onConflict((c) => c.columns(["clinic_id", "webhook_id"]).where(IS_ACTIVE).doNothing())
    .returning("id")
    .executeTakeFirst();
  if (inserted === undefined) {
    throw conflict(
      "recovery_active",
      "Failed deliveries of this webhook are being sent again already. Cancel that first.",
    );
  }
  const { id } = inserted;
  const after = {
    ...{ from: from.toString(), to: to?.toString() ?? null, states, found, left_out: leftOut },
    ...{ pace_per_second: pacePerSecond },
  };
  await note(tx, scope, { id, actor: by.userId, action: "recovery.started", after });
  return getRecovery(tx, scope, id);
}

/** One of a webhook's recoveries. @throws ProblemError 404 */
export async function getRecovery(tx: Tx, scope: RecoverScope, id: number): Promise<Recovery> {
  const row = await select(tx, scope).where("r.id", "=", id).executeTakeFirst();
  if (row === undefined) throw notFound("the recovery");
  return toRecovery(row);
}

/** The newest first, below the id `before`. @throws ProblemError 404 where there is no such webhook */
export async function listRecoveries(
  tx: Tx,
  scope: RecoverScope,
  { before, limit }: { readonly before?: number | undefined; readonly limit: number },
): Promise<Recovery[]> {
  await findWebhook(tx, scope);
  const rows = await select(tx, scope)
    .where("r.id", "<", before ?? Number.MAX_SAFE_INTEGER)
    .orderBy("r.id", "desc")
    .limit(limit)
    .execute();
  return rows.map(toRecovery);
}

export type RecoveryStep = "pause" | "resume" | "cancel";

const STEPS = {
  pause: { state: "paused", action: "recovery.paused" },
  resume: { state: "running", action: "recovery.resumed" },
  cancel: { state: "cancelled", action: "recovery.cancelled" },
} as const;

/** Pauses, resumes or cancels; where it is so already, nothing happens. @throws ProblemError 404, 409 `recovery_ended` */
export async function stepRecovery(
  tx: Tx,
  scope: RecoverScope,
  { id, step, actor }: { readonly id: number; readonly step: RecoveryStep; readonly actor: string },
): Promise<Recovery> {
  const { state, action } = STEPS[step];
  // A batch that is running holds the row: this waits for it, and the next one sees what is written here.
  const { numUpdatedRows } = await tx
    .updateTable("recoveries")
    .set({ state, next_at: sql<Temporal.Instant>`now()`, ...(step === "cancel" && { ended_at: sql`now()` }) })
    .where("clinic_id", "=", scope.clinicId)
    .where("webhook_id", "=", scope.webhookId)
    .where("id", "=", id)
    .where("state", "<>", state)
    .where(IS_ACTIVE)
    .executeTakeFirstOrThrow();
  const recovery = await getRecovery(tx, scope, id);
  if (numUpdatedRows > 0n) {
    await note(tx, scope, { id, actor, action, after: { queued: recovery.queued } });
  } else if (recovery.state !== state) {
    throw conflict("recovery_ended", "This has ended already. Start again if there is more to send.");
  }
  return recovery;
}

const IS_ACTIVE = sql<boolean>`state in ('running', 'paused')`;

async function findWebhook(tx: Tx, { clinicId, webhookId }: RecoverScope): Promise<void> {
  await tx
    .selectFrom("webhooks")
    .select("id")
    .where("clinic_id", "=", clinicId)
    .where("id", "=", webhookId)
    .where("deleted_at", "is", null)
    .executeTakeFirstOrThrow(() => notFound("the webhook"));
}

function boundOf(to: Temporal.Instant | null): string {
  return to === null ? BEYOND_EVENT_IDS : lowestEventId(to.epochMilliseconds);
}

async function count(tx: Tx, { clinicId, webhookId }: RecoverScope, range: RecoverRange): Promise<RecoverCount> {
  const { from, to, states } = range;
  if (to !== null && Temporal.Instant.compare(from, to) >= 0) {
    throw invalid("to", "The end must be later than the beginning. Choose a later one, or leave it out.", "invalid");
  }
  const [first, beyond] = [lowestEventId(from.epochMilliseconds), boundOf(to)];
  const { rows } = await tx.executeQuery<{ found: number; left_out: number; counted_all: boolean }>(
    CompiledQuery.raw(COUNT, [clinicId, webhookId, [...states], first, -1, beyond, null, RECOVERABLE_COUNTED_MAX]),
  );
  const [row] = rows;
  if (row === undefined) throw new Error("counting gave no row");
  return { found: row.found, leftOut: row.left_out, countedAll: row.counted_all };
}

function select(tx: Tx, { clinicId, webhookId }: RecoverScope) {
  return tx
    .selectFrom("recoveries as r")
    .innerJoin("webhooks as w", (join) =>
      join.onRef("w.clinic_id", "=", "r.clinic_id").onRef("w.id", "=", "r.webhook_id"),
    )
    .innerJoin("runs as n", (join) =>
      join.onRef("n.clinic_id", "=", "r.clinic_id").onRef("n.webhook_id", "=", "r.webhook_id"),
    )
    .selectAll("r")
    .select(["w.enabled", "n.parked_at", "n.answered_at", "w.pace_per_second as webhook_pace"])
    .select(
      sql<number>`(select count(*) from (select from deliveries d where d.clinic_id = r.clinic_id and d.webhook_id = r.webhook_id
        and d.recovery_id = r.id limit ${WAITING_COUNTED_MAX}) counted)`.as("waiting"),
    )
    .select(
      sql<number>`(select count(*) from finished_deliveries f where f.clinic_id = r.clinic_id and f.webhook_id = r.webhook_id
        and f.recovery_id = r.id and f.state = 'delivered')`.as("delivered"),
    )
    .where("r.clinic_id", "=", clinicId)
    .where("r.webhook_id", "=", webhookId)
    .where("w.deleted_at", "is", null);
}

type Row = Awaited<ReturnType<ReturnType<typeof select>["execute"]>>[number];

function toRecovery(row: Row): Recovery {
  const webhookPace = row.answered_at === null ? UNPROVED_PER_SECOND : row.webhook_pace;
  const hold = row.enabled ? (row.parked_at === null ? null : "webhook_parked") : "webhook_off";
  return {
    id: row.id,
    state: row.state,
    waitsFor: row.state === "running" ? hold : null,
    from: row.from_time,
    to: row.to_time,
    states: RECOVERED_STATES.filter((state) => row.states.includes(state)),
    found: row.found,
    leftOut: row.left_out,
    countedAll: row.counted_all,
    queued: row.queued,
    waiting: row.waiting,
    delivered: row.delivered,
    failed: Math.max(0, row.queued - row.waiting - row.delivered),
    pacePerSecond: Math.min(row.pace_per_second ?? RECOVERY_PACE_MAX_PER_SECOND, webhookPace / 2),
    startedByName: row.started_by_name,
    createdAt: row.created_at,
    endedAt: row.ended_at,
  };
}

interface Note {
  readonly id: number;
  readonly actor: string;
  readonly action: Parameters<typeof record>[1]["action"];
  readonly after: object;
}

async function note(tx: Tx, { clinicId, webhookId }: RecoverScope, { id, ...what }: Note): Promise<void> {
  await record(tx, { clinicId, target: `webhook:${webhookId}/recovery:${id}`, before: null, ...what });
}
