/** One look at the engine's tables, the real ones and the model's, in one form that can be compared. */
import type pg from "pg";
import type { RunScan, Scan } from "../../src/delivery/engine-store.ts";
import type { Tables } from "./tables.ts";

/** Rows as lists, each table in the order of its key. Times in ms; null where it never comes. */
export interface Look {
  webhooks: unknown[];
  runs: unknown[];
  deliveries: unknown[];
  /** how many each webhook has */
  bells: unknown[];
  nodes: unknown[];
  attempts: unknown[];
  finished: unknown[];
  /** those whose content is kept */
  events: unknown[];
  notices: unknown[];
}

const ms = (column: string) =>
  `case when ${column} = 'infinity' then null else round(extract(epoch from ${column}) * 1000)::bigint end`;
const list = (columns: string, from: string, order: string) =>
  `(select coalesce(json_agg(json_build_array(${columns}) order by ${order}), '[]') from ${from} where clinic_id = $1)`;

/** Without what managers are told of each other's changes. */
const ENGINE_NOTICES = `(select * from notices where kind in ('webhook.failing', 'webhook.still_failing', 'webhook.off_soon',
  'webhook.recovered', 'webhook.gone', 'webhook.turned_off')) n`;

const LOOK = `select json_build_object(
  'webhooks', ${list("id, version, enabled, off_reason, deleted_at is not null", "webhooks", "id")},
  'runs', ${list(
    `webhook_id, fence, owner, ${ms("next_at")}, next_sequence, ${ms("answered_at")}, ${ms("last_delivered_at")}, ${ms("last_failed_at")},
      failures, ${ms("failing_since")}, ${ms("parked_at")}, probes, warned, ${ms("warned_at")}, ${ms("recovered_at")},
      yielded_by, ${ms("yielded_at")}`,
    "runs",
    "webhook_id",
  )},
  'deliveries', ${list(
    `webhook_id, id, event_id, part, order_key, sequence, attempt, schedule_start, ${ms("due_at")}, ${ms("begun_at")}, fence,
      choice_practitioner, choice_patient`,
    "deliveries",
    "webhook_id, id",
  )},
  'bells', ${list("webhook_id, n", "(select clinic_id, webhook_id, count(*) as n from bells group by 1, 2) b", "webhook_id")},
  'nodes', (select coalesce(json_agg(json_build_array(id, ${ms("alive_until")}, takes) order by id), '[]') from nodes),
  'attempts', ${list(
    `webhook_id, event_id, part, attempt, ${ms("started_at")}, outcome, status, late`,
    "attempts",
    "webhook_id, event_id, part, attempt",
  )},
  'finished', ${list(
    "webhook_id, event_id, part, sequence, attempt, state, reason, choice_practitioner, choice_patient",
    "finished_deliveries",
    "webhook_id, event_id, part",
  )},
  'events', ${list("id", "(select * from events where facts is not null) e", "id")},
  'notices', ${list(`webhook_id, cause, kind, ${ms("created_at")}`, ENGINE_NOTICES, "webhook_id, cause")}) as look`;

export async function lookAtDatabase(owner: pg.Pool, clinicId: number): Promise<Look> {
  const { rows } = await owner.query<{ look: Look }>({ name: "look", text: LOOK, values: [clinicId] });
  const [row] = rows;
  if (!row) throw new Error("the database did not answer");
  return row.look;
}

const time = (at: number | null) => (at === Number.POSITIVE_INFINITY ? null : at);
const byText = (a: unknown[], b: unknown[]) => (key(a) < key(b) ? -1 : 1);
const key = (row: unknown[]) =>
  row
    .slice(0, 4)
    .map((part) => String(part).padStart(12, "0"))
    .join("/");

export function lookAtModel(tables: Tables): Look {
  const bells = Map.groupBy(tables.bells.values(), ({ webhookId }) => webhookId);
  return {
    webhooks: [...tables.webhooks.values()]
      .map((w) => [w.webhookId, w.version, w.enabled, w.offReason, w.deleted])
      .sort(byText),
    runs: [...tables.runs.values()]
      .map((r) => [
        ...[r.webhookId, r.fence, r.owner, time(r.nextAt), r.nextSequence],
        ...[r.answeredAt, r.lastDeliveredAt, r.lastFailedAt],
        ...[r.failures, r.failingSince, r.parkedAt, r.probes, r.warned, r.warnedAt, r.recoveredAt],
        ...[r.yieldedBy, r.yieldedAt],
      ])
      .sort(byText),
    deliveries: [...tables.deliveries.values()]
      .flatMap((rows) => [...rows.values()])
      .map((d) => [
        ...[d.webhookId, d.id, d.eventId, d.part, d.orderKey, d.sequence, d.attempt, d.scheduleStart],
        ...[time(d.dueAt), d.begunAt, d.fence, d.choice.practitioner, d.choice.patient],
      ])
      .sort(byText),
    bells: [...bells].map(([webhookId, rung]) => [webhookId, rung.length]).sort(byText),
    nodes: [...tables.nodes.values()].map((n) => [n.id, n.aliveUntil, n.takes]).sort(byText),
    attempts: [...tables.attempts.values()]
      .map((a) => [a.webhookId, a.eventId, a.part, a.attempt, a.startedAt, a.outcome, a.status, a.late])
      .sort(byText),
    finished: [...tables.finished.values()]
      .map((f) => [
        ...[f.webhookId, f.eventId, f.part, f.sequence, f.attempt, f.state, f.reason],
        ...[f.choice.practitioner, f.choice.patient],
      ])
      .sort(byText),
    events: [...tables.events.values()]
      .filter(({ facts }) => facts !== null)
      .map(({ id }) => [id])
      .sort(byText),
    notices: [...tables.notices.values()].map((n) => [n.webhookId, n.cause, n.kind, n.at]).sort(byText),
  };
}

/** SQL tells times as fractions that have come through seconds. */
function inWholeMs(run: RunScan): RunScan {
  const whole = (ms: number | null) => (ms === null ? null : Math.round(ms));
  const { failingMs, warnedMs, recoveredMs } = run;
  return { ...run, failingMs: whole(failingMs), warnedMs: whole(warnedMs), recoveredMs: whole(recoveredMs) };
}

/** What a scan says, without the facts, in an order of its own. */
export function comparableScan(scan: Scan): unknown {
  const byIds = (a: { webhookId: number; id?: number }, b: { webhookId: number; id?: number }) =>
    a.webhookId - b.webhookId || (a.id ?? 0) - (b.id ?? 0);
  return {
    runs: scan.runs.map(inWholeMs).sort(byIds),
    begun: scan.begun.map(({ event, ...rest }) => ({ ...rest, event: event && { ...event, facts: null } })).sort(byIds),
    waiting: scan.waiting
      .map((head) => ({ ...head, dueInMs: Math.round(head.dueInMs) }))
      .sort((a, b) => a.webhookId - b.webhookId || (a.orderKey < b.orderKey ? -1 : 1)),
    rung: scan.rung.toSorted(byIds),
    lookedUpTo: scan.lookedUpTo,
  };
}
