/**
 * Credits: value that a patient holds and can pay with.
 *
 * Owns the rows of `credits` (with review.ts, which keeps them true to the money behind them). Promises: value is drawn by
 * its holder only, in its own currency, while it is open and not expired, and never below zero, whoever else draws at the
 * same moment: the row is locked first and the table has a check. What is given back returns to the credit that it came
 * from, so that value never becomes cash. Expiry is read from the calendar each time; nothing has to run for it.
 */
import { sql } from "kysely";
import type { Tx } from "../../db/schema.ts";
import { conflict, invalid, notFound } from "../../errors.ts";
import type { CreditKind, CreditSource } from "../billing/credit-source.ts";
import { type ClinicContext, getClinic } from "../clinics.ts";
import { byUrgency, isExpired } from "./rules.ts";

/** Nobody holds that many; it keeps one statement short. */
const USABLE_MAX_CREDITS = 500;

export interface CreditRow {
  readonly id: number;
  readonly kind: CreditKind;
  /** The record that it was bought by; null once that was deleted. */
  readonly invoiceId: number | null;
  /** Who holds it; null while a gift certificate is not redeemed. */
  readonly clientId: number | null;
  readonly name: string;
  readonly currency: string;
  readonly valueMinor: number;
  readonly entitledMinor: number;
  readonly drawnMinor: number;
  readonly expiresAfterDays: number | null;
  /** The last day on which it can be used, `YYYY-MM-DD` by the clinic's calendar. */
  readonly expiresOn: string | null;
  readonly openedAt: Temporal.Instant | null;
}

const CREDIT = [
  "id",
  "kind",
  "invoice_id as invoiceId",
  "client_id as clientId",
  "name",
  "currency",
  "value_minor as valueMinor",
  "entitled_minor as entitledMinor",
  "drawn_minor as drawnMinor",
  "expires_after_days as expiresAfterDays",
  "expires_on as expiresOn",
  "opened_at as openedAt",
] as const;

export interface NewCredit {
  readonly kind: CreditKind;
  /** The record that pays for it; it opens when that is settled in full. One credit a record. */
  readonly invoiceId: number;
  /** null for a gift certificate, which nobody has redeemed yet. */
  readonly clientId: number | null;
  readonly name: string;
  readonly currency: string;
  /** More than zero. */
  readonly valueMinor: number;
  /** Counted from the day on which it opens. */
  readonly expiresAfterDays?: number | null | undefined;
  readonly expiresOn?: string | null | undefined;
}

/**
 * Stores a credit that is still closed, beside its record and in the same transaction; the review at the end of the
 * transaction opens it when the record is settled. Returns its id.
 */
