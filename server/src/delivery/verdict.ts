/**
 * What an attempt's outcome says: of this delivery, and of its receiver. Pure.
 *
 * Owns which answers count as delivered, which failures are the receiver's own and which are this delivery's alone, and what
 * some known services mean by answers that say something else. Source of every rule: contract §7.
 */
import { type Answer, type Outcome, succeeded } from "../egress/outcome.ts";
import type { KnownHost } from "../webhooks/known-hosts.ts";

export type Verdict =
  | "delivered"
  /** 410: it asks us to stop */
  | "gone"
  /** the receiver itself fails; the next delivery would most likely fail, too */
  | "receiver_fails"
  /** the receiver fails, and asks for less */
  | "too_fast"
  /** the receiver lives, and does not take this one delivery */
  | "delivery_fails"
  /** our own fault: it says nothing of the receiver */
  | "ours";

/** The answers by which a receiver says "slower"; of these alone is Retry-After read. */
const TOO_FAST_STATUSES = new Set([429, 502, 503, 504]);
/** What a receiver answers to one body that it cannot take. */
const DELIVERY_STATUSES = new Set([400, 413, 422]);

/** The verdict on one outcome. `host` is the service that the address belongs to, where it is one that we know. */
export function verdictOf(outcome: Outcome, host: KnownHost | null): Verdict {
  if (outcome.kind === "failed_here" || outcome.kind === "unknown") return "ours";
  if (outcome.kind !== "answered") return "receiver_fails";
  if (succeeded(outcome) || hasRunAsGoogleScript(outcome.answer, host)) return "delivered";
  const { status } = outcome.answer;
  if (status === 410) return "gone";
  if (TOO_FAST_STATUSES.has(status) || isFullQueueOfMake(outcome.answer, host)) return "too_fast";
  return DELIVERY_STATUSES.has(status) ? "delivery_fails" : "receiver_fails";
}

/**
 * A web app of Google Apps Script has run by the time it answers: it redirects to where its output can be read. That is not
 * followed, and it is a success.
 */
function hasRunAsGoogleScript({ status, headers }: Answer, host: KnownHost | null): boolean {
  if (host !== "google_script" || status !== 302) return false;
  return URL.parse(headers.location ?? "")?.host === "script.googleusercontent.com";
}

/** Make says "400 Queue is full" where others say 429. */
function isFullQueueOfMake({ status, text }: Answer, host: KnownHost | null): boolean {
  return host === "make" && status === 400 && /queue is full/i.test(text);
}
