/**
 * /v1/packages: what a clinic sells as value paid in advance, and selling it; and what a patient can pay with. All staff
 * sell, managers alone say what is for sale. A sale is one `invoice.created` of type `clinic_package` (contract §4).
 */
import { z } from "zod";
import { findCreditOf, listUsableCredits } from "../clinic/credits/credits.ts";
import { sellPackage } from "../clinic/credits/package-sales.ts";
import { addPackage, changePackage, listPackages } from "../clinic/credits/packages.ts";
import { getPatient } from "../clinic/people.ts";
import { inClinic } from "../db/pool.ts";
import { command } from "./command.ts";
import type { ApiContext } from "./context.ts";
import {
  CREDIT,
  NEW_PACKAGE,
  PACKAGE,
  PACKAGE_CHANGE,
  PACKAGE_SALE,
  PACKAGE_SOLD,
  readPackage,
  showCredit,
  showPackage,
} from "./credit-shapes.ts";
import { ID_PARAMS, readId } from "./ids.ts";
import { billing, invoiceNow } from "./invoice-answers.ts";
import { readPayments } from "./invoice-shapes.ts";
import { PAGE_DEFAULT_ROWS, PAGE_QUERY, pageOf, readCursor, toPage } from "./paging.ts";
import type { App } from "./server.ts";
import { requireManager } from "./session.ts";

const CURSOR = z.tuple([z.int()]);

export async function packagesRoutes(app: App, context: ApiContext): Promise<void> {
  definitionRoutes(app, context);
  saleRoute(app, context);
  creditsRoute(app, context);
}

function definitionRoutes(app: App, context: ApiContext): void {
  const list = { querystring: PAGE_QUERY, response: { 200: pageOf(PACKAGE) } };
  app.get(
    "/packages",
    { schema: { summary: "List packages.", ...list } },
    async ({ principal: { clinicId }, query }) => {
      const limit = query.limit ?? PAGE_DEFAULT_ROWS;
      const [after] = readCursor(query.cursor, CURSOR) ?? [];
      const rows = await inClinic(context.db, clinicId, (tx) =>
        listPackages(tx, { clinicId, after, limit: limit + 1 }),
      );
      return toPage(rows, limit, { item: showPackage, key: ({ id }) => [id] });
    },
  );

  const add = { body: NEW_PACKAGE, response: { 201: PACKAGE } };
  app.post(
    "/packages",
    { schema: { summary: "Add a package.", ...add }, onRequest: requireManager },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { name, price, value, currency } = request.body;
        const wanted = { ...readPackage(request.body), name, price, value, currency };
        return { status: 201, body: showPackage(await addPackage(tx, request.principal.clinicId, wanted)) };
      }),
  );

  const change = { params: ID_PARAMS, body: PACKAGE_CHANGE, response: { 200: PACKAGE } };
  app.patch(
    "/packages/:id",
    { schema: { summary: "Change a package.", ...change }, onRequest: requireManager },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId } = request.principal;
        const id = readId(request.params.id, "package");
        const changed = await changePackage(tx, { clinicId, id, change: readPackage(request.body) });
        return { status: 200, body: showPackage(changed) };
      }),
  );
}

function saleRoute(app: App, context: ApiContext): void {
  const sell = { params: ID_PARAMS, body: PACKAGE_SALE, response: { 201: PACKAGE_SOLD } };
  app.post("/packages/:id/sell", { schema: { summary: "Sell a package to a patient.", ...sell } }, (request, reply) =>
    command(request, reply, context, async (tx) => {
      const { clinicId } = request.principal;
      const { client_id, payer_id, practitioner_id, payments = [] } = request.body;
      const sale = {
        packageId: readId(request.params.id, "package"),
        clientId: client_id,
        payerId: payer_id,
        practitionerId: practitioner_id,
        payments: (currency: string) => readPayments(payments, currency),
      };
      const invoiceId = await billing(context, tx, clinicId)((invoices) => sellPackage(invoices, sale));
      const credit = await findCreditOf(tx, clinicId, invoiceId);
      if (credit === undefined) throw new Error(`the package of invoice ${invoiceId} was sold without a credit`);
      const body = {
        invoice: await invoiceNow(tx, clinicId, invoiceId),
        credit: credit.entitledMinor === 0 ? null : showCredit(credit),
      };
      return { status: 201, body };
    }),
  );
}

/** What is left and has not expired, of every kind and currency; what would be used first comes first. */
function creditsRoute(app: App, { db, outbox }: ApiContext): void {
  const list = { params: ID_PARAMS, response: { 200: z.object({ data: z.array(CREDIT) }) } };
  app.get(
    "/patients/:id/credits",
    { schema: { summary: "List what a patient may still pay from.", ...list } },
    ({ principal: { clinicId }, params }) => {
      const patientId = readId(params.id, "patient");
      return inClinic(db, clinicId, async (tx) => {
        await getPatient(tx, clinicId, patientId);
        const credits = await listUsableCredits(tx, { clinicId, outbox }, patientId);
        return { data: credits.map(showCredit) };
      });
    },
  );
}
