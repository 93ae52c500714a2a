/** What of patients a webhook's settings send (contract §6). No I/O. */
import { type BlockChoice, type EventName, eventDefinition } from "@hookwell/sdk";
import type { WebhookSettings } from "./settings.ts";

type Sending = Pick<WebhookSettings, "include" | "events">;

/** How much of a patient each choice sends, to be compared. */
export const PATIENT_WIDTH: Readonly<Record<BlockChoice, number>> = { off: 0, id: 1, all: 2 };

/** Whether it tells of a whole patient whatever was chosen. */
export function isAlwaysOfPatient(event: EventName): boolean {
  return eventDefinition(event).patientAlways;
}

/** Whether patients' data leaves the clinic: then it is recorded to whom, and why (contract §6). */
export function sendsPatients({ include, events }: Sending): boolean {
  return include.patient !== "off" || events.some(isAlwaysOfPatient);
}
