/** The access that academy memberships carry (contract §1: a patient gains access through a membership). */
import type { Tx } from "../../db/schema.ts";
import type { ClinicContext } from "../clinics.ts";
import type { OpenMembership } from "./membership-rows.ts";

export async function followAccess(
  _tx: Tx,
  _context: ClinicContext,
  _changed: readonly { readonly before: OpenMembership | null; readonly now: OpenMembership }[],
): Promise<void> {}

export async function openForMembers(
  _tx: Tx,
  _context: ClinicContext,
  _opened: { readonly planId: number; readonly itemIds: readonly number[] },
): Promise<void> {}
