/**
 * What has to be done now and then whether or not anybody asks: partitions ahead of time, and removing what is kept for a
 * limited time only. Runs on every node; each statement may be run by several at once.
 */
import type pg from "pg";
import { type Log, logEvent } from "./log.ts";

const HOUR_MS = 3_600_000;
const AFTER_FAILURE_MS = 60_000;
const PARTITION_DAYS_AHEAD = 7;
/** Partitions are cut by UTC days, while a clock may be behind. */
const PARTITION_DAYS_BEHIND = 1;

/** Each runs on its own, so that one that fails does not keep the others from being done. */
const TASKS: Readonly<Record<string, string>> = {
  partitions: `select make_partitions(((now() at time zone 'UTC')::date - ${PARTITION_DAYS_BEHIND}),
    ((now() at time zone 'UTC')::date + ${PARTITION_DAYS_AHEAD}))`,
  idempotency_keys: "delete from idempotency_keys where created_at < now() - interval '7 days'",
  feed_keys: "delete from feed_keys where created_at < now() - interval '7 days'",
  inbox: "delete from inbox_messages where received_at < now() - interval '24 hours'",
  drafts: `with gone as (
      update webhooks set deleted_at = now(), version = version + 1, headers = null, url = '' -- a credential, never opened again
      where draft and draft_until < now() and deleted_at is null returning clinic_id, id)
    delete from webhook_secrets s using gone where s.clinic_id = gone.clinic_id and s.webhook_id = gone.id`,
  retired_secrets: "delete from webhook_secrets where retires_at < now()",
  // A change that committed while its webhook was being deleted may have left a delivery behind; and what was on its way then
  // and was lost with its node has left no word of what came of it.
  deliveries_of_deleted_webhooks: `with gone as (
      delete from deliveries d using webhooks w
      where w.clinic_id = d.clinic_id and w.id = d.webhook_id and w.deleted_at < now() - interval '1 minute' returning d.*),
    unknown as (
      insert into attempts (clinic_id, event_id, webhook_id, part, attempt, started_at, outcome, body_sent)
      select clinic_id, event_id, webhook_id, part, attempt, begun_at, 'unknown', true from gone where begun_at is not null
      on conflict do nothing)
    insert into finished_deliveries (clinic_id, event_id, webhook_id, part, participants_per_request, choice_practitioner,
      choice_patient, test, sequence, attempt, state, reason, created_at)
    select clinic_id, event_id, webhook_id, part, participants_per_request, choice_practitioner,
      choice_patient, test, sequence, attempt, 'cancelled', 'deleted', created_at from gone`,
  // The files hold patients' data: one that was checked and never imported goes after a day.
  import_files: `update imports set state = 'expired', file = null, finished_at = now()
    where state = 'ready' and created_at < now() - interval '24 hours'`,
  imports: "delete from imports where file is null and created_at < now() - interval '90 days'",
  sessions: 'delete from auth."session" where "expiresAt" < now()',
  sign_in_counts: `delete from auth."rateLimit" where "lastRequest" < extract(epoch from now() - interval '1 day') * 1000`,
};

export interface MaintenanceOptions {
  /** The owner's pool: these tasks go over all clinics. */
  readonly owner: pg.Pool;
  readonly log: Log;
}

/** Does everything once, then every hour; what failed is tried again after a minute. */
export async function startMaintenance(options: MaintenanceOptions): Promise<{ stop(): Promise<void> }> {
  let timer: NodeJS.Timeout | undefined;
  let isStopping = false;
  let running: Promise<void> = Promise.resolve();
  const turn = async () => {
    const allDone = await runMaintenance(options);
    if (!isStopping) timer = setTimeout(() => (running = turn()), allDone ? HOUR_MS : AFTER_FAILURE_MS);
  };
  running = turn();
  await running;
  return {
    async stop() {
      isStopping = true;
      clearTimeout(timer);
      await running;
    },
  };
}

/** One round. Returns whether every task was done; failures are logged and no more. */
export async function runMaintenance({ owner, log }: MaintenanceOptions): Promise<boolean> {
  let allDone = true;
  for (const [name, statement] of Object.entries(TASKS)) {
    try {
      await owner.query(statement);
    } catch (err) {
      allDone = false;
      logEvent(log, "maintenance.failed", { reason: name, err }, "warn");
    }
  }
  return allDone;
}
