/**
 * better-auth, set up for staff: e-mail and password, a second factor for those who want it, sessions in the database
 * (schema `auth`), nobody signs up by himself.
 *
 * Owns the options, from which migrations 0004 and 0021 were generated; a test asserts that nothing is missing there.
 * Promises cookies that only this host receives: `__Host-` and `Secure` under https, plain and host-only on a laptop's
 * http. Which clinic and role a person has is in accounts.ts.
 */
import { type BetterAuthOptions, betterAuth } from "better-auth";
import { APIError } from "better-auth/api";
import { twoFactor } from "better-auth/plugins/two-factor";
import type pg from "pg";
import { type Log, logEvent } from "../log.ts";
import { switchClinic } from "./switch-clinic.ts";

const DAY_SECONDS = 24 * 60 * 60;
/** After this a person signs in again. */
const SESSION_DAYS = 7;
export const PASSWORD_MIN_CHARACTERS = 12;
export const PASSWORD_MAX_CHARACTERS = 128;
/** Per client address and minute; a clinic's whole staff may arrive behind one address in the morning. */
export const SIGN_INS_PER_MINUTE_MAX = 20;
const OTHER_CALLS_PER_MINUTE_MAX = 100;
/** How long a link to a new password is good for. */
export const RESET_LINK_MINUTES = 30;
const TRUSTED_DEVICE_DAYS = 30;
/** Between the password and the code. */
const SECOND_STEP_MINUTES = 10;
/** Wrong codes in a row for one account, on whatever device; then it is closed for a while. */
export const WRONG_CODES_MAX = 10;
export const WRONG_CODES_WAIT_SECONDS = 15 * 60;
const MINUTE_SECONDS = 60;

/** Set by our own server from the connection, whatever the client sends under this name. */
export const CLIENT_IP_HEADER = "x-hookwell-client-ip";

export interface AuthOptions {
  /** The pool of role `hookwell_auth`. */
  readonly pool: pg.Pool;
  /** Signs the session cookies. */
  readonly secret: string;
  readonly publicUrl: string;
  readonly log: Log;
  /** The clinic a new session begins in; null where the person has none (any more). */
  firstClinicOf(userId: string): Promise<number | null>;
  /** Whether the person belongs to the clinic now. */
  belongs(userId: string, clinicId: number): Promise<boolean>;
  /** Whether this code of an authenticator app opens for the first time. */
  isFresh(userId: string, code: string): Promise<boolean>;
  /** After a password was set anew or changed. */
  onNewPassword(userId: string): Promise<void>;
}

export type Auth = ReturnType<typeof createAuth>;

/** The library, ready to use. It dials the database at the first call. */
export function createAuth(options: AuthOptions) {
  return betterAuth(authOptions(options));
}

/** For the test that compares them with the migrations. */
export function authOptions(options: AuthOptions) {
  const { pool, secret, publicUrl, log } = options;
  return {
    appName: "Hookwell",
    baseURL: publicUrl,
    basePath: "/api/auth",
    secret,
    trustedOrigins: [publicUrl],
    database: pool,
    telemetry: { enabled: false },
    logger: quietLogger(log),
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: PASSWORD_MIN_CHARACTERS,
      maxPasswordLength: PASSWORD_MAX_CHARACTERS,
      revokeSessionsOnPasswordReset: true,
      onPasswordReset: async ({ user }) => options.onNewPassword(user.id),
    },
    // Links and trusted devices are looked up by the hash of what is in the letter or the cookie.
    verification: { storeIdentifier: "hashed" },
    session: {
      expiresIn: SESSION_DAYS * DAY_SECONDS,
      disableSessionRefresh: true,
      additionalFields: { activeClinicId: { type: "string", required: false, input: false } },
    },
    databaseHooks: { session: { create: { before: sessionHook(options) } } },
    plugins: [secondFactor(), switchClinic(options.belongs)],
    rateLimit: {
      enabled: true,
      storage: "database",
      window: MINUTE_SECONDS,
      max: OTHER_CALLS_PER_MINUTE_MAX,
      customRules: {
        "/sign-in/email": PASSWORDS_PER_ADDRESS,
        "/two-factor/*": PASSWORDS_PER_ADDRESS,
        "/change-password": PASSWORDS_PER_ADDRESS,
        "/reset-password": PASSWORDS_PER_ADDRESS,
        "/get-session": false,
      },
    },
    advanced: cookieOptions(publicUrl),
  } satisfies BetterAuthOptions;
}

const PASSWORDS_PER_ADDRESS = { window: MINUTE_SECONDS, max: SIGN_INS_PER_MINUTE_MAX };

function quietLogger(log: Log): NonNullable<BetterAuthOptions["logger"]> {
  return {
    level: "warn",
    // Its messages and values may hold a person's e-mail address: only that something happened is noted, and the error.
    log: (level, _message, ...values) => {
      const err = values.find((value) => value instanceof Error);
      const what = err === undefined ? { outcome: "no details kept" } : { err };
      logEvent(log, "accounts.library", what, level === "error" ? "error" : "warn");
    },
  };
}

function secondFactor() {
  return twoFactor({
    issuer: "Hookwell",
    trustDeviceMaxAge: TRUSTED_DEVICE_DAYS * DAY_SECONDS,
    twoFactorCookieMaxAge: SECOND_STEP_MINUTES * MINUTE_SECONDS,
    accountLockout: { maxFailedAttempts: WRONG_CODES_MAX, durationSeconds: WRONG_CODES_WAIT_SECONDS },
  });
}

/** What the library tells of the request in which a session begins. */
interface SessionContext {
  readonly path?: string;
  readonly body?: { readonly code?: unknown };
  readonly context?: { readonly session?: { readonly session?: { readonly activeClinicId?: string | null } } | null };
}

/** A new session begins in the clinic of the one it follows, and no code of an authenticator app begins two. */
function sessionHook({ firstClinicOf, isFresh }: AuthOptions) {
  return async (session: { userId: string; activeClinicId?: string | null }, context: unknown) => {
    const { path, body, context: inner } = (context ?? {}) as SessionContext;
    if (path === "/two-factor/verify-totp" && !(await isFresh(session.userId, String(body?.code)))) {
      throw new APIError("UNAUTHORIZED", { code: "INVALID_CODE", message: "This code was used before." });
    }
    const before = session.activeClinicId ?? inner?.session?.session?.activeClinicId ?? null;
    const clinicId = before ?? (await firstClinicOf(session.userId));
    return { data: { ...session, activeClinicId: clinicId === null ? null : String(clinicId) } };
  };
}

function cookieOptions(publicUrl: string): NonNullable<BetterAuthOptions["advanced"]> {
  const isHttps = publicUrl.startsWith("https:");
  return {
    cookiePrefix: isHttps ? "__Host-hookwell" : "hookwell",
    // The library's own prefix would be the weaker `__Secure-`.
    useSecureCookies: false,
    defaultCookieAttributes: { httpOnly: true, sameSite: "lax", path: "/", secure: isHttps },
    ipAddress: { ipAddressHeaders: [CLIENT_IP_HEADER] },
  };
}
