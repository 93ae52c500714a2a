/** Every message is signed by the secrets that are live while it is sent, by each of them and by no other (contract §7). */
import { type Arrival, type Evidence, lookedAt } from "./evidence.ts";
import type { LiveSecret } from "./history.ts";

const TOLERANCE_MS = 300_000;

export function* badlySigned(evidence: Evidence): Generator<string> {
  const secrets = Map.groupBy(evidence.history.secrets, ({ webhook }) => webhook);
  const movedMs = evidence.options.clockMovedMs ?? 0;
  for (const trail of evidence.trails.values()) {
    for (const arrival of trail.arrivals) {
      const name = `${trail.id} attempt ${arrival.attempt}`;
      const { fromMs } = lookedAt(evidence, trail, arrival);
      yield* wrongSigners(name, { ...arrival, fromMs }, secrets.get(arrival.webhook) ?? []);
      const offMs = arrival.timestampMs - arrival.atMs;
      if (arrival.signed && Math.abs(offMs) > TOLERANCE_MS + movedMs)
        yield `${name} carried a time that is ${Math.round(offMs / 1_000)} s off`;
    }
  }
}

function* wrongSigners(
  name: string,
  sent: Arrival & { fromMs: number },
  known: readonly LiveSecret[],
): Generator<string> {
  const { signed, fromMs, atMs, webhook } = sent;
  if (signed === null) return;
  const missing = known.filter(
    (one) => one.fromMs <= fromMs && atMs < (one.untilMs ?? Number.POSITIVE_INFINITY) && !signed.by.includes(one.name),
  );
  const stale = known.filter(
    (one) => (atMs < one.beganMs || (one.endedMs !== null && one.endedMs < fromMs)) && signed.by.includes(one.name),
  );
  if (signed.by.length === 0) yield `${name} carried no signature that fits a secret of webhook ${webhook}`;
  else if (missing.length > 0) yield `${name} was not signed with ${missing.map((one) => one.name).join(", ")}`;
  for (const one of stale) yield `${name} was signed with ${one.name}, which was not live`;
  if (signed.entries > signed.by.length) yield `${name} carried a signature that fits no secret of webhook ${webhook}`;
}
