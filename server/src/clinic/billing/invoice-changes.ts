/**
 * The unit of work of invoices: everything that one transaction does to them, and the events that come of it.
 *
 * Owns: locking an invoice at its first touch, remembering how it was, and at the end writing the kept sums and emitting.
 * Promises: commands on one invoice run one after the other, so the subject's version rises in commit order; invoices are
 * locked in the order of their ids; however many commands ran, an invoice makes one event at most: created, or deleted with
 * its last state, or updated where its documented body differs (contract §1); created and deleted in one transaction is
 * nothing. Does not change an invoice itself: the commands in invoices.ts, line-items.ts and payments.ts do.
 */
import type { InvoiceEventName } from "@hookwell/sdk";
import { sql } from "kysely";
import type { Tx } from "../../db/schema.ts";
import { notFound } from "../../errors.ts";
import { EVENTS_PER_BATCH_MAX, emitMany } from "../../outbox/emit.ts";
import type { ClinicContext } from "../clinics.ts";
import { readNames } from "../consult-facts.ts";
import { isSettledInFull } from "./amounts.ts";
import type { CreditSource } from "./credit-source.ts";
import { documentedState, invoiceFacts } from "./invoice-facts.ts";
import { type OpenInvoice, readInvoices } from "./invoice-rows.ts";

export interface BillingContext extends ClinicContext {
  /** What patients may pay from besides new money, in the same transaction. */
  readonly credits: CreditSource;
}

const used = new WeakSet<Tx>();

/**
 * Runs commands on invoices and then emits their events, in the given transaction.
 *
 * Once per transaction: a second unit would compare with the wrong "before" and could send an event twice, so it throws.
 */
export async function changeInvoices<Result>(
  tx: Tx,
  context: BillingContext,
  work: (invoices: InvoiceChanges) => Promise<Result>,
): Promise<Result> {
  if (used.has(tx)) throw new Error("one transaction has one unit of invoice changes; put all commands into it");
  used.add(tx);
  const invoices = new InvoiceChanges(tx, context);
  const result = await work(invoices);
  await invoices.flush();
  return result;
}

interface Pending {
  readonly event: InvoiceEventName;
  readonly invoice: OpenInvoice;
}

export class InvoiceChanges {
  readonly tx: Tx;
  readonly context: BillingContext;
  /** How each touched invoice was before; null for those that came to exist here. In the order of the first touch. */
  readonly #before = new Map<number, OpenInvoice | null>();
  /** The last state of those that were deleted. */
  readonly #deleted = new Map<number, OpenInvoice>();
  #settled: number[] = [];
  #touched: readonly number[] = [];

  constructor(tx: Tx, context: BillingContext) {
    this.tx = tx;
    this.context = context;
  }

  get clinicId(): number {
    return this.context.clinicId;
  }

  get credits(): CreditSource {
    return this.context.credits;
  }

  /** Notes that an invoice was created in this transaction; nobody else can see it yet, so there is nothing to lock. */
  created(id: number): void {
    this.#before.set(id, null);
  }

  /** Notes that an open invoice was deleted, as it was just before. */
  deleted(invoice: OpenInvoice): void {
    this.#deleted.set(invoice.id, invoice);
  }

  /**
   * Locks an invoice, if that has not been done yet, and reads it as it stands now.
   * @throws ProblemError 404 when this clinic has no such invoice; it names `field` where the id came in the body
   */
  async open(id: number, field?: string): Promise<OpenInvoice> {
    const invoice = (await this.lock([id])).get(id);
    if (invoice === undefined) throw notFound("the invoice", field);
    return invoice;
  }

