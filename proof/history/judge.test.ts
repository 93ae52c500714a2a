/** The judge by itself: histories written by hand, each with one broken promise, and what it depends on. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  accepted,
  arrived,
  attempted,
  eventIds,
  failedOnce,
  healthy,
  MINUTE_MS,
  row,
  START_MS,
  secret,
  webhookVersion,
} from "./by-hand.ts";
import { deliveryIdOf, type History, type JudgeOptions, type WebhookVersion } from "./history.ts";
import { judge } from "./judge.ts";

const drained: JudgeOptions = { drained: true };
const checksOf = (changes: Partial<History>, options = drained) => [
  ...new Set(judge({ ...healthy, ...changes }, options).violations.map(({ check }) => check)),
];

/** The webhook was never ticked, off, or narrowed from the beginning: versions that differ in one thing. */
const always = (changes: Partial<WebhookVersion>): Partial<History> => ({
  webhooks: [{ ...webhookVersion, ...changes }],
});
const since = (fromMs: number, changes: Partial<WebhookVersion>): Partial<History> => ({
  webhooks: [
    { ...webhookVersion, patient: "all", untilMs: fromMs },
    { ...webhookVersion, patient: "all", ...changes, fromMs },
  ],
});
const patient = { practitioner: "off", patient: "all" } as const;

test.each<[string, Partial<History>]>([
  ["all is well", {}],
  ["a failure is repeated on schedule", failedOnce(5_000)],
  [
    "a doubt is repeated at once",
    {
      ...failedOnce(50, { status: 200 }),
      attempts: [
        attempted(0, { outcome: "unknown", status: null, durationMs: null }),
        attempted(0, { attempt: 2 }),
        attempted(1),
      ],
    },
  ],
  [
    "an event happened while the webhook was off, and was kept",
    {
      ...always({ enabled: false }),
      receptions: [],
      attempts: [],
      deliveries: [0, 1].map((n) => row(n, { state: "cancelled", reason: "off", sequence: null, attempts: 0 })),
    },
  ],
  [
    "a retry carries less after a narrowing",
    {
      ...failedOnce(5_000, { status: 500, carried: patient, bodyHash: "wide" }),
      ...since(START_MS + 2_000, { patient: "off" }),
    },
  ],
  [
    "a retry carries less, and the narrowing fell between rendering and arriving of the attempt before",
    {
      ...failedOnce(5_000, { status: 500, carried: patient, bodyHash: "wide" }),
      ...since(START_MS + 15, { patient: "off" }),
    },
  ],
  [
    "a test goes to a webhook that listens to nothing",
    {
      receptions: [
        ...healthy.receptions,
        arrived(0, { id: deliveryIdOf("c".repeat(32), "7", 0), test: true, sequence: null }),
      ],
      deliveries: [
        ...healthy.deliveries,
        row(0, { id: deliveryIdOf("c".repeat(32), "7", 0), test: true, sequence: null }),
      ],
      attempts: [...healthy.attempts, attempted(0, { id: deliveryIdOf("c".repeat(32), "7", 0) })],
    },
  ],
])("it finds nothing where %s", (_what, changes) => {
  expect(judge({ ...healthy, ...changes }, drained).violations).toEqual([]);
});

