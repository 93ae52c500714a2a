/**
 * Staff: who may sign in, for which clinic, in which role.
 *
 * Owns the rows of `staff` and the way from a credential (session cookie, API key or embedded page's token) to a principal. Promises that a role taken away counts at the
 * very next request, and that the clinic is one the person belongs to now. Passwords, second factors and sessions are
 * better-auth's (auth.ts), behind a door that counts (door.ts). There is no sign-up: staff are invited (invitations.ts), or
 * made by the demo's seed. Patients are apart from all this (clinic/portal).
 */
import type { IncomingHttpHeaders } from "node:http";
import { sql } from "kysely";
import type pg from "pg";
import { systemClock } from "../clock.ts";
import { inClinic } from "../db/pool.ts";
import type { Db } from "../db/schema.ts";
import type { MailSender } from "../egress/mail.ts";
import type { Log } from "../log.ts";
import { type Acceptance, type Accepted, acceptInvitation, hasAccount } from "./accept.ts";
import { ApiKeyReader } from "./api-keys.ts";
import { type Auth, createAuth } from "./auth.ts";
import { afterNewPassword, type DoorParts, type Person, passOn, personOf } from "./door.ts";
import { EMBED_TOKEN_PREFIX, principalOfEmbedToken } from "./embed-sessions.ts";
import type { LetterLocale } from "./letters.ts";
import { Tries } from "./limits.ts";
import { makeResetLink, requestReset } from "./password-reset.ts";
import { Post } from "./post.ts";
import type { Principal, StaffRole } from "./principal.ts";

export interface Accounts {
  /** better-auth's own routes, below /api/auth. @throws ProblemError 401 and 429 before the library is asked */
  handle(request: Request): Promise<Response>;
  /**
   * Who is behind a request: a program where it brings `Authorization: Bearer <API key>`, an embedded page where that is
   * its token, the person of its cookies otherwise. Null when the key is none, nobody is signed in, or the person belongs to no clinic any more.
   */
  authenticate(headers: IncomingHttpHeaders): Promise<Principal | null>;
  /** The person of the cookies, whatever the clinic; null where they open no session. */
  personOf(headers: IncomingHttpHeaders): Promise<Person | null>;
  /** Every clinic that a person belongs to, by name. */
  clinicsOf(userId: string): Promise<ClinicOfPerson[]>;
  /** Closes a revoked API key on this node at once; to be called after the commit. */
  forgetApiKey(key: { readonly clinicId: number; readonly id: number }): void;
  /** Asks for a letter with a link to a new password; the same for every address. @throws ProblemError 429 */
  requestReset(email: string, locale: LetterLocale): Promise<void>;
  /** The same link for the operator to hand over, where no mail server is set up; null where nobody has the address. */
  makeResetLink(email: string): Promise<string | null>;
  /** Makes whoever follows an invitation's link staff. @throws ProblemError, see accept.ts */
  acceptInvitation(acceptance: Acceptance): Promise<Accepted>;
  /** Whether an address has an account; told to nobody but whoever holds an invitation for it. */
  hasAccount(email: string): Promise<boolean>;
  /** Makes a member of staff; the person is made too where the e-mail is new, otherwise the password stays as it was. */
  createStaff(staff: NewStaff): Promise<{ userId: string }>;
  /** Tries per account, for doors that are not better-auth's. */
  readonly tries: Tries;
  /** Letters, which no request waits for. */
  readonly post: Post;
  /** Lets letters that are being sent end. */
  close(): Promise<void>;
}

export interface ClinicOfPerson {
  readonly clinicId: number;
  readonly name: string;
  readonly locale: LetterLocale;
  readonly role: StaffRole;
}

interface NewStaff {
  readonly clinicId: number;
  readonly role: StaffRole;
  readonly name: string;
  readonly email: string;
  readonly password: string;
  /** Gives the password to a person who exists already, too, and ends that person's sessions. */
  readonly replacePassword?: boolean;
}

export interface AccountsOptions {
  readonly db: Db;
  readonly authPool: pg.Pool;
  readonly secret: string;
  readonly publicUrl: string;
  readonly log: Log;
  /** Null where the operator has set up no mail server. */
  readonly mail: MailSender | null;
  /** The system's clock, unless a test brings its own. */
  readonly monotonicMs?: () => number;
}

const BEARER = /^Bearer +(\S+)$/i;

