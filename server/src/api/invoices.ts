/**
 * /v1/invoices: what is billed and what is paid, for all four types. Every change is one transaction with one unit of work,
 * so an invoice's event is made once (contract §1), and answers with the invoice as it stands afterwards.
 */
import { z } from "zod";
import { listInvoices } from "../clinic/billing/invoice-views.ts";
import { changeInvoice, createInvoice, deleteInvoice } from "../clinic/billing/invoices.ts";
import { addLineItem, changeLineItem, removeLineItem } from "../clinic/billing/line-items.ts";
import { getClinic } from "../clinic/clinics.ts";
import { inClinic } from "../db/pool.ts";
import { command } from "./command.ts";
import type { ApiContext } from "./context.ts";
import { ID_PARAMS, readId } from "./ids.ts";
import { billing, invoiceNow, readInvoiceId } from "./invoice-answers.ts";
import { paymentRoutes } from "./invoice-payments.ts";
import {
  INVOICE,
  INVOICE_CHANGE,
  LINE_ITEM_CHANGE,
  LINE_ITEM_PARAMS,
  LIST_QUERY,
  NEW_INVOICE,
  NEW_LINE_ITEM,
  readLine,
  readLines,
  readPayments,
  readWhoAndWhen,
  readWholeLine,
  showInvoice,
} from "./invoice-shapes.ts";
import { PAGE_DEFAULT_ROWS, pageOf, readCursor, toPage } from "./paging.ts";
import type { App } from "./server.ts";

const CURSOR = z.tuple([z.int()]);

export async function invoicesRoutes(app: App, context: ApiContext): Promise<void> {
  readRoutes(app, context);
  createRoute(app, context);
  changeRoutes(app, context);
  lineItemRoutes(app, context);
  paymentRoutes(app, context);
}

function readRoutes(app: App, { db }: ApiContext): void {
  const list = { querystring: LIST_QUERY, response: { 200: pageOf(INVOICE) } };
  app.get("/invoices", { schema: { summary: "List invoices.", ...list } }, ({ principal: { clinicId }, query }) =>
    inClinic(db, clinicId, async (tx) => {
      const clinic = await getClinic(tx, clinicId);
      const limit = query.limit ?? PAGE_DEFAULT_ROWS;
      const [before] = readCursor(query.cursor, CURSOR) ?? [];
      const { type, status, patient_id: clientId, q: number } = query;
      const rows = await listInvoices(tx, { clinicId, type, status, clientId, number, before, limit: limit + 1 });
      return toPage(rows, limit, { item: (row) => showInvoice(row, clinic), key: ({ invoice }) => [invoice.id] });
    }),
  );

  const one = { params: ID_PARAMS, response: { 200: INVOICE } };
  app.get(
    "/invoices/:id",
    { schema: { summary: "Read an invoice.", ...one } },
    ({ principal: { clinicId }, params }) => {
      const id = readInvoiceId(params);
      return inClinic(db, clinicId, (tx) => invoiceNow(tx, clinicId, id));
    },
  );
}

function createRoute(app: App, context: ApiContext): void {
  const create = { body: NEW_INVOICE, response: { 201: INVOICE } };
  app.post("/invoices", { schema: { summary: "Make an invoice.", ...create } }, (request, reply) =>
    command(request, reply, context, async (tx) => {
      const { clinicId } = request.principal;
      const { body } = request;
      const currency = body.currency ?? (await getClinic(tx, clinicId)).currency;
      const invoice = {
        ...readWhoAndWhen(body),
        type: "patient_invoice" as const,
        clientId: body.client_id,
        currency,
        lines: readLines(body.line_items, currency),
        payments: readPayments(body.payments ?? [], currency),
        autoDeduct: body.auto_deduct,
      };
      const id = await billing(context, tx, clinicId)((invoices) => createInvoice(invoices, invoice));
      return { status: 201, body: await invoiceNow(tx, clinicId, id) };
    }),
  );
}

function changeRoutes(app: App, context: ApiContext): void {
  const change = { params: ID_PARAMS, body: INVOICE_CHANGE, response: { 200: INVOICE } };
  app.patch("/invoices/:id", { schema: { summary: "Change an invoice.", ...change } }, (request, reply) =>
    command(request, reply, context, async (tx) => {
      const { clinicId } = request.principal;
      const id = readInvoiceId(request.params);
      const { client_id: clientId, line_items: items } = request.body;
      const lines = items === undefined ? undefined : (currency: string) => readLines(items, currency);
      const wanted = { ...readWhoAndWhen(request.body), clientId, lines };
      await billing(context, tx, clinicId)((invoices) => changeInvoice(invoices, id, wanted));
      return { status: 200, body: await invoiceNow(tx, clinicId, id) };
    }),
  );

  app.delete(
    "/invoices/:id",
    { schema: { summary: "Delete an invoice.", params: ID_PARAMS, response: { 204: z.null() } } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const id = readInvoiceId(request.params);
        await billing(context, tx, request.principal.clinicId)((invoices) => deleteInvoice(invoices, id));
        return { status: 204 };
      }),
  );
}

function lineItemRoutes(app: App, context: ApiContext): void {
  const add = { params: ID_PARAMS, body: NEW_LINE_ITEM, response: { 201: INVOICE } };
  app.post("/invoices/:id/line-items", { schema: { summary: "Add a line to an invoice.", ...add } }, (request, reply) =>
    command(request, reply, context, async (tx) => {
      const { clinicId } = request.principal;
      const id = readInvoiceId(request.params);
      const line = (currency: string) => readWholeLine(request.body, currency);
      await billing(context, tx, clinicId)((invoices) => addLineItem(invoices, id, line));
      return { status: 201, body: await invoiceNow(tx, clinicId, id) };
    }),
  );

  const change = { params: LINE_ITEM_PARAMS, body: LINE_ITEM_CHANGE, response: { 200: INVOICE } };
  app.patch(
    "/invoices/:id/line-items/:line_item_id",
    { schema: { summary: "Change a line of an invoice.", ...change } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId } = request.principal;
        const item = readLineItem(request.params);
        const line = (currency: string) => readLine(request.body, currency);
        await billing(context, tx, clinicId)((invoices) => changeLineItem(invoices, item, line));
        return { status: 200, body: await invoiceNow(tx, clinicId, item.invoiceId) };
      }),
  );

  const remove = { params: LINE_ITEM_PARAMS, response: { 200: INVOICE } };
  app.delete(
    "/invoices/:id/line-items/:line_item_id",
    { schema: { summary: "Delete a line of an invoice.", ...remove } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId } = request.principal;
        const item = readLineItem(request.params);
        await billing(context, tx, clinicId)((invoices) => removeLineItem(invoices, item));
        return { status: 200, body: await invoiceNow(tx, clinicId, item.invoiceId) };
      }),
  );
}

function readLineItem(params: z.infer<typeof LINE_ITEM_PARAMS>) {
  return { invoiceId: readInvoiceId(params), lineItemId: readId(params.line_item_id, "line item") };
}
