// What a message holds, told in lines instead of JSON. Read off the message itself, so that it cannot say otherwise.
import {
  countParts,
  type DataChoice,
  type EventName,
  effectiveChoice,
  eventDefinition,
  PARTICIPANTS_PER_REQUEST_MAX,
  sampleFacts,
} from "@hookwell/sdk";
import { type PreviewOptions, prettyText, previewText } from "./preview.ts";

/** A block of the message. The words for each are in the dictionaries under `preview.block`. */
type BlockName =
  | "event"
  | "consult"
  | "service"
  | "practitioner"
  | "participant"
  | "invoice"
  | "client"
  | "resource"
  | "additional_data"
  | "payment"
  | "membership";

/** Why a block is there, or is not. */
type Cause = "always" | "practitioner" | "patient" | "patient_is_message" | "not_ticked";

export interface Line {
  block: BlockName;
  /** `id`: the number alone; `off`: not sent. */
  extent: "all" | "id" | "off";
  cause: Cause;
}

export interface Words {
  lines: Line[];
  /** Patients in the sample, and messages they travel in; only consult events speak of several. */
  patients: number;
  messages: number;
  isList: boolean;
}

/** Under which words stand in the dictionaries. */
export function causeKey({ cause, extent }: Line): Cause {
  return extent === "off" ? "not_ticked" : cause;
}

export interface TextLine {
  text: string;
  /** The block that it belongs to; null for the brackets around all. */
  block: string | null;
  isFirst: boolean;
}

/** The indented message line by line, each with its block. Blocks stand at the first or, in a list, at the second indent. */
export function textLines(message: string): TextLine[] {
  const pretty = prettyText(message).split("\n");
  const indent = pretty[0] === "[" ? "    " : "  ";
  const starts = new RegExp(`^${indent}"(\\w+)":`);
  let block: string | null = null;
  return pretty.map((text) => {
    const isInside = text.startsWith(indent);
    const name = starts.exec(text)?.[1];
    block = isInside ? (name ?? block) : null;
    return { text, block, isFirst: name !== undefined };
  });
}

function causeOf(block: string, event: EventName): Cause {
  const { patientKey, patientAlways } = eventDefinition(event);
  if (block === "practitioner") return "practitioner";
  if (block !== patientKey) return "always";
  return patientAlways ? "patient_is_message" : "patient";
}

function extentOf(block: string, event: EventName, choice: DataChoice): "all" | "id" {
  const { practitioner, patient } = effectiveChoice(event, choice);
  const extent =
    block === "practitioner" ? practitioner : block === eventDefinition(event).patientKey ? patient : "all";
  return extent === "id" ? "id" : "all";
}

/** The message of the preview, block by block in its own order, then what is left out although it could be sent. */
export function previewWords(event: EventName, choice: DataChoice, options: PreviewOptions): Words {
  const body: unknown = JSON.parse(previewText(event, choice, options));
  const isList = Array.isArray(body);
  const first: object = isList ? body[0] : body;
  const blocks = Object.keys(first) as BlockName[];
  const lines: Line[] = blocks.map((block) => ({
    block,
    extent: extentOf(block, event, choice),
    cause: causeOf(block, event),
  }));
  const { practitioner, patientKey } = eventDefinition(event);
  const possible: BlockName[] = practitioner ? ["practitioner", patientKey] : [patientKey];
  for (const block of possible) {
    if (!blocks.includes(block)) lines.push({ block, extent: "off", cause: "not_ticked" });
  }
  const facts = sampleFacts(event);
  const patients = "participants" in facts ? facts.participants.length : 1;
  const messages = countParts(facts, options.oneParticipantPerRequest ? 1 : PARTICIPANTS_PER_REQUEST_MAX);
  return { lines, patients, messages, isList };
}
