/** The data choice: how much of each person block a webhook may carry (contract §2, §6). */
import { type EventName, eventDefinition } from "./catalogue.ts";

/** From least to most: nothing, the id alone, the whole block. */
export const BLOCK_CHOICES = ["off", "id", "all"] as const;
export type BlockChoice = (typeof BLOCK_CHOICES)[number];

export interface DataChoice {
  practitioner: BlockChoice;
  patient: BlockChoice;
}

/** What a new webhook starts with. */
export const NO_DATA: Readonly<DataChoice> = { practitioner: "off", patient: "off" };

/**
 * The narrower of two choices, block by block. A body is rendered with the narrower of the choice when the event
 * happened and the choice now (contract §6).
 */
export function narrower(a: DataChoice, b: DataChoice): DataChoice {
  return { practitioner: lesser(a.practitioner, b.practitioner), patient: lesser(a.patient, b.patient) };
}

function lesser(a: BlockChoice, b: BlockChoice): BlockChoice {
  return BLOCK_CHOICES.indexOf(a) <= BLOCK_CHOICES.indexOf(b) ? a : b;
}

/**
 * What a choice comes to for one event: a block that the event cannot carry is off, and the patient of an account
 * event is there whatever was chosen, because the client is the payload (contract §2).
 */
export function effectiveChoice(event: EventName, choice: DataChoice): DataChoice {
  const { practitioner, patientAlways } = eventDefinition(event);
  return {
    practitioner: practitioner ? choice.practitioner : "off",
    patient: patientAlways ? "all" : choice.patient,
  };
}
