/**
 * Invoice numbers: unique in a clinic across all four types (contract §4).
 *
 * Owns the counter rows and the form of a number that a person gives. Promises that a number that we give was never used
 * before, and that one a person gives is used once; not that there are no gaps.
 */
import type { InvoiceType } from "@hookwell/sdk";
import { sql } from "kysely";
import { conflict, invalid } from "../../errors.ts";
import { cleanName } from "../names.ts";
import type { InvoiceChanges } from "./invoice-changes.ts";

const NUMBER_MAX_CHARACTERS = 60;
const NUMBER_DIGITS = 5;

const PREFIXES: Readonly<Record<InvoiceType, string>> = {
  patient_invoice: "INV-",
  clinic_package: "PKG-",
  clinic_package_membership: "MEM-",
  clinic_package_gift_certificate: "GIFT-",
};

/**
 * The next free number of the type, however many are taken before it. The counter's row is locked until the transaction ends.
 * Who gives a number by hand is not stopped by that: he may take this one before it is stored.
 */
export async function nextNumber(invoices: InvoiceChanges, type: InvoiceType): Promise<string> {
  const number = numberText(type, await count(invoices, type));
  return (await isTaken(invoices, number)) ? numberText(type, await passTaken(invoices, type)) : number;
}

function numberText(type: InvoiceType, number: number): string {
  return `${PREFIXES[type]}${String(number).padStart(NUMBER_DIGITS, "0")}`;
}

async function count({ tx, clinicId }: InvoiceChanges, type: InvoiceType): Promise<number> {
  const { rows } = await sql<{ number: number }>`
    insert into invoice_numbers as n (clinic_id, type, last_number) values (${clinicId}, ${type}, 1)
    on conflict (clinic_id, type) do update set last_number = n.last_number + 1
    returning last_number as number`.execute(tx);
  return counted(type, rows);
}

/** Moves the counter from a number that is taken to the first one behind it that is not, in one reading of the numbers. */
async function passTaken({ tx, clinicId }: InvoiceChanges, type: InvoiceType): Promise<number> {
  // As numberText writes them: INV-7 and INV-000007 take nothing from INV-00007. With 16 digits, a number is no safe integer.
  const ours = `^${PREFIXES[type]}([0-9]{${NUMBER_DIGITS}}|[1-9][0-9]{${NUMBER_DIGITS},14})$`;
  const { rows } = await sql<{ number: number }>`
    update invoice_numbers as n set last_number = coalesce((
      select min(number) + 1 from (
        select number, lead(number) over (order by number) as following from (
          select substring(invoice_number from ${ours}::text)::bigint as number
          from invoices where clinic_id = ${clinicId}) own
        where number >= n.last_number) taken
      where following is distinct from number + 1), n.last_number)
    where clinic_id = ${clinicId} and type = ${type}
    returning last_number as number`.execute(tx);
  return counted(type, rows);
}

function counted(type: InvoiceType, [row]: readonly { readonly number: number }[]): number {
  if (row === undefined) throw new Error(`the counter of ${type} gave no number`);
  return row.number;
}

/** Digits of a number that looks like one of ours and is counted on from; with more, somebody meant something else. */
const COUNTED_DIGITS_MAX = 9;

/**
 * Counts on after records that came with numbers like ours, as from another system: the next one need not be looked for among
 * thousands that are taken. The counter's row is locked until the transaction ends.
 */
export async function countOnAfter(
  { tx, clinicId }: Pick<InvoiceChanges, "tx" | "clinicId">,
  type: InvoiceType,
  numbers: readonly string[],
): Promise<void> {
  const ours = new RegExp(`^${PREFIXES[type]}(\\d{1,${COUNTED_DIGITS_MAX}})$`);
  const highest = numbers.reduce((most, number) => Math.max(most, Number(ours.exec(number)?.[1] ?? 0)), 0);
  if (highest === 0) return;
  await sql`
    insert into invoice_numbers as n (clinic_id, type, last_number) values (${clinicId}, ${type}, ${highest})
    on conflict (clinic_id, type) do update set last_number = greatest(n.last_number, excluded.last_number)`.execute(
    tx,
  );
}

/** A number that a person gives, trimmed. @throws ProblemError naming `invoice_number`; 409 when it is in use */
export async function ownNumber(invoices: InvoiceChanges, text: string): Promise<string> {
  const number = cleanName("invoice_number", text);
  if (number.length > NUMBER_MAX_CHARACTERS) {
    const remedy = `A number has at most ${NUMBER_MAX_CHARACTERS} characters. Shorten it.`;
    throw invalid("invoice_number", remedy, "too_long");
  }
  if (await isTaken(invoices, number)) throw numberTaken();
  return number;
}

/** 409: the clinic has another record with this number. */
export function numberTaken() {
  return conflict("number_taken", "Another record has this number. Choose one that is not used yet.", "invoice_number");
}

async function isTaken({ tx, clinicId }: InvoiceChanges, number: string): Promise<boolean> {
  const other = tx.selectFrom("invoices").select("id").where("clinic_id", "=", clinicId);
  return (await other.where("invoice_number", "=", number).executeTakeFirst()) !== undefined;
}
