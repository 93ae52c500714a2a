// Who is in a consult, as it is shown. Pure.
import type { Consult, Participant } from "../api-types.ts";

/** Who gave the place up stays in the list, to be seen and to be called, but is in the consult no more. */
export const hasLeft = ({ arrival }: Participant): boolean => arrival === "late_cancel";

export const presentIn = ({ participants }: Consult): Participant[] => participants.filter((one) => !hasLeft(one));

/** Whoever stands on a one-to-one consult's card; undefined for the others, and while it has nobody. */
export function onlyPatient(consult: Consult): Participant | undefined {
  if (consult.service.kind !== "one_to_one") return undefined;
  return presentIn(consult)[0] ?? consult.participants[0];
}