  /** Locks several invoices in the order of their ids, so that two transfers in opposite directions never wait in a ring. */
  async lock(ids: readonly number[]): Promise<ReadonlyMap<number, OpenInvoice>> {
    const fresh = ids.filter((id) => !this.#before.has(id));
    if (fresh.length > 0) {
      await this.tx
        .selectFrom("invoices")
        .select("id")
        .where("clinic_id", "=", this.clinicId)
        .where("id", "=", sql<number>`any(${fresh}::bigint[])`)
        .orderBy("id")
        .forNoKeyUpdate()
        .execute();
    }
    // Read after the lock is held: the locking statement's own snapshot may be older than what it waited for.
    const invoices = await readInvoices(this.tx, this.clinicId, ids);
    for (const id of fresh) {
      const invoice = invoices.get(id);
      if (invoice !== undefined) this.#before.set(id, invoice);
    }
    return invoices;
  }

  /** After the flush: invoices that came to be settled in full here, for whoever waits for that. In the order of touch. */
  settledBy(): readonly number[] {
    return this.#settled;
  }

  /** After the flush: every invoice that was opened, created or deleted here. */
  touchedBy(): readonly number[] {
    return this.#touched;
  }

  /** Writes the kept sums, compares what was with what is, and emits. */
  async flush(): Promise<void> {
    const invoices = await readInvoices(this.tx, this.clinicId, [...this.#before.keys()]);
    const pending: Pending[] = [];
    for (const [id, before] of this.#before) {
      const now = this.#deleted.has(id) ? null : invoices.get(id);
      if (now === undefined) throw new Error(`invoice ${id} vanished in its own transaction`);
      if (now !== null) await this.#keepSums(now);
      this.#noteSettled(id, before, now);
      const event = eventOf(before, now);
      const shown = now ?? this.#deleted.get(id);
      if (event !== null && shown !== undefined) pending.push({ event, invoice: shown });
    }
    this.#touched = [...this.#before.keys()];
    this.#before.clear();
    if (!this.context.silent) await this.#emitAll(pending);
  }

  /** The one place where the sums and the status on an invoice's row are written. */
  async #keepSums(invoice: OpenInvoice): Promise<void> {
    const { id, status, subtotalMinor, taxesMinor, totalMinor, unpaidSubtotalBalanceMinor, kept } = invoice;
    if (status === null) throw new Error(`invoice ${id} is over-paid though its type may not be`);
    const isKept =
      kept.status === status &&
      kept.subtotalMinor === subtotalMinor &&
      kept.taxesMinor === taxesMinor &&
      kept.totalMinor === totalMinor &&
      kept.unpaidSubtotalBalanceMinor === unpaidSubtotalBalanceMinor;
    if (isKept) return;
    const sums = { subtotal_minor: subtotalMinor, taxes_minor: taxesMinor, total_minor: totalMinor };
    await this.tx
      .updateTable("invoices")
      .set({ ...sums, unpaid_subtotal_balance_minor: unpaidSubtotalBalanceMinor, status })
      .where("clinic_id", "=", this.clinicId)
      .where("id", "=", id)
      .execute();
  }

  #noteSettled(id: number, before: OpenInvoice | null, now: OpenInvoice | null): void {
    if (isSettled(now) && !isSettled(before)) this.#settled.push(id);
  }

  async #emitAll(pending: readonly Pending[]): Promise<void> {
    if (pending.length === 0) return;
    const { clinicId } = this;
    const names = await readNames(this.tx, {
      clinicId,
      serviceIds: [],
      practitionerIds: pending.flatMap(({ invoice }) => invoice.practitionerId ?? []),
      patientIds: pending.map(({ invoice }) => invoice.clientId),
    });
    const events = pending.map(({ event, invoice }) => {
      return { subject: `invoice:${invoice.id}`, facts: invoiceFacts(event, invoice, names) };
    });
    for (let from = 0; from < events.length; from += EVENTS_PER_BATCH_MAX) {
      const batch = { clinicId, events: events.slice(from, from + EVENTS_PER_BATCH_MAX) };
      await emitMany(this.context.outbox, this.tx, batch);
    }
  }
}

function isSettled(invoice: OpenInvoice | null): boolean {
  return invoice !== null && invoice.status !== null && isSettledInFull(invoice.status);
}

function eventOf(before: OpenInvoice | null, now: OpenInvoice | null): InvoiceEventName | null {
  if (now === null) return before === null ? null : "invoice.deleted";
  if (before === null) return "invoice.created";
  return documentedState(before) === documentedState(now) ? null : "invoice.updated";
}
