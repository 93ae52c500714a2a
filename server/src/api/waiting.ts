/** What an unfinished delivery waits for: its time, its turn, or something that has to come first. */
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
          "subject that goes first. `receiver`: it does not answer well, and is only tried now and then. `off`: the webhook " +
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

export interface WaitFacts {
  readonly state: string;
  readonly isEnabled: boolean;
  readonly isPaused: boolean;
  readonly isParked: boolean;
  readonly isDue: boolean;
  readonly earlier: DeliveryKey | null;
}

/** The first of what is in the way; null where it does not wait. */
export function waitingOf({ state, earlier, ...facts }: WaitFacts): Waiting | null {
  if (state !== "waiting") return null;
  if (!facts.isEnabled) return { for: "off", earlier: null };
  if (facts.isPaused) return { for: "paused", earlier: null };
  if (earlier !== null) return { for: "earlier", earlier };
  if (facts.isParked) return { for: "receiver", earlier: null };
  return { for: facts.isDue ? "turn" : "time", earlier: null };
}

/** Whether a time can be named at which it will be tried. */
export function isPlanned(waiting: Waiting | null): boolean {
  return waiting !== null && ["time", "turn", "receiver"].includes(waiting.for);
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
        sentence: "It waits until the other system answers well again; until then it is only tried now and then.",
        sentence_key: "waits_for_receiver",
      };
    case "time":
    case "turn":
      return { sentence: null, sentence_key: null };
  }
}
