/** When a webhook is parked, and what may be sent to it then: histories written by hand. */
import { expect, test } from "vitest";
import { arrived, attempted, checksOf, MINUTE_MS, row, START_MS, webhookVersion } from "./by-hand.ts";
import type { History, WebhookVersion } from "./history.ts";

/** Five failures in a row, 20 s apart, of deliveries of their own; then attempts so many ms after the last of them. */
function failing(...laterMs: number[]): Partial<History> {
  const times = [0, 20_000, 40_000, 60_000, 80_000].concat(laterMs.map((ms) => 80_000 + ms));
  const own = times.map((ms, n) => ({ id: `failing ${n}`, startedMs: START_MS + ms, ms }));
  return {
    deliveries: own.map((one, n) =>
      row(0, { id: one.id, subject: `consult:${n}`, state: "open", dueMs: START_MS, sequence: n + 1 }),
    ),
    attempts: own.map((one) => attempted(0, { id: one.id, startedMs: one.startedMs, durationMs: 1, status: 503 })),
    receptions: own.map((one, n) =>
      arrived(0, { id: one.id, subject: `consult:${n}`, atMs: one.startedMs, status: 503, sequence: n + 1 }),
    ),
  };
}

test("while a webhook is parked only the probe is sent, after its time", () => {
  const parked = (...laterMs: number[]) => checksOf(failing(...laterMs)).includes("sent_while_parked");
  expect(parked()).toBe(false);
  expect(parked(5 * MINUTE_MS)).toBe(false);
  expect(parked(5 * MINUTE_MS, 36 * MINUTE_MS)).toBe(false);
  expect(parked(30_000)).toBe(true);
  expect(parked(5 * MINUTE_MS, 6 * MINUTE_MS)).toBe(true);
  // Four failures are no parking, and neither are five within a second.
  const four = failing(30_000);
  expect(checksOf({ ...four, attempts: four.attempts?.slice(2) ?? [] })).not.toContain("sent_while_parked");
});

test("a probe that was answered 400 has taken its step like any other", () => {
  const history = failing(5 * MINUTE_MS, 10 * MINUTE_MS);
  const refused = {
    ...history,
    attempts: history.attempts?.map((one, n) => (n === 5 ? { ...one, status: 400 } : one)) ?? [],
  };
  expect(checksOf(refused)).toContain("sent_while_parked");
});

test.each([
  { beforeItsEndMs: 100, isFound: false },
  { beforeItsEndMs: 2_000, isFound: true },
])(
  "what leaves $beforeItsEndMs ms before a probe was answered 2xx, as far as it is told, is found: $isFound",
  ({ beforeItsEndMs, isFound }) => {
    const history = failing(5 * MINUTE_MS, 5 * MINUTE_MS + 3_000 - beforeItsEndMs);
    const answered = { status: 200, durationMs: 3_000 };
    const attempts = history.attempts?.map((one, n) => (n === 5 ? { ...one, ...answered } : one)) ?? [];
    expect(checksOf({ ...history, attempts }).includes("sent_while_parked")).toBe(isFound);
  },
);

test.each<[string, boolean, Partial<WebhookVersion>[]]>([
  ["turned on again", false, [{ enabled: false }, { enabled: true }]],
  ["moved", false, [{ address: "other.example.test" }]],
  ["changed in what cannot be seen here", false, [{}]],
  ["told to send one participant at a time", true, [{ onePerRequest: true }]],
])("a parked webhook that was %s is parked still: %s", (_what, isParked, changes) => {
  const first = webhookVersion;
  const atMs = START_MS + 90_000;
  const versions = [first, ...changes.map((change) => ({ ...first, ...change }))];
  const webhooks = versions.map((one, at) => ({
    ...one,
    fromMs: at === 0 ? first.fromMs : atMs + at,
    untilMs: at === versions.length - 1 ? Number.POSITIVE_INFINITY : atMs + at + 1,
  }));
  const checks = checksOf({ ...failing(30_000), webhooks });
  expect(checks.includes("sent_while_parked")).toBe(isParked);
});

test("a probe that a test brought forward says nothing, another webhook's nothing of this one", () => {
  const early = (of: string[]) => {
    const timesMoved = [{ fromMs: START_MS + 90_000, untilMs: START_MS + 90_010, of }];
    return checksOf(failing(30_000), { timesMoved }).includes("sent_while_parked");
  };
  expect(early(["7"])).toBe(false);
  expect(early(["8"])).toBe(true);
});
