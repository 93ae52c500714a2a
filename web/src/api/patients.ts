// One patient, and what there is of this patient elsewhere in the clinic.
import type { Consult, Page, Person } from "../api-types.ts";
import type { Intent } from "../intent.ts";
import { all, call, PAGE_ROWS, part, post, query } from "./call.ts";

export interface PatientInput {
  name: string;
  /** Null where it is not known. */
  email: string | null;
}

const at = (id: number) => `/v1/patients/${part(id)}`;

export const patients = {
  list: ({ name, cursor }: { name: string; cursor: string | undefined }, signal?: AbortSignal) =>
    call<Page<Person>>(`/v1/patients${query({ q: name, cursor, limit: PAGE_ROWS })}`, { signal }),
  get: (id: number, signal?: AbortSignal) => call<Person>(at(id), { signal }),
  add: (patient: PatientInput, intent: Intent) => post<Person>("/v1/patients", patient, intent),
  change: (id: number, patient: PatientInput, intent: Intent) =>
    call<Person>(at(id), { method: "PATCH", body: patient, intent }),
  /** Of the days from `from` up to, not including, `to`. */
  consults: ({ id, from, to }: { id: number; from: string; to: string }, signal?: AbortSignal) =>
    all<Consult>("/v1/consults", { from, to, patient_id: String(id) }, signal),
};
