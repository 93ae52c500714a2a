/**
 * What the test inbox received: sealed, per clinic, kept for a day and in bounded number.
 *
 * Owns the rows of `inbox_messages`. Each is judged when it comes, with the secrets that are live then.
 */
import { sql } from "kysely";
import type { Clock } from "../clock.ts";
import { inClinic } from "../db/pool.ts";
import type { Db, Tx } from "../db/schema.ts";
import type { ClinicSeal, Seal } from "../seal/seal.ts";
import { judge, type Verdict } from "./verdict.ts";

export const MESSAGES_PER_CLINIC_MAX = 500;
const MESSAGES_KEPT_HOURS = 24;
export const INBOX_BODY_MAX_BYTES = 256 * 1_024;

/** One request as it came. */
export interface InboxRequest {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface InboxMessage extends InboxRequest {
  readonly id: number;
  readonly receivedAt: Temporal.Instant;
  readonly verdict: Verdict;
}

interface Kept {
  readonly headers: Readonly<Record<string, string>>;
  /** Base64, because the exact bytes are what was signed. */
  readonly body: string;
  readonly verdict: Verdict;
}

/** What keeping a message needs. */
export interface InboxStore {
  readonly db: Db;
  readonly seal: Seal;
  readonly clock: Clock;
  /** The live secrets of a webhook, in clear; given by whoever knows webhooks, which this room does not. */
  secretsOf(store: { tx: Tx; clinicId: number; seal: ClinicSeal }, webhookId: number): Promise<readonly string[]>;
}

/** The clinic whose inbox has this token; null where none has. */
export async function clinicOfInbox(db: Db, token: string): Promise<number | null> {
  const { rows } = await sql<{ id: number | null }>`select clinic_of_inbox(${token}) as id`.execute(db);
  return rows[0]?.id ?? null;
}

/** Judges and stores one request and drops the clinic's oldest beyond the limit. */
export async function keepMessage(
  { db, seal, clock, secretsOf }: InboxStore,
  clinicId: number,
  request: InboxRequest,
): Promise<void> {
  await inClinic(db, clinicId, async (tx) => {
    const clinicSeal = await seal.forClinic(tx, clinicId);
    const verdict = await judge(request, {
      nowSeconds: clock.now().epochMilliseconds / 1_000,
      secretsOf: (webhookId) => secretsOf({ tx, clinicId, seal: clinicSeal }, webhookId),
    });
    const kept: Kept = { headers: request.headers, body: request.body.toString("base64"), verdict };
    const { id } = await tx
      .insertInto("inbox_messages")
      .values({ clinic_id: clinicId, message: Buffer.alloc(0) })
      .returning("id")
      .executeTakeFirstOrThrow();
    await tx
      .updateTable("inbox_messages")
      .set({ message: clinicSeal.seal(placeOf(id), JSON.stringify(kept)) })
      .where("clinic_id", "=", clinicId)
      .where("id", "=", id)
      .execute();
    await dropBeyondLimit(tx, clinicId);
  });
}

async function dropBeyondLimit(tx: Tx, clinicId: number): Promise<void> {
  await sql`delete from inbox_messages where clinic_id = ${clinicId} and id <= (
    select id from inbox_messages where clinic_id = ${clinicId} order by id desc
    offset ${MESSAGES_PER_CLINIC_MAX} limit 1)`.execute(tx);
}

/** The newest messages of the last day. */
export async function readMessages(
  tx: Tx,
  clinicId: number,
  { seal, limit }: { seal: ClinicSeal; limit: number },
): Promise<InboxMessage[]> {
  const rows = await tx
    .selectFrom("inbox_messages")
    .select(["id", "received_at", "message"])
    .where("clinic_id", "=", clinicId)
    .where("received_at", ">", sql<Temporal.Instant>`now() - ${MESSAGES_KEPT_HOURS} * interval '1 hour'`)
    .orderBy("id", "desc")
    .limit(limit)
    .execute();
  return rows.map(({ id, received_at, message }) => {
    const kept = JSON.parse(seal.open(placeOf(id), message)) as Kept;
    const { headers, verdict } = kept;
    return { id, receivedAt: received_at, headers, body: Buffer.from(kept.body, "base64"), verdict };
  });
}

/** Removes all of a clinic's messages; returns how many there were. */
export async function emptyInbox(tx: Tx, clinicId: number): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom("inbox_messages")
    .where("clinic_id", "=", clinicId)
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

function placeOf(id: number) {
  return { column: "inbox_messages.message", row: id } as const;
}
