/**
 * Practitioners and patients.
 *
 * Owns their rows. Promises that a practitioner always has an e-mail and that an unknown e-mail of a patient is null
 * (contract §2). Changing a name or an e-mail sends nothing; later events carry the new one (contract §3 rule 6).
 */
import { type SelectQueryBuilder, sql } from "kysely";
import type { Database, Tx } from "../db/schema.ts";
import { invalid, notFound, together } from "../errors.ts";
import { cleanEmail, cleanName, fold } from "./names.ts";

/** Words of a search beyond these are left out; each costs a comparison per patient. */
const SEARCH_WORDS_MAX = 5;

export interface PractitionerRow {
  readonly id: number;
  readonly name: string;
  readonly email: string;
}

export interface PatientRow {
  readonly id: number;
  readonly name: string;
  readonly email: string | null;
}

export interface PersonInput {
  readonly name: string;
  readonly email: string | null;
}

/** What is absent stays as it is. */
type PersonChange = { readonly [Key in keyof PersonInput]?: PersonInput[Key] | undefined };

const PERSON = ["id", "name", "email"] as const;

/** @throws ProblemError naming `name` or `email` */
export async function addPractitioner(tx: Tx, clinicId: number, person: PersonInput): Promise<PractitionerRow> {
  const checked = together({
    name: () => cleanName("name", person.name),
    email: () => neededEmail(person.email),
  });
  const values = { clinic_id: clinicId, ...checked };
  return tx.insertInto("practitioners").values(values).returning(PERSON).executeTakeFirstOrThrow();
}

/** @throws ProblemError naming `name` or `email` */
export async function addPatient(tx: Tx, clinicId: number, person: PersonInput): Promise<PatientRow> {
  const { name, email } = together({
    name: () => cleanName("name", person.name),
    email: () => cleanEmail("email", person.email),
  });
  const values = { clinic_id: clinicId, name, name_folded: fold(name), email };
  return tx.insertInto("patients").values(values).returning(PERSON).executeTakeFirstOrThrow();
}

export interface ChangePerson {
  readonly clinicId: number;
  readonly id: number;
  readonly change: PersonChange;
}

/** @throws ProblemError naming the field, or 404 */
export async function changePractitioner(tx: Tx, { clinicId, id, change }: ChangePerson): Promise<PractitionerRow> {
  const values = {
    ...(change.name === undefined ? {} : { name: cleanName("name", change.name) }),
    ...(change.email === undefined ? {} : { email: neededEmail(change.email) }),
  };
  if (Object.keys(values).length > 0) {
    await tx.updateTable("practitioners").set(values).where("clinic_id", "=", clinicId).where("id", "=", id).execute();
  }
  return getPractitioner(tx, clinicId, id);
}

/** @throws ProblemError naming the field, or 404 */
export async function changePatient(tx: Tx, { clinicId, id, change }: ChangePerson): Promise<PatientRow> {
  const name = change.name === undefined ? undefined : cleanName("name", change.name);
  const values = {
    ...(name === undefined ? {} : { name, name_folded: fold(name) }),
    ...(change.email === undefined ? {} : { email: cleanEmail("email", change.email) }),
  };
  if (Object.keys(values).length > 0) {
    await tx.updateTable("patients").set(values).where("clinic_id", "=", clinicId).where("id", "=", id).execute();
  }
  return getPatient(tx, clinicId, id);
}

/** @throws ProblemError 404 */
async function getPractitioner(tx: Tx, clinicId: number, id: number): Promise<PractitionerRow> {
  const found = tx.selectFrom("practitioners").select(PERSON).where("clinic_id", "=", clinicId).where("id", "=", id);
  return found.executeTakeFirstOrThrow(() => notFound("the practitioner"));
}

/** @throws ProblemError 404 */
export async function getPatient(tx: Tx, clinicId: number, id: number): Promise<PatientRow> {
  const found = tx.selectFrom("patients").select(PERSON).where("clinic_id", "=", clinicId).where("id", "=", id);
  return found.executeTakeFirstOrThrow(() => notFound("the patient"));
}

export interface ListById {
  readonly clinicId: number;
  /** The last id of the page before. */
  readonly after?: number | undefined;
  readonly limit: number;
}

/** In the order of their ids. */
export async function listPractitioners(tx: Tx, page: ListById): Promise<PractitionerRow[]> {
  return tx
    .selectFrom("practitioners")
    .select(PERSON)
    .where("clinic_id", "=", page.clinicId)
    .where("id", ">", page.after ?? 0)
    .orderBy("id")
    .limit(page.limit)
    .execute();
}

export interface ListPatients {
  readonly clinicId: number;
  /** Words that must all occur in the name; case and accents do not matter. */
  readonly search?: string | undefined;
  /** The id of the last patient of the page before: the name itself stays out of addresses and logs. */
  readonly after?: number | undefined;
  readonly limit: number;
}

/** In the order of their names, case and accents aside. */
export async function listPatients(tx: Tx, { clinicId, search, after, limit }: ListPatients): Promise<PatientRow[]> {
  let query = tx.selectFrom("patients").select(PERSON).where("clinic_id", "=", clinicId);
  if (search !== undefined) query = whereNamed(query, search);
  if (after !== undefined) {
    const last = sql`(select p.name_folded, p.id from patients p where p.clinic_id = ${clinicId} and p.id = ${after})`;
    query = query.where(sql<boolean>`(name_folded, id) > ${last}`);
  }
  return query.orderBy("name_folded").orderBy("id").limit(limit).execute();
}

function whereNamed<Row>(query: SelectQueryBuilder<Database, "patients", Row>, search: string) {
  const words = fold(search).split(/\s+/).filter(Boolean).slice(0, SEARCH_WORDS_MAX);
  let narrowed = query;
  for (const word of words) narrowed = narrowed.where("name_folded", "like", `%${word.replace(/[\\%_]/g, "\\$&")}%`);
  return narrowed;
}

function neededEmail(text: string | null): string {
  const email = cleanEmail("email", text);
  if (email === null) throw invalid("email", "A practitioner needs an e-mail address. Write one.", "missing");
  return email;
}
