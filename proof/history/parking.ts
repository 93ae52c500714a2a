/**
 * While a webhook is parked nothing is sent but the one probe (contract §7). When it was parked is worked out here from the
 * attempts alone: at least 5 failures in a row of the receiver itself, over at least 60 s.
 */
import type { Evidence, Trail } from "./evidence.ts";
import type { AttemptRow } from "./history.ts";

const FAILURES_MIN = 5;
const SPAN_MIN_MS = 60_000;
const MINUTE_MS = 60_000;
const PROBE_WAITS_MS = [5 * MINUTE_MS, 30 * MINUTE_MS, 60 * MINUTE_MS, 240 * MINUTE_MS] as const;
const JITTER = 0.1;
/** What had been begun when the last failure came back is on its way already, and other nodes hear of it as late. */
const ON_ITS_WAY_MS = 2_000;
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
  if (evidence.options.timesMoved) return;
  for (const [webhook, trails] of evidence.byWebhook) {
    const attempts = trails.flatMap((trail) => ofTheOrder(trail)).sort((a, b) => endOf(a) - endOf(b));
    for (const parked of parkings(attempts)) yield* besidesProbes(evidence, webhook, { ...parked, attempts });
  }
}

/** Tests say nothing of a webhook's health; what a manager sent again by hand is his own doing. */
function ofTheOrder({ row, attempts, resent }: Trail): AttemptRow[] {
  return row?.test || resent.length > 0 ? [] : attempts;
}

const endOf = (attempt: AttemptRow) => attempt.startedMs + (attempt.durationMs ?? 0);

interface Parking {
  fromMs: number;
  untilMs: number;
}

function* parkings(attempts: readonly AttemptRow[]): Generator<Parking> {
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
  if (parkedMs !== null) yield { fromMs: parkedMs, untilMs: Number.POSITIVE_INFINITY };
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
  const versions = evidence.versions.get(webhook) ?? [];
  // Turned on again, or moved to another address: whoever did that wants it tried.
  const freedMs = versions.map(({ fromMs }) => fromMs).find((fromMs) => fromMs > parked.fromMs) ?? parked.untilMs;
  let lastMs = parked.fromMs;
  let probes = 0;
  for (const attempt of parked.attempts.toSorted((a, b) => a.startedMs - b.startedMs)) {
    const { startedMs } = attempt;
    if (startedMs <= parked.fromMs + ON_ITS_WAY_MS || startedMs >= Math.min(parked.untilMs, freedMs)) continue;
    const leastMs = (PROBE_WAITS_MS[Math.min(probes, PROBE_WAITS_MS.length - 1)] ?? 0) * (1 - JITTER);
    if (startedMs - lastMs < leastMs) {
      yield `${attempt.id} attempt ${attempt.attempt} was sent while webhook ${webhook} was parked, and was no probe`;
      continue;
    }
    probes++;
    lastMs = endOf(attempt);
  }
}
