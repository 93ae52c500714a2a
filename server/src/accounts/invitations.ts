/**
 * Invitations: how somebody becomes staff of a clinic.
 *
 * Owns the rows of `invitations`, which are the open ones. Promises: a link opens once, for INVITATION_DAYS, and is kept only
 * as its SHA-256; an address has at most one open invitation in a clinic, and a new link closes the one before; whoever
 * accepts is the person of that address: somebody new, who gets an account by it, or one who has just shown by signing in
 * that the account is his; a person who is no manager any more has none open (staff.ts withdraws them). Each step is on record. Does not send the letter (api/staff.ts has it posted after the commit).
 */
import { hash, randomBytes } from "node:crypto";
import { sql } from "kysely";
import { record } from "../audit/audit.ts";
import { inClinic } from "../db/pool.ts";
import type { Db, Tx } from "../db/schema.ts";
import { conflict, invalid, notFound, ProblemError } from "../errors.ts";
import { foldLoginEmail } from "./door.ts";
import type { LetterLocale } from "./letters.ts";
import type { PostOutcome } from "./post.ts";
import type { StaffRole } from "./principal.ts";
import { listStaff, lockStaff, refuseUnlessManagerNow } from "./staff.ts";

export const INVITATION_DAYS = 7;
export const INVITATIONS_PER_CLINIC_MAX = 50;
/** Longer than three tries at a mail server that does not answer, with as many before them as are usual. */
export const LETTER_STRANDED_SECONDS = 10 * 60;
const STAFF_PER_CLINIC_MAX = 500;
/** 256 bits. */
const TOKEN_BYTES = 32;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;
const EMAIL_MAX_CHARACTERS = 254;
const EMAIL = /^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u;
/** Who invites where no person does. */
export const OPERATOR = "operator";

export interface Invitation {
  readonly id: number;
  readonly email: string;
  readonly role: StaffRole;
  /** What became of the letter: `none` where no mail server is set up. */
  readonly letter: "waiting" | "sent" | "failed" | "none";
  readonly createdAt: Temporal.Instant;
  readonly expiresAt: Temporal.Instant;
  readonly isOver: boolean;
}

export interface NewInvitation {
  readonly clinicId: number;
  /** The user's id, or OPERATOR. */
  readonly actor: string;
  readonly email: string;
  readonly role: StaffRole;
  readonly hasMail: boolean;
}

/** Those that are open, and those whose time is over, oldest first. */
export async function listInvitations(tx: Tx, clinicId: number): Promise<Invitation[]> {
  const rows = await tx
    .selectFrom("invitations")
    .select(COLUMNS)
    .where("clinic_id", "=", clinicId)
    .orderBy("id")
    .execute();
  return rows.map(toInvitation);
}

/** Makes one; the token is returned here and never again. @throws ProblemError naming `email`, or 409 */
export async function invite(tx: Tx, wanted: NewInvitation): Promise<{ invitation: Invitation; token: string }> {
  const { clinicId, actor, role, hasMail } = wanted;
  const email = cleanLoginEmail(wanted.email);
  await lockStaff(tx, clinicId);
  if (actor !== OPERATOR) await refuseUnlessManagerNow(tx, clinicId, actor);
  await refuseKnown(tx, clinicId, email);
  const { token, token_hash } = newToken();
  const inserted = await tx
    .insertInto("invitations")
    .values({
      ...{ clinic_id: clinicId, email, role, token_hash, invited_by: actor },
      ...{ letter: hasMail ? ("waiting" as const) : ("none" as const), expires_at: EXPIRES_AT },
    })
    .returning(COLUMNS)
    .executeTakeFirstOrThrow();
  const invitation = toInvitation(inserted);
  const target = `invitation:${invitation.id}`;
  await record(tx, { clinicId, actor, action: "invitation.created", target, before: null, after: { email, role } });
  return { invitation, token };
}

export interface InvitationChange {
  readonly clinicId: number;
  readonly actor: string;
  readonly id: number;
}

/**
 * A new link for an open invitation, or for one whose time is over; the old link opens nothing any more. From now on the
 * invitation is that of whoever sent it again, who may have got to know the link.
 */
