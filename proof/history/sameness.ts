/** One webhook-id is one message: the same at every attempt, and accepted twice only beside a recorded fault (contract §7). */
import { type Arrival, type Evidence, isInDoubt, lookedAt, type Trail } from "./evidence.ts";
import { isAccepted, type Span, WIDTH } from "./history.ts";

export function* changed(evidence: Evidence): Generator<string> {
  for (const trail of evidence.trails.values()) {
    const kept = (one: Arrival) => JSON.stringify([one.webhook, one.subject, one.version, one.sequence]);
    if (new Set(trail.arrivals.map(kept)).size > 1) yield `${trail.id} had other headers at another attempt`;
    const whole = trail.arrivals.filter(({ bodyHash }) => bodyHash !== null);
    for (const [at, arrival] of whole.entries()) {
      const before = whole[at - 1];
      if (!before || before.bodyHash === arrival.bodyHash || mayHaveShrunk(evidence, trail, before, arrival)) continue;
      yield `${trail.id} had another body at attempt ${arrival.attempt} than at attempt ${before.attempt}`;
    }
  }
}

/** A narrowing of the webhook, a "do not share" or an erasure was recorded in between, and nothing was added. */
function mayHaveShrunk(evidence: Evidence, trail: Trail, before: Arrival, after: Arrival): boolean {
  if (hasGrown(before, after)) return false;
  // What was on its way already when something was narrowed still arrives as it was rendered.
  const { fromMs } = lookedAt(evidence, trail, before);
  const isBetween = (one: Span) => one.fromMs <= after.atMs && one.untilMs >= fromMs;
  const subject = trail.row?.subject ?? before.subject;
  if (evidence.history.changes.some((one) => one.what !== "resent" && one.of === subject && isBetween(one)))
    return true;
  const versions = evidence.versions.get(before.webhook) ?? [];
  return versions.some((one, at) => {
    const previous = versions[at - 1];
    if (!previous || !isBetween({ fromMs: one.fromMs, untilMs: previous.untilMs })) return false;
    return WIDTH[one.patient] < WIDTH[previous.patient] || WIDTH[one.practitioner] < WIDTH[previous.practitioner];
  });
}

function hasGrown({ carried: before }: Arrival, { carried: after }: Arrival): boolean {
  if (before === null || after === null) return false;
  return WIDTH[after.patient] > WIDTH[before.patient] || WIDTH[after.practitioner] > WIDTH[before.practitioner];
}

export function* duplicated(evidence: Evidence): Generator<string> {
  for (const trail of evidence.trails.values()) {
    const times = trail.arrivals.filter(isAccepted).length;
    const explained = 1 + trail.attempts.filter(isInDoubt).length + trail.resent.length;
    if (times > explained) yield `${trail.id} was accepted ${times} times without a recorded fault`;
  }
}

/** How many receptions were of a delivery that its receiver had accepted already. */
export function countDuplicates(evidence: Evidence): number {
  let count = 0;
  for (const trail of evidence.trails.values()) {
    count += Math.max(0, trail.arrivals.filter(isAccepted).length - 1 - trail.resent.length);
  }
  return count;
}
