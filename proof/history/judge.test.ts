/** The judge by itself: histories written by hand, each with one broken promise, and what it depends on. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  accepted,
  always,
  arrived,
  attempted,
  checksOf,
  eventIds,
  failedOnce,
  healthy,
  id,
  MINUTE_MS,
  nobody,
  patient,
  recorded,
  row,
  START_MS,
  secret,
  since,
  webhookVersion,
} from "./by-hand.ts";
import { deliveryIdOf, type History, type RecordedChange } from "./history.ts";

const keyPair = { ...secret, name: "pair" };

/** Something was recorded between two attempts that carry the patient; or the second one does not. */
function retriedAfter({ what, fromMs, carried = patient }: Retried): Partial<History> {
  const bodyHash = carried === patient ? "wide" : "narrow";
  const atMs = START_MS + 5_020;
  return {
    ...failedOnce(5_000),
    ...always({ patient: "all" }),
    changes: [recorded(what, fromMs)],
    receptions: [
      arrived(0, { status: 500, carried: patient, bodyHash: "wide" }),
      arrived(0, { attempt: 2, atMs, carried, bodyHash }),
      arrived(1, { atMs: atMs + 100 }),
    ],
  };
}

interface Retried {
  what: RecordedChange["what"];
  fromMs?: number;
  carried?: typeof patient | typeof nobody;
}

/** Between the two deliveries. */
const moved = since(START_MS + 5_000, { address: "y" });

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
  ["a retry carries no patient after a do not share", retriedAfter({ what: "not_shared", carried: nobody })],
  ["a retry still carries what happened after an erasure", retriedAfter({ what: "erased", fromMs: START_MS - 1 })],
  [
    "a webhook was moved, and the next attempt goes to its new address",
    { ...moved, receptions: [arrived(0), arrived(1, { address: "y" })] },
  ],
  [
    "a message is signed with the key pair, too",
    {
      secrets: [secret, keyPair],
      receptions: [0, 1].map((n) => arrived(n, { signed: { by: ["one", "pair"], entries: 2 } })),
    },
  ],
])("it finds nothing where %s", (_what, changes) => {
  expect(checksOf(changes)).toEqual([]);
});

test.each<[string, string, Partial<History>]>([
  [
    "misdirected",
    "something arrived that was never committed",
    { events: healthy.events.slice(0, 1), accepted: accepted.slice(0, 1), deliveries: [row(0)] },
  ],
  ["misdirected", "a change was rolled back", { refused: [eventIds[1] ?? ""] }],
  ["misdirected", "its name was not ticked", always({ events: ["participant.added"] })],
  ["misdirected", "it is another clinic's", always({ clinic: "2" })],
  ["misdirected", "the webhook was off when it happened", always({ enabled: false })],
  ["wrong_address", "it went to where the webhook was before", moved],
  ["still_shared", "a retry carries the patient after a do not share", retriedAfter({ what: "not_shared" })],
  [
    "still_shared",
    "what happened after a do not share carries the patient",
    retriedAfter({ what: "not_shared", fromMs: START_MS - MINUTE_MS }),
  ],
  ["still_shared", "a retry carries the patient after an erasure", retriedAfter({ what: "erased" })],
  ["sent_while_off", "the webhook was off when it was sent", since(START_MS + 5_000, { enabled: false })],
  ["too_much_data", "a patient was not chosen", { receptions: [arrived(0), arrived(1, { carried: patient })] }],
  [
    "too_much_data",
    "of a practitioner nothing was chosen, and the id is sent",
    { receptions: [arrived(0), arrived(1, { carried: { ...nobody, practitioner: "id" } })] },
  ],
  [
    "too_much_data",
    "of a patient the id was chosen, and all is sent",
    { ...always({ patient: "id" }), receptions: [arrived(0), arrived(1, { carried: patient })] },
  ],
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
  [
    "changed",
    "a body grows after an erasure",
    {
      ...failedOnce(5_000),
      changes: [recorded("erased")],
      receptions: [
        arrived(0, { status: 500 }),
        arrived(0, { attempt: 2, atMs: START_MS + 5_020, carried: patient, bodyHash: "wide" }),
        arrived(1, { atMs: START_MS + 5_120 }),
      ],
    },
  ],
  ["changed", "a sequence number changes", failedOnce(5_000, { status: 500, sequence: 9 })],
  ["duplicated", "one comes twice", failedOnce(5_000, { status: 200 })],
  ["badly_signed", "nothing fits", { receptions: [arrived(0), arrived(1, { signed: { by: [], entries: 1 } })] }],
  [
    "badly_signed",
    "a secret that was taken away still signs",
    { secrets: [{ ...secret, untilMs: START_MS - MINUTE_MS, endedMs: START_MS - MINUTE_MS }] },
  ],
  ["badly_signed", "a live secret does not sign", { secrets: ["one", "two"].map((name) => ({ ...secret, name })) }],
  ["badly_signed", "a key pair does not sign", { secrets: [secret, keyPair] }],
  [
    "badly_signed",
    "a key pair signs that was taken away",
    {
      secrets: [secret, { ...keyPair, untilMs: START_MS - MINUTE_MS, endedMs: START_MS - MINUTE_MS }],
      receptions: [arrived(0), arrived(1, { signed: { by: ["one", "pair"], entries: 2 } })],
    },
  ],
  [
    "badly_signed",
    "there is an entry of nobody's",
    { receptions: [arrived(0), arrived(1, { signed: { by: ["one"], entries: 2 } })] },
  ],
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

test("a retry that a test brought forward says nothing, and all others are judged", () => {
  const retried = (of: string[] | null, fromMs = START_MS + 500) =>
    checksOf(failedOnce(1_000), { timesMoved: [{ fromMs, untilMs: fromMs + 5, of }] });
  expect(retried([id(0)])).toEqual([]);
  expect(retried(null)).toEqual([]);
  expect(retried([id(1)])).toEqual(["too_early"]);
  expect(retried([id(0)], START_MS - 1_000)).toEqual(["too_early"]);
  expect(checksOf(failedOnce(1_000), { timesMoved: true })).toEqual([]);
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