export async function addCredit(tx: Tx, clinicId: number, credit: NewCredit): Promise<number> {
  const { id } = await tx
    .insertInto("credits")
    .values({
      clinic_id: clinicId,
      kind: credit.kind,
      invoice_id: credit.invoiceId,
      client_id: credit.clientId,
      name: credit.name,
      currency: credit.currency,
      value_minor: credit.valueMinor,
      expires_after_days: credit.expiresAfterDays ?? null,
      expires_on: credit.expiresOn ?? null,
      opened_at: null,
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  return id;
}

/** The credit that a record pays for, or undefined. */
export function findCreditOf(tx: Tx, clinicId: number, invoiceId: number): Promise<CreditRow | undefined> {
  const found = tx
    .selectFrom("credits")
    .select(CREDIT)
    .where("clinic_id", "=", clinicId)
    .where("invoice_id", "=", invoiceId);
  return found.executeTakeFirst();
}

/** The credits of these records, locked in the order of their ids. */
export function lockCreditsOf(tx: Tx, clinicId: number, invoiceIds: readonly number[]): Promise<CreditRow[]> {
  return tx
    .selectFrom("credits")
    .select(CREDIT)
    .where("clinic_id", "=", clinicId)
    .where("invoice_id", "=", sql<number>`any(${[...invoiceIds]}::bigint[])`)
    .orderBy("id")
    .forNoKeyUpdate()
    .execute();
}

/** What a patient can pay with today, in any currency: first what expires first. Empty for a patient of nobody's. */
export async function listUsableCredits(tx: Tx, context: ClinicContext, clientId: number): Promise<CreditRow[]> {
  const open = usableOn(tx, context.clinicId, await clinicToday(tx, context));
  return (await open.where("client_id", "=", clientId).execute()).toSorted(byUrgency);
}

/** Today by the clinic's calendar. */
export async function clinicToday(tx: Tx, { clinicId, outbox }: ClinicContext): Promise<Temporal.PlainDate> {
  const { timeZone } = await getClinic(tx, clinicId);
  return outbox.clock.now().toZonedDateTimeISO(timeZone).toPlainDate();
}

function usableOn(tx: Tx, clinicId: number, today: Temporal.PlainDate) {
  return tx
    .selectFrom("credits")
    .select(CREDIT)
    .where("clinic_id", "=", clinicId)
    .where(sql<boolean>`drawn_minor < entitled_minor`)
    .where(sql<boolean>`(expires_on is null or expires_on >= ${today.toString()}::date)`)
    .orderBy("id")
    .limit(USABLE_MAX_CREDITS);
}

export function remainingMinor({ entitledMinor, drawnMinor }: Pick<CreditRow, "entitledMinor" | "drawnMinor">): number {
  return entitledMinor - drawnMinor;
}

/** The patients' credits as billing draws on them, within one transaction. */
export function creditSource(tx: Tx, context: ClinicContext): CreditSource {
  const { clinicId } = context;
  return {
    async usable({ clientId, currency }) {
      const open = usableOn(tx, clinicId, await clinicToday(tx, context));
      // Locked, so that what is seen here can still be drawn a statement later.
      const rows = await open
        .where("client_id", "=", clientId)
        .where("currency", "=", currency)
        .forNoKeyUpdate()
        .execute();
      return rows
        .toSorted(byUrgency)
        .map((row) => ({ id: row.id, kind: row.kind, remainingMinor: remainingMinor(row) }));
    },
    async lock({ creditIds, usableBy }) {
      const { clientId = null, currency = null } = usableBy ?? {};
      const usable = sql`client_id = ${clientId} and currency = ${currency} and drawn_minor < entitled_minor`;
      await tx
        .selectFrom("credits")
        .select("id")
        .where("clinic_id", "=", clinicId)
        .where(sql<boolean>`(id = any(${[...creditIds]}::bigint[]) or (${usable}))`)
        .orderBy("id")
        .forNoKeyUpdate()
        .execute();
    },
    async draw({ creditId, clientId, currency, totalMinor }) {
      const credit = await lockCredit(tx, clinicId, creditId);
      if (credit === undefined || credit.clientId !== clientId) throw notFound("the credit", "credit_id");
      refuseUnusable(credit, { currency, totalMinor, today: await clinicToday(tx, context) });
      await moveDrawn(tx, clinicId, { creditId, byMinor: totalMinor });
      return credit.kind;
    },
    giveBack: ({ creditId, totalMinor }) => moveDrawn(tx, clinicId, { creditId, byMinor: -totalMinor }),
  };
}

interface Wanted {
  readonly currency: string;
  readonly totalMinor: number;
  readonly today: Temporal.PlainDate;
}

function refuseUnusable(credit: CreditRow, { currency, totalMinor, today }: Wanted): void {
  if (credit.currency !== currency) {
    const words = `This credit is in ${credit.currency.toUpperCase()}. Choose one in the currency of the invoice.`;
    throw invalid("credit_id", words, "currency");
  }
  if (credit.entitledMinor === 0) {
    throw conflict("credit_not_paid", "This credit is not paid for yet. Settle its own record first.", "credit_id");
  }
  if (isExpired(credit.expiresOn, today)) {
    throw conflict("credit_expired", `This credit expired after ${credit.expiresOn}. Choose another one.`, "credit_id");
  }
  if (totalMinor > remainingMinor(credit)) {
    throw conflict("credit_too_small", "This credit holds less than that. Take at most what remains of it.", "total");
  }
}

/** The credit, its row locked. */
export function lockCredit(tx: Tx, clinicId: number, id: number): Promise<CreditRow | undefined> {
  const found = tx.selectFrom("credits").select(CREDIT).where("clinic_id", "=", clinicId).where("id", "=", id);
  return found.forNoKeyUpdate().executeTakeFirst();
}

/** Gives a credit to a patient, who holds it from now on. Its row must be locked. */
export async function setHolder(
  tx: Tx,
  clinicId: number,
  { creditId, clientId }: { readonly creditId: number; readonly clientId: number },
): Promise<void> {
  await tx
    .updateTable("credits")
    .set({ client_id: clientId })
    .where("clinic_id", "=", clinicId)
    .where("id", "=", creditId)
    .execute();
}

/** @throws when the table's check forbids it, which a command should have refused before */
async function moveDrawn(tx: Tx, clinicId: number, move: { creditId: number; byMinor: number }): Promise<void> {
  const { numUpdatedRows } = await tx
    .updateTable("credits")
    .set({ drawn_minor: sql<number>`drawn_minor + ${move.byMinor}` })
    .where("clinic_id", "=", clinicId)
    .where("id", "=", move.creditId)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows !== 1n) throw new Error(`credit ${move.creditId} does not exist`);
}
