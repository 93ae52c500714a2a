/** Histories written by hand: a healthy one, and the pieces of which others are made. */
import {
  type AcceptedEvent,
  type AttemptRow,
  type DeliveryRow,
  deliveryIdOf,
  type History,
  type JudgeOptions,
  type Reception,
  type RecordedChange,
  type WebhookVersion,
} from "./history.ts";
import { judge } from "./judge.ts";

export const START_MS = Date.UTC(2031, 0, 6);
export const MINUTE_MS = 60_000;
export const eventIds = ["a", "b"].map((letter) => letter.repeat(32));
export const webhookVersion: WebhookVersion = {
  ...{ clinic: "1", webhook: "7", fromMs: 0, untilMs: Number.POSITIVE_INFINITY, events: ["consult.updated"] },
  ...{ practitioner: "off", patient: "off", onePerRequest: false, enabled: true, deleted: false, address: "x" },
};

export const id = (n: number) => deliveryIdOf(eventIds[n] ?? "", "7", 0);
export const arrived = (n: number, changes: Partial<Reception> = {}): Reception => ({
  ...{ id: id(n), webhook: "7", subject: "consult:1", version: n + 1, sequence: n + 1, attempt: 1, test: false },
  ...{ address: "x", atMs: START_MS + n * 10_000 + 20, status: 200, retryAfterSeconds: null, timestampMs: START_MS },
  ...{ bodyHash: "same", carried: { practitioner: "off", patient: "off" }, signed: { by: ["one"], entries: 1 } },
  ...changes,
});
export const row = (n: number, changes: Partial<DeliveryRow> = {}): DeliveryRow => ({
  ...{
    id: id(n),
    clinic: "1",
    webhook: "7",
    event: eventIds[n] ?? "",
    subject: "consult:1",
    version: n + 1,
    test: false,
  },
  ...{
    sequence: n + 1,
    attempts: 1,
    state: "delivered",
    reason: null,
    begun: false,
    dueMs: null,
    finishedMs: START_MS + n * 10_000 + 30,
  },
  ...changes,
});
export const attempted = (n: number, changes: Partial<AttemptRow> = {}): AttemptRow => ({
  ...{
    id: id(n),
    webhook: "7",
    attempt: 1,
    startedMs: START_MS + n * 10_000 + 10,
    durationMs: 15,
    outcome: "answered",
  },
  ...{ status: 200, late: false, ...changes },
});
export const accepted: AcceptedEvent[] = eventIds.map((event, n) => ({
  ...{ clinic: "1", event, name: "consult.updated", subject: "consult:1", version: n + 1, participants: 1 },
  ...{ beganMs: START_MS + n * 10_000, doneMs: START_MS + n * 10_000 + 5 },
}));
export const secret = { webhook: "7", name: "one", secret: "", beganMs: 0, fromMs: 0, untilMs: null, endedMs: null };
export const healthy: History = {
  accepted,
  ...{ refused: [], changes: [], webhooks: [webhookVersion] },
  secrets: [secret],
  receptions: [arrived(0), arrived(1)],
  events: accepted.map((one) => ({
    clinic: "1",
    event: one.event,
    name: one.name,
    occurredMs: one.beganMs,
    test: false,
  })),
  deliveries: [row(0), row(1)],
  attempts: [attempted(0), attempted(1)],
};

/** The first delivery failed once; its second attempt came so long after. The second delivery waited for it. */
export function failedOnce(waitMs: number, first: Partial<Reception> = { status: 500 }): Partial<History> {
  const atMs = START_MS + 20 + waitMs;
  return {
    receptions: [arrived(0, first), arrived(0, { attempt: 2, atMs }), arrived(1, { atMs: atMs + 100 })],
    deliveries: [row(0, { attempts: 2, finishedMs: atMs + 10 }), row(1, { finishedMs: atMs + 110 })],
    attempts: [
      attempted(0, { status: first.status ?? null }),
      attempted(0, { attempt: 2, startedMs: atMs - 5 }),
      attempted(1),
    ],
  };
}

/** The webhook was never ticked, off, or narrowed from the beginning: versions that differ in one thing. */
export const always = (changes: Partial<WebhookVersion>): Partial<History> => ({
  webhooks: [{ ...webhookVersion, ...changes }],
});
export const since = (fromMs: number, changes: Partial<WebhookVersion>): Partial<History> => ({
  webhooks: [
    { ...webhookVersion, patient: "all", untilMs: fromMs },
    { ...webhookVersion, patient: "all", ...changes, fromMs },
  ],
});
export const patient = { practitioner: "off", patient: "all" } as const;
export const nobody = { practitioner: "off", patient: "off" } as const;
export const recorded = (what: RecordedChange["what"], fromMs = START_MS + 1_000): RecordedChange => ({
  ...{ what, of: "consult:1", fromMs, untilMs: fromMs + 10 },
});

/** Which checks find something in the healthy history with these changes. */
export const checksOf = (changes: Partial<History>, options: Partial<JudgeOptions> = {}): string[] => [
  ...new Set(judge({ ...healthy, ...changes }, { drained: true, ...options }).violations.map(({ check }) => check)),
];
