/**
 * better-auth, set up for staff: e-mail and password, sessions in the database (schema `auth`), nobody signs up by himself.
 *
 * Owns the options, from which migrations/0004_accounts.sql was generated; a test asserts that nothing is missing there.
 * Promises cookies that only this host receives: `__Host-` and `Secure` under https, plain and host-only on a laptop's
 * http. Which clinic and role a person has is in accounts.ts.
 */
import { type BetterAuthOptions, betterAuth } from "better-auth";
import type pg from "pg";
import { type Log, logEvent } from "../log.ts";

const DAY_SECONDS = 24 * 60 * 60;
/** After this a person signs in again. */
const SESSION_DAYS = 7;
export const PASSWORD_MIN_CHARACTERS = 12;
export const PASSWORD_MAX_CHARACTERS = 128;
/** Per client address and minute; a clinic's whole staff may arrive behind one address in the morning. */
export const SIGN_INS_PER_MINUTE_MAX = 20;
const OTHER_CALLS_PER_MINUTE_MAX = 100;
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
}

export type Auth = ReturnType<typeof createAuth>;

/** The library, ready to use. It dials the database at the first call. */
export function createAuth(options: AuthOptions) {
  return betterAuth(authOptions(options));
}

/** For the test that compares them with the migration. */
export function authOptions({ pool, secret, publicUrl, log, firstClinicOf }: AuthOptions) {
  const isHttps = publicUrl.startsWith("https:");
  return {
    appName: "Hookwell",
    baseURL: publicUrl,
    basePath: "/api/auth",
    secret,
    trustedOrigins: [publicUrl],
    database: pool,
    telemetry: { enabled: false },
    logger: {
      level: "warn",
      // Its messages and values may hold a person's e-mail address: only that something happened is noted, and the error.
      log: (level, _message, ...values) => {
        const err = values.find((value) => value instanceof Error);
        const what = err === undefined ? { outcome: "no details kept" } : { err };
        logEvent(log, "accounts.library", what, level === "error" ? "error" : "warn");
      },
    },
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: PASSWORD_MIN_CHARACTERS,
      maxPasswordLength: PASSWORD_MAX_CHARACTERS,
    },
    session: {
      expiresIn: SESSION_DAYS * DAY_SECONDS,
      disableSessionRefresh: true,
      additionalFields: { activeClinicId: { type: "string", required: false, input: false } },
    },
    databaseHooks: {
      session: {
        create: {
          before: async (session) => {
            const clinicId = await firstClinicOf(session.userId);
            return { data: { ...session, activeClinicId: clinicId === null ? null : String(clinicId) } };
          },
        },
      },
    },
    rateLimit: {
      enabled: true,
      storage: "database",
      window: MINUTE_SECONDS,
      max: OTHER_CALLS_PER_MINUTE_MAX,
      customRules: {
        "/sign-in/email": { window: MINUTE_SECONDS, max: SIGN_INS_PER_MINUTE_MAX },
        "/get-session": false,
      },
    },
    advanced: {
      cookiePrefix: isHttps ? "__Host-hookwell" : "hookwell",
      // The library's own prefix would be the weaker `__Secure-`.
      useSecureCookies: false,
      defaultCookieAttributes: { httpOnly: true, sameSite: "lax", path: "/", secure: isHttps },
      ipAddress: { ipAddressHeaders: [CLIENT_IP_HEADER] },
    },
  } satisfies BetterAuthOptions;
}
