/**
 * What the model of the engine remembers: plain rows in plain maps, written from engine.md and contract §7, not from the SQL.
 *
 * Rows are never changed in place but replaced, so that a copy of the maps is a snapshot. Times are milliseconds of the
 * database's clock; "never" is Infinity.
 */
import type { BlockChoice } from "@hookwell/sdk";
import type { RunKey, SettledAttempt } from "../../src/delivery/engine-store.ts";
import type { Warned } from "../../src/delivery/health.ts";

export interface Choice {
  practitioner: BlockChoice;
  patient: BlockChoice;
}

export interface WebhookRow extends RunKey {
  readonly version: number;
  readonly enabled: boolean;
  readonly offReason: string | null;
  readonly deleted: boolean;
  readonly updatedAt: number;
  readonly concurrency: number;
  readonly pacePerSecond: number;
  readonly host: string;
  readonly choice: Choice;
}

export interface RunRow extends RunKey {
  readonly fence: number;
  readonly owner: number | null;
  readonly nextAt: number;
  readonly nextSequence: number;
  readonly answeredAt: number | null;
  readonly lastDeliveredAt: number | null;
  readonly lastFailedAt: number | null;
  /** failures of the receiver itself, in a row, and when the first of them began */
  readonly failures: number;
  readonly failingSince: number | null;
  readonly parkedAt: number | null;
  /** probes that failed since it was parked */
  readonly probes: number;
  /** how far its clinic has been told, and when */
  readonly warned: Warned;
  readonly warnedAt: number | null;
  readonly recoveredAt: number | null;
  /** the node that gave it away for others to take, and when */
  readonly yieldedBy: number | null;
  readonly yieldedAt: number | null;
}

type Health = "failures" | "failingSince" | "parkedAt" | "probes" | "warned" | "warnedAt";
/** A run whose receiver has done nothing wrong. */
export const HEALTHY_RUN: Pick<RunRow, Health> = {
  failures: 0,
  failingSince: null,
  parkedAt: null,
  probes: 0,
  warned: 0,
  warnedAt: null,
};

export interface NoticeRow extends RunKey {
  readonly kind: string;
  /** one notice per cause */
  readonly cause: string;
  readonly at: number;
}

/** What names one delivery. */
export interface DeliveryName extends RunKey {
  readonly eventId: string;
  readonly part: number;
}

export interface DeliveryRow extends DeliveryName {
  readonly id: number;
  readonly orderKey: string;
  readonly choice: Choice;
  readonly sequence: number | null;
  readonly attempt: number;
  readonly scheduleStart: number;
  readonly dueAt: number;
  /** set while an attempt is under way or its outcome is not known */
  readonly begunAt: number | null;
  readonly fence: number | null;
}

export interface FinishedRow extends DeliveryName {
  readonly choice: Choice;
  readonly sequence: number | null;
  readonly attempt: number;
  readonly state: "delivered" | "given_up" | "cancelled";
  readonly reason: string | null;
  readonly finishedAt: number;
}

export interface AttemptRow extends DeliveryName {
  readonly attempt: number;
  readonly startedAt: number;
  /** null where nothing is known of it */
  readonly durationMs: number | null;
  readonly outcome: string;
  readonly status: number | null;
  readonly late: boolean;
}

export interface EventRow {
  readonly clinicId: number;
  readonly id: string;
  readonly name: string;
  readonly subject: string;
  readonly subjectVersion: number;
  /** null once it is kept no longer */
  readonly facts: Buffer | null;
}

/** One ring: a webhook's bell. Bells of one statement have the same `statement`. */
export interface BellRow extends RunKey {
  readonly id: number;
  readonly statement: number;
}

export interface NodeRow {
  readonly id: number;
  readonly name: string;
  readonly aliveUntil: number;
  /** it has not said that it is stopping */
  readonly takes: boolean;
}

export class Tables {
  webhooks = new Map<string, WebhookRow>();
  runs = new Map<string, RunRow>();
  /** by webhook, then by id, in the order of ids */
  deliveries = new Map<string, ReadonlyMap<number, DeliveryRow>>();
  bells = new Map<number, BellRow>();
  nodes = new Map<number, NodeRow>();
  /** insert-only or looked at by key alone: shared by all snapshots */
  readonly events = new Map<string, EventRow>();
  readonly attempts = new Map<string, AttemptRow>();
  readonly finished = new Map<string, FinishedRow>();
  readonly subjects = new Map<string, number>();
  readonly notices = new Map<string, NoticeRow>();

