// Who is in a consult, as it is shown. Pure.
import type { Consult, Participant } from "../api-types.ts";

/** Who gave the place up stays in the list, to be seen and to be called, but is in the consult no more. */
export const hasLeft = ({ arrival }: Participant): boolean => arrival === "late_cancel";

/** Everybody who is in it, waits for it or has a place held. */
export const presentIn = ({ participants }: Consult): Participant[] => participants.filter((one) => !hasLeft(one));

/** Those who have a place; who waits has none. */
export const seatedIn = (consult: Consult): Participant[] =>
  presentIn(consult).filter(({ status }) => status !== "wait_listed");

/** Whoever stands on a one-to-one consult's card; undefined for the others, and while it has nobody. */
export function onlyPatient(consult: Consult): Participant | undefined {
  if (consult.service.kind !== "one_to_one") return undefined;
  return seatedIn(consult)[0] ?? consult.participants[0];
}
