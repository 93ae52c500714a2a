/**
 * The one outbound HTTP client of the whole server: deliveries, test sends, everything that leaves goes through here.
 *
 * Promises: only vetted addresses are dialled; one deadline over name look-up, connecting, TLS, sending, headers and body;
 * at most ANSWER_BYTES_MAX of an answer are kept; redirects are not followed, nothing is decompressed, no proxy is read
 * from the environment. What comes of a request is a value, never an exception. Does not: retry, sign or decide.
 */
import { Agent } from "undici";
import { createDialler } from "./dial.ts";
import { type Ended, Exchange } from "./exchange.ts";
import { codeOf, DialError } from "./failure.ts";
import type { Outcome } from "./outcome.ts";
import { checkUrl, type EgressRules, hostOf, type UrlCheck } from "./url.ts";

/** One deadline over everything (contract §7). */
export const DEADLINE_MS = 15_000;
const ANSWER_HEADERS_BYTES_MAX = 16 * 1_024;
/** Deliveries in flight to one origin never wait inside the client, where their deadline would go by. */
export const CONNECTIONS_PER_ORIGIN_MAX = 256;
const IDLE_CONNECTION_MS = 4_000;

export interface OutboundRequest {
  /** as checkUrl returned it */
  url: URL;
  /** name, value, name, value … */
  headers: string[];
  body: string;
}

/** `blocked_address` as checkUrl says it of a literal: what a name leads to inside cannot be told from it. */
export type Vetting = { ok: true } | { ok: false; code: "blocked_address" | "name_not_found"; message: string };

export interface Egress {
  /** Checks an address without a look-up. */
  check(text: string): UrlCheck;
  /** Resolves and vets the host of a checked address; sends nothing. */
  vet(url: URL): Promise<Vetting>;
  post(request: OutboundRequest): Promise<Outcome>;
  /** What a host has been reached by, so that many names of one receiver count as one: see dial.ts. */
  reachedBy(host: string): string | null;
  close(): Promise<void>;
}

export interface EgressOptions {
  rules: EgressRules;
  /** shorter in tests only */
  deadlineMs?: number;
  /** ms that never run backwards */
  monotonicMs: () => number;
  /** IP addresses with ports of the name servers to ask; the system's by default */
  nameServers?: readonly string[];
  /** this machine's own addresses, which are never dialled however public they are; asked of the system by default */
  ownAddresses?: () => readonly string[];
}

const VETTING_MESSAGES = {
  blocked_address: "For safety we don’t send to internal addresses. Ask your administrator.",
  name_not_found: "We can't find this address. Check for a typing mistake, or ask who gave it to you.",
} as const;

export function createEgress(options: EgressOptions): Egress {
  const deadlineMs = options.deadlineMs ?? DEADLINE_MS;
  const dialler = createDialler(options);
  const agent = new Agent({
    connect: dialler.connect,
    connections: CONNECTIONS_PER_ORIGIN_MAX,
    pipelining: 1,
    keepAliveTimeout: IDLE_CONNECTION_MS,
    maxHeaderSize: ANSWER_HEADERS_BYTES_MAX,
    headersTimeout: 0, // the deadline covers both
    bodyTimeout: 0,
    allowH2: false,
  });
  return {
    check: (text) => checkUrl(text, options.rules),
    reachedBy: dialler.reachedBy,
    async vet(url) {
      try {
        await dialler.vettedAddresses(hostOf(url));
        return { ok: true };
      } catch (error) {
        if (!(error instanceof DialError)) throw error;
        const code = error.kind === "refused_address" ? "blocked_address" : "name_not_found";
        return { ok: false, code, message: VETTING_MESSAGES[code] };
      }
    },
    async post(request) {
      const begun = options.monotonicMs();
      const exchange = new Exchange();
      const timer = setTimeout(() => exchange.expire(), deadlineMs);
      try {
        const { url, headers, body } = request;
        const path = url.pathname + url.search;
        agent.dispatch({ origin: url.origin, path, method: "POST", headers, body }, exchange);
        const outcome = toOutcome(await exchange.ended);
        // How long it took to refuse would tell what the name servers know of a name inside.
        const isRefused = outcome.kind === "refused_address";
        return { ...outcome, durationMs: isRefused ? 0 : Math.round(options.monotonicMs() - begun) };
      } finally {
        clearTimeout(timer);
      }
    },
    // Not agent.close(): a dial that still hangs behind its deadline would hold up the shutdown.
    close: () => agent.destroy(),
  };
}

type Untimed<Of> = Of extends unknown ? Omit<Of, "durationMs"> : never;

/** What is no failure of the outside world is our own fault; whether something had left by then is kept all the same. */
function toOutcome(ended: Ended): Untimed<Outcome> {
  if (ended.how === "answered") return { kind: "answered", answer: ended.answer, bodySent: true };
  const { bodySent } = ended;
  if (ended.how === "deadline") return { kind: "timed_out", detail: "deadline", bodySent };
  const { error } = ended;
  if (error instanceof DialError) {
    const { kind, detail, expiredAt } = error;
    return { kind, detail, bodySent: false, ...(expiredAt === null ? {} : { expiredAt }) };
  }
  const code = codeOf(error);
  if (/^HPE_|^HTTPParserError$|UND_ERR_(HEADERS_OVERFLOW|RES_|RESPONSE)/.test(code))
    return { kind: "malformed_answer", detail: code, bodySent };
  if (!isNetworkError(code)) return { kind: "failed_here", detail: code, bodySent };
  return { kind: "reset", detail: code, bodySent };
}

function isNetworkError(code: string): boolean {
  return /^(UND_ERR_(?!INVALID_ARG|NOT_SUPPORTED)|E[A-Z]{3,}$|ERR_(TLS|SSL|STREAM_PREMATURE))/.test(code);
}
