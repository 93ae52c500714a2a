/** A finished event of other software, fed as it is (contract §1): the same for all 13. */
import { type EventName, eventDefinition, sampleFacts } from "@hookwell/sdk";
import type { Play, Shown } from "./play.ts";
import type { Scene } from "./stage.ts";

/** Fed once, and once more with the same key: it arrives once. */
export function fedPlay(event: EventName): Play {
  const facts = sampleFacts(event);
  const shows: readonly Shown[] =
    "participants" in facts ? [`${facts.participants.length}${facts.consult.cancelled ? " cancelled" : ""}`] : [];
  return {
    what: "fed, and fed again with the same key",
    act: async (scene: Scene) => {
      const number = scene.number();
      // Where the facts name their subject, theirs counts.
      const named = ["consult", "membership", "patient"].includes(eventDefinition(event).subject);
      const subject = named ? {} : { subject: `${eventDefinition(event).subject}:${number}` };
      const fed = { key: `key-${number}`, ...subject, facts };
      await scene.post("/v1/events", fed);
      await scene.post("/v1/events", fed);
    },
    events: [event],
    shows,
  };
}
