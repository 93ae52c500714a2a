/** The people that a body can carry, shared by every noun (contract §2). */
import { email, id, name, nullable, object } from "../shapes.ts";

/** A patient: `participant` of a consult, `client` elsewhere. An unknown e-mail is `null`, never `""`. */
export interface Person {
  id: number;
  name: string;
  email: string | null;
}

/** A practitioner; always has an e-mail. */
export interface Practitioner {
  id: number;
  name: string;
  email: string;
}

/** What is left of a person block where the data choice is `id`. */
export interface IdOnly {
  id: number;
}

export const PERSON = object({ id, name, email: nullable(email) });
export const PRACTITIONER = object({ id, name, email });
export const ID_ONLY = object({ id });

/** Invented people of the samples. They exist nowhere else. */
export const SAMPLE_PRACTITIONERS = {
  pretend: { id: 71, name: "Pat Pretend", email: "pat.pretend@example.test" },
  standin: { id: 72, name: "Stevie Stand-In", email: "stevie.standin@example.test" },
} as const satisfies Record<string, Practitioner>;

export const SAMPLE_PATIENTS = {
  sample: { id: 5101, name: "Sam Sample", email: "sam.sample@example.test" },
  example: { id: 5102, name: "Robin Example", email: null },
  placeholder: { id: 5103, name: "Zoé Placeholder", email: "zoe.placeholder@example.test" },
  invented: { id: 5104, name: "Max Invented", email: "max.invented@example.test" },
} as const satisfies Record<string, Person>;
