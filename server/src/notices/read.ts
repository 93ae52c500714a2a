/** Reading what a message needs: the notices with their webhooks' names, the clinic, a manager's mailbox. Runs as the sender. */
import { sql } from "kysely";
import type { Db, Tx } from "../db/schema.ts";
import { type Notice, type NoticeKind, readDetails } from "./kinds.ts";
import type { LetterClinic } from "./letter.ts";

/** The notices of one clinic with the given ids, oldest first. */
export async function readNotices(db: Db | Tx, clinicId: number, ids: readonly number[]): Promise<Notice[]> {
  const rows = await db
    .selectFrom("notices as n")
    .leftJoin("webhooks as w", (join) =>
      join.onRef("w.clinic_id", "=", "n.clinic_id").onRef("w.id", "=", "n.webhook_id"),
    )
    .select(["n.id", "n.kind", "n.webhook_id", "n.details", "n.created_at", "w.name"])
    .where("n.clinic_id", "=", clinicId)
    .where("n.id", "in", [...ids])
    .orderBy("n.id")
    .execute();
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind as NoticeKind,
    webhook: row.webhook_id === null || row.name === null ? null : { id: row.webhook_id, name: row.name },
    details: readDetails(row.details),
    createdAt: row.created_at,
  }));
}

/** The clinic as its e-mails show it. */
export async function readClinic(db: Db, clinicId: number): Promise<LetterClinic> {
  const row = await db
    .selectFrom("clinics")
    .select(["name", "locale", "time_zone"])
    .where("id", "=", clinicId)
    .executeTakeFirstOrThrow();
  return { name: row.name, locale: row.locale, timeZone: row.time_zone };
}

/** Where a manager gets e-mail; null for whoever is no manager of the clinic any more. */
export async function mailboxOf(db: Db, clinicId: number, userId: string): Promise<string | null> {
  const { rows } = await sql<{ email: string }>`
    select email from managers_of_clinic(${clinicId}) where user_id = ${userId}`.execute(db);
  return rows[0]?.email ?? null;
}
