/**
 * What has to be done now and then whether or not anybody asks: partitions ahead of time, and removing what is kept for a
 * limited time only. Runs on every node; each statement may be run by several at once.
 */
import type pg from "pg";
import { watchAges } from "./delivery/ages.ts";
import { eraseContent, runRetention } from "./delivery/retention.ts";
import { type Log, logEvent } from "./log.ts";

const MINUTE_MS = 60_000;
const TURNS_PER_ROUND = 60;

/** Each runs on its own, so that one that fails does not keep the others from being done. */
const TASKS: Readonly<Record<string, string>> = {
  idempotency_keys: "delete from idempotency_keys where created_at < now() - interval '7 days'",
  feed_keys: "delete from feed_keys where created_at < now() - interval '7 days'",
  inbox: "delete from inbox_messages where received_at < now() - interval '24 hours'",
  drafts: `with gone as (
      update webhooks set deleted_at = now(), version = version + 1, headers = null, url = '' -- a credential, never opened again
      where draft and draft_until < now() and deleted_at is null returning clinic_id, id),
    keys as (delete from webhook_keys k using gone where k.clinic_id = gone.clinic_id and k.webhook_id = gone.id)
    delete from webhook_secrets s using gone where s.clinic_id = gone.clinic_id and s.webhook_id = gone.id`,
  retired_secrets: "delete from webhook_secrets where retires_at < now()",
  retired_keys: "delete from webhook_keys where retires_at < now()",
  retired_operational_secrets: `update operational_webhooks set previous_secret = null, previous_secret_until = null
    where previous_secret_until < now()`,
  // A change that committed while its webhook was being deleted may have left a delivery behind; and what was on its way then
  // and was lost with its node has left no word of what came of it.
  deliveries_of_deleted_webhooks: `with picked as materialized (
      select d.clinic_id, d.webhook_id, d.id from deliveries d join webhooks w on w.clinic_id = d.clinic_id and w.id = d.webhook_id
      where w.deleted_at < now() - interval '1 minute' for update of d skip locked),
    gone as (
      delete from deliveries d using picked p
      where d.clinic_id = p.clinic_id and d.webhook_id = p.webhook_id and d.id = p.id returning d.*),
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
  notices: "delete from notices where created_at < now() - interval '400 days'",
  // Watches of consults that start much later, whose delivery has arrived meanwhile.
  late_watches: `delete from late_watches w where not exists (select from deliveries d
    where d.clinic_id = w.clinic_id and d.webhook_id = w.webhook_id and d.id = w.delivery_id)`,
  embed_sessions: `delete from embed_sessions
    where coalesce(expires_at, link_expires_at) < now() - interval '1 hour'`,
  recoveries: "delete from recoveries where ended_at < now() - interval '90 days'",
  sessions: 'delete from auth."session" where "expiresAt" < now()',
  sign_in_counts: `delete from auth."rateLimit" where "lastRequest" < extract(epoch from now() - interval '1 day') * 1000`,
};

export interface MaintenanceOptions {
  /** The owner's pool: these tasks go over all clinics. */
  readonly owner: pg.Pool;
  readonly log: Log;
  /** The operator's setting: how many days events and what came of them are kept. */
  readonly retentionDays: number;
}

export interface Maintenance {
  stop(): Promise<void>;
}

/** Does everything once, then every hour, and each minute what cannot wait; what was not done is tried again after a minute. */
export async function startMaintenance(options: MaintenanceOptions): Promise<Maintenance> {
  let timer: NodeJS.Timeout | undefined;
  let isStopping = false;
  let running: Promise<void> = Promise.resolve();
  let turnsToRound = 0;
  const turn = async () => {
    if (turnsToRound === 0) turnsToRound = (await runMaintenance(options)) ? TURNS_PER_ROUND : 1;
    else await attempt(options, "content", () => eraseContent({ ...options, days: options.retentionDays }));
    turnsToRound -= 1;
    await attempt(options, "ages", () => watchAges(options.owner, options.log));
    if (!isStopping) timer = setTimeout(() => (running = turn()), MINUTE_MS);
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
export async function runMaintenance(options: MaintenanceOptions): Promise<boolean> {
  const { owner, retentionDays: days } = options;
  let allDone = await attempt(options, "retention", () => runRetention({ ...options, days }));
  for (const [name, statement] of Object.entries(TASKS)) {
    allDone = (await attempt(options, name, () => owner.query(statement))) && allDone;
  }
  return allDone;
}

/** Whether the work was done; work that says `false` itself was not. */
async function attempt({ log }: MaintenanceOptions, name: string, work: () => Promise<unknown>): Promise<boolean> {
  try {
    return (await work()) !== false;
  } catch (err) {
    logEvent(log, "maintenance.failed", { reason: name, err }, "warn");
    return false;
  }
}
