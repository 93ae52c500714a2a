/**
 * What the engine asks of its store and what it is told: the words that dispatcher.ts, run.ts, settler.ts and store.ts share.
 *
 * Owns: shapes alone, nothing that runs. Times are in ms, from now on or ago, as each name tells: the database's clock and
 * a node's are never compared. Does not: hold SQL (store.ts) nor decide (policy.ts).
 */
import type { BlockChoice } from "@hookwell/sdk";
import type { Warned } from "./health.ts";
import type { DeliveryStore } from "./store.ts";

/** What the dispatcher asks of its store, whatever keeps it: PostgreSQL, or the model that the tests hold beside it. */
export type EngineStore = Pick<DeliveryStore, keyof DeliveryStore>;

/** Which webhook, under which lease. */
export interface RunKey {
  clinicId: number;
  webhookId: number;
}

/** Clinic and webhook in one word. */
export function nameOf({ clinicId, webhookId }: RunKey): string {
  return `${clinicId}/${webhookId}`;
}

/** One delivery whose attempt has been marked as begun: it may be sent now, by us alone. */
export interface Begun extends RunKey {
  id: number;
  eventId: string;
  part: number;
  participantsPerRequest: number;
  orderKey: string;
  choice: { practitioner: BlockChoice; patient: BlockChoice };
  test: boolean;
  sequence: number | null;
  attempt: number;
  scheduleStart: number;
  fence: number;
  /** null where its content is no longer kept: there is nothing to send, and it has to end */
  event: EventContent | null;
}

export interface EventContent {
  name: string;
  subject: string;
  subjectVersion: number;
  facts: Buffer;
}

/** Begun, and its content is there. */
export type Sendable = Begun & { event: EventContent };

/** What a scan says of one leased webhook. */
export interface RunScan extends RunKey {
  fence: number;
  version: number;
  proved: boolean;
  concurrency: number;
  pacePerSecond: number;
  /** rows of the window */
  seen: number;
  /** where the next window begins; null when the window was empty */
  cursor: number | null;
  /** the window was full, or startable rows were left because there was no place for them */
  more: boolean;
  /** startable rows were left */
  left: boolean;
  /** somebody else changed a row between the snapshot and the lock: the scan may not have seen all */
  contended: boolean;
  /** it is parked: what was begun is a probe */
  parked: boolean;
  // The rest is told by TAKE alone; times are in ms ago.
  host: string | null;
  failures: number | null;
  failingMs: number | null;
  probes: number | null;
  warned: Warned | null;
  warnedMs: number | null;
  recoveredMs: number | null;
}

/** The health of a webhook's receiver, to be written down; times are in ms ago. */
export interface RunHealth extends RunKey {
  fence: number;
  /** of the webhook when its health was read: it counts only while the webhook is the same */
  version: number;
  failures: number;
  failingMs: number | null;
  probes: number;
  parked: boolean;
}

export interface WaitingHead extends RunKey {
  orderKey: string;
  dueInMs: number;
}

export interface Scan {
  runs: RunScan[];
  begun: Begun[];
  waiting: WaitingHead[];
  /** held webhooks whose bells were found, as they are now; from now on their holder alone knows of them */
  rung: (RunKey & { version: number })[];
  /** there may be more bells after this webhook's; null where all have been looked at */
  lookedUpTo: RunKey | null;
}

export interface RefillRequest extends RunKey {
  fence: number;
  /** rows up to this id are passed by; 0 starts again and consumes bells; null scans nothing, but looks up what is freed */
  cursor: number | null;
  want: number;
  /** rows to look at, at most WINDOW_ROWS */
  look: number;
  passedOver: readonly string[];
  /** subjects whose delivery has ended or is due again: the next of each is looked up by its own index */
  freed: readonly string[];
}

export interface SettledAttempt {
  begun: Begun;
  /** of the webhook, as it was sent to; 0 where it was not */
  version: number;
  startedMsAgo: number;
  durationMs: number;
  outcome: string;
  status: number | null;
  choice: { practitioner: BlockChoice; patient: BlockChoice } | null;
  bodySent: boolean;
  answer: Buffer | null;
  next:
    | { do: "finish"; state: "delivered" | "given_up" | "cancelled"; reason: string | null }
    | { do: "retry"; inMs: number };
}

export interface TakeRequest {
  webhooks: number;
  perWebhook: number;
  /** true: those whose receivers failed last or have never answered; false: only the others */
  suspect: boolean;
  /** goes on among the bells after this webhook; from the first one by default */
  after?: RunKey;
  /** also those that other nodes have just given away; yes by default */
  room?: boolean;
}

export interface SettledHealth {
  owner: number;
  health: readonly RunHealth[];
}

/** What the failing attempt came to: for the words of a notice. */
export interface NoticeDetails {
  outcome: string | null;
  status: number | null;
}

export interface Warning {
  run: RunKey & { fence: number };
  kind: "webhook.failing" | "webhook.still_failing" | "webhook.off_soon" | "webhook.recovered";
  warned: Warned;
  details: NoticeDetails;
}

export interface TurningOff {
  /** of the webhook, as it was when the decision was taken */
  version: number;
  reason: "receiver_gone" | "failing";
  details: NoticeDetails;
}

export interface Released extends RunKey {
  fence: number;
  /** of the webhook, as far as its holder knows */
  version: number;
  nextInMs: number | null;
  yields?: boolean;
}

export interface Counted extends RunKey {
  id: number;
  hasNext: boolean;
}

/** What a node learns by its heartbeat. */
export interface Vitals {
  /** false: it has been declared dead meanwhile */
  alive: boolean;
  /** other nodes that may begin requests now */
  othersSending: number;
  /** those of them that take webhooks: all but those that are stopping */
  othersTaking: number;
  /** ms until the first of the others has to be declared dead, unless it beats before; null: there are none */
  nextDeathMs: number | null;
  /** webhooks that are held, by all nodes together */
  held: number;
  /** webhooks are held by nobody who lives */
  orphaned: boolean;
}

/** What reaping found: nodes that were lost, and webhooks of theirs that came due by it. */
export interface Reaped {
  nodes: number;
  webhooks: number;
}

export interface Beat {
  leaseMs: number;
  /** how long after its last beat a node may still begin requests */
  sendsForMs: number;
  takes: boolean;
}
