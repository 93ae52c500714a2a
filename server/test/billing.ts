/** Invoices of a test's clinic: one unit of work at a time, credits that are invented, and the events that came of it. */
import type { InvoiceFacts } from "@hookwell/sdk";
import type { CreditKind, CreditSource } from "../src/clinic/billing/credit-source.ts";
import { changeInvoices, type InvoiceChanges } from "../src/clinic/billing/invoice-changes.ts";
import { createInvoice, type NewInvoice } from "../src/clinic/billing/invoices.ts";
import type { LineInput } from "../src/clinic/billing/line-items.ts";
import { conflict, notFound } from "../src/errors.ts";
import type { TestClinic } from "./clinic.ts";

/** Credits in memory. They show what billing asks of a source; that a refusal rolls them back, too, is the database's. */
export class InventedCredits implements CreditSource {
  readonly #held = new Map<number, { clientId: number; kind: CreditKind; remainingMinor: number }>();

  /** The first one added expires first. */
  add(credit: { id: number; clientId: number; kind: CreditKind; remainingMinor: number }): void {
    this.#held.set(credit.id, { ...credit });
  }

  remaining(id: number): number | undefined {
    return this.#held.get(id)?.remainingMinor;
  }

  async usable({ clientId }: { clientId: number }) {
    const own = [...this.#held].map(([id, credit]) => ({ id, ...credit }));
    return own.filter((credit) => credit.clientId === clientId && credit.remainingMinor > 0);
  }

  /** In memory one runs after the other. */
  async lock() {}

  async draw({ creditId, clientId, totalMinor }: { creditId: number; clientId: number; totalMinor: number }) {
    const credit = this.#held.get(creditId);
    if (credit?.clientId !== clientId) throw notFound("the credit", "credit_id");
    if (credit.remainingMinor < totalMinor) throw conflict("credit_too_small", "This credit holds less.", "total");
    credit.remainingMinor -= totalMinor;
    return credit.kind;
  }

  async giveBack({ creditId, totalMinor }: { creditId: number; totalMinor: number }) {
    const credit = this.#held.get(creditId);
    if (credit === undefined) throw new Error("a credit was given back that nobody has");
    credit.remainingMinor += totalMinor;
  }
}

export class TestBilling {
  readonly clinic: TestClinic;
  readonly credits = new InventedCredits();

  constructor(clinic: TestClinic) {
    this.clinic = clinic;
  }

  /** One transaction with its unit of invoice changes. */
  change<Result>(work: (invoices: InvoiceChanges) => Promise<Result>): Promise<Result> {
    const context = { ...this.clinic.context, credits: this.credits };
    return this.clinic.inTransaction((tx) => changeInvoices(tx, context, work));
  }

  invoice(invoice: Partial<NewInvoice> & Pick<NewInvoice, "clientId">): Promise<number> {
    return this.change((invoices) => createInvoice(invoices, { type: "patient_invoice", lines: [LINE], ...invoice }));
  }

  /** The events since the last call. */
  async news() {
    return (await this.clinic.news<InvoiceFacts>()).map(({ facts, ...event }) => ({ ...event, ...facts }));
  }
}

/** 100.00 and 15 % tax: 115.00. */
export const LINE: LineInput = { description: "Massage", unitPriceMinor: 100_00, units: 1, taxRate: 15 };
