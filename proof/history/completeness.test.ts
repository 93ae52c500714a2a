/** What became of every event, and why: histories written by hand. */
import { expect, test } from "vitest";
import { always, arrived, attempted, checksOf, id, MINUTE_MS, recorded, row, START_MS, since } from "./by-hand.ts";
import type { DeliveryRow, History } from "./history.ts";

const DAY_MS = 24 * 60 * MINUTE_MS;

/** The second delivery ended so, a while after it had begun. */
function ended(
  reason: string,
  afterMs = 20,
  state: DeliveryRow["state"] = "cancelled",
  attempts = 1,
): Partial<History> {
  const finishedMs = START_MS + 10_000 + afterMs;
  return {
    deliveries: [row(0), row(1, { state, reason, attempts, finishedMs })],
    receptions: [arrived(0)],
    attempts: [attempted(0)],
  };
}

/** So many attempts of the second delivery that failed, a day apart. */
const failures = (count: number) =>
  Array.from({ length: count }, (_, n) =>
    attempted(1, { attempt: n + 1, status: 500, startedMs: START_MS + 10_010 + n * DAY_MS }),
  );

test.each<[string, Partial<History>]>([
  [
    "an event happened while the webhook was off, and was kept",
    {
      ...always({ enabled: false }),
      receptions: [],
      attempts: [],
      deliveries: [0, 1].map((n) => row(n, { state: "cancelled", reason: "off", sequence: null, attempts: 0 })),
    },
  ],
  ["a delivery ended as erased when that was recorded", { ...ended("erased"), changes: [recorded("erased")] }],
  [
    "a delivery ended as deleted with its webhook",
    { ...ended("deleted"), ...since(START_MS + 10_020, { deleted: true }) },
  ],
  ["a delivery ended as expired when its content was about to go", ended("expired", 29 * DAY_MS + 10_000)],
])("it finds nothing where %s", (_what, changes) => {
  expect(checksOf(changes)).toEqual([]);
});

test("it finds nothing where a clinic keeps bodies for a shorter time, and what waited expired by then", () => {
  expect(checksOf(ended("expired", 9 * DAY_MS), { expiresAfterMs: 9 * DAY_MS })).toEqual([]);
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
    "unfounded",
    "one was cancelled as off, and was turned off later",
    { ...ended("off"), ...since(START_MS + 10_015, { enabled: false }) },
  ],
  [
    "unfounded",
    "one was cancelled as deleted before that",
    { ...ended("deleted"), ...since(START_MS + 20_000, { deleted: true }) },
  ],
  [
    "unfounded",
    "one was cancelled as erased before that",
    { ...ended("erased"), changes: [recorded("erased", START_MS + 20_000)] },
  ],
  [
    "unfounded",
    "one was cancelled as not shared, and was erased",
    { ...ended("not_shared"), changes: [recorded("erased")] },
  ],
  ["unfounded", "one was cancelled as expired, and is young", ended("expired", 28 * DAY_MS)],
  [
    "unfounded",
    "one was given up because of its answer",
    { ...ended("refused_by_receiver", 0, "given_up"), attempts: failures(1) },
  ],
  [
    "unfounded",
    "one has a reason of its own",
    { ...ended("refused_by_receiver", 0, "given_up", 10), attempts: failures(10) },
  ],
  [
    "unfounded",
    "one that was sent again was given up at once",
    {
      ...ended("schedule_ended", 0, "given_up", 11),
      attempts: failures(11),
      changes: [
        {
          what: "resent",
          of: id(1),
          fromMs: START_MS + 10_010 + 10 * DAY_MS,
          untilMs: START_MS + 10_010 + 10 * DAY_MS,
        },
      ],
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
])("it finds %s where %s", (check, _what, changes) => {
  expect(checksOf(changes)).toContain(check);
});