  /** What a statement that begins now would see, whatever is committed while it runs. */
  snapshot(): Tables {
    const seen: Tables = Object.create(this);
    seen.webhooks = new Map(this.webhooks);
    seen.runs = new Map(this.runs);
    seen.deliveries = new Map(this.deliveries);
    seen.bells = new Map(this.bells);
    seen.nodes = new Map(this.nodes);
    return seen;
  }

  deliveriesOf(key: RunKey): ReadonlyMap<number, DeliveryRow> {
    return this.deliveries.get(nameOf(key)) ?? new Map();
  }

  putDelivery(row: DeliveryRow): void {
    const rows = [...this.deliveriesOf(row)].filter(([id]) => id !== row.id);
    rows.push([row.id, row]);
    this.deliveries.set(nameOf(row), new Map(rows.sort(([a], [b]) => a - b)));
  }

  removeDelivery(row: RunKey & { id: number }): void {
    const rows = new Map(this.deliveriesOf(row));
    rows.delete(row.id);
    this.deliveries.set(nameOf(row), rows);
  }

  changeRun(key: RunKey, change: Partial<RunRow>): void {
    this.runs.set(nameOf(key), { ...this.run(key), ...change });
  }

  run(key: RunKey): RunRow {
    const row = this.runs.get(nameOf(key));
    if (!row) throw new Error(`the model has no run ${nameOf(key)}`);
    return row;
  }

  webhook(key: RunKey): WebhookRow {
    const row = this.webhooks.get(nameOf(key));
    if (!row) throw new Error(`the model has no webhook ${nameOf(key)}`);
    return row;
  }

  /** Is on and there. */
  isOn(key: RunKey): boolean {
    const { enabled, deleted } = this.webhook(key);
    return enabled && !deleted;
  }

  hasBell(key: RunKey): boolean {
    return [...this.bells.values()].some((bell) => nameOf(bell) === nameOf(key));
  }

  /** Ends a delivery: out of what is unfinished, into what is kept. */
  finish(row: DeliveryRow, { at, ...end }: Pick<FinishedRow, "state" | "reason"> & { at: number }): void {
    const { clinicId, webhookId, eventId, part, choice, sequence, attempt } = row;
    this.removeDelivery(row);
    const finished = { clinicId, webhookId, eventId, part, choice, sequence, attempt, ...end, finishedAt: at };
    this.finished.set(deliveryName(row), finished);
  }

  /** Tells a clinic once per cause. */
  tell(key: RunKey, kind: string, { cause, at }: { cause: string | number; at: number }): void {
    const { clinicId, webhookId } = key;
    const row = { clinicId, webhookId, kind, cause: `${kind}:${webhookId}:${cause}`, at };
    if (!this.notices.has(row.cause)) this.notices.set(row.cause, row);
  }

  /** A claim that was lost with its node: what came of it is not known, unless a late result has said so already. */
  noteUnknown({ clinicId, webhookId, eventId, part, attempt }: DeliveryRow, startedAt: number): void {
    const key = { clinicId, webhookId, eventId, part, attempt };
    const name = attemptName(key);
    if (!this.attempts.has(name))
      this.attempts.set(name, { ...key, startedAt, durationMs: null, outcome: "unknown", status: null, late: false });
  }

  /** A result's attempt row. One written a second time, because nobody knew whether it was, keeps what was said of it then. */
  noteAttempt(result: SettledAttempt, at: number, late: boolean): void {
    const { begun, outcome, status } = result;
    const { clinicId, webhookId, eventId, part, attempt } = begun;
    const startedAt = at - result.startedMsAgo;
    const { durationMs } = result;
    const row = { clinicId, webhookId, eventId, part, attempt, startedAt, durationMs, outcome, status };
    const before = this.attempts.get(attemptName(row));
    const isKnown = before !== undefined && before.outcome !== "unknown";
    this.attempts.set(attemptName(row), { ...row, late: isKnown ? before.late : late });
  }
}

export function nameOf(key: RunKey): string {
  return `${key.clinicId}/${key.webhookId}`;
}

export function deliveryName(key: DeliveryName): string {
  return `${nameOf(key)}/${key.eventId}/${key.part}`;
}

export function attemptName(key: DeliveryName & { attempt: number }): string {
  return `${deliveryName(key)}#${key.attempt}`;
}
