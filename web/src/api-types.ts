// What the server's API v1 says, as types. Written by hand until they are taken from the routes themselves.
import type { DataChoice, EmbedCapability, EventName } from "@hookwell/sdk";

/** A page of a list; `next_cursor` is null on the last one. */
export interface Page<T> {
  data: T[];
  next_cursor: string | null;
}

export type Role = "manager" | "practitioner" | "front_desk";

export interface Me {
  user: { id: string | number; name: string; email: string };
  clinic: {
    id: number;
    name: string;
    time_zone: string;
    currency: string;
    /** How many decimals its amounts have. */
    currency_exponent: number;
    has_academy: boolean;
    locale: string;
    /** Of the address at which patients sign up. */
    portal_name: string;
  };
  /** Of the embedded page, which no member of staff opened: "embedded". */
  role: Role | "embedded";
  /** What the embedded page may do; null for staff. */
  embedded: { capabilities: EmbedCapability[]; host_user_id: string } | null;
  /** Every clinic that the person belongs to, this one too. */
  clinics: { id: number; name: string; role: Role }[];
  /** Whether signing in asks for a code, too. */
  second_factor: boolean;
}

export interface Person {
  id: number;
  name: string;
  email: string | null;
}

export type ServiceKind = "one_to_one" | "group" | "class";

export interface Service {
  id: number;
  name: string;
  kind: ServiceKind;
  /** Minutes. */
  duration: number;
  capacity: number | null;
}

/** `late_cancel` gives the place up. */
export type Arrival = "expected" | "arrived" | "no_show" | "late_cancel";

export interface Participant {
  patient: Person;
  status: "booked" | "held" | "wait_listed";
  arrival: Arrival;
}

export interface Consult {
  id: number;
  service: { id: number; name: string; kind: ServiceKind };
  practitioner: { id: number; name: string };
  /** RFC 3339 with the clinic zone's offset for that instant. */
  start_time: string;
  end_time: string;
  /** Minutes. */
  duration: number;
  cancelled: boolean;
  cancelled_at: string | null;
  room: string | null;
  notes: string | null;
  /** The series that it was scheduled with, or null. */
  series_id: number | null;
  participants: Participant[];
}

/** The answer to scheduling: the first consult, and the series where it repeats. */
export type ScheduledConsult = Consult & { series?: { id: number; consult_ids: number[] } };

/** The answer to an act on a series, as far as it is shown. */
export interface ChangedSeries {
  id: number;
  changed_consult_ids: number[];
}

type WebhookState = "not_set_up" | "ready" | "working" | "waiting" | "needs_attention" | "off_by_you" | "off_by_us";

export interface Recipient {
  organisation: string;
  /** ISO 3166-1 alpha-2, upper case. */
  country: string;
  purpose: string;
  agreement_on_file: boolean;
}

export type Signature = "v1" | "v1a";

export interface Webhook {
  id: number | string;
  name: string;
  /** Whole address; only on reading one webhook and at creation, because it is often itself a credential. */
  url?: string;
  url_host: string;
  url_masked: string;
  events: EventName[];
  include: DataChoice;
  one_participant_per_request: boolean;
  /** `v1a`: by a key pair, besides. */
  signatures: Signature[];
  /** While a rotation runs: how long the old secret is still valid. */
  previous_secret_valid_until: string | null;
  recipient: Recipient | null;
  enabled: boolean;
  state: WebhookState;
  off_reason: string | null;
  sending_paused: boolean;
  address_answered: boolean;
  draft: boolean;
  waiting_count: number;
  last_delivered_at: string | null;
  last_failed_at: string | null;
  created_at: string;
  updated_at: string;
  version: number;
}

/**
 * The answer to a creation: the only time, beside rotation, that the secret is told. A repeated request with the same
 * Idempotency-Key, whose first answer was lost, is not told it again.
 */
export type CreatedWebhook = Webhook & { secret?: string | undefined };

