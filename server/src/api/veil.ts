/**
 * What is kept from whoever may see deliveries, but not patients' data: the embedded page without `include-patient`. Bodies,
 * and what a receiver answered to them (which may repeat them), are left out where they could tell of a patient.
 */
import { eventDefinition } from "@hookwell/sdk";
import { isCapable, type Principal } from "../accounts/principal.ts";
import type { LoggedDelivery } from "./delivery-log.ts";

/** Whether this delivery's content is kept from this principal. A test speaks of invented people. */
export function isVeiled(principal: Principal, { event, choice, test }: LoggedDelivery): boolean {
  if (test || isCapable(principal, "include-patient")) return false;
  return choice.patient !== "off" || eventDefinition(event).patientAlways;
}
