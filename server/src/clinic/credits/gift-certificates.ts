/**
 * Gift certificates: value that somebody buys and whoever knows the code redeems.
 *
 * Owns the rows of `gift_certificates`. Promises: its record is untaxed and bills the purchaser, always (contract §4);
 * redeeming gives the credit to one patient, once, and makes no event; the code is sealed at rest (gift-codes.ts). The
 * purchaser is nobody's second truth: it is the client of the record.
 */
import type { Tx } from "../../db/schema.ts";
import { conflict, invalid, notFound } from "../../errors.ts";
import type { ClinicSeal } from "../../seal/seal.ts";
import type { InvoiceChanges } from "../billing/invoice-changes.ts";
import { createInvoice } from "../billing/invoices.ts";
import { currencyExponent } from "../billing/money.ts";
import type { NewPayment } from "../billing/payments.ts";
import { type ClinicContext, getClinic } from "../clinics.ts";
import type { PatientRow } from "../people.ts";
import { readDate } from "../times.ts";
import { addCredit, clinicToday, lockCredit, setHolder } from "./credits.ts";
import { codePlace, hashCode, newCode, readCode } from "./gift-codes.ts";
import { readValue } from "./packages.ts";
import { type GiftCertificateState, giftCertificateState } from "./rules.ts";

/** What the record's line and the credit are called; the clinic's language decides. */
const NAMES = { en: "Gift certificate", "fr-CA": "Chèque-cadeau" } as const;

export interface GiftCertificateSale {
  readonly purchaserId: number;
  /** In major units: both what it costs and what it can pay. */
  readonly value: number;
  /** The clinic's, where absent. */
  readonly currency?: string | undefined;
  /** The last day on which it can be used, `YYYY-MM-DD`; it never expires where absent or null. */
  readonly expiresOn?: string | null | undefined;
  /** What is paid at once, in the certificate's currency. */
  readonly payments?: ((currency: string) => readonly NewPayment[]) | undefined;
}

/** Sells one; returns its id and its record's. @throws ProblemError naming the field that is wrong */
export async function sellGiftCertificate(
  invoices: InvoiceChanges,
  sale: GiftCertificateSale,
): Promise<{ id: number; invoiceId: number }> {
  const { tx, clinicId, context } = invoices;
  const clinic = await getClinic(tx, clinicId);
  const currency = sale.currency ?? clinic.currency;
  currencyExponent(currency);
  const valueMinor = readValue(sale.value, currency);
  const expiresOn = await readLastDay(tx, context, sale.expiresOn ?? null);
  const name = NAMES[clinic.locale];
  await checkPatient(tx, clinicId, { id: sale.purchaserId, field: "purchaser_id" });
  const invoiceId = await createInvoice(invoices, {
    type: "clinic_package_gift_certificate",
    clientId: sale.purchaserId,
    currency,
    lines: [{ description: name, unitPriceMinor: valueMinor, units: 1 }],
    payments: sale.payments?.(currency),
  });
  const creditId = await addCredit(tx, clinicId, {
    kind: "gift_certificate",
    invoiceId,
    clientId: null,
    name,
    currency,
    valueMinor,
    expiresOn,
  });
  const id = await storeCertificate(tx, context, creditId);
  return { id, invoiceId };
}

async function readLastDay(tx: Tx, context: ClinicContext, text: string | null): Promise<string | null> {
  if (text === null) return null;
  const day = readDate("expires_on", text);
  if (Temporal.PlainDate.compare(day, await clinicToday(tx, context)) >= 0) return day.toString();
  throw invalid("expires_on", "This day has passed. Choose today or a later day.", "day_range");
}

