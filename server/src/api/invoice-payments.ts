/** /v1/invoices/{id}/payments: money that comes in, is corrected, goes back, or moves to another invoice. */
import type { z } from "zod";
import type { InvoiceChanges } from "../clinic/billing/invoice-changes.ts";
import { toMinor } from "../clinic/billing/money.ts";
import { paymentCurrency } from "../clinic/billing/payment-rows.ts";
import {
  addPayment,
  changePayment,
  deletePayment,
  refundPayment,
  transferPayment,
} from "../clinic/billing/payments.ts";
import { command } from "./command.ts";
import type { ApiContext } from "./context.ts";
import { ID_PARAMS, readId } from "./ids.ts";
import { billing, invoiceNow, readInvoiceId } from "./invoice-answers.ts";
import {
  INVOICE,
  NEW_PAYMENT,
  PAYMENT_CHANGE,
  PAYMENT_PARAMS,
  REFUND,
  TRANSFER,
  TRANSFERRED,
} from "./invoice-shapes.ts";
import type { App } from "./server.ts";

export function paymentRoutes(app: App, context: ApiContext): void {
  addRoute(app, context);
  changeRoutes(app, context);
  refundRoute(app, context);
  transferRoute(app, context);
}

function addRoute(app: App, context: ApiContext): void {
  const add = { params: ID_PARAMS, body: NEW_PAYMENT, response: { 201: INVOICE } };
  app.post(
    "/invoices/:id/payments",
    { schema: { summary: "Add a payment to an invoice.", ...add } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId } = request.principal;
        const invoiceId = readInvoiceId(request.params);
        const { payment_method: method, total, status, credit_id: creditId } = request.body;
        await billing(
          context,
          tx,
          clinicId,
        )(async (invoices) => {
          const { currency } = await invoices.open(invoiceId);
          const totalMinor = toMinor("total", total, currency);
          await addPayment(invoices, invoiceId, { method, totalMinor, status, creditId });
        });
        return { status: 201, body: await invoiceNow(tx, clinicId, invoiceId) };
      }),
  );
}

function changeRoutes(app: App, context: ApiContext): void {
  const change = { params: PAYMENT_PARAMS, body: PAYMENT_CHANGE, response: { 200: INVOICE } };
  app.patch(
    "/invoices/:id/payments/:payment_id",
    { schema: { summary: "Change a payment.", ...change } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId } = request.principal;
        const { invoiceId, paymentId } = readPayment(request.params);
        const { payment_method: method, total, status } = request.body;
        await billing(
          context,
          tx,
          clinicId,
        )(async (invoices) => {
          const totalMinor = await readTotal(invoices, paymentId, total);
          await changePayment(invoices, paymentId, { invoiceId, method, status, totalMinor });
        });
        return { status: 200, body: await invoiceNow(tx, clinicId, invoiceId) };
      }),
  );

  const remove = { params: PAYMENT_PARAMS, response: { 200: INVOICE } };
  app.delete(
    "/invoices/:id/payments/:payment_id",
    { schema: { summary: "Delete a payment.", ...remove } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId } = request.principal;
        const { invoiceId, paymentId } = readPayment(request.params);
        await billing(context, tx, clinicId)((invoices) => deletePayment(invoices, paymentId, { invoiceId }));
        return { status: 200, body: await invoiceNow(tx, clinicId, invoiceId) };
      }),
  );
}

function refundRoute(app: App, context: ApiContext): void {
  const refund = { params: PAYMENT_PARAMS, body: REFUND, response: { 200: INVOICE } };
  app.post(
    "/invoices/:id/payments/:payment_id/refund",
    { schema: { summary: "Refund a payment, all of it or a part.", ...refund } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId } = request.principal;
        const { invoiceId, paymentId } = readPayment(request.params);
        await billing(
          context,
          tx,
          clinicId,
        )(async (invoices) => {
          const currency = await paymentCurrency(invoices, paymentId);
          const totalMinor = toMinor("total", request.body.total, currency);
          await refundPayment(invoices, paymentId, { invoiceId, totalMinor });
        });
        return { status: 200, body: await invoiceNow(tx, clinicId, invoiceId) };
      }),
  );
}

function transferRoute(app: App, context: ApiContext): void {
  const transfer = { params: PAYMENT_PARAMS, body: TRANSFER, response: { 200: TRANSFERRED } };
  app.post(
    "/invoices/:id/payments/:payment_id/transfer",
    { schema: { summary: "Transfer a payment to another invoice.", ...transfer } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId } = request.principal;
        const { invoiceId, paymentId } = readPayment(request.params);
        const { to_invoice_id: toInvoiceId, total } = request.body;
        await billing(
          context,
          tx,
          clinicId,
        )(async (invoices) => {
          const totalMinor = await readTotal(invoices, paymentId, total);
          await transferPayment(invoices, paymentId, { invoiceId, toInvoiceId, totalMinor });
        });
        const from = await invoiceNow(tx, clinicId, invoiceId);
        return { status: 200, body: { from, to: await invoiceNow(tx, clinicId, toInvoiceId) } };
      }),
  );
}

function readPayment(params: z.infer<typeof PAYMENT_PARAMS>) {
  return { invoiceId: readInvoiceId(params), paymentId: readId(params.payment_id, "payment") };
}

/** In the currency of the payment's invoice, which stays as it is while it has payments: nothing need be locked for it. */
async function readTotal(invoices: InvoiceChanges, paymentId: number, total: number | undefined) {
  return total === undefined ? undefined : toMinor("total", total, await paymentCurrency(invoices, paymentId));
}
