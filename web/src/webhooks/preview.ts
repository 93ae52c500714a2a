// The live preview's exact text. Pure, no browser needed: a test on the server compares it, byte for byte, with what
// was delivered. Promises that the text is made by the very function the sender calls.
import { type DataChoice, type EventName, PARTICIPANTS_PER_REQUEST_MAX, render, sampleFacts } from "@hookwell/sdk";

export { prettyText } from "../ui/json.ts";

export interface PreviewOptions {
  /** The webhook's option: one message for each patient of a group. The preview then shows the first. */
  oneParticipantPerRequest: boolean;
}

/** Exactly the text that the sender would send first for the sample of `event` under this data choice. */
export function previewText(
  event: EventName,
  choice: DataChoice,
  { oneParticipantPerRequest }: PreviewOptions,
): string {
  const participantsPerRequest = oneParticipantPerRequest ? 1 : PARTICIPANTS_PER_REQUEST_MAX;
  return render(sampleFacts(event), choice, { part: 0, participantsPerRequest });
}
