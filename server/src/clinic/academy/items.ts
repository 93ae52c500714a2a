/**
 * Courses and webinars: what Clinic Academy offers.
 *
 * Owns the rows of `academy_items`. Promises that an item's type and currency never change, and that changing one sends
 * nothing (contract §1). Courses and webinars share their ids. One that is not offered any more stays open to whoever has it
 * and to the memberships that include it.
 */
import type { ResourceType } from "@hookwell/sdk";
import { sql } from "kysely";
import type { Tx } from "../../db/schema.ts";
import { conflict, invalid, notFound } from "../../errors.ts";
import { currencyExponent, readTaxRate, toMinor } from "../billing/money.ts";
import { type Clinic, getClinic } from "../clinics.ts";
import { cleanName } from "../names.ts";
import type { ListById } from "../people.ts";
import { readTime } from "../times.ts";

export interface ItemRow {
  readonly id: number;
  readonly type: ResourceType;
  readonly name: string;
  readonly priceMinor: number;
  readonly taxRateThousandths: number;
  readonly currency: string;
  /** Of a webinar; null while no time is fixed. */
  readonly startsAt: Temporal.Instant | null;
  /** It can be sold and granted at the desk. */
  readonly active: boolean;
  /** How many patients have access now. */
  readonly participants: number;
}

/** Amounts are in major units, the tax rate in percent. */
export interface NewItem {
  readonly type: ResourceType;
  readonly name: string;
  readonly price: number;
  readonly taxRate?: number | undefined;
  /** The clinic's where absent. */
  readonly currency?: string | undefined;
  /** Of a webinar: an RFC 3339 time, or a wall time of the clinic. */
  readonly startsAt?: string | null | undefined;
  readonly active?: boolean | undefined;
}

/** What is absent stays as it is. */
export type ItemChange = { readonly [Key in Exclude<keyof NewItem, "type" | "currency">]?: NewItem[Key] | undefined };

/** An item of one type; the id of the other type's is not found. */
export interface ItemKey {
  readonly clinicId: number;
  readonly type: ResourceType;
  readonly id: number;
}

/** The clinic's settings. @throws ProblemError 409 `no_academy` where it has none */
export async function requireAcademy(tx: Tx, clinicId: number): Promise<Clinic> {
  const clinic = await getClinic(tx, clinicId);
  if (clinic.hasAcademy) return clinic;
  throw conflict(
    "no_academy",
    "Courses and webinars need Clinic Academy, which this clinic does not have. Ask whoever runs Hookwell to add it.",
  );
}

/** @throws ProblemError naming the field; 409 `no_academy` */
export async function addItem(tx: Tx, clinicId: number, item: NewItem): Promise<ItemRow> {
  const clinic = await requireAcademy(tx, clinicId);
  const { type } = item;
  const currency = item.currency ?? clinic.currency;
  currencyExponent(currency);
  const { id } = await tx
    .insertInto("academy_items")
    .values({
      ...{ clinic_id: clinicId, type, currency },
      name: cleanName("name", item.name),
      price_minor: toMinor("price", item.price, currency),
      tax_rate_thousandths: readTaxRate("tax_rate", item.taxRate ?? 0),
      starts_at: readStart(item.startsAt ?? null, { type, timeZone: clinic.timeZone }),
      active: item.active ?? true,
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  return getItem(tx, { clinicId, type, id });
}

/** @throws ProblemError naming the field, 404, or 409 `no_academy` */
export async function changeItem(tx: Tx, key: ItemKey, change: ItemChange): Promise<ItemRow> {
  const { clinicId, id, type } = key;
  const { timeZone } = await requireAcademy(tx, clinicId);
  const { currency } = await getItem(tx, key);
  const { name, price, taxRate, startsAt, active } = change;
  const values = {
    ...(name === undefined ? {} : { name: cleanName("name", name) }),
    ...(price === undefined ? {} : { price_minor: toMinor("price", price, currency) }),
    ...(taxRate === undefined ? {} : { tax_rate_thousandths: readTaxRate("tax_rate", taxRate) }),
    ...(startsAt === undefined ? {} : { starts_at: readStart(startsAt, { type, timeZone }) }),
    ...(active === undefined ? {} : { active }),
  };
  if (Object.keys(values).length > 0) {
    await tx.updateTable("academy_items").set(values).where("clinic_id", "=", clinicId).where("id", "=", id).execute();
  }
  return getItem(tx, key);
}

/** @throws ProblemError 404, naming `field` where the id stood in the body */
export async function getItem(tx: Tx, { clinicId, type, id }: ItemKey, field?: string): Promise<ItemRow> {
  const found = itemRows(tx, clinicId).where("i.id", "=", id).where("i.type", "=", type);
  return found.executeTakeFirstOrThrow(() => notFound(`the ${type}`, field));
}

export interface ListItems extends ListById {
  readonly type: ResourceType;
}

/** In the order of their ids; those that are no longer offered, too. */
export function listItems(tx: Tx, { clinicId, type, after, limit }: ListItems): Promise<ItemRow[]> {
  return itemRows(tx, clinicId)
    .where("i.type", "=", type)
    .where("i.id", ">", after ?? 0)
    .orderBy("i.id")
    .limit(limit)
    .execute();
}

function itemRows(tx: Tx, clinicId: number) {
  return tx
    .selectFrom("academy_items as i")
    .select(["i.id", "i.type", "i.name", "i.price_minor as priceMinor", "i.currency", "i.active"])
    .select(["i.tax_rate_thousandths as taxRateThousandths", "i.starts_at as startsAt"])
    .select(
      sql<number>`(select count(*) from academy_places p
        where p.clinic_id = i.clinic_id and p.item_id = i.id and p.participant_since is not null)`.as("participants"),
    )
    .where("i.clinic_id", "=", clinicId);
}

function readStart(
  text: string | null,
  { type, timeZone }: { readonly type: ResourceType; readonly timeZone: string },
): Temporal.Instant | null {
  if (text === null) return null;
  if (type === "webinar") return readTime("starts_at", text, timeZone);
  throw invalid("starts_at", "A course has no time at which it starts. Leave it out.", "unknown_field");
}