test.each<[string, string, Partial<History>]>([
  [
    "lost",
    "an accepted event has no delivery",
    { deliveries: [row(0)], receptions: [arrived(0)], attempts: [attempted(0)] },
  ],
  [
    "unfounded",
    "a delivery is called delivered and was refused",
    { receptions: [arrived(0), arrived(1, { status: 500 })], attempts: [attempted(0), attempted(1, { status: 500 })] },
  ],
  [
    "unfounded",
    "one was given up after its first attempt",
    {
      deliveries: [row(0), row(1, { state: "given_up", reason: "schedule_ended" })],
      receptions: [arrived(0), arrived(1, { status: 500 })],
      attempts: [attempted(0), attempted(1, { status: 500 })],
    },
  ],
  [
    "unfounded",
    "one was cancelled as off, and nobody turned it off",
    {
      deliveries: [row(0), row(1, { state: "cancelled", reason: "off" })],
      receptions: [arrived(0)],
      attempts: [attempted(0)],
    },
  ],
  [
    "stuck",
    "one waits without end",
    {
      deliveries: [row(0), row(1, { state: "open", attempts: 0, sequence: null })],
      receptions: [arrived(0)],
      attempts: [attempted(0)],
    },
  ],
  [
    "unfinished",
    "one still waits when all should have ended",
    {
      deliveries: [row(0), row(1, { state: "open", attempts: 0, sequence: null, dueMs: START_MS })],
      receptions: [arrived(0)],
      attempts: [attempted(0)],
    },
  ],
  [
    "misdirected",
    "something arrived that was never committed",
    { events: healthy.events.slice(0, 1), accepted: accepted.slice(0, 1), deliveries: [row(0)] },
  ],
  ["misdirected", "a change was rolled back", { refused: [eventIds[1] ?? ""] }],
  ["misdirected", "its name was not ticked", always({ events: ["participant.added"] })],
  ["misdirected", "it is another clinic's", always({ clinic: "2" })],
  ["misdirected", "the webhook was off when it happened", always({ enabled: false })],
  ["sent_while_off", "the webhook was off when it was sent", since(START_MS + 5_000, { enabled: false })],
  ["too_much_data", "a patient was not chosen", { receptions: [arrived(0), arrived(1, { carried: patient })] }],
  [
    "too_much_data",
    "a patient is chosen only later",
    {
      ...failedOnce(5_000, { status: 500 }),
      webhooks: [
        { ...webhookVersion, untilMs: START_MS + 1_000 },
        { ...webhookVersion, patient: "all", fromMs: START_MS + 1_000 },
      ],
      receptions: [
        arrived(0, { status: 500 }),
        arrived(0, { attempt: 2, atMs: START_MS + 5_020, carried: patient }),
        arrived(1),
      ],
    },
  ],
  ["changed", "a body changes", failedOnce(5_000, { status: 500, bodyHash: "other" })],
  ["changed", "a sequence number changes", failedOnce(5_000, { status: 500, sequence: 9 })],
  ["duplicated", "one comes twice", failedOnce(5_000, { status: 200 })],
  ["badly_signed", "nothing fits", { receptions: [arrived(0), arrived(1, { signed: { by: [], entries: 1 } })] }],
  [
    "badly_signed",
    "a secret that was taken away still signs",
    { secrets: [{ ...secret, untilMs: START_MS - MINUTE_MS, endedMs: START_MS - MINUTE_MS }] },
  ],
  ["badly_signed", "a live secret does not sign", { secrets: ["one", "two"].map((name) => ({ ...secret, name })) }],
  [
    "badly_signed",
    "its time is off",
    { receptions: [arrived(0), arrived(1, { timestampMs: START_MS - 10 * MINUTE_MS })] },
  ],
  ["unlogged", "an attempt left no row", { attempts: [attempted(0)] }],
  ["unlogged", "a number is sent twice", { receptions: [arrived(0, { status: null }), arrived(0), arrived(1)] }],
  ["invented", "an answer was never given", { receptions: [arrived(0), arrived(1, { status: null })] }],
  [
    "not_rising",
    "an attempt arrives after a later one",
    {
      receptions: [arrived(0, { attempt: 2 }), arrived(0, { status: 500 }), arrived(1)],
      attempts: [...(failedOnce(5_000).attempts ?? [])],
    },
  ],
  ["too_early", "a retry comes before its time", failedOnce(4_000)],
  ["too_early", "Retry-After is not heeded", failedOnce(6_000, { status: 503, retryAfterSeconds: 60 })],
  ["out_of_order", "a later one is sent first", { receptions: [arrived(1), arrived(0)] }],
  [
    "out_of_order",
    "a later one does not wait for the earlier one's retry",
    {
      ...failedOnce(5_000),
      receptions: [arrived(0, { status: 500 }), arrived(1), arrived(0, { attempt: 2, atMs: START_MS + 5_020 })],
    },
  ],
  [
    "sequence_gaps",
    "a number is left out",
    { receptions: [arrived(0), arrived(1, { sequence: 3 })], deliveries: [row(0), row(1, { sequence: 3 })] },
  ],
  [
    "sequence_gaps",
    "a number is given twice",
    { receptions: [arrived(0), arrived(1, { sequence: 1 })], deliveries: [row(0), row(1, { sequence: 1 })] },
  ],
  [
    "sequence_gaps",
    "it is sent without a number",
    { receptions: [arrived(0), arrived(1, { sequence: null })], deliveries: [row(0), row(1, { sequence: null })] },
  ],
])("it finds %s where %s", (check, _what, changes) => {
  expect(checksOf(changes)).toContain(check);
});

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
  const parked = (...laterMs: number[]) =>
    checksOf(failing(...laterMs), { drained: false }).includes("sent_while_parked");
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
  expect(checksOf(refused, { drained: false })).toContain("sent_while_parked");
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
    expect(checksOf({ ...history, attempts }, { drained: false }).includes("sent_while_parked")).toBe(isFound);
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
  const checks = checksOf({ ...failing(30_000), webhooks }, { drained: false });
  expect(checks.includes("sent_while_parked")).toBe(isParked);
});

test("it knows nothing of the engine: this folder imports Node, the SDK's signatures and itself", () => {
  const files = globSync("*.ts", { cwd: import.meta.dirname }).filter((file) => !file.endsWith(".test.ts"));
  const imports = files.flatMap((file) =>
    [...readFileSync(join(import.meta.dirname, file), "utf8").matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(
      (match) => match[1] ?? "",
    ),
  );
  expect(files.length).toBeGreaterThan(5);
  expect(imports.filter((one) => !/^(node:|\.\/|@hookwell\/sdk\/signature$)/.test(one))).toEqual([]);
});