export interface WebhookInput {
  name?: string;
  url?: string;
  events?: EventName[];
  include?: DataChoice;
  one_participant_per_request?: boolean;
  signatures?: Signature[];
  recipient?: Recipient | null;
  enabled?: boolean;
  draft?: boolean;
  version?: number;
}

export type UrlCheck =
  | { ok: true; host: string; known_host: string | null }
  | { ok: false; code: string; message: string };

/** How one attempt ended; the words for each are in the SDK (`causes.ts`). */
interface AttemptResult {
  kind: string;
  status?: number | null;
  duration_ms?: number | null;
  answer_text?: string | null;
  /** The whole address that a 3xx names. */
  moved_to: string | null;
  sentence: string;
  /** A row of the table of causes. */
  sentence_key: string;
  sentence_params: Record<string, string | number>;
}

/** Unsaved changes that hold for one test only; it is signed with the saved webhook's secret and has its headers. */
export interface TestChanges {
  url?: string;
  include?: DataChoice;
  one_participant_per_request?: boolean;
}

export interface RotatedSecret {
  secret?: string;
  previous_valid_until: string;
}

/** The public keys that messages may be signed with now, newest first. */
export interface PublicKeys {
  /** Where receivers find the same without signing in. */
  url: string | null;
  keys: { public_key: string; valid_from: string; valid_until: string | null }[];
}

export interface TestAnswer {
  delivery_id: string;
  result: AttemptResult;
}

/** What it waits for; with `earlier`, the delivery of the same subject that goes first. */
export interface Waiting {
  for: "time" | "turn" | "earlier" | "receiver" | "off" | "paused";
  delivery: string | null;
}

type DeliveryState = "waiting" | "sending" | "delivered" | "given_up" | "cancelled";
export type DeliveryFilter = "delivered" | "waiting" | "failed";

export interface Attempt {
  attempt: number;
  started_at: string;
  duration_ms: number | null;
  outcome: string;
  status: number | null;
  answer_text: string | null;
  answer_truncated: boolean;
  late: boolean;
  /** The whole address that a 3xx names. */
  moved_to: string | null;
  sentence: string;
  /** A row of the table of causes. */
  sentence_key: string;
  sentence_params: Record<string, string | number>;
}

/** With what only the integrator wants to know. */
export interface AttemptDetail extends Attempt {
  answer_headers: Record<string, string> | null;
  failure_code: string | null;
}

export interface Delivery {
  id: string;
  event: EventName;
  event_id: string | number;
  webhook: { id: number | string; name: string };
  subject: string;
  /** What staff call it, where its id says nothing to them: the number of an invoice. */
  subject_name: string | null;
  subject_version: number;
  sequence: number | null;
  part: number;
  test: boolean;
  state: DeliveryState;
  reason: string | null;
  attempts: number;
  /** Null in any state but `waiting`. */
  waiting: Waiting | null;
  /** Null where no time can be named. */
  next_attempt_at: string | null;
  /** About when the last attempt will be made. */
  tries_until: string | null;
  created_at: string;
  finished_at: string | null;
  last_attempt: Attempt | null;
}

export type DeliveryDetail = Omit<Delivery, "attempts"> & {
  attempts: AttemptDetail[];
  request: {
    headers: Record<string, string>;
    body: string | null;
    /** Patients stand in it as dots. */
    body_masked: boolean;
    masked: string[];
    /** The body is kept, and hidden from the embedded page. */
    veiled: boolean;
  };
};

/** How a webhook did on one day of the clinic; each count stops at the answer's limit. */
export interface ActivityDay {
  day: string;
  delivered: number;
  failed: number;
  waiting: number;
}

export interface Activity {
  counted_max: number;
  data: { webhook_id: number; days: ActivityDay[] }[];
}

export interface InboxMessage {
  id: number | string;
  received_at: string;
  event: string | null;
  headers: Record<string, string>;
  /** The exact text that arrived. */
  body: string;
  test: boolean;
  signature: { verified: boolean; reason: string | null; webhook_id: number | string | null };
  delivery_id: string | null;
}

export interface Inbox {
  url: string;
  messages: InboxMessage[];
}
