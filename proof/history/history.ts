/**
 * What the checker reads: the client's log of what was accepted, the receivers' logs of what arrived, and the rows of
 * deliveries, attempts, webhooks and secrets exported as plain data.
 *
 * Owns the shapes of that evidence. Promises to know nothing of how the engine works: this folder imports nothing but Node
 * and the SDK's signatures, which a test checks. All times are milliseconds since 1970 on the machine's clock; all of the
 * evidence comes from one machine. Judges nothing (judge.ts).
 */

/** One event that the client saw committed: written down only after its commit had returned. */
export interface AcceptedEvent {
  clinic: string;
  /** the UUID without hyphens, as it stands in `webhook-id` */
  event: string;
  name: string;
  subject: string;
  version: number;
  /** how many people it is about: how many requests it makes where each has one of his own */
  participants: number;
  /** before its transaction began and after its commit returned */
  beganMs: number;
  doneMs: number;
}

/** One setting of a webhook and the time in which it may have been in force; two overlap while a change is under way. */
export interface WebhookVersion {
  clinic: string;
  webhook: string;
  fromMs: number;
  /** when the change away from it had certainly been made; infinite for the last one */
  untilMs: number;
  events: readonly string[];
  practitioner: Block;
  patient: Block;
  onePerRequest: boolean;
  enabled: boolean;
  deleted: boolean;
  /** as its receiver names itself (Reception); a change of it ends a parking */
  address: string;
}

export type Block = "off" | "id" | "all";
/** How much of a person each of them is. */
export const WIDTH: Readonly<Record<Block, number>> = { off: 0, id: 1, all: 2 };

/** A time in which something was, or may have been. */
export interface Span {
  fromMs: number;
  untilMs: number;
}

/** A secret or a key pair, and the time in which it may have been live (began to ended), and in which it was for certain (from to until). */
export interface LiveSecret {
  webhook: string;
  name: string;
  /** `whsec_…`, or the public half of a key pair, `whpk_…` */
  secret: string;
  beganMs: number;
  fromMs: number;
  /** null: to this day */
  untilMs: number | null;
  endedMs: number | null;
}

/** Something that a person did: it explains what would otherwise be a violation, or forbids what would otherwise be none. */
export interface RecordedChange {
  what: "resent" | "erased" | "not_shared";
  /** the webhook-id for `resent`; the subject otherwise */
  of: string;
  fromMs: number;
  untilMs: number;
}

/** One POST as its receiver saw it. */
export interface Reception {
  id: string;
  webhook: string;
  subject: string;
  version: number;
  /** null on tests, which carry none */
  sequence: number | null;
  attempt: number;
  test: boolean;
  /** where it arrived, in the words of WebhookVersion; null where the receiver does not know */
  address: string | null;
  atMs: number;
  /** what was answered; null where the request or the answer was cut short */
  status: number | null;
  /** the answer's Retry-After in seconds, where it had one */
  retryAfterSeconds: number | null;
  /** `webhook-timestamp`, as ms */
  timestampMs: number;
  /** null where the body did not arrive whole */
  bodyHash: string | null;
  /** what the body carried of its people; null where it did not arrive whole, or has no such block by its event */
  carried: { practitioner: Block; patient: Block } | null;
  /** names of the secrets and keys whose entry fits, and how many entries there were, v1 and v1a; null where nobody looked */
  signed: { by: readonly string[]; entries: number } | null;
}

/** A delivery's row, wherever it is kept. */
export interface DeliveryRow {
  id: string;
  clinic: string;
  webhook: string;
  event: string;
  /** empty, and the version 0, where the event itself is kept no longer */
  subject: string;
  version: number;
  test: boolean;
  sequence: number | null;
  attempts: number;
  state: "open" | "delivered" | "given_up" | "cancelled";
  reason: string | null;
  /** an attempt has been begun whose outcome is not written down yet: `attempts` is its number */
  begun: boolean;
  /** of an open one; null: never */
  dueMs: number | null;
  /** of an ended one */
  finishedMs: number | null;
}

export interface AttemptRow {
  id: string;
  webhook: string;
  attempt: number;
  startedMs: number;
  durationMs: number | null;
  outcome: string;
  status: number | null;
  late: boolean;
}

/** An event's row: what was committed, whether or not the client heard of it. */
export interface EventRow {
  clinic: string;
  event: string;
  name: string;
  occurredMs: number;
  test: boolean;
}

export interface History {
  accepted: readonly AcceptedEvent[];
  /** events whose transaction was rolled back for certain */
  refused: readonly string[];
  changes: readonly RecordedChange[];
  webhooks: readonly WebhookVersion[];
  secrets: readonly LiveSecret[];
  /** in order of arrival */
  receptions: readonly Reception[];
  events: readonly EventRow[];
  deliveries: readonly DeliveryRow[];
  attempts: readonly AttemptRow[];
}

/** A test brought forward what would have been due later: what was waited for meanwhile says nothing. */
export interface MovedTimes {
  fromMs: number;
  untilMs: number;
  /** webhook-ids of the deliveries, and webhooks whose next attempt of all (the probe) was brought forward; null: everything */
  of: readonly string[] | null;
}

export interface JudgeOptions {
  /** nothing should wait any more but for webhooks that are off; otherwise it may be due */
  drained: boolean;
  /** when a test moved rows' times, and whose; true where nobody can tell: then no wait between attempts says anything */
  timesMoved?: boolean | readonly MovedTimes[];
  /** how old an event is at least when its content may go, and what waits of it expires; 29 days where nobody chose otherwise */
  expiresAfterMs?: number;
  /** longest time between looking at a webhook's settings and sending; SLACK_DEFAULT_MS where the machine is not starved */
  slackMs?: number;
  /**
   * when the last node was lost, if any: what a node has heard of a receiver and not yet written down is lost with it, so that
   * only failures since then park a webhook for certain
   */
  calmFromMs?: number;
  /** how far the nodes' wall clocks were moved on purpose, at most; signatures carry their time */
  clockMovedMs?: number;
}

/** One broken promise, in a sentence. */
export interface Violation {
  check: string;
  sentence: string;
}

/** 2xx is success (contract §7). */
export function isAccepted(reception: Reception): boolean {
  return reception.status !== null && reception.status >= 200 && reception.status < 300;
}

/** The webhook-id of a part of an event for a webhook (contract §7). */
export function deliveryIdOf(event: string, webhook: string, part: number): string {
  return `msg_${event}_${webhook}${part === 0 ? "" : `_${part}`}`;
}
