/** Order per subject and webhook, and numbers without a gap per webhook (contract §7). */
import { CLOCK_GRAIN_MS, type Evidence, firstAccepted, type Trail } from "./evidence.ts";

/** A later event of a subject is not sent before the earlier one is delivered or has ended otherwise. */
export function* outOfOrder(evidence: Evidence): Generator<string> {
  for (const [webhook, trails] of evidence.byWebhook) {
    // What was resent or recovered runs outside the order; receivers use the version.
    const ordered = trails.filter(({ row, resent }) => row && row.subject !== "" && !row.test && resent.length === 0);
    for (const [subject, all] of Map.groupBy(ordered, ({ row }) => row?.subject ?? "")) {
      yield* wrongOrder(`webhook ${webhook}, ${subject}`, all);
    }
  }
}

function* wrongOrder(name: string, trails: readonly Trail[]): Generator<string> {
  const versions = [...Map.groupBy(trails, ({ row }) => row?.version ?? 0)].sort(([a], [b]) => a - b);
  let endPlace = -1;
  let endMs = Number.NEGATIVE_INFINITY;
  for (const [version, parts] of versions) {
    for (const first of parts.map(({ arrivals }) => arrivals[0]).filter((one) => one !== undefined)) {
      if (first.place < endPlace || first.atMs < endMs - CLOCK_GRAIN_MS)
        yield `${name}: version ${version} was sent before an earlier one had been delivered or given up`;
    }
    // Parts of one split share a version, and no order among them is promised.
    for (const part of parts) {
      const accepted = firstAccepted(part);
      if (accepted) endPlace = Math.max(endPlace, accepted.place);
      else if (part.row?.state === "open") endPlace = Number.POSITIVE_INFINITY;
      else endMs = Math.max(endMs, part.row?.finishedMs ?? 0);
    }
  }
}

/** Numbers run from 1 without a gap; one that never arrived is accounted for. */
export function* sequenceGaps(evidence: Evidence): Generator<string> {
  for (const [webhook, trails] of evidence.byWebhook) {
    const owners = new Map<number, Trail>();
    for (const trail of trails) {
      const { row } = trail;
      if (!row || row.test) continue;
      if (row.sequence === null) {
        if (row.attempts > 0) yield `${trail.id} was sent without a sequence number`;
        continue;
      }
      const other = owners.get(row.sequence);
      if (other) yield `webhook ${webhook}: sequence ${row.sequence} was given to ${other.id} and to ${trail.id}`;
      owners.set(row.sequence, trail);
      if (trail.arrivals.some(({ sequence }) => sequence !== row.sequence))
        yield `${trail.id} arrived with another sequence number than ${row.sequence}`;
    }
    yield* missingNumbers(webhook, owners);
  }
}

function* missingNumbers(webhook: string, owners: ReadonlyMap<number, Trail>): Generator<string> {
  const last = [...owners.keys()].reduce((most, one) => Math.max(most, one), 0);
  for (let sequence = 1; sequence <= last; sequence++) {
    const owner = owners.get(sequence);
    if (!owner) yield `webhook ${webhook}: sequence ${sequence} was given to nobody, though ${last} was`;
    else if (owner.arrivals.length === 0 && owner.row?.state === "delivered")
      yield `webhook ${webhook}: sequence ${sequence} never arrived, and ${owner.id} is called delivered`;
  }
}