export async function renewInvitation(
  tx: Tx,
  { clinicId, actor, id }: InvitationChange,
  hasMail: boolean,
): Promise<{ invitation: Invitation; token: string }> {
  await lockStaff(tx, clinicId);
  if (actor !== OPERATOR) await refuseUnlessManagerNow(tx, clinicId, actor);
  const { token, token_hash } = newToken();
  const updated = await tx
    .updateTable("invitations")
    .set({ token_hash, invited_by: actor, expires_at: EXPIRES_AT, letter: hasMail ? "waiting" : "none" })
    .set({ letter_since: sql`now()`, letter_again: false, previous_token_hash: null })
    .where("clinic_id", "=", clinicId)
    .where("id", "=", id)
    .returning(COLUMNS)
    .executeTakeFirstOrThrow(() => notFound("the invitation"));
  const invitation = toInvitation(updated);
  const { email, role } = invitation;
  const target = `invitation:${id}`;
  await record(tx, { clinicId, actor, action: "invitation.resent", target, before: null, after: { email, role } });
  return { invitation, token };
}

/** Its link opens nothing from now on. @throws ProblemError 404 */
export async function withdrawInvitation(tx: Tx, { clinicId, actor, id }: InvitationChange): Promise<void> {
  const before = await tx
    .deleteFrom("invitations")
    .where("clinic_id", "=", clinicId)
    .where("id", "=", id)
    .returning(["email", "role"])
    .executeTakeFirstOrThrow(() => notFound("the invitation"));
  await record(tx, {
    clinicId,
    actor,
    action: "invitation.withdrawn",
    target: `invitation:${id}`,
    before,
    after: null,
  });
}

/**
 * Writes down what became of a letter. A link that was renewed meanwhile has a letter of its own; where it was sent once more
 * because nothing was heard of it, that it was sent after all counts, and that it failed does not.
 */
export async function noteLetter(
  db: Db,
  sent: { clinicId: number; token: string },
  outcome: PostOutcome,
): Promise<void> {
  await inClinic(db, sent.clinicId, (tx) =>
    tx
      .updateTable("invitations")
      .set({ letter: outcome })
      .where("clinic_id", "=", sent.clinicId)
      .where((row) =>
        row.or([
          row("token_hash", "=", hashOf(sent.token)),
          ...(outcome === "sent" ? [row("previous_token_hash", "=", hashOf(sent.token))] : []),
        ]),
      )
      .execute(),
  );
}

/**
 * Takes up one letter that has been on its way for longer than `LETTER_STRANDED_SECONDS`, because its process was killed while
 * it was sent, and gives it a link beside the first one, which may have arrived. Null where there is none. A letter that was
 * taken up before and has not ended either has failed: a duplicate is better than none, and two are enough.
 */
export async function takeStrandedLetter(db: Db): Promise<{ clinicId: number; token: string } | null> {
  const { token, token_hash } = newToken();
  const { rows } = await sql<{ clinic_id: number }>`
    select clinic_id from take_stranded_letter(${token_hash}, ${LETTER_STRANDED_SECONDS})`.execute(db);
  const [taken] = rows;
  return taken === undefined ? null : { clinicId: taken.clinic_id, token };
}

export interface FoundInvitation {
  readonly clinicId: number;
  readonly clinicName: string;
  readonly locale: LetterLocale;
  readonly id: number;
  readonly email: string;
  readonly role: StaffRole;
}

/** The open invitation of a link. @throws ProblemError 404 for one that was used, withdrawn, renewed or is over */
export async function findInvitation(db: Db, token: string): Promise<FoundInvitation> {
  if (!TOKEN.test(token)) throw linkOver();
  const { rows } = await sql<
    Omit<FoundInvitation, "clinicId" | "clinicName"> & { clinic_id: number; clinic_name: string }
  >`
    select * from invitation_of(${hashOf(token)})`.execute(db);
  const [found] = rows;
  if (found === undefined) throw linkOver();
  const { clinic_id: clinicId, clinic_name: clinicName, ...rest } = found;
  return { ...rest, clinicId, clinicName };
}

