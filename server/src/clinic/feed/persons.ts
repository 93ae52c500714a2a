/** The people of a snapshot, as the other software names them. */
import type { Person, Practitioner } from "@hookwell/sdk";
import { invalid } from "../../errors.ts";
import { cleanEmail, cleanName } from "../names.ts";
import { type CallerId, type FeedIdKind, type IdReader, readCallerId, type WantedId } from "./ids.ts";

export interface CallerPerson {
  readonly id: CallerId;
  readonly name: string;
  readonly email: string | null;
}

export interface CallerNamed {
  readonly id: CallerId;
  readonly name: string;
}

/** The id that has to be looked up before the rest of a snapshot can be read. @throws ProblemError naming the field */
export function want(kind: FeedIdKind, field: string, { id }: { readonly id: CallerId }): WantedId {
  return { kind, field: `${field}.id`, id: readCallerId(`${field}.id`, id) };
}

/** The integer behind what `want` has asked for. */
export function idOf(ids: IdReader, kind: FeedIdKind, { id }: { readonly id: CallerId }): number {
  return ids(kind, readCallerId("id", id));
}

/** @throws ProblemError naming the field */
export function readNamed(ids: IdReader, kind: FeedIdKind, given: { field: string; value: CallerNamed }) {
  return { id: idOf(ids, kind, given.value), name: cleanName(`${given.field}.name`, given.value.name) };
}

/** @throws ProblemError naming the field */
export function readPatient(ids: IdReader, field: string, person: CallerPerson): Person {
  return {
    ...readNamed(ids, "patient", { field, value: person }),
    email: cleanEmail(`${field}.email`, person.email),
  };
}

/** A practitioner always has an e-mail (contract §2). @throws ProblemError naming the field */
export function readPractitioner(ids: IdReader, field: string, person: CallerPerson): Practitioner {
  const email = cleanEmail(`${field}.email`, person.email);
  if (email === null) throw invalid(`${field}.email`, "A practitioner needs an e-mail address. Write one.", "missing");
  return { ...readNamed(ids, "practitioner", { field, value: person }), email };
}

/** @throws ProblemError naming the second of two entries of a list that have the same id */
export function refuseTwice(field: string, entries: readonly { readonly id: number }[]): void {
  const seen = new Set<number>();
  for (const [at, { id }] of entries.entries()) {
    if (seen.has(id))
      throw invalid(`${field}.${at}.id`, "This id stands twice in the list. Send it once.", "already_there");
    seen.add(id);
  }
}