async function storeCertificate(tx: Tx, context: ClinicContext, creditId: number): Promise<number> {
  const code = newCode();
  const codeHash = await hashCode(tx, context, code);
  const seal = await context.outbox.seal.forClinic(tx, context.clinicId);
  const { id } = await tx
    .insertInto("gift_certificates")
    .values({
      clinic_id: context.clinicId,
      credit_id: creditId,
      code: seal.seal(codePlace(codeHash), code),
      code_hash: codeHash,
      redeemed_at: null,
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  return id;
}

/**
 * Gives the certificate's value to a patient; returns its id. Redeemed by the same patient before: nothing happens.
 * @throws ProblemError naming `code` where there is none like it; 409 unless it is paid, unexpired and nobody else's
 */
export async function redeemGiftCertificate(
  tx: Tx,
  context: ClinicContext,
  { code, patientId }: { readonly code: string; readonly patientId: number },
): Promise<number> {
  const { clinicId } = context;
  const found = await tx
    .selectFrom("gift_certificates")
    .select(["id", "credit_id as creditId"])
    .where("clinic_id", "=", clinicId)
    .where("code_hash", "=", await hashCode(tx, context, readCode("code", code)))
    .executeTakeFirst();
  // Locked, so that of two who redeem at the same moment the second one sees the first.
  const credit = found && (await lockCredit(tx, clinicId, found.creditId));
  if (found === undefined || credit?.invoiceId == null)
    throw notFound("the gift certificate", "code", "Check each letter and digit of the code.");
  await checkPatient(tx, clinicId, { id: patientId, field: "patient_id" });
  if (credit.clientId === patientId) return found.id;
  const state = giftCertificateState({ ...credit, redeemed: credit.clientId !== null }, await clinicToday(tx, context));
  if (credit.clientId !== null) throw refusalFor("redeemed");
  if (state !== "ready") throw refusalFor(state);
  await setHolder(tx, clinicId, { creditId: credit.id, clientId: patientId });
  await tx
    .updateTable("gift_certificates")
    .set({ redeemed_at: context.outbox.clock.now() })
    .where("clinic_id", "=", clinicId)
    .where("id", "=", found.id)
    .execute();
  return found.id;
}

async function checkPatient(tx: Tx, clinicId: number, { id, field }: { id: number; field: string }): Promise<void> {
  const own = tx.selectFrom("patients").select("id").where("clinic_id", "=", clinicId).where("id", "=", id);
  await own.executeTakeFirstOrThrow(() => notFound("the patient", field));
}

const WHY_NOT: Record<Exclude<GiftCertificateState, "ready">, string> = {
  unpaid: "This gift certificate is not paid for. Settle its record first.",
  redeemed: "Somebody else has redeemed this gift certificate. Check the code with the patient.",
  used: "This gift certificate is used up. Ask for another one.",
  expired: "This gift certificate has expired. Ask for another one.",
};

function refusalFor(state: Exclude<GiftCertificateState, "ready">) {
  return conflict(`gift_certificate_${state}`, WHY_NOT[state], "code");
}

export interface GiftCertificateView {
  readonly id: number;
  readonly code: string;
  readonly valueMinor: number;
  readonly remainingMinor: number;
  readonly currency: string;
  readonly purchaser: PatientRow;
  readonly redeemer: PatientRow | null;
  readonly invoiceId: number;
  readonly state: GiftCertificateState;
  readonly expiresOn: string | null;
}

/** With its code, for the eyes of the clinic's staff. @throws ProblemError 404, also once its record was deleted */
export async function getGiftCertificate(tx: Tx, context: ClinicContext, id: number): Promise<GiftCertificateView> {
  const row = await certificates(tx, context.clinicId).where("g.id", "=", id).executeTakeFirst();
  if (row === undefined) throw notFound("the gift certificate");
  return toView(await viewing(tx, context))(row);
}

export interface ListGiftCertificates {
  /** The last id of the page before. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** Newest first. */
export async function listGiftCertificates(
  tx: Tx,
  context: ClinicContext,
  { before, limit }: ListGiftCertificates,
): Promise<GiftCertificateView[]> {
  let query = certificates(tx, context.clinicId).orderBy("g.id", "desc").limit(limit);
  if (before !== undefined) query = query.where("g.id", "<", before);
  return (await query.execute()).map(toView(await viewing(tx, context)));
}

function certificates(tx: Tx, clinicId: number) {
  return tx
    .selectFrom("gift_certificates as g")
    .innerJoin("credits as c", (join) =>
      join.onRef("c.clinic_id", "=", "g.clinic_id").onRef("c.id", "=", "g.credit_id"),
    )
    .innerJoin("invoices as i", (join) =>
      join.onRef("i.clinic_id", "=", "c.clinic_id").onRef("i.id", "=", "c.invoice_id"),
    )
    .innerJoin("patients as p", (join) =>
      join.onRef("p.clinic_id", "=", "i.clinic_id").onRef("p.id", "=", "i.client_id"),
    )
    .leftJoin("patients as r", (join) =>
      join.onRef("r.clinic_id", "=", "c.clinic_id").onRef("r.id", "=", "c.client_id"),
    )
    .select(["g.id", "g.code", "g.code_hash as codeHash", "i.id as invoiceId", "c.currency"])
    .select(["c.value_minor as valueMinor", "c.entitled_minor as entitledMinor", "c.drawn_minor as drawnMinor"])
    .select(["c.expires_on as expiresOn", "p.id as purchaserId", "p.name as purchaserName"])
    .select(["p.email as purchaserEmail", "r.id as redeemerId", "r.name as redeemerName", "r.email as redeemerEmail"])
    .where("g.clinic_id", "=", clinicId);
}

interface Viewing {
  readonly seal: ClinicSeal;
  readonly today: Temporal.PlainDate;
}

async function viewing(tx: Tx, context: ClinicContext): Promise<Viewing> {
  const seal = await context.outbox.seal.forClinic(tx, context.clinicId);
  return { seal, today: await clinicToday(tx, context) };
}

type CertificateRow = NonNullable<Awaited<ReturnType<ReturnType<typeof certificates>["executeTakeFirst"]>>>;

function toView({ seal, today }: Viewing) {
  return (row: CertificateRow): GiftCertificateView => {
    const { id, valueMinor, entitledMinor, drawnMinor, currency, invoiceId, redeemerId, redeemerName } = row;
    const redeemer =
      redeemerId === null || redeemerName === null
        ? null
        : { id: redeemerId, name: redeemerName, email: row.redeemerEmail };
    return {
      id,
      code: seal.open(codePlace(row.codeHash), row.code),
      valueMinor,
      remainingMinor: entitledMinor - drawnMinor,
      currency,
      purchaser: { id: row.purchaserId, name: row.purchaserName, email: row.purchaserEmail },
      redeemer,
      invoiceId,
      state: giftCertificateState({ ...row, redeemed: redeemerId !== null }, today),
      expiresOn: row.expiresOn,
    };
  };
}