/** Takes an open invitation for a person and makes them staff, together or not at all. @throws ProblemError 404 as above */
export async function takeInvitation(db: Db, token: string, person: { id: string; email: string }): Promise<number> {
  const { clinicId, id } = await findInvitation(db, token);
  await inClinic(db, clinicId, async (tx) => {
    await lockStaff(tx, clinicId);
    const { email, role } = await tx
      .deleteFrom("invitations")
      .where("clinic_id", "=", clinicId)
      .where((row) => row.or([row("token_hash", "=", hashOf(token)), row("previous_token_hash", "=", hashOf(token))]))
      .where("expires_at", ">", sql<Temporal.Instant>`now()`)
      .returning(["email", "role"])
      .executeTakeFirstOrThrow(linkOver);
    if (email !== foldLoginEmail(person.email)) throw wrongPerson();
    const joined = await tx
      .insertInto("staff")
      .values({ clinic_id: clinicId, user_id: person.id, role })
      .onConflict((known) => known.columns(["clinic_id", "user_id"]).doNothing())
      .returning("user_id")
      .executeTakeFirst();
    // Who works there already keeps the role he has, and has not joined.
    if (joined === undefined) return;
    const after = { role, invitation: id };
    const target = `staff:${person.id}`;
    await record(tx, { clinicId, actor: person.id, action: "staff.joined", target, before: null, after });
  });
  return clinicId;
}

/** The token stands behind a `#`, so that no server's log ever sees it. */
export function invitationLink(publicUrl: string, token: string): string {
  return `${publicUrl}/invitation#${token}`;
}

/** 403: the link is for another address than the one that is signed in. */
export function wrongPerson(): ProblemError {
  const title = "This invitation is for another e-mail address. Sign out, then sign in with the invited one.";
  return new ProblemError({ status: 403, code: "other_person", title });
}

function linkOver(): ProblemError {
  const title = "This link was used, withdrawn, or is over. Ask a manager of the clinic for a new invitation.";
  return new ProblemError({ status: 404, code: "link_over", title });
}

const COLUMNS = [
  ...(["id", "email", "role", "letter", "created_at", "expires_at"] as const),
  sql<boolean>`expires_at <= now()`.as("is_over"),
] as const;
const EXPIRES_AT = sql<Temporal.Instant>`now() + make_interval(days => ${INVITATION_DAYS})`;

interface StoredInvitation {
  readonly id: number;
  readonly email: string;
  readonly role: StaffRole;
  readonly letter: Invitation["letter"];
  readonly created_at: Temporal.Instant;
  readonly expires_at: Temporal.Instant;
  readonly is_over: boolean;
}

function toInvitation({ created_at, expires_at, is_over, ...row }: StoredInvitation): Invitation {
  return { ...row, createdAt: created_at, expiresAt: expires_at, isOver: is_over };
}

async function refuseKnown(tx: Tx, clinicId: number, email: string): Promise<void> {
  const staff = await listStaff(tx);
  if (staff.some((one) => foldLoginEmail(one.email) === email)) {
    throw conflict("already_staff", "This person works at the clinic already. Change the role in the list.", "email");
  }
  const open = await listInvitations(tx, clinicId);
  if (open.some((one) => one.email === email)) {
    throw conflict("already_invited", "This person is invited already. Send the invitation again instead.", "email");
  }
  if (open.length >= INVITATIONS_PER_CLINIC_MAX || staff.length + open.length >= STAFF_PER_CLINIC_MAX) {
    const title = `A clinic has at most ${INVITATIONS_PER_CLINIC_MAX} open invitations. Withdraw one first.`;
    throw conflict("too_many_invitations", title);
  }
}

/** An address that can be invited, as accounts are found by it. @throws ProblemError naming `email` */
export function cleanLoginEmail(text: string): string {
  const email = foldLoginEmail(text);
  if (email === "") throw invalid("email", "An e-mail address is needed. Write whom you invite.", "missing");
  if (email.length > EMAIL_MAX_CHARACTERS) {
    throw invalid("email", `An e-mail address has at most ${EMAIL_MAX_CHARACTERS} characters.`, "too_long");
  }
  if (!email.isWellFormed() || !EMAIL.test(email)) {
    throw invalid("email", "This is not an e-mail address. Write it like name@example.test.", "not_an_email");
  }
  return email;
}

function newToken(): { token: string; token_hash: Buffer } {
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  return { token, token_hash: hashOf(token) };
}

function hashOf(token: string): Buffer {
  return hash("sha256", token, "buffer");
}
