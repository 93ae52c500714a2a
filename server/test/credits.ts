/** A clinic that sells packages and gift certificates, through the one entry that the API uses, too. */
import type { InvoiceFacts } from "@hookwell/sdk";
import type { InvoiceChanges } from "../src/clinic/billing/invoice-changes.ts";
import { createInvoice, type NewInvoice } from "../src/clinic/billing/invoices.ts";
import { addPayment, type NewPayment } from "../src/clinic/billing/payments.ts";
import { changeBilling } from "../src/clinic/billing-transaction.ts";
import { listUsableCredits } from "../src/clinic/credits/credits.ts";
import {
  type GiftCertificateView,
  getGiftCertificate,
  redeemGiftCertificate,
  sellGiftCertificate,
} from "../src/clinic/credits/gift-certificates.ts";
import { sellPackage } from "../src/clinic/credits/package-sales.ts";
import { addPackage, type NewPackage } from "../src/clinic/credits/packages.ts";
import type { TestClinic } from "./clinic.ts";

/** 500.00 and no tax buys 600.00. */
const TEN_VISITS: NewPackage = { name: "Ten visits", price: 500, value: 600 };

export class TestCredits {
  readonly clinic: TestClinic;

  constructor(clinic: TestClinic) {
    this.clinic = clinic;
  }

  /** One transaction with its unit of invoice changes, and everything that follows from it. */
  change<Result>(work: (invoices: InvoiceChanges) => Promise<Result>): Promise<Result> {
    return this.clinic.inTransaction((tx) => changeBilling(tx, this.clinic.context, work));
  }

  /** Sells a package; its record is paid in cash by `paidMinor`, 500.00 unless told. */
  async package(clientId: number, changed: Partial<NewPackage> = {}, paidMinor = 500_00): Promise<Bought> {
    const { id: packageId } = await this.clinic.inTransaction((tx) =>
      addPackage(tx, this.clinic.id, { ...TEN_VISITS, ...changed }),
    );
    const payments = paidMinor > 0 ? [cash(paidMinor)] : [];
    const invoiceId = await this.change((invoices) =>
      sellPackage(invoices, { packageId, clientId, payments: () => payments }),
    );
    return { invoiceId, creditId: await this.creditOf(invoiceId) };
  }

  /** Sells a gift certificate of 50.00; it is paid in cash unless told. */
  async giftCertificate(
    purchaserId: number,
    { paid = true, value = 50, expiresOn = null as string | null } = {},
  ): Promise<GiftCertificateView> {
    const { id } = await this.change((invoices) =>
      sellGiftCertificate(invoices, {
        purchaserId,
        value,
        expiresOn,
        payments: () => (paid ? [cash(value * 100)] : []),
      }),
    );
    return this.certificate(id);
  }

  certificate(id: number): Promise<GiftCertificateView> {
    return this.clinic.inTransaction((tx) => getGiftCertificate(tx, this.clinic.context, id));
  }

  redeem(code: string, patientId: number): Promise<number> {
    return this.clinic.inTransaction((tx) => redeemGiftCertificate(tx, this.clinic.context, { code, patientId }));
  }

  /** A patient's invoice of so much, untaxed. */
  invoice(clientId: number, totalMinor: number, changed: Partial<NewInvoice> = {}): Promise<number> {
    const lines = [{ description: "Massage", unitPriceMinor: totalMinor, units: 1 }];
    return this.change((invoices) => createInvoice(invoices, { type: "patient_invoice", clientId, lines, ...changed }));
  }

  /** Pays an invoice from a credit; returns the payment. */
  pay(invoiceId: number, credit: Pick<NewPayment, "creditId" | "totalMinor"> & Partial<NewPayment>): Promise<number> {
    return this.change((invoices) => addPayment(invoices, invoiceId, { method: "package", ...credit }));
  }

  /** What the patient can pay with now: id and how much. */
  async usable(clientId: number): Promise<[id: number, remainingMinor: number][]> {
    const credits = await this.clinic.inTransaction((tx) => listUsableCredits(tx, this.clinic.context, clientId));
    return credits.map(({ id, entitledMinor, drawnMinor }) => [id, entitledMinor - drawnMinor]);
  }

  async creditOf(invoiceId: number): Promise<number> {
    const { id } = await this.clinic.owner
      .selectFrom("credits")
      .select("id")
      .where("clinic_id", "=", this.clinic.id)
      .where("invoice_id", "=", invoiceId)
      .executeTakeFirstOrThrow();
    return id;
  }

  /** The events since the last call. */
  async news() {
    return (await this.clinic.news<InvoiceFacts>()).map(({ facts, ...event }) => ({ ...event, ...facts }));
  }

  /** The same in short: event, subject and status. */
  async told(): Promise<string[]> {
    return (await this.news()).map(({ event, subject, invoice }) => `${event} ${subject} ${invoice.status}`);
  }
}

interface Bought {
  readonly invoiceId: number;
  readonly creditId: number;
}

export function cash(totalMinor: number): NewPayment {
  return { method: "cash", totalMinor };
}
