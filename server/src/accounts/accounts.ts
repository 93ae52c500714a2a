/**
 * Staff: who may sign in, for which clinic, in which role.
 *
 * Owns the rows of `staff` and the way from a credential (session cookie or API key) to a principal. Promises that a role taken away counts at the
 * very next request, and that the clinic is one the person belongs to now. Passwords and sessions are better-auth's
 * (auth.ts). There is no sign-up: staff are made by the operator or the demo's seed.
 */
import type { IncomingHttpHeaders } from "node:http";
import { sql } from "kysely";
import type pg from "pg";
import { systemClock } from "../clock.ts";
import { inClinic } from "../db/pool.ts";
import type { Db } from "../db/schema.ts";
import type { Log } from "../log.ts";
import { ApiKeyReader } from "./api-keys.ts";
import { type Auth, createAuth } from "./auth.ts";
import type { Principal, StaffRole } from "./principal.ts";

export interface Accounts {
  /** better-auth's own routes, below /api/auth. */
  handle(request: Request): Promise<Response>;
  /**
   * Who is behind a request: a program where it brings `Authorization: Bearer <API key>`, the person of its cookies
   * otherwise. Null when the key is none, nobody is signed in, or the person belongs to no clinic any more.
   */
  authenticate(headers: IncomingHttpHeaders): Promise<Principal | null>;
  /** Closes a revoked API key on this node at once; to be called after the commit. */
  forgetApiKey(key: { readonly clinicId: number; readonly id: number }): void;
  /** Makes a member of staff; the person is made too where the e-mail is new, otherwise the password stays as it was. */
  createStaff(staff: NewStaff): Promise<{ userId: string }>;
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
  /** The system's clock, unless a test brings its own. */
  readonly monotonicMs?: () => number;
}

const BEARER = /^Bearer +(\S+)$/i;

/** Wires better-auth to the clinics' staff. */
export function createAccounts(options: AccountsOptions): Accounts {
  const { db } = options;
  const keys = new ApiKeyReader(db, options.monotonicMs ?? systemClock.monotonicMs);
  const auth = createAuth({
    pool: options.authPool,
    secret: options.secret,
    publicUrl: options.publicUrl,
    log: options.log,
    firstClinicOf: async (userId) => (await clinicsOf(db, userId))[0]?.clinic_id ?? null,
  });
  return {
    handle: (request) => auth.handler(request),
    authenticate: (headers) =>
      headers.authorization === undefined
        ? authenticate({ auth, db }, headers)
        : keys.principalOf(BEARER.exec(headers.authorization)?.[1] ?? ""),
    forgetApiKey: (key) => keys.forget(key),
    createStaff: (staff) => createStaff({ auth, db }, staff),
  };
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
async function clinicsOf(db: Db, userId: string): Promise<Membership[]> {
  const { rows } = await sql<Membership>`select clinic_id, role from clinics_of_user(${userId})`.execute(db);
  return rows;
}

async function authenticate({ auth, db }: Parts, headers: IncomingHttpHeaders): Promise<Principal | null> {
  if (headers.cookie === undefined) return null;
  const found = await auth.api.getSession({ headers: new Headers({ cookie: headers.cookie }) });
  if (found === null) return null;
  const { user, session } = found;
  const memberships = await clinicsOf(db, user.id);
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