/** Wires better-auth to the clinics' staff. */
export function createAccounts(options: AccountsOptions): Accounts {
  const { db, authPool: pool, publicUrl, secret, log } = options;
  const keys = new ApiKeyReader(db, options.monotonicMs ?? systemClock.monotonicMs);
  const tries = new Tries(pool, secret);
  const post = new Post(options.mail, log);
  const auth = createAuth({
    ...{ pool, secret, publicUrl, log },
    firstClinicOf: async (userId) => (await membershipsOf(db, userId))[0]?.clinic_id ?? null,
    belongs: async (userId, id) => (await membershipsOf(db, userId)).some(({ clinic_id }) => clinic_id === id),
    isFresh: async (userId, code) => (await tries.take("used_code", `${userId} ${code}`)) === null,
    onNewPassword: (userId) => afterNewPassword(door, userId),
  });
  const localeOf = async (userId: string) => (await clinicsOf(db, userId))[0]?.locale ?? "en";
  const door: DoorParts = { auth, pool, tries, post, publicUrl, localeOf };
  return {
    handle: (request) => passOn(door, request),
    authenticate: (headers) =>
      headers.authorization === undefined
        ? authenticate({ auth, db }, headers)
        : bearerOf({ keys, db }, BEARER.exec(headers.authorization)?.[1] ?? ""),
    personOf: (headers) => personOf(door, headers.cookie ?? null),
    clinicsOf: (userId) => clinicsOf(db, userId),
    forgetApiKey: (key) => keys.forget(key),
    requestReset: (email, locale) => requestReset(door, email, locale),
    makeResetLink: async (email) => (await makeResetLink(door, email))?.link ?? null,
    acceptInvitation: (acceptance) => acceptInvitation({ auth, db }, acceptance),
    hasAccount: (email) => hasAccount({ auth }, email),
    createStaff: (staff) => createStaff({ auth, db }, staff),
    tries,
    post,
    close: () => post.close(),
  };
}

/** Either kind says by its beginning what it is. */
function bearerOf({ keys, db }: { keys: ApiKeyReader; db: Db }, text: string): Promise<Principal | null> {
  return text.startsWith(EMBED_TOKEN_PREFIX) ? principalOfEmbedToken(db, text) : keys.principalOf(text);
}

interface Parts {
  readonly auth: Auth;
  readonly db: Db;
}

interface Membership {
  readonly clinic_id: number;
  readonly role: StaffRole;
}

/** The one question that is asked before any clinic is known; a function of the database answers it. */
async function membershipsOf(db: Db, userId: string): Promise<Membership[]> {
  const { rows } = await sql<Membership>`select clinic_id, role from clinics_of_user(${userId})`.execute(db);
  return rows;
}

async function clinicsOf(db: Db, userId: string): Promise<ClinicOfPerson[]> {
  const { rows } = await sql<ClinicOfPerson>`
    select clinic_id as "clinicId", name, locale, role from clinic_names_of_user(${userId})`.execute(db);
  return rows;
}

async function authenticate({ auth, db }: Parts, headers: IncomingHttpHeaders): Promise<Principal | null> {
  if (headers.cookie === undefined) return null;
  const found = await auth.api.getSession({ headers: new Headers({ cookie: headers.cookie }) });
  if (found === null) return null;
  const { user, session } = found;
  const memberships = await membershipsOf(db, user.id);
  const active = memberships.find(({ clinic_id }) => String(clinic_id) === session.activeClinicId);
  if (active === undefined) return null;
  return {
    userId: user.id,
    userName: user.name,
    userEmail: user.email,
    clinicId: active.clinic_id,
    role: active.role,
    scopes: [],
    webhookId: null,
  };
}

async function createStaff({ auth, db }: Parts, staff: NewStaff): Promise<{ userId: string }> {
  const userId = await findOrCreateUser(auth, staff);
  await inClinic(db, staff.clinicId, (tx) =>
    tx
      .insertInto("staff")
      .values({ clinic_id: staff.clinicId, user_id: userId, role: staff.role })
      .onConflict((conflict) => conflict.columns(["clinic_id", "user_id"]).doUpdateSet({ role: staff.role }))
      .execute(),
  );
  return { userId };
}

/** In steps that may be cut off in between, so each looks first whether it was done. */
async function findOrCreateUser(auth: Auth, staff: NewStaff): Promise<string> {
  const { internalAdapter, password } = await auth.$context;
  const email = staff.email.trim().toLowerCase();
  const known = await internalAdapter.findUserByEmail(email, { includeAccounts: true });
  const user =
    known?.user ??
    (await internalAdapter.createUser({ email, name: staff.name, emailVerified: true }, { method: "admin" }));
  const hasPassword = known !== null && known.accounts.length > 0;
  if (hasPassword && staff.replacePassword === true) {
    await internalAdapter.updatePassword(user.id, await password.hash(staff.password));
    await internalAdapter.deleteUserSessions(user.id);
  }
  if (!hasPassword) {
    const hash = await password.hash(staff.password);
    await internalAdapter.linkAccount({
      userId: user.id,
      providerId: "credential",
      accountId: user.id,
      password: hash,
    });
  }
  return user.id;
}
