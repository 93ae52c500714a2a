// The server's paths, by resource; what is billed stands in api/ besides. The door itself is api/call.ts.
import { all, call, PAGE_ROWS, part, post, query } from "./api/call.ts";
import type {
  Activity,
  Arrival,
  ChangedSeries,
  Consult,
  CreatedWebhook,
  Delivery,
  DeliveryDetail,
  DeliveryFilter,
  Inbox,
  Me,
  Page,
  Person,
  PublicKeys,
  RotatedSecret,
  ScheduledConsult,
  Service,
  TestAnswer,
  TestChanges,
  UrlCheck,
  Webhook,
  WebhookInput,
} from "./api-types.ts";
import type { Intent } from "./intent.ts";

export { type FieldError, ProblemError } from "./api/call.ts";

/** A new consult; `start_time` may be local, without offset, and is then read in the clinic's zone. */
export interface NewConsult {
  service_id: number;
  practitioner_id: number;
  start_time: string;
  duration?: number;
  patient_ids: number[];
  /** A series: this many in all, or until a day of the clinic. */
  repeats?: Repeats | undefined;
}

export interface Repeats {
  every: "day" | "week" | "month";
  interval: number;
  count?: number;
  until?: string;
}

/** What is absent stays as it is. */
export interface ConsultChange {
  start_time?: string;
  duration?: number;
  service_id?: number;
  practitioner_id?: number;
  /** Another patient of a one-to-one consult. */
  patient_id?: number;
}

/** `from`: the clinic's day of the first one that is meant. */
export interface SeriesChange extends Omit<ConsultChange, "patient_id"> {
  from: string;
}

export interface DeliveryQuery {
  state?: DeliveryFilter | undefined;
  webhook?: number | undefined;
  event?: string | undefined;
  subject?: string | undefined;
  /** The first and the last day on the clinic's clock. */
  from?: string | undefined;
  to?: string | undefined;
  /** Of a delivery, or of an event. */
  id?: string | undefined;
  cursor?: string | undefined;
}

export const session = {
  me: (signal?: AbortSignal) => call<Me>("/v1/me", { signal }),
  signIn: (credentials: { email: string; password: string }) =>
    post<{ two_factor_redirect?: boolean }>("/api/auth/sign-in/email", credentials),
  signOut: () => post<unknown>("/api/auth/sign-out", {}),
};

export const clinic = {
  practitioners: (signal?: AbortSignal) => all<Person>("/v1/practitioners", {}, signal),
  services: (signal?: AbortSignal) => all<Service>("/v1/services", {}, signal),
  patients: (name: string, signal?: AbortSignal) =>
    call<Page<Person>>(`/v1/patients${query({ q: name, limit: PAGE_ROWS })}`, { signal }),
  consults: (from: string, to: string, signal?: AbortSignal) => all<Consult>("/v1/consults", { from, to }, signal),
  schedule: (consult: NewConsult, intent: Intent) => post<ScheduledConsult>("/v1/consults", consult, intent),
  change: (id: number, changes: ConsultChange) =>
    call<Consult>(`/v1/consults/${part(id)}`, { method: "PATCH", body: changes }),
  addParticipant: (id: number, patientId: number, intent: Intent) =>
    post<Consult>(`/v1/consults/${part(id)}/participants`, { patient_id: patientId }, intent),
  removeParticipant: (id: number, patientId: number) =>
    call<unknown>(`/v1/consults/${part(id)}/participants/${part(patientId)}`, { method: "DELETE" }),
  changeParticipant: (id: number, patientId: number, changes: { status?: "booked"; arrival?: Arrival }) =>
    call<Consult>(`/v1/consults/${part(id)}/participants/${part(patientId)}`, { method: "PATCH", body: changes }),
  moveParticipant: (id: number, { patientId, toId }: { patientId: number; toId: number }, intent: Intent) =>
    post<unknown>(`/v1/consults/${part(id)}/participants/${part(patientId)}/move`, { to_consult_id: toId }, intent),
  cancel: (id: number, intent: Intent) => post<Consult>(`/v1/consults/${part(id)}/cancel`, {}, intent),
  restore: (id: number, intent: Intent) => post<Consult>(`/v1/consults/${part(id)}/restore`, {}, intent),
};

