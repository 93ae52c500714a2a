/**
 * The way to better-auth's routes: what is counted before one is asked, and what follows when it said yes.
 *
 * Promises: passwords are tried a limited number of times per account, known or not (limits.ts); a password that was changed
 * ends the other sessions, the open links and the trusted devices of its person; so does turning the second factor off with
 * the trusted devices. Which routes are open at all is api/auth.ts's.
 */
import type pg from "pg";
import { ProblemError } from "../errors.ts";
import type { Auth } from "./auth.ts";
import { composeAccountLetter, type LetterLocale } from "./letters.ts";
import type { Tries } from "./limits.ts";
import type { Post } from "./post.ts";

/** Those that ask a signed-in person for the password once more. */
const ASK_FOR_PASSWORD: ReadonlySet<string> = new Set([
  "/change-password",
  "/two-factor/enable",
  "/two-factor/disable",
  "/two-factor/generate-backup-codes",
]);

export interface DoorParts {
  readonly auth: Auth;
  readonly pool: pg.Pool;
  readonly tries: Tries;
  readonly post: Post;
  readonly publicUrl: string;
  /** In which language a person is written to who did not say one. */
  localeOf(userId: string): Promise<LetterLocale>;
}

/** A person behind a session, whatever clinic it is in. */
export interface Person {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly hasSecondFactor: boolean;
}

/** Null where the cookies open no session. */
export async function personOf({ auth }: Pick<DoorParts, "auth">, cookie: string | null): Promise<Person | null> {
  if (cookie === null) return null;
  const found = await auth.api.getSession({ headers: new Headers({ cookie }) });
  if (found === null) return null;
  const { id, name, email, twoFactorEnabled } = found.user;
  return { id, name, email, hasSecondFactor: twoFactorEnabled === true };
}

/** Passes a request on to better-auth. @throws ProblemError 401 and 429 before it is asked */
export async function passOn(parts: DoorParts, request: Request): Promise<Response> {
  const path = new URL(request.url).pathname.replace(/^\/api\/auth/, "");
  if (path === "/sign-in/email") return signIn(parts, request);
  if (ASK_FOR_PASSWORD.has(path)) return askForPassword(parts, path, request);
  return parts.auth.handler(request);
}

/** An e-mail address as accounts are found by it. */
export function foldLoginEmail(email: string): string {
  return email.trim().toLowerCase();
}

async function signIn({ auth, tries }: DoorParts, request: Request): Promise<Response> {
  const { email } = (await request.clone().json()) as { email?: unknown };
  const subject = typeof email === "string" ? foldLoginEmail(email) : "";
  await tries.takeOrRefuse("sign_in", subject);
  const response = await auth.handler(request);
  if (response.ok) await tries.forget("sign_in", subject);
  return response;
}

async function askForPassword(parts: DoorParts, path: string, request: Request): Promise<Response> {
  const { auth, tries } = parts;
  const person = await personOf(parts, request.headers.get("cookie"));
  if (person === null) throw signInFirst();
  await tries.takeOrRefuse("password_check", person.id);
  const response = await auth.handler(request);
  if (!response.ok) return response;
  await tries.forget("password_check", person.id);
  if (path === "/change-password") await afterNewPassword(parts, person.id);
  if (path === "/two-factor/disable") await forgetOpenings(parts, person.id);
  return response;
}

/** What is open by the old password ends with it, and its person is told. The sessions are the library's to end. */
export async function afterNewPassword(parts: DoorParts, userId: string): Promise<void> {
  await forgetOpenings(parts, userId);
  const { rows } = await parts.pool.query<{ email: string }>('select "email" from auth."user" where "id" = $1', [
    userId,
  ]);
  const email = rows[0]?.email;
  if (email === undefined) return;
  await parts.tries.forget("sign_in", email);
  if (!parts.post.isOpen) return;
  parts.post.later(async () => {
    const locale = await parts.localeOf(userId);
    return {
      to: email,
      letter: composeAccountLetter({ kind: "password_changed" }, locale, `${parts.publicUrl}/sign-in`),
    };
  });
}

/** Links to a new password, half-done sign-ins, trusted devices: all are rows of this one table, with the person as value. */
async function forgetOpenings({ pool }: DoorParts, userId: string): Promise<void> {
  await pool.query('delete from auth."verification" where "value" = $1', [userId]);
}

export function signInFirst(): ProblemError {
  return new ProblemError({
    status: 401,
    code: "sign_in_required",
    title: "Nobody is signed in, or the session has ended. Sign in, then try again.",
  });
}
