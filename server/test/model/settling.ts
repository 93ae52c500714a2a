/** What the commands of settling draw: how attempts ended, and what their node says of the receivers' health. */
import fc from "fast-check";
import type { RunHealth, SettledAttempt, SettledHealth } from "../../src/delivery/engine-store.ts";
import type { Pair } from "./pair.ts";

const HOUR_MS = 3_600_000;
/** Results come of what was begun last, settled before or not. */
const RECENT = 12;

export const ending = fc.record({
  pick: fc.nat({ max: 1_000 }),
  startedMsAgo: fc.constantFrom(0, 20, HOUR_MS),
  /** changes of the webhook since it was sent */
  changes: fc.constantFrom(0, 0, 0, 1),
  next: fc.constantFrom<SettledAttempt["next"]>(
    ...[1, 2, 3].map(() => ({ do: "finish" as const, state: "delivered" as const, reason: null })),
    { do: "finish", state: "given_up", reason: "schedule_ended" },
    ...[0, 5_000, 300_000].map((inMs) => ({ do: "retry" as const, inMs })),
  ),
});

export const ailing = fc.record({
  failures: fc.constantFrom(0, 0, 1, 5),
  failingMs: fc.constantFrom(0, 900, 61_000),
  probes: fc.nat({ max: 3 }),
  parked: fc.boolean(),
  stale: fc.constantFrom(0, 0, 0, 1),
  /** changes of the webhook since it was taken */
  changes: fc.constantFrom(0, 0, 0, 1),
});
type Ailing = typeof ailing extends fc.Arbitrary<infer Value> ? Value : never;

/** What the holder of each of the webhooks says of its receiver. */
export function healthOf(
  pair: Pair,
  results: readonly SettledAttempt[],
  { stale, changes, ...drawn }: Ailing,
): SettledHealth {
  const runs = new Map(results.map(({ begun }) => [begun.webhookId, pair.model.tables.run(begun)]));
  const health = [...runs.values()].map(({ clinicId, webhookId, fence, failingSince }): RunHealth => {
    const failingMs = failingSince === null ? drawn.failingMs : pair.clock.nowMs - failingSince + drawn.failingMs;
    const version = pair.model.tables.webhook({ clinicId, webhookId }).version - changes;
    const key = { clinicId, webhookId, fence: fence - stale, version };
    if (drawn.failures === 0) return { ...key, failures: 0, failingMs: null, probes: 0, parked: false };
    return { ...key, ...drawn, failingMs };
  });
  return { owner: [...runs.values()][0]?.owner ?? 0, health };
}

/** One result for each attempt that was picked. */
export function batchOf(
  pair: Pair,
  endings: readonly (typeof ending extends fc.Arbitrary<infer Value> ? Value : never)[],
) {
  const recent = pair.begun.slice(-RECENT);
  const results = endings.map(({ pick, startedMsAgo, changes, next }): SettledAttempt => {
    const begun = recent[pick % recent.length] as (typeof recent)[number];
    const status = next.do === "finish" && next.state === "delivered" ? 200 : 500;
    const said = { outcome: "answered", status, choice: begun.choice, bodySent: true, answer: null, durationMs: 5 };
    const version = pair.model.tables.webhook(begun).version - changes;
    return { begun, version, startedMsAgo, next, ...said };
  });
  return [...new Map(results.map((one) => [`${one.begun.id}/${one.begun.attempt}`, one])).values()];
}