/** Recurring consults, from a day of the clinic on. */
export const series = {
  change: (id: number, change: SeriesChange) =>
    call<ChangedSeries>(`/v1/series/${part(id)}`, { method: "PATCH", body: change }),
  register: (id: number, body: { patient_id: number; from: string }, intent: Intent) =>
    post<ChangedSeries>(`/v1/series/${part(id)}/participants`, body, intent),
  remove: (id: number, { patientId, from }: { patientId: number; from: string }) =>
    call<ChangedSeries>(`/v1/series/${part(id)}/participants/${part(patientId)}${query({ from })}`, {
      method: "DELETE",
    }),
  cancel: (id: number, from: string, intent: Intent) =>
    post<ChangedSeries>(`/v1/series/${part(id)}/cancel`, { from }, intent),
};

export const webhooks = {
  list: (signal?: AbortSignal) => all<Webhook>("/v1/webhooks", {}, signal),
  get: (id: string | number, signal?: AbortSignal) => call<Webhook>(`/v1/webhooks/${part(id)}`, { signal }),
  create: (input: WebhookInput, intent: Intent) => post<CreatedWebhook>("/v1/webhooks", input, intent),
  change: (id: string | number, input: WebhookInput) =>
    call<Webhook>(`/v1/webhooks/${part(id)}`, { method: "PATCH", body: input }),
  remove: (id: string | number) => call<{ dropped: number } | null>(`/v1/webhooks/${part(id)}`, { method: "DELETE" }),
  checkUrl: (url: string) => post<UrlCheck>("/v1/webhooks/check-url", { url }),
  /** Removes a draft that nobody needs any more, also while the page is being left. */
  abandon: (id: string | number) => call<unknown>(`/v1/webhooks/${part(id)}`, { method: "DELETE", keepalive: true }),
  test: (id: string | number, what: { event: string; changes?: TestChanges }, intent: Intent) =>
    post<TestAnswer>(`/v1/webhooks/${part(id)}/test`, what, intent),
  rotateSecret: (id: string | number, intent: Intent) =>
    post<RotatedSecret>(`/v1/webhooks/${part(id)}/rotate-secret`, {}, intent),
  revokePreviousSecret: (id: string | number, intent: Intent) =>
    post<Webhook>(`/v1/webhooks/${part(id)}/revoke-previous-secret`, {}, intent),
  activity: (signal?: AbortSignal) => call<Activity>("/v1/webhooks/activity", { signal }),
  publicKeys: (id: string | number, signal?: AbortSignal) =>
    call<PublicKeys>(`/v1/webhooks/${part(id)}/public-keys`, { signal }),
};

export const deliveries = {
  list: ({ webhook, from, to, ...filters }: DeliveryQuery, signal?: AbortSignal) => {
    const asked = { ...filters, webhook_id: webhook, from_date: from, to_date: to, limit: PAGE_ROWS };
    return call<Page<Delivery>>(`/v1/deliveries${query(asked)}`, { signal });
  },
  get: (id: string, signal?: AbortSignal) => call<DeliveryDetail>(`/v1/deliveries/${part(id)}`, { signal }),
  resend: (id: string, intent: Intent) =>
    post<{ id: string; state: string }>(`/v1/deliveries/${part(id)}/resend`, {}, intent),
  reveal: (id: string, reason: string, intent: Intent) =>
    post<{ id: string; body: string | null }>(`/v1/deliveries/${part(id)}/reveal`, { reason }, intent),
};

export const inbox = {
  get: (signal?: AbortSignal) => call<Inbox>("/v1/inbox", { signal }),
  empty: () => call<unknown>("/v1/inbox", { method: "DELETE" }),
};
