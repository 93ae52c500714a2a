/**
 * The clinic's own records and the feed's share one space of ids (contract §7, Subjects): here the feed takes its share.
 *
 * Owns the rows of patients of whom only the feed tells. Promises, together with the trigger `take_subject` of migration
 * 0009, that no id is both a record of the clinic's and one of the feed's, whoever comes first and however they overlap: a
 * row of `subjects` is what takes an id, so the later one waits for the earlier one's end and then sees it.
 */
import { type RawBuilder, sql } from "kysely";
import type { Tx } from "../../db/schema.ts";
import { idInUse } from "./ids.ts";

/** Kinds of subjects that the clinic numbers itself, and where. */
const OWN_TABLES = { consult: "consults", invoice: "invoices", membership: "memberships" } as const;
type OwnKind = keyof typeof OWN_TABLES;

/** An id that came by the feed; `field` is where it stood. */
export interface FedId {
  readonly id: number;
  readonly field: string;
}

/** Takes the subjects for this transaction and those after it; taken before: nothing. Always in one order. */
export async function takeSubjects(tx: Tx, clinicId: number, subjects: readonly string[]): Promise<void> {
  if (subjects.length === 0) return;
  await sql`/* prepared take_subjects */
    insert into subjects (clinic_id, subject, version)
    select ${clinicId}::bigint, s.subject, 0 from unnest(${[...subjects]}::text[]) as s (subject) order by s.subject collate "C"
    on conflict do nothing`.execute(tx);
}

/**
 * Refuses ids that the clinic itself has given to a consult, invoice or membership. Only sure after the subjects were taken
 * or bumped in the same transaction.
 * @throws ProblemError 409 `id_in_use` naming the field
 */
export async function refuseOwnRecords(tx: Tx, clinicId: number, ids: Partial<Record<OwnKind, readonly FedId[]>>) {
  for (const [kind, table] of Object.entries(OWN_TABLES)) {
    const fed = ids[kind as OwnKind] ?? [];
    if (fed.length === 0) continue;
    const { rows } = await sql<{ id: number }>`/* ${sql.raw(`prepared own_${table}`)} */
      select id from ${sql.table(table)} where clinic_id = ${clinicId} and id = ${among(fed)} limit 1`.execute(tx);
    const [own] = rows;
    if (own !== undefined) throw idInUse(fed.find(({ id }) => id === own.id)?.field);
  }
}

export interface WantedPatients {
  readonly patients: readonly FedId[];
  /** Those that exist, where that was asked already, and whether only the feed knows them. */
  readonly known?: ReadonlyMap<number, boolean>;
}

/**
 * Makes patients known by their ids where they are new: foreign keys, the ledger and erasure need the row.
 * @throws ProblemError 409 `id_in_use` naming the field where the id is a patient's of the clinic itself
 */
export async function knowPatients(tx: Tx, clinicId: number, wanted: WantedPatients): Promise<void> {
  const { patients, known = await readPatients(tx, clinicId, patients) } = wanted;
  refuseOwnPatients(patients, known);
  const missing = [...new Set(patients.map(({ id }) => id))].filter((id) => !known.has(id)).sort((a, b) => a - b);
  if (missing.length === 0) return;
  await takeSubjects(
    tx,
    clinicId,
    missing.map((id) => `patient:${id}`),
  );
  const { rows } = await sql<{ id: number }>`
    insert into patients (clinic_id, id, name, name_folded, feed_only) overriding system value
    select ${clinicId}::bigint, p.id, '', '', true from unnest(${missing}::bigint[]) as p (id) order by p.id
    on conflict do nothing returning id`.execute(tx);
  // Somebody was quicker: another request of the feed, or the clinic itself.
  if (rows.length < missing.length) refuseOwnPatients(patients, await readPatients(tx, clinicId, patients));
}

/** Whether each of those that exist is known by the feed alone. */
async function readPatients(tx: Tx, clinicId: number, patients: readonly FedId[]): Promise<Map<number, boolean>> {
  if (patients.length === 0) return new Map();
  const { rows } = await sql<{ id: number; feed_only: boolean }>`/* prepared feed_patients */
    select id, feed_only from patients where clinic_id = ${clinicId} and id = ${among(patients)}`.execute(tx);
  return new Map(rows.map(({ id, feed_only }) => [id, feed_only]));
}

function refuseOwnPatients(patients: readonly FedId[], known: ReadonlyMap<number, boolean>): void {
  const own = patients.find(({ id }) => known.get(id) === false);
  if (own !== undefined) throw idInUse(own.field);
}

function among(fed: readonly FedId[]): RawBuilder<number> {
  return sql<number>`any(${[...new Set(fed.map(({ id }) => id))]}::bigint[])`;
}
