/** Whom a file means: people by e-mail address or id, services by name. Read once for a run. */
import type { Tx } from "../../db/schema.ts";
import { invalid, type ProblemError } from "../../errors.ts";

export interface PeopleIndex {
  /** @throws ProblemError naming `field` when nobody, or more than one, is meant */
  patient(field: string, text: string): number;
  practitioner(field: string, email: string): number;
  service(field: string, name: string): number;
}

/** Everybody of the clinic that a file may name. */
export async function readPeople(tx: Tx, clinicId: number): Promise<PeopleIndex> {
  const people = (table: "patients" | "practitioners") =>
    tx.selectFrom(table).select(["id", "email"]).where("clinic_id", "=", clinicId).execute();
  const patients = await people("patients");
  const practitioners = await people("practitioners");
  const services = await tx.selectFrom("services").select(["id", "name"]).where("clinic_id", "=", clinicId).execute();
  const ids = new Set(patients.map(({ id }) => id));
  const byEmail = indexed(patients.map(({ id, email }) => [email, id]));
  const byPractitioner = indexed(practitioners.map(({ id, email }) => [email, id]));
  const byName = indexed(services.map(({ id, name }) => [name, id]));
  return {
    patient(field, text) {
      if (/^\d{1,15}$/.test(text)) {
        const id = Number(text);
        if (ids.has(id)) return id;
        throw nobody(field);
      }
      return only(field, byEmail.get(alike(text)));
    },
    practitioner: (field, email) => only(field, byPractitioner.get(alike(email))),
    service: (field, name) => only(field, byName.get(alike(name))),
  };
}

/** Accents stay: with another accent it is another address, and another name. */
function alike(text: string): string {
  return text.normalize("NFC").trim().toLowerCase();
}

function indexed(entries: readonly (readonly [string | null, number])[]): Map<string, number[]> {
  const index = new Map<string, number[]>();
  for (const [text, id] of entries) {
    if (text === null) continue;
    const key = alike(text);
    const ids = index.get(key);
    if (ids === undefined) index.set(key, [id]);
    else ids.push(id);
  }
  return index;
}

function only(field: string, ids: readonly number[] = []): number {
  const [id, another] = ids;
  if (id === undefined) throw nobody(field);
  if (another === undefined) return id;
  throw invalid(
    field,
    "More than one has this name or e-mail address. For a patient, write the id instead.",
    "ambiguous",
  );
}

function nobody(field: string): ProblemError {
  return invalid(
    field,
    "Nobody here has this id, name or e-mail address. Add it first, or correct the line.",
    "not_found",
  );
}
