/**
 * Following an invitation's link. Whoever has the link can read the letters of its address. That is enough to begin an account
 * for an address that has none; where there is one, its person signs in first, so that a letter alone opens nobody's
 * account, nor skips a second factor.
 */
import type { Db } from "../db/schema.ts";
import { invalid, ProblemError, together } from "../errors.ts";
import type { Auth } from "./auth.ts";
import { foldLoginEmail, type Person } from "./door.ts";
import { findInvitation, takeInvitation, wrongPerson } from "./invitations.ts";
import { checkPassword } from "./passwords.ts";

/** PostgreSQL's SQLSTATE. */
const UNIQUE_VIOLATION = "23505";

export interface Acceptance {
  readonly token: string;
  /** Who is signed in, or null. */
  readonly person: Person | null;
  /** For a new account; cleaned by the caller. */
  readonly name?: string | undefined;
  readonly password?: string | undefined;
}

export interface Accepted {
  readonly clinicId: number;
  /** Whether the account was made just now; its person signs in with what he chose. */
  readonly isNew: boolean;
}

interface Parts {
  readonly auth: Auth;
  readonly db: Db;
}

/** Whether the address of an invitation has an account that could sign in; only for who has the link. */
export async function hasAccount({ auth }: Pick<Parts, "auth">, email: string): Promise<boolean> {
  const { internalAdapter } = await auth.$context;
  const known = await internalAdapter.findUserByEmail(foldLoginEmail(email), { includeAccounts: true });
  return known !== null && known.accounts.length > 0;
}

/**
 * @throws ProblemError 404 `link_over`, 403 `other_person` where another person is signed in, 401 `sign_in_required` where the
 * address has an account, 400 naming `name` or `password` where a new account lacks one
 */
export async function acceptInvitation(parts: Parts, acceptance: Acceptance): Promise<Accepted> {
  const { token, person } = acceptance;
  const { email } = await findInvitation(parts.db, token);
  if (person !== null && foldLoginEmail(person.email) !== email) throw wrongPerson();
  if (person !== null) return { clinicId: await takeInvitation(parts.db, token, person), isNew: false };
  if (await hasAccount(parts, email)) throw signInAsInvited();
  const id = await createPerson(parts.auth, email, acceptance);
  return { clinicId: await takeInvitation(parts.db, token, { id, email }), isNew: true };
}

/** Two at once make one account: address and password are unique by index, and the loser is told to sign in. */
async function createPerson(auth: Auth, email: string, { name, password }: Acceptance): Promise<string> {
  const chosen = together({
    name: () => neededName(name),
    password: () => checkPassword(password ?? ""),
  });
  const { internalAdapter, password: passwords } = await auth.$context;
  const hash = await passwords.hash(password ?? "");
  try {
    const known = await internalAdapter.findUserByEmail(email);
    const person = { email, name: chosen.name, emailVerified: true };
    const user = known?.user ?? (await internalAdapter.createUser(person, { method: "admin" }));
    const account = { userId: user.id, providerId: "credential", accountId: user.id, password: hash };
    await internalAdapter.linkAccount(account);
    return user.id;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === UNIQUE_VIOLATION) throw signInAsInvited();
    throw error;
  }
}

function neededName(name: string | undefined): string {
  if (name === undefined) throw invalid("name", "A name is needed. Write yours.", "missing");
  return name;
}

function signInAsInvited(): ProblemError {
  const title = "This e-mail address has an account already. Sign in with it, then accept the invitation.";
  return new ProblemError({ status: 401, code: "sign_in_required", title });
}
