// The browser's one door to the server. It owns: paths, the session cookie, and turning every refusal into a
// ProblemError. It does not cache (TanStack Query does) and does not word errors for people (ui/problem-words.ts).
import type {
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

/** One field of the request that the server refused; `field` is a dotted path such as "events.0". */
export interface FieldError {
  field: string;
  /** A stable word for the kind of mistake; the page words the ones it knows (ui/problem-words.ts). */
  code?: string;
  message: string;
}

/** A refusal of the server (RFC 9457), or `code: "no_connection"` with status 0 when it could not be reached. */
export class ProblemError extends Error {
  readonly status: number;
  readonly code: string;
  readonly fieldErrors: FieldError[];

  constructor(problem: { status: number; code: string; message: string; fieldErrors?: FieldError[]; cause?: unknown }) {
    super(problem.message, { cause: problem.cause });
    this.name = "ProblemError";
    this.status = problem.status;
    this.code = problem.code;
    this.fieldErrors = problem.fieldErrors ?? [];
  }
}

interface ProblemDocument {
  title?: string;
  detail?: string;
  code?: string;
  message?: string;
  errors?: FieldError[];
}

interface Call {
  method?: "GET" | "POST" | "PATCH" | "DELETE";
  body?: unknown;
  signal?: AbortSignal | undefined;
  /** For what a person wishes to be done once: see intent.ts. */
  intent?: Intent | undefined;
  /** Goes out even though the page is being left. */
  keepalive?: boolean;
}

async function refusal(response: Response): Promise<ProblemError> {
  const text = await response.text();
  let problem: ProblemDocument = {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === "object" && parsed !== null) problem = parsed;
  } catch {
    // A proxy's error page is not JSON; the status alone has to do.
    problem = {};
  }
  return new ProblemError({
    status: response.status,
    code: problem.code ?? "unknown",
    message: problem.detail ?? problem.title ?? problem.message ?? `The server answered ${response.status}.`,
    fieldErrors: Array.isArray(problem.errors) ? problem.errors : [],
  });
}

function requestOf(path: string, { method = "GET", body, signal, intent, keepalive = false }: Call): RequestInit {
  const headers: Record<string, string> = { accept: "application/json" };
  const init: RequestInit = { method, headers, credentials: "same-origin", signal: signal ?? null, keepalive };
  if (body === undefined) return init;
  const text = JSON.stringify(body);
  headers["content-type"] = "application/json";
  if (intent !== undefined) headers["idempotency-key"] = intent.keyFor(path, text);
  return { ...init, body: text };
}

async function call<T>(path: string, what: Call = {}): Promise<T> {
  const { signal } = what;
  let response: Response;
  try {
    response = await fetch(path, requestOf(path, what));
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ProblemError({ status: 0, code: "no_connection", message: "The server could not be reached.", cause });
  }
  if (!response.ok) throw await refusal(response);
  const text = await response.text();
  return (text === "" ? null : JSON.parse(text)) as T;
}

function query(parameters: Record<string, string | number | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return text === "" ? "" : `?${text}`;
}

const part = (id: string | number): string => encodeURIComponent(String(id));
const post = <T>(path: string, body: unknown, intent?: Intent): Promise<T> =>
  call<T>(path, { method: "POST", body, intent });

/** How many rows a list asks for at once; the server's own limit is 100. */
const PAGE_ROWS = 50;
const LIST_ROWS = 100;

/** Enough for 2,000 rows; a clinic with more in one list needs a search there, not a longer list. */
const PAGES_MAX = 20;

/** Every row of a list that is shown whole, page after page. */
async function all<T>(path: string, parameters: Record<string, string>, signal?: AbortSignal): Promise<T[]> {
  const rows: T[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const page: Page<T> = await call(`${path}${query({ ...parameters, limit: LIST_ROWS, cursor })}`, { signal });
    rows.push(...page.data);
    if (page.next_cursor === null) break;
    cursor = page.next_cursor;
  }
  return rows;
}

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
  cursor?: string | undefined;
}

export const session = {
  me: (signal?: AbortSignal) => call<Me>("/v1/me", { signal }),
  signIn: (credentials: { email: string; password: string }) => post<unknown>("/api/auth/sign-in/email", credentials),
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
};

export const deliveries = {
  list: ({ webhook, ...filters }: DeliveryQuery, signal?: AbortSignal) =>
    call<Page<Delivery>>(`/v1/deliveries${query({ ...filters, webhook_id: webhook, limit: PAGE_ROWS })}`, { signal }),
  get: (id: string, signal?: AbortSignal) => call<DeliveryDetail>(`/v1/deliveries/${part(id)}`, { signal }),
  resend: (id: string, intent: Intent) =>
    post<{ id: string; state: string }>(`/v1/deliveries/${part(id)}/resend`, {}, intent),
};

export const inbox = {
  get: (signal?: AbortSignal) => call<Inbox>("/v1/inbox", { signal }),
  empty: () => call<unknown>("/v1/inbox", { method: "DELETE" }),
};
