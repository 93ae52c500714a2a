/**
 * While a webhook is parked nothing is sent but the one probe (contract §7). When it was parked is worked out here from the
 * attempts and from what managers changed: at least 5 failures in a row of the receiver itself, over at least 60 s.
 *
 * Where the contract leaves room, it is read like this. "Of the receiver itself": one at another address, or one that a manager
 * turns on again because it is mended, is another receiver than the one that failed; what was asked of the old one counts no
 * more, whenever it answers. "After 5 min, 30 min, 1 h, then every 4 h": every probe takes its step, whatever it is answered.
 */
import { type Evidence, type Trail, wasMoved } from "./evidence.ts";
import type { AttemptRow, WebhookVersion } from "./history.ts";

const FAILURES_MIN = 5;
const SPAN_MIN_MS = 60_000;
const MINUTE_MS = 60_000;
const PROBE_WAITS_MS = [5 * MINUTE_MS, 30 * MINUTE_MS, 60 * MINUTE_MS, 240 * MINUTE_MS] as const;
const JITTER = 0.1;
/** What had been begun when the last failure came back is on its way already, and other nodes hear of it as late. */
const ON_ITS_WAY_MS = 2_000;
/** When an attempt began is told as so long ago, and errs by the way of what tells it: two that follow may seem to overlap. */
const TOLD_WITHIN_MS = 1_000;
/** These say something of the one delivery, not of the receiver. */
const OF_THE_DELIVERY = new Set([400, 413, 422]);
/** Of the receiver: the address itself cannot be reached or does not take part. Others are our own, or unknown. */
const OF_THE_RECEIVER = new Set([
  "name_not_found",
  "connection_refused",
  "unreachable",
  "tls",
  "timed_out",
  "reset",
  "malformed_answer",
]);

export function* sentWhileParked(evidence: Evidence): Generator<string> {
  const { calmFromMs = Number.NEGATIVE_INFINITY } = evidence.options;
  for (const [webhook, trails] of evidence.byWebhook) {
    const judged = (trail: Trail) => trail.resent.length === 0;
    // Whatever was sent, its answer says whether the receiver is there; only what a manager sent again is his own doing.
    const said = timely(trails, calmFromMs);
    const attempts = timely(trails.filter(judged), calmFromMs);
    const mended = mendings(evidence.versions.get(webhook) ?? []);
    for (const parked of parkings(said, mended)) yield* besidesProbes(evidence, webhook, { ...parked, attempts });
  }
}

/** In the order in which they ended, without tests, which say nothing of a webhook's health. */
function timely(trails: readonly Trail[], calmFromMs: number): AttemptRow[] {
  const sorted = trails.flatMap(({ row, attempts }) => (row?.test ? [] : attempts)).sort((a, b) => endOf(a) - endOf(b));
  return sorted.filter((one) => one.startedMs > calmFromMs || verdictOf(one) === "success");
}

const endOf = (attempt: AttemptRow) => attempt.startedMs + (attempt.durationMs ?? 0);

/** When it was turned on again or moved, or changed in what cannot be seen here: its own headers, which may have been wrong. */
function mendings(versions: readonly WebhookVersion[]): number[] {
  const sorted = versions.toSorted((a, b) => a.fromMs - b.fromMs);
  return sorted.flatMap((version, at) => {
    const before = sorted[at - 1];
    if (before === undefined) return [];
    const isMended = (version.enabled && !before.enabled) || version.address !== before.address;
    return isMended || isSame(version, before) ? [version.fromMs] : [];
  });
}

function isSame(one: WebhookVersion, other: WebhookVersion): boolean {
  const seen = ({ fromMs: _from, untilMs: _until, ...settings }: WebhookVersion) => JSON.stringify(settings);
  return seen(one) === seen(other);
}

interface Parking {
  fromMs: number;
  untilMs: number;
}

/** @param attempts in the order in which they ended @param mended when what had failed before counted no more, in order */
function* parkings(attempts: readonly AttemptRow[], mended: readonly number[]): Generator<Parking> {
  const from = [Number.NEGATIVE_INFINITY, ...mended];
  for (const [at, fromMs] of from.entries()) {
    const untilMs = from[at + 1] ?? Number.POSITIVE_INFINITY;
    // What was asked for before says nothing of what is there since, and what ends later nothing of it any more.
    const counted = attempts.filter((one) => one.startedMs > fromMs && endOf(one) < untilMs);
    yield* parkingsOfOne(counted, untilMs);
  }
}

/** Of one receiver, which is there until `untilMs`. */
function* parkingsOfOne(attempts: readonly AttemptRow[], untilMs: number): Generator<Parking> {
  let failures = 0;
  let sinceMs = 0;
  let parkedMs: number | null = null;
  for (const attempt of attempts) {
    const verdict = verdictOf(attempt);
    if (verdict === "success") {
      if (parkedMs !== null) yield { fromMs: parkedMs, untilMs: endOf(attempt) };
      failures = 0;
      parkedMs = null;
    } else if (verdict === "failure") {
      if (failures++ === 0) sinceMs = endOf(attempt);
      if (failures >= FAILURES_MIN && endOf(attempt) - sinceMs >= SPAN_MIN_MS) parkedMs ??= endOf(attempt);
    }
  }
  if (parkedMs !== null) yield { fromMs: parkedMs, untilMs };
}

function verdictOf({ outcome, status }: AttemptRow): "success" | "failure" | "neither" {
  if (outcome !== "answered") return OF_THE_RECEIVER.has(outcome) ? "failure" : "neither";
  if (status !== null && status >= 200 && status < 300) return "success";
  return OF_THE_DELIVERY.has(status ?? 0) ? "neither" : "failure";
}

function* besidesProbes(
  evidence: Evidence,
  webhook: string,
  parked: Parking & { attempts: readonly AttemptRow[] },
): Generator<string> {
  const onItsWayMs = Math.max(ON_ITS_WAY_MS, evidence.options.slackMs ?? 0);
  let lastMs = parked.fromMs;
  let probes = 0;
  for (const attempt of parked.attempts.toSorted((a, b) => a.startedMs - b.startedMs)) {
    const { startedMs } = attempt;
    if (startedMs <= parked.fromMs + onItsWayMs || startedMs >= parked.untilMs - TOLD_WITHIN_MS) continue;
    const leastMs = (PROBE_WAITS_MS[Math.min(probes, PROBE_WAITS_MS.length - 1)] ?? 0) * (1 - JITTER);
    if (startedMs - lastMs < leastMs && !wasMoved(evidence, webhook, { fromMs: lastMs, untilMs: startedMs })) {
      yield `${attempt.id} attempt ${attempt.attempt} was sent while webhook ${webhook} was parked, and was no probe`;
      continue;
    }
    probes++;
    lastMs = endOf(attempt);
  }
}
