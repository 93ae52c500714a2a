/** The one entry to memberships: their commands, the invoices that they make, and what follows from those. */
import type { Tx } from "../../db/schema.ts";
import { changeBilling } from "../billing-transaction.ts";
import type { ClinicContext } from "../clinics.ts";
import { type Charger, practiceCard } from "./charger.ts";
import { beginUnit, type MembershipChanges } from "./membership-changes.ts";

export interface MembershipContext extends ClinicContext {
  /** Who is asked for money; the practice card where absent. */
  readonly charger?: Charger | undefined;
}

/** Runs commands on memberships in the given transaction, once per transaction, and then emits their events. */
export async function changeMemberships<Result>(
  tx: Tx,
  context: MembershipContext,
  work: (changes: MembershipChanges) => Promise<Result>,
): Promise<Result> {
  const { result, unit } = await changeBilling(tx, context, async (invoices) => {
    const begun = await beginUnit(tx, { context, charger: context.charger ?? practiceCard, invoices });
    return { result: await work(begun), unit: begun };
  });
  await unit.flush();
  return result;
}
