import type { Page } from "../api-types.ts";
import type { Intent } from "../intent.ts";
import { call, PAGE_ROWS, post, query } from "./call.ts";

/** How far one way of telling is with a notice. */
interface Sends {
  sent: number;
  waiting: number;
  given_up: number;
}

export const NOTICE_KINDS = [
  "webhook.failing",
  "webhook.still_failing",
  "webhook.off_soon",
  "webhook.turned_off",
  "webhook.gone",
  "webhook.recovered",
  "delivery.late",
  "deliveries.expiring",
  "webhook.address_changed",
  "webhook.patient_data_on",
] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

export interface Notice {
  id: number;
  kind: NoticeKind;
  webhook: { id: number; name: string; deleted: boolean } | null;
  outcome: string | null;
  status: number | null;
  failing_since: string | null;
  off_at: string | null;
  expires_at: string | null;
  waiting_count: number | null;
  delivery_id: string | null;
  /** Of the delivery, now; null where there is none, or it is no longer kept. */
  delivery_state: "waiting" | "delivered" | "given_up" | "cancelled" | null;
  delivered_at: string | null;
  consult_starts_at: string | null;
  event: "consult.updated" | "participant.removed" | null;
  created_at: string;
  read_at: string | null;
  email: Sends;
  operational_webhook: Sends;
}

export type NoticePage = Page<Notice> & {
  /** Whether this server sends e-mail at all. */
  email_is_set_up: boolean;
  /** At most 100: more are not counted. */
  unread_count: number;
};

/** The one other system that is told of notices; its whole address is never shown again. */
export interface OperationalWebhook {
  url_host: string;
  url_masked: string;
  events: NoticeKind[];
  enabled: boolean;
  off_reason: "you" | "receiver_gone" | null;
  last_delivered_at: string | null;
  last_failed_at: string | null;
  /** While a rotation runs: until when the old secret is valid, too. */
  previous_secret_valid_until: string | null;
}

export const notices = {
  list: (cursor: string | undefined, signal?: AbortSignal) =>
    call<NoticePage>(`/v1/notices${query({ cursor, limit: PAGE_ROWS })}`, { signal }),
  unreadCount: async (signal?: AbortSignal) =>
    (await call<NoticePage>("/v1/notices?unread=true&limit=1", { signal })).unread_count,
  readAll: (upTo: number) => post<{ read_count: number }>("/v1/notices/read-all", { up_to: upTo }),
};

const OPERATIONAL = "/v1/operational-webhook";

export const operationalWebhook = {
  get: (signal?: AbortSignal) => call<OperationalWebhook>(OPERATIONAL, { signal }),
  create: (input: { url: string; events: NoticeKind[] }, intent: Intent) =>
    post<OperationalWebhook & { secret?: string }>(OPERATIONAL, input, intent),
  change: (input: { url?: string; events: NoticeKind[]; enabled?: boolean }, intent: Intent) =>
    call<OperationalWebhook>(OPERATIONAL, { method: "PATCH", body: input, intent }),
  rotateSecret: (intent: Intent) =>
    post<{ secret?: string; previous_valid_until: string }>(`${OPERATIONAL}/rotate-secret`, {}, intent),
  remove: () => call<null>(OPERATIONAL, { method: "DELETE" }),
};
