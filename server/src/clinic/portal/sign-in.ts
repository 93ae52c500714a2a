/**
 * Patients who come back to their clinic's portal: links of letters, sessions, and what a signed-in patient sees.
 *
 * Owns the rows of `portal_sessions` and `portal_links`. Promises: what opens something is kept as its SHA-256 only; a link
 * opens once and for a short time; an account opens nothing before its e-mail is confirmed; a new password ends every session
 * and every other link; each of them belongs to one clinic, and to patients alone: no table, cookie or function is shared
 * with staff. Checks no password (accounts/passwords.ts).
 */
import { hash, randomBytes } from "node:crypto";
import { sql } from "kysely";
import type { Tx } from "../../db/schema.ts";
import { ProblemError } from "../../errors.ts";

export const CONFIRM_LINK_HOURS = 24;
export const PORTAL_RESET_MINUTES = 30;
export const PORTAL_SESSION_HOURS = 12;
const CONSULTS_SHOWN_MAX = 50;
/** 256 bits. */
const TOKEN_BYTES = 32;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

export type LinkPurpose = "confirm" | "reset";

export interface PortalAccount {
  readonly id: number;
  readonly patientId: number;
  readonly emailFolded: string;
  readonly passwordHash: string;
  readonly isConfirmed: boolean;
}

/** Whose account an e-mail has here. @param emailFolded as accounts.ts folds it */
export async function findPortalAccount(tx: Tx, clinicId: number, emailFolded: string): Promise<PortalAccount | null> {
  const row = await tx
    .selectFrom("portal_accounts")
    .select(ACCOUNT_COLUMNS)
    .where("clinic_id", "=", clinicId)
    .where("email_folded", "=", emailFolded)
    .executeTakeFirst();
  return row === undefined ? null : toAccount(row);
}

interface OfAccount {
  readonly clinicId: number;
  readonly accountId: number;
}

/** Makes a link's token; it is returned here and never again. What is over of the account's links goes. */
export async function makeLink(tx: Tx, { clinicId, accountId }: OfAccount, purpose: LinkPurpose): Promise<string> {
  await tx
    .deleteFrom("portal_links")
    .where("clinic_id", "=", clinicId)
    .where("account_id", "=", accountId)
    .where("expires_at", "<=", NOW)
    .execute();
  const token = newToken();
  const minutes = purpose === "confirm" ? CONFIRM_LINK_HOURS * 60 : PORTAL_RESET_MINUTES;
  const expires_at = sql<Temporal.Instant>`now() + make_interval(mins => ${minutes})`;
  const values = { clinic_id: clinicId, account_id: accountId, purpose, token_hash: hashOf(token), expires_at };
  await tx.insertInto("portal_links").values(values).execute();
  return token;
}

interface Link {
  readonly clinicId: number;
  readonly token: string;
  readonly purpose: LinkPurpose;
}

/** The account of an open link, which stays open. @throws ProblemError 400 `link_over` */
export async function accountOfLink(tx: Tx, { clinicId, token, purpose }: Link): Promise<PortalAccount> {
  if (!TOKEN.test(token)) throw linkOver();
  const row = await tx
    .selectFrom("portal_links")
    .innerJoin("portal_accounts", (join) =>
      join
        .onRef("portal_accounts.clinic_id", "=", "portal_links.clinic_id")
        .onRef("portal_accounts.id", "=", "portal_links.account_id"),
    )
    .select(["portal_accounts.id", "patient_id", "email_folded", "password_hash", "confirmed_at"])
    .where("portal_links.clinic_id", "=", clinicId)
    .where("token_hash", "=", hashOf(token))
    .where("purpose", "=", purpose)
    .where("expires_at", ">", NOW)
    .executeTakeFirstOrThrow(linkOver);
  return toAccount(row);
}

/** Closes a link and says whose it was: of two at once, one gets it. @throws ProblemError 400 `link_over` */
async function useLink(tx: Tx, { clinicId, token, purpose }: Link): Promise<number> {
  const { account_id } = await tx
    .deleteFrom("portal_links")
    .where("clinic_id", "=", clinicId)
    .where("token_hash", "=", hashOf(token))
    .where("purpose", "=", purpose)
    .where("expires_at", ">", NOW)
    .returning("account_id")
    .executeTakeFirstOrThrow(linkOver);
  return account_id;
}

/** The e-mail is its person's: from now on the account may be signed in to. Whoever calls has checked the password. */
export async function confirmAccount(tx: Tx, link: Omit<Link, "purpose">): Promise<OfAccount> {
  const { clinicId } = link;
  const accountId = await useLink(tx, { ...link, purpose: "confirm" });
  await tx
    .updateTable("portal_accounts")
    .set({ confirmed_at: sql<Temporal.Instant>`coalesce(confirmed_at, now())` })
    .where("clinic_id", "=", clinicId)
    .where("id", "=", accountId)
    .execute();
  return { clinicId, accountId };
}

/** Sets a new password, which also shows that the e-mail is its person's; sessions and links of before are over. */
export async function resetPassword(tx: Tx, link: Omit<Link, "purpose">, passwordHash: string): Promise<void> {
  const { clinicId } = link;
  const accountId = await useLink(tx, { ...link, purpose: "reset" });
  await tx
    .updateTable("portal_accounts")
    .set({ password_hash: passwordHash, confirmed_at: sql<Temporal.Instant>`coalesce(confirmed_at, now())` })
    .where("clinic_id", "=", clinicId)
    .where("id", "=", accountId)
    .execute();
  for (const table of ["portal_sessions", "portal_links"] as const) {
    await tx.deleteFrom(table).where("clinic_id", "=", clinicId).where("account_id", "=", accountId).execute();
  }
}

