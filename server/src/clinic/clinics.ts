/**
 * Clinics: who a tenant is, and the settings that everything else reads.
 *
 * Owns the rows of `clinics`. Promises that each clinic has a sealing key of its own and an inbox address that cannot be
 * guessed, and a portal name that no other clinic has. Creating one is the operator's act, done through the owner's pool; a
 * clinic's staff can only read its row.
 */
import { randomBytes } from "node:crypto";
import type { Kysely } from "kysely";
import type { Database, Db } from "../db/schema.ts";
import { invalid } from "../errors.ts";
import type { OutboxContext } from "../outbox/emit.ts";
import type { Seal } from "../seal/seal.ts";
import { currencyExponent } from "./billing/money.ts";
import { cleanName } from "./names.ts";
import { portalNames } from "./portal/portal-names.ts";

/** 192 bits, 32 characters in the address. */
const INBOX_TOKEN_BYTES = 24;

type Locale = "en" | "fr-CA";

export interface Clinic {
  readonly id: number;
  readonly name: string;
  /** IANA name, such as America/Toronto. */
  readonly timeZone: string;
  /** Lower-case ISO 4217. */
  readonly currency: string;
  readonly hasAcademy: boolean;
  readonly locale: Locale;
  /** Its portal is at /portal/<portalName>. */
  readonly portalName: string;
}

/** For whom a command acts, and what it needs to emit. */
export interface ClinicContext {
  readonly clinicId: number;
  readonly outbox: OutboxContext;
  /** Makes no events: a bulk import that was not asked to send any (contract §1, §3 rule 8). */
  readonly silent?: boolean | undefined;
}

export interface NewClinic {
  readonly name: string;
  readonly timeZone: string;
  readonly currency?: string;
  readonly locale?: Locale;
  readonly hasAcademy?: boolean;
}

/**
 * Creates a clinic with a data key and an inbox token of its own.
 * @param owner the owner's Kysely: the clinics' own role may not insert here
 * @throws ProblemError naming `name`, `time_zone` or `currency`
 */
export async function createClinic(owner: Db, seal: Seal, clinic: NewClinic): Promise<Clinic> {
  const values = {
    name: cleanName("name", clinic.name),
    time_zone: checkTimeZone(clinic.timeZone),
    currency: checkCurrency(clinic.currency ?? "cad"),
    locale: clinic.locale ?? "en",
    has_academy: clinic.hasAcademy ?? false,
    inbox_token: randomBytes(INBOX_TOKEN_BYTES).toString("base64url"),
    ...seal.newDataKey(),
  };
  for (const portal_name of portalNames(values.name)) {
    const row = await owner
      .insertInto("clinics")
      .values({ ...values, portal_name })
      .onConflict((taken) => taken.column("portal_name").doNothing())
      .returning(COLUMNS)
      .executeTakeFirst();
    if (row !== undefined) return toClinic(row);
  }
  throw new Error("every portal name that was tried is taken");
}

const COLUMNS = ["id", "name", "time_zone", "currency", "locale", "has_academy", "portal_name"] as const;

/** The clinic's settings. @throws when it does not exist: an id of a clinic comes from a credential, never from input */
export async function getClinic(db: Kysely<Database>, clinicId: number): Promise<Clinic> {
  const row = await db.selectFrom("clinics").select(COLUMNS).where("id", "=", clinicId).executeTakeFirst();
  if (row === undefined) throw new Error(`clinic ${clinicId} does not exist or is not the transaction's own`);
  return toClinic(row);
}

interface ClinicRow {
  readonly id: number;
  readonly name: string;
  readonly time_zone: string;
  readonly currency: string;
  readonly locale: Locale;
  readonly has_academy: boolean;
  readonly portal_name: string;
}

function toClinic({ id, name, time_zone, currency, locale, has_academy, portal_name }: ClinicRow): Clinic {
  return { id, name, timeZone: time_zone, currency, hasAcademy: has_academy, locale, portalName: portal_name };
}

/** An IANA name. A fixed offset would know no daylight saving, so it is refused. */
function checkTimeZone(timeZone: string): string {
  try {
    if (/^[A-Za-z]/.test(timeZone)) return new Temporal.ZonedDateTime(0n, timeZone).timeZoneId;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw invalid("time_zone", "This time zone is not known. Write an IANA name like America/Toronto.", "time_zone");
}

function checkCurrency(currency: string): string {
  currencyExponent(currency);
  return currency;
}
