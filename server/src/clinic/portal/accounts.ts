/**
 * The portal: which clinic an address names, and patients' own accounts.
 *
 * Owns the rows of `portal_accounts`. Promises: an e-mail has one account in a clinic, whatever its case and however many sign
 * up at once; an account that comes to exist makes one `patient_account.created` with its patient (contract §1), in the same
 * transaction; signing up with an e-mail that has an account already changes and tells nothing, by the very same statements,
 * so that neither an answer nor its time shows who is a patient here.
 *
 * Each account gets a patient of its own, even where staff have entered one with the same e-mail: whoever signs up has only
 * claimed that address, not shown that it is his, and must not come into somebody else's record by it.
 *
 * Does not hash passwords (accounts/passwords.ts) and knows no staff. Signing in is sign-in.ts.
 */
import { sql } from "kysely";
import type { Db, Tx } from "../../db/schema.ts";
import { invalid, notFound, type ProblemError, together } from "../../errors.ts";
import { emit } from "../../outbox/emit.ts";
import type { ClinicContext } from "../clinics.ts";
import { cleanEmail, cleanName } from "../names.ts";
import { addPatient } from "../people.ts";
import { isPortalName } from "./portal-names.ts";

/** As the table has it. */
const FOLDED_EMAIL_MAX_CHARACTERS = 1_000;

export interface PortalClinic {
  readonly id: number;
  readonly name: string;
  readonly locale: "en" | "fr-CA";
}

/** The clinic of a portal's address, the one question asked before any clinic is known. @throws ProblemError 404 */
export async function clinicOfPortal(db: Db, portalName: string): Promise<PortalClinic> {
  if (!isPortalName(portalName)) throw noPortal();
  const { rows } = await sql<PortalClinic>`
    select clinic_id as id, name, locale from clinic_of_portal(${portalName})`.execute(db);
  const [clinic] = rows;
  if (clinic === undefined) throw noPortal();
  return clinic;
}

export interface Applicant {
  readonly name: string;
  readonly email: string;
}

/** Who signs up, as it is stored and sent. @throws ProblemError naming `name` or `email` */
export function readApplicant(person: Applicant): Applicant {
  return together({ name: () => cleanName("name", person.name), email: () => readEmail(person.email) });
}

/** Whoever reads this is a patient: ids and clinics' settings mean nothing to them. */
function noPortal(): ProblemError {
  return notFound("the portal", undefined, "Check the address for a typing mistake, or ask your clinic for it.");
}

function readEmail(text: string): string {
  const email = cleanEmail("email", text);
  if (email === null) throw invalid("email", "An e-mail address is needed. Write yours.", "missing");
  // A few characters stand for many: U+FDFA is written out as 18.
  if (foldEmail(email).length > FOLDED_EMAIL_MAX_CHARACTERS) {
    throw invalid("email", "This e-mail address is too long once it is written out. Use another one.", "too_long");
  }
  return email;
}

/**
 * Makes the account and its patient, unless the e-mail has an account here. Which of the two it was is nobody's to know, so
 * nothing is returned.
 */
export async function createPortalAccount(
  tx: Tx,
  context: ClinicContext,
  { name, email, passwordHash }: Applicant & { readonly passwordHash: string },
): Promise<void> {
  const { clinicId, outbox } = context;
  await sql`savepoint portal_account`.execute(tx);
  const client = await addPatient(tx, clinicId, { name, email });
  const facts = { event: "patient_account.created", client } as const;
  await emit(outbox, tx, { clinicId, subject: `patient:${client.id}`, facts });
  // Last, so that both ways do the same. Where another sign-up with this e-mail is on its way, this waits for its end.
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto("portal_accounts")
    .values({
      clinic_id: clinicId,
      patient_id: client.id,
      email_folded: foldEmail(email),
      password_hash: passwordHash,
    })
    .onConflict((known) => known.columns(["clinic_id", "email_folded"]).doNothing())
    .executeTakeFirstOrThrow();
  if (numInsertedOrUpdatedRows === 0n) await sql`rollback to savepoint portal_account`.execute(tx);
}

/** By what an account is found. Accents stay: with another accent it is another address. */
export function foldEmail(email: string): string {
  return email.normalize("NFKC").toLowerCase();
}
