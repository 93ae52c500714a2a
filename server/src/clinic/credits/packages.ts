/**
 * Packages: what a clinic offers for sale as value paid in advance.
 *
 * Owns the rows of `packages`. Promises that a change holds for later sales only: what was sold keeps the name, the value
 * and the term it was sold with. Defining and changing one sends nothing. Selling one is in package-sales.ts.
 */
import type { Tx } from "../../db/schema.ts";
import { invalid, notFound } from "../../errors.ts";
import { currencyExponent, readTaxRate, toMinor } from "../billing/money.ts";
import { getClinic } from "../clinics.ts";
import { cleanName } from "../names.ts";
import type { ListById } from "../people.ts";

/** Ten years. */
const EXPIRY_MAX_DAYS = 3_650;

export interface PackageRow {
  readonly id: number;
  readonly name: string;
  readonly currency: string;
  readonly priceMinor: number;
  readonly valueMinor: number;
  readonly taxRateThousandths: number;
  /** Days after the day it opens; null where the value never expires. */
  readonly expiresAfterDays: number | null;
  /** It can be sold. */
  readonly active: boolean;
}

/** Amounts in major units, rates in percent, as they come in; the names of fields in refusals are the API's. */
export interface NewPackage {
  readonly name: string;
  readonly price: number;
  /** How much of invoices it can pay; it may be more than the price. */
  readonly value: number;
  readonly taxRate?: number | undefined;
  /** The clinic's, where absent. */
  readonly currency?: string | undefined;
  readonly expiresAfterDays?: number | null | undefined;
  readonly active?: boolean | undefined;
}

const PACKAGE = [
  "id",
  "name",
  "currency",
  "price_minor as priceMinor",
  "value_minor as valueMinor",
  "tax_rate_thousandths as taxRateThousandths",
  "expires_after_days as expiresAfterDays",
  "active",
] as const;

/** @throws ProblemError naming `name`, `price`, `value`, `tax_rate`, `currency` or `expires_after_days` */
export async function addPackage(tx: Tx, clinicId: number, wanted: NewPackage): Promise<PackageRow> {
  const currency = wanted.currency ?? (await getClinic(tx, clinicId)).currency;
  currencyExponent(currency);
  const values = {
    clinic_id: clinicId,
    name: cleanName("name", wanted.name),
    currency,
    price_minor: toMinor("price", wanted.price, currency),
    value_minor: readValue(wanted.value, currency),
    tax_rate_thousandths: readTaxRate("tax_rate", wanted.taxRate ?? 0),
    expires_after_days: checkExpiry(wanted.expiresAfterDays ?? null),
    active: wanted.active ?? true,
  };
  return tx.insertInto("packages").values(values).returning(PACKAGE).executeTakeFirstOrThrow();
}

/** What is absent stays as it is. The currency stays in any case: other prices are another package. */
export interface ChangePackage {
  readonly clinicId: number;
  readonly id: number;
  readonly change: { readonly [Key in keyof Omit<NewPackage, "currency">]?: NewPackage[Key] | undefined };
}

/** @throws ProblemError naming the field, or 404 */
export async function changePackage(tx: Tx, { clinicId, id, change }: ChangePackage): Promise<PackageRow> {
  const { currency } = await getPackage(tx, clinicId, id);
  const { name, price, value, taxRate, expiresAfterDays, active } = change;
  const values = {
    ...(name === undefined ? {} : { name: cleanName("name", name) }),
    ...(price === undefined ? {} : { price_minor: toMinor("price", price, currency) }),
    ...(value === undefined ? {} : { value_minor: readValue(value, currency) }),
    ...(taxRate === undefined ? {} : { tax_rate_thousandths: readTaxRate("tax_rate", taxRate) }),
    ...(expiresAfterDays === undefined ? {} : { expires_after_days: checkExpiry(expiresAfterDays) }),
    ...(active === undefined ? {} : { active }),
  };
  if (Object.keys(values).length > 0) {
    await tx.updateTable("packages").set(values).where("clinic_id", "=", clinicId).where("id", "=", id).execute();
  }
  return getPackage(tx, clinicId, id);
}

/** @throws ProblemError 404 */
export async function getPackage(tx: Tx, clinicId: number, id: number): Promise<PackageRow> {
  const found = tx.selectFrom("packages").select(PACKAGE).where("clinic_id", "=", clinicId).where("id", "=", id);
  return found.executeTakeFirstOrThrow(() => notFound("the package"));
}

/** In the order of their ids; those that are no longer sold, too. */
export async function listPackages(tx: Tx, page: ListById): Promise<PackageRow[]> {
  return tx
    .selectFrom("packages")
    .select(PACKAGE)
    .where("clinic_id", "=", page.clinicId)
    .where("id", ">", page.after ?? 0)
    .orderBy("id")
    .limit(page.limit)
    .execute();
}

/** The value of a credit: an amount above zero. @throws ProblemError naming `value` */
export function readValue(value: number, currency: string): number {
  const minor = toMinor("value", value, currency);
  if (minor > 0) return minor;
  throw invalid("value", "A value is more than zero. Write how much it can pay.", "too_small");
}

function checkExpiry(days: number | null): number | null {
  if (days === null || (Number.isInteger(days) && days >= 1 && days <= EXPIRY_MAX_DAYS)) return days;
  throw invalid(
    "expires_after_days",
    `A term is from 1 to ${EXPIRY_MAX_DAYS} whole days. Leave it out for value that never expires.`,
    "day_range",
  );
}
