/**
 * What an unfinished delivery waits for: its time, its turn, or something that has to come first; and whether a time can be
 * named for it. Pure; waits.ts reads the facts.
 */
import { z } from "zod";
import { type DeliveryKey, deliveryId } from "../outbox/identifiers.ts";

const WAITS_FOR = ["time", "turn", "earlier", "receiver", "off", "paused"] as const;
type WaitsFor = (typeof WAITS_FOR)[number];

export const WAITING = z
  .object({
    for: z
      .enum(WAITS_FOR)
      .describe(
        "`time`: its next attempt. `turn`: it is due and goes out as soon as the webhook gets to it. `earlier`: a delivery of the same " +
          "subject that goes first. `receiver`: it does not answer well; now and then one of the deliveries is tried. `off`: the webhook " +
          "is to be turned on. `paused`: the administrator of this server paused its sending.",
      ),
    delivery: z.string().nullable().describe("With `earlier`: the one that goes first."),
  })
  .nullable()
  .describe("Why it waits; null in any state but `waiting`.");

export const WAIT_KEYS = [
  "waits_for_earlier",
  "waits_for_receiver",
  "waits_until_on",
  "waits_until_resumed",
] as const satisfies string[];

export interface Waiting {
  readonly for: WaitsFor;
  /** The delivery of the same subject that goes first. */
  readonly earlier: DeliveryKey | null;
}

/** Of a delivery that waits. */
export interface WaitFacts {
  readonly isEnabled: boolean;
  readonly isPaused: boolean;
  readonly isParked: boolean;
  readonly isDue: boolean;
  readonly earlier: DeliveryKey | null;
}

/** The first of what is in the way. */
export function waitingOf({ earlier, ...facts }: WaitFacts): Waiting {
  if (!facts.isEnabled) return { for: "off", earlier: null };
  if (facts.isPaused) return { for: "paused", earlier: null };
  if (earlier !== null) return { for: "earlier", earlier };
  if (facts.isParked) return { for: "receiver", earlier: null };
  return { for: facts.isDue ? "turn" : "time", earlier: null };
}

export interface Times {
  /** Null for never. */
  readonly dueAt: Temporal.Instant | null;
  /** Of the receiver's next probe, where it takes this very delivery. */
  readonly probeAt: Temporal.Instant | null;
}

export const NEXT_ATTEMPT_WORDS =
  "When it is tried next. Null where no time can be named: it is due already (`turn`), waits for an earlier delivery, or until the " +
  "webhook is turned on or resumed, or for its `receiver`, unless it is the one that is tried to find out how that answers.";

/** When it is tried next; null where no time can be named for this very delivery. */
export function nextAttemptOf(waiting: Waiting, { dueAt, probeAt }: Times): Temporal.Instant | null {
  if (waiting.for === "time") return dueAt;
  if (waiting.for !== "receiver" || dueAt === null || probeAt === null) return null;
  return Temporal.Instant.compare(dueAt, probeAt) < 0 ? probeAt : dueAt;
}

interface ShownWaiting {
  readonly waiting: z.output<typeof WAITING>;
  readonly sentence: string | null;
  readonly sentence_key: (typeof WAIT_KEYS)[number] | null;
}

/** With a sentence where it waits for anything but its time or turn. */
export function showWaiting(waiting: Waiting | null): ShownWaiting {
  if (waiting === null) return { waiting: null, sentence: null, sentence_key: null };
  const delivery = waiting.earlier === null ? null : deliveryId(waiting.earlier);
  return { waiting: { for: waiting.for, delivery }, ...wordsOf(waiting.for) };
}

function wordsOf(reason: WaitsFor): Omit<ShownWaiting, "waiting"> {
  switch (reason) {
    case "off":
      return { sentence: "It waits until the webhook is turned on.", sentence_key: "waits_until_on" };
    case "paused":
      return {
        sentence: "It waits until the administrator of this server resumes the webhook's sending.",
        sentence_key: "waits_until_resumed",
      };
    case "earlier":
      return {
        sentence: "It waits for an earlier delivery about the same thing, so that both arrive in order.",
        sentence_key: "waits_for_earlier",
      };
    case "receiver":
      return {
        sentence: "It waits until the other system answers well again; until then, one delivery is tried now and then.",
        sentence_key: "waits_for_receiver",
      };
    case "time":
    case "turn":
      return { sentence: null, sentence_key: null };
  }
}