/** Begins a session; the token is for the cookie. Sessions of the account that are over go. */
export async function openSession(tx: Tx, { clinicId, accountId }: OfAccount): Promise<string> {
  await tx
    .deleteFrom("portal_sessions")
    .where("clinic_id", "=", clinicId)
    .where("account_id", "=", accountId)
    .where("expires_at", "<=", NOW)
    .execute();
  const token = newToken();
  const expires_at = sql<Temporal.Instant>`now() + make_interval(hours => ${PORTAL_SESSION_HOURS})`;
  const values = { clinic_id: clinicId, account_id: accountId, token_hash: hashOf(token), expires_at };
  await tx.insertInto("portal_sessions").values(values).execute();
  return token;
}

/**
 * Begins a session for whoever knew an account's password when it was looked up. Null where the account has another one by
 * now: a new password that is set at the same moment comes before this, or ends the session that began.
 */
export async function openVerifiedSession(tx: Tx, clinicId: number, verified: PortalAccount): Promise<string | null> {
  const { id: accountId, passwordHash } = verified;
  const same = await tx
    .selectFrom("portal_accounts")
    .select("id")
    .where("clinic_id", "=", clinicId)
    .where("id", "=", accountId)
    .where("password_hash", "=", passwordHash)
    .forShare()
    .executeTakeFirst();
  return same === undefined ? null : openSession(tx, { clinicId, accountId });
}

export interface SignedInPatient {
  readonly patientId: number;
  readonly name: string;
  readonly email: string | null;
}

/** Who a session's token is of, in this clinic; null where it is of nobody here. */
export async function patientOfSession(tx: Tx, clinicId: number, token: string): Promise<SignedInPatient | null> {
  if (!TOKEN.test(token)) return null;
  const row = await tx
    .selectFrom("portal_sessions as s")
    .innerJoin("portal_accounts as a", (join) =>
      join.onRef("a.clinic_id", "=", "s.clinic_id").onRef("a.id", "=", "s.account_id"),
    )
    .innerJoin("patients as p", (join) =>
      join.onRef("p.clinic_id", "=", "a.clinic_id").onRef("p.id", "=", "a.patient_id"),
    )
    .select(["p.id as patientId", "p.name", "p.email"])
    .where("s.clinic_id", "=", clinicId)
    .where("s.token_hash", "=", hashOf(token))
    .where("s.expires_at", ">", NOW)
    .where("a.confirmed_at", "is not", null)
    .executeTakeFirst();
  return row ?? null;
}

/** Ends a session; one that is none is none afterwards, too. */
export async function endSession(tx: Tx, clinicId: number, token: string): Promise<void> {
  await tx
    .deleteFrom("portal_sessions")
    .where("clinic_id", "=", clinicId)
    .where("token_hash", "=", hashOf(token))
    .execute();
}

export interface OwnConsult {
  readonly startsAt: Temporal.Instant;
  readonly durationMinutes: number;
  readonly service: string;
  readonly practitioner: string;
}

/** What a patient has ahead of him and a place in, soonest first; not who else comes, nor any notes. */
export async function upcomingConsults(tx: Tx, clinicId: number, patientId: number): Promise<OwnConsult[]> {
  return tx
    .selectFrom("consult_participants as cp")
    .innerJoin("consults as c", (join) =>
      join.onRef("c.clinic_id", "=", "cp.clinic_id").onRef("c.id", "=", "cp.consult_id"),
    )
    .innerJoin("services as s", (join) =>
      join.onRef("s.clinic_id", "=", "c.clinic_id").onRef("s.id", "=", "c.service_id"),
    )
    .innerJoin("practitioners as d", (join) =>
      join.onRef("d.clinic_id", "=", "c.clinic_id").onRef("d.id", "=", "c.practitioner_id"),
    )
    .select([
      ...(["c.starts_at as startsAt", "c.duration_minutes as durationMinutes"] as const),
      ...(["s.name as service", "d.name as practitioner"] as const),
    ])
    .where("cp.clinic_id", "=", clinicId)
    .where("cp.patient_id", "=", patientId)
    .where("cp.status", "=", "booked")
    .where("c.cancelled_at", "is", null)
    .where(sql<boolean>`c.starts_at + make_interval(mins => c.duration_minutes) > now()`)
    .orderBy("c.starts_at")
    .limit(CONSULTS_SHOWN_MAX)
    .execute();
}

const NOW = sql<Temporal.Instant>`now()`;
const ACCOUNT_COLUMNS = ["id", "patient_id", "email_folded", "password_hash", "confirmed_at"] as const;

interface StoredAccount {
  readonly id: number;
  readonly patient_id: number;
  readonly email_folded: string;
  readonly password_hash: string;
  readonly confirmed_at: Temporal.Instant | null;
}

function toAccount({ id, patient_id, email_folded, password_hash, confirmed_at }: StoredAccount): PortalAccount {
  const isConfirmed = confirmed_at !== null;
  return { id, patientId: patient_id, emailFolded: email_folded, passwordHash: password_hash, isConfirmed };
}

function linkOver(): ProblemError {
  return new ProblemError({
    status: 400,
    code: "link_over",
    title: "This link was used or is over. Ask for a new one.",
  });
}

function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString("base64url");
}

function hashOf(token: string): Buffer {
  return hash("sha256", token, "buffer");
}
