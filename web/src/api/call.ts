// The browser's one door to the server. It owns: the session cookie (or the embedded page's token), and turning every refusal into a ProblemError. The
// paths stand beside it, by resource, and in api.ts. It does not cache (TanStack Query does) and does not word errors for
// people (ui/problem-words.ts).
import type { Page } from "../api-types.ts";
import type { Intent } from "../intent.ts";

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
  /** Beside those that every request has. */
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal | undefined;
  /** For what a person wishes to be done once: see intent.ts. */
  intent?: Intent | undefined;
  /** Goes out even though the page is being left. */
  keepalive?: boolean;
}

/** How requests say who asks, where that is not the session cookie: the embedded page's way. */
interface Speaker {
  /** Null while there is none: nothing is asked then. */
  token: () => string | null;
  /** The server does not know the token any more. */
  refused: () => void;
  done: (method: string, path: string) => void;
}

let speaker: Speaker | null = null;

/** From now on every request to the API is made this way, and none carries a cookie. */
export function speakAs(wanted: Speaker): void {
  speaker = wanted;
}

const ENDED = { status: 401, code: "embed_session_ended", message: "The session of the embedded page has ended." };

/** The headers with who asks. @throws ProblemError where nobody does at the moment */
function spoken(init: RequestInit, path: string): RequestInit {
  if (speaker === null) return init;
  const token = speaker.token();
  if (!path.startsWith("/v1/")) return { ...init, credentials: "omit" };
  if (token === null) throw new ProblemError(ENDED);
  return { ...init, credentials: "omit", headers: { ...init.headers, authorization: `Bearer ${token}` } };
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

function requestOf(
  path: string,
  { method = "GET", body, signal, intent, keepalive = false, ...more }: Call,
): RequestInit {
  const headers: Record<string, string> = { accept: "application/json", ...more.headers };
  const init: RequestInit = { method, headers, credentials: "same-origin", signal: signal ?? null, keepalive };
  if (body === undefined) return init;
  const text = JSON.stringify(body);
  headers["content-type"] = "application/json";
  if (intent !== undefined) headers["idempotency-key"] = intent.keyFor(path, text);
  return { ...init, body: text };
}

export async function call<T>(path: string, what: Call = {}): Promise<T> {
  return (await answerOf<T>(path, what)).body;
}

/** The same with the status, for a POST that says by 201 or 200 whether anything came of it. */
export async function answerOf<T>(path: string, what: Call = {}): Promise<{ status: number; body: T }> {
  const response = await ask(path, what);
  speaker?.done(what.method ?? "GET", path);
  const text = await response.text();
  return { status: response.status, body: (text === "" ? null : JSON.parse(text)) as T };
}

/** The answer as it comes, before it is whole. @throws ProblemError for a refusal, and where nobody answers */
export async function ask(path: string, what: Call): Promise<Response> {
  const request = spoken(requestOf(path, what), path);
  let response: Response;
  try {
    response = await fetch(path, request);
  } catch (cause) {
    if (what.signal?.aborted) throw cause;
    throw new ProblemError({ status: 0, code: "no_connection", message: "The server could not be reached.", cause });
  }
  if (response.status === 401) speaker?.refused();
  if (!response.ok) throw await refusal(response);
  return response;
}

export function query(parameters: Record<string, string | number | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return text === "" ? "" : `?${text}`;
}

export const part = (id: string | number): string => encodeURIComponent(String(id));
export const post = <T>(path: string, body: unknown, intent?: Intent): Promise<T> =>
  call<T>(path, { method: "POST", body, intent });

/** How many rows a list asks for at once; the server's own limit is 100. */
export const PAGE_ROWS = 50;
const LIST_ROWS = 100;

/** Enough for 2,000 rows; a clinic with more in one list needs a search there, not a longer list. */
const PAGES_MAX = 20;

/** Every row of a list that is shown whole, page after page. */
export async function all<T>(path: string, parameters: Record<string, string>, signal?: AbortSignal): Promise<T[]> {
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
