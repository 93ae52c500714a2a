/**
 * What is kept from whoever may see deliveries, but not patients' data: the embedded page without `include-patient`. Bodies,
 * and what a receiver answered to them (which may repeat them), are left out where they could tell of a patient.
 */
import { type DataChoice, eventDefinition } from "@hookwell/sdk";
import { isCapable, type Principal } from "../accounts/principal.ts";
import type { LoggedAttempt } from "./attempt-log.ts";
import type { LoggedDelivery } from "./delivery-log.ts";

/**
 * Whether content of this delivery that was made under this choice is kept from this principal. The choice is the one that
 * was really used, and not the delivery's own, which is narrowed afterwards.
 */
export function isVeiled(principal: Principal, delivery: LoggedDelivery, used: DataChoice): boolean {
  return !isCapable(principal, "include-patient") && isOfPatients(delivery, used);
}

/** The same for what was answered to an attempt. */
export function isAnswerVeiled(principal: Principal, delivery: LoggedDelivery, attempt: LoggedAttempt): boolean {
  return !isCapable(principal, "include-patient") && isAnswerOfPatients(delivery, attempt);
}

/** Whether an answer may repeat what was told of a patient. */
export function isAnswerOfPatients(delivery: LoggedDelivery, { choice }: LoggedAttempt): boolean {
  return isOfPatients(delivery, delivery.choice) || (choice !== null && isOfPatients(delivery, choice));
}

/** A test speaks of invented people. */
function isOfPatients({ event, test }: LoggedDelivery, used: DataChoice): boolean {
  return !test && (used.patient !== "off" || eventDefinition(event).patientAlways);
}
