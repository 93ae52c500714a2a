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

/** Kinds of subjects that the clinic numbers itself, and the statement that finds those of some ids. */
const OWN_RECORDS = {
  consult: ownOf("consults"),
  invoice: ownOf("invoices"),
  membership: ownOf("memberships"),
  "course-access": ownPlacesIn("course"),
  "webinar-access": ownPlacesIn("webinar"),
} as const;
/** A kind of subject as it stands before the colon. */
export type OwnKind = keyof typeof OWN_RECORDS;

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
 * Refuses ids that the clinic itself has given to a consult, an invoice, a membership or a place in the academy. Only sure after the subjects were taken
 * or bumped in the same transaction.
 * @throws ProblemError 409 `id_in_use` naming the field
 */
export async function refuseOwnRecords(tx: Tx, clinicId: number, ids: Partial<Record<OwnKind, readonly FedId[]>>) {
  for (const [kind, find] of Object.entries(OWN_RECORDS)) {
    const fed = ids[kind as OwnKind] ?? [];
    if (fed.length === 0) continue;
    const { rows } = await find(clinicId, fed).execute(tx);
    const [own] = rows;
    if (own !== undefined) throw idInUse(fed.find(({ id }) => id === own.id)?.field);
  }
}

function ownOf(table: "consults" | "invoices" | "memberships") {
  return (clinicId: number, fed: readonly FedId[]) => sql<{ id: number }>`/* ${sql.raw(`prepared own_${table}`)} */
    select id from ${sql.table(table)} where clinic_id = ${clinicId} and id = ${among(fed)} limit 1`;
}

/** Courses and webinars share the numbers of places; which of the two subjects a place has, its item says. */
function ownPlacesIn(type: "course" | "webinar") {
  return (clinicId: number, fed: readonly FedId[]) => sql<{
    id: number;
  }>`/* ${sql.raw(`prepared own_${type}_places`)} */
    select p.id from academy_places p join academy_items i on i.clinic_id = p.clinic_id and i.id = p.item_id
    where p.clinic_id = ${clinicId} and p.id = ${among(fed)} and i.type = ${sql.lit(type)} limit 1`;
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
