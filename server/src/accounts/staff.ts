/**
 * The staff of a clinic as its managers see and change it.
 *
 * Promises that a clinic never loses its last manager, however many are changed at once; that a changed or removed person's
 * sessions in this clinic end with the change itself, so that the next one begins with the new role; that the links of their
 * invitations open nothing from then on, or one could lead them back in; that each change is on record. Does not make people:
 * invitations.ts.
 */
import { sql } from "kysely";
import { record } from "../audit/audit.ts";
import type { Tx } from "../db/schema.ts";
import { conflict, notFound, ProblemError } from "../errors.ts";
import type { StaffRole } from "./principal.ts";

export interface StaffMember {
  readonly userId: string;
  readonly name: string;
  readonly email: string;
  readonly role: StaffRole;
  readonly hasSecondFactor: boolean;
  readonly since: Temporal.Instant;
}

interface PersonRow {
  readonly user_id: string;
  readonly name: string;
  readonly email: string;
  readonly role: StaffRole;
  readonly second_factor: boolean;
  readonly created_at: Temporal.Instant;
}

/** Everybody of the transaction's clinic, by name. */
export async function listStaff(tx: Tx): Promise<StaffMember[]> {
  const { rows } = await sql<PersonRow>`select * from people_of_clinic()`.execute(tx);
  return rows.map(({ user_id, name, email, role, second_factor, created_at }) => ({
    ...{ userId: user_id, name, email, role },
    ...{ hasSecondFactor: second_factor, since: created_at },
  }));
}

export interface StaffChange {
  readonly clinicId: number;
  /** The user's id. */
  readonly actor: string;
  readonly userId: string;
}

/** Gives another role. The same one again changes nothing. @throws ProblemError 404, and 409 for the last manager */
export async function changeRole(tx: Tx, { clinicId, actor, userId }: StaffChange, role: StaffRole): Promise<void> {
  const before = await lockMember(tx, clinicId, userId);
  if (before === role) return;
  if (before === "manager") await refuseWithoutManager(tx, clinicId, userId);
  await withdrawInvitationsOf(tx, { clinicId, actor, userId });
  await tx.updateTable("staff").set({ role }).where("clinic_id", "=", clinicId).where("user_id", "=", userId).execute();
  await endSessions(tx, userId);
  const target = `staff:${userId}`;
  await record(tx, {
    clinicId,
    actor,
    action: "staff.role_changed",
    target,
    before: { role: before },
    after: { role },
  });
}

/** Takes the clinic away from a person; the account stays, with its other clinics. @throws ProblemError 404 and 409 */
export async function removeStaff(tx: Tx, { clinicId, actor, userId }: StaffChange): Promise<void> {
  const role = await lockMember(tx, clinicId, userId);
  if (role === "manager") await refuseWithoutManager(tx, clinicId, userId);
  await withdrawInvitationsOf(tx, { clinicId, actor, userId });
  await tx.deleteFrom("staff").where("clinic_id", "=", clinicId).where("user_id", "=", userId).execute();
  await endSessions(tx, userId);
  const target = `staff:${userId}`;
  await record(tx, { clinicId, actor, action: "staff.removed", target, before: { role }, after: null });
}

/** Changes of one clinic's staff go one after another, or two managers could demote each other at the same moment. */
async function lockMember(tx: Tx, clinicId: number, userId: string): Promise<StaffRole> {
  await lockStaff(tx, clinicId);
  const { role } = await tx
    .selectFrom("staff")
    .select("role")
    .where("clinic_id", "=", clinicId)
    .where("user_id", "=", userId)
    .executeTakeFirstOrThrow(() => notFound("the person"));
  return role;
}

/** Held until the transaction ends; for whatever counts a clinic's staff before it changes it. */
export async function lockStaff(tx: Tx, clinicId: number): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`staff of clinic ${clinicId}`}, 0))`.execute(tx);
}

async function refuseWithoutManager(tx: Tx, clinicId: number, userId: string): Promise<void> {
  const { count } = await tx
    .selectFrom("staff")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("clinic_id", "=", clinicId)
    .where("role", "=", "manager")
    .where("user_id", "<>", userId)
    .executeTakeFirstOrThrow();
  if (count > 0) return;
  throw conflict("last_manager", "This is the clinic's last manager. Make somebody else a manager first.");
}

/** Whoever has the links of invitations chose where they go: they may well lead back to the same person. */
async function withdrawInvitationsOf(tx: Tx, { clinicId, actor, userId }: StaffChange): Promise<void> {
  const withdrawn = await tx
    .deleteFrom("invitations")
    .where("clinic_id", "=", clinicId)
    .where("invited_by", "=", userId)
    .returning(["id", "email", "role"])
    .execute();
  for (const { id, email, role } of withdrawn) {
    const target = `invitation:${id}`;
    const before = { email, role };
    await record(tx, { clinicId, actor, action: "invitation.withdrawn", target, before, after: null });
  }
}

/**
 * For an invitation, under `lockStaff`: the request was let in as a manager's before its turn came, and the manager may have
 * been removed meanwhile. @throws ProblemError 403
 */
export async function refuseUnlessManagerNow(tx: Tx, clinicId: number, userId: string): Promise<void> {
  await tx
    .selectFrom("staff")
    .select("role")
    .where("clinic_id", "=", clinicId)
    .where("user_id", "=", userId)
    .where("role", "=", "manager")
    .executeTakeFirstOrThrow(() => {
      const title = "Only managers of this clinic may see or change this. Ask one of them.";
      return new ProblemError({ status: 403, code: "manager_only", title });
    });
}

async function endSessions(tx: Tx, userId: string): Promise<void> {
  await sql`select end_sessions_of(${userId})`.execute(tx);
}
