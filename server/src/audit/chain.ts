/**
 * Whether a clinic's audit trail is whole: the chain is computed anew, by other code than the one that made it.
 *
 * Promises to find an entry that was changed, removed, added or put elsewhere after it was chained, the last ones included,
 * by whomever. What it cannot find: a trail that was replaced from its end to some entry together with its head, by somebody
 * with the owner's rights; against that, keep the head that `hookwell audit verify` prints somewhere else, and compare.
 */
import { createHash } from "node:crypto";
import { type Kysely, sql } from "kysely";
import type { Database } from "../db/schema.ts";

const READ_ROWS = 2_000;
const HASH_BYTES = 32;

/** Where a chain ends. */
export interface ChainHead {
  readonly sequence: number;
  /** Hexadecimal. */
  readonly hash: string;
}

export type ChainVerdict =
  | { readonly complete: true; readonly checked: number; readonly head: ChainHead }
  /** `sequence`: the first entry that is missing or not what it was. */
  | { readonly complete: false; readonly checked: number; readonly sequence: number };

/** What of an entry its hash covers. */
interface ChainedEntry {
  readonly clinic_id: number;
  readonly sequence: number;
  /** Microseconds since 1970. */
  readonly at_us: string;
  readonly actor: string;
  readonly actor_name: string | null;
  readonly origin: string | null;
  readonly action: string;
  readonly target: string;
  readonly before: string | null;
  readonly after: string | null;
  /** Null where somebody took it out. */
  readonly hash: Buffer | null;
}

export interface ChainScope {
  readonly clinicId: number;
  /** How many of the newest entries are checked; all by default. The one before them is then believed. */
  readonly newest?: number;
}

/** Checks a clinic's chain up to its head, in a transaction that sees the clinic (or the owner's). */
export async function verifyChain(db: Kysely<Database>, { clinicId, newest }: ChainScope): Promise<ChainVerdict> {
  const head = await readHead(db, clinicId);
  const from = newest === undefined ? 0 : Math.max(0, head.sequence - newest);
  let previous = from === 0 ? Buffer.alloc(HASH_BYTES) : await hashAt(db, clinicId, from);
  let at = from;
  if (previous === null) return { complete: false, checked: 0, sequence: from };
  while (at < head.sequence) {
    const entries = await readAfter(db, { clinicId, sequence: at, upTo: head.sequence });
    if (entries.length === 0) return { complete: false, checked: at - from, sequence: at + 1 };
    for (const entry of entries) {
      const expected = hashOf(previous, entry);
      const isNext = entry.sequence === at + 1 && entry.hash?.equals(expected) === true;
      if (!isNext) return { complete: false, checked: at - from, sequence: at + 1 };
      previous = expected;
      at += 1;
    }
  }
  if (!previous.equals(Buffer.from(head.hash, "hex"))) return { complete: false, checked: at - from, sequence: at };
  return { complete: true, checked: at - from, head };
}

async function readHead(db: Kysely<Database>, clinicId: number): Promise<ChainHead> {
  // In one statement, which sees one moment: an entry committed between two would look like one that the head lost.
  // Entries beyond a head that was taken back, or that was never there, belong to the chain that is to be shown.
  const { rows } = await sql<{ sequence: number | null; hash: Buffer | null; last: number | null }>`
    select h.sequence, h.hash, a.last
    from (select max(sequence) as last from audit where clinic_id = ${clinicId}) a
      left join audit_heads h on h.clinic_id = ${clinicId}`.execute(db);
  const { sequence, hash, last } = rows[0] ?? { sequence: null, hash: null, last: null };
  return { sequence: Math.max(sequence ?? 0, last ?? 0), hash: (hash ?? Buffer.alloc(HASH_BYTES)).toString("hex") };
}

async function hashAt(db: Kysely<Database>, clinicId: number, sequence: number): Promise<Buffer | null> {
  const row = await db
    .selectFrom("audit")
    .select("hash")
    .where("clinic_id", "=", clinicId)
    .where("sequence", "=", sequence)
    .executeTakeFirst();
  return row?.hash ?? null;
}

async function readAfter(
  db: Kysely<Database>,
  { clinicId, sequence, upTo }: { clinicId: number; sequence: number; upTo: number },
): Promise<ChainedEntry[]> {
  const { rows } = await sql<ChainedEntry>`
    select clinic_id, sequence, (extract(epoch from at) * 1000000)::bigint::text as at_us, actor, actor_name, origin,
      action, target, before, after, hash
    from audit where clinic_id = ${clinicId} and sequence > ${sequence} and sequence <= ${upTo}
    order by sequence limit ${READ_ROWS}`.execute(db);
  return rows;
}

/** As `audit_text` of migration 0023 says it, written a second time on purpose. */
function hashOf(previous: Buffer, entry: ChainedEntry): Buffer {
  const parts = [
    "hookwell audit 1",
    previous.toString("hex"),
    String(entry.clinic_id),
    String(entry.sequence),
    entry.at_us,
    entry.actor,
    entry.actor_name,
    entry.origin,
    entry.action,
    entry.target,
    entry.before,
    entry.after,
  ];
  const text = parts.map((part) => (part === null ? "-" : `${Buffer.byteLength(part)}:${part}`)).join(",");
  return createHash("sha256").update(text, "utf8").digest();
}
