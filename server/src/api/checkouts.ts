/** /v1/checkouts: patients on the way to buy a course or webinar. Paying for one makes no invoice record (contract §4). */
import { z } from "zod";
import { getCheckout, listCheckouts } from "../clinic/academy/academy-views.ts";
import { completeCheckout, expireCheckout, startCheckout } from "../clinic/academy/checkouts.ts";
import { getClinic } from "../clinic/clinics.ts";
import { inClinic } from "../db/pool.ts";
import type { Tx } from "../db/schema.ts";
import { CHECKOUT, CHECKOUT_QUERY, NEW_CHECKOUT, showCheckout } from "./academy-shapes.ts";
import { command } from "./command.ts";
import { NOTHING } from "./consult-shapes.ts";
import type { ApiContext } from "./context.ts";
import { ID_PARAMS, readId } from "./ids.ts";
import { PAGE_DEFAULT_ROWS, pageOf, readCursor, toPage } from "./paging.ts";
import type { App } from "./server.ts";

const CURSOR = z.tuple([z.int()]);

export async function checkoutsRoutes(app: App, context: ApiContext): Promise<void> {
  readRoutes(app, context);
  startRoute(app, context);
  endRoutes(app, context);
}

function readRoutes(app: App, { db }: ApiContext): void {
  const list = { querystring: CHECKOUT_QUERY, response: { 200: pageOf(CHECKOUT) } };
  app.get(
    "/checkouts",
    { schema: { summary: "List checkout sessions.", ...list } },
    ({ principal: { clinicId }, query }) =>
      inClinic(db, clinicId, async (tx) => {
        const clinic = await getClinic(tx, clinicId);
        const limit = query.limit ?? PAGE_DEFAULT_ROWS;
        const [before] = readCursor(query.cursor, CURSOR) ?? [];
        const filters = { state: query.state, patientId: query.patient_id };
        const rows = await listCheckouts(tx, { clinicId, ...filters, before, limit: limit + 1 });
        return toPage(rows, limit, { item: (row) => showCheckout(row, clinic), key: ({ id }) => [id] });
      }),
  );

  const one = { params: ID_PARAMS, response: { 200: CHECKOUT } };
  app.get(
    "/checkouts/:id",
    { schema: { summary: "Read a checkout session.", ...one } },
    ({ principal: { clinicId }, params }) => {
      const id = readId(params.id, "checkout");
      return inClinic(db, clinicId, (tx) => checkoutNow(tx, clinicId, id));
    },
  );
}

/** 201 for a new session, 200 for the one that was open. */
function startRoute(app: App, context: ApiContext): void {
  const start = { body: NEW_CHECKOUT, response: { 200: CHECKOUT, 201: CHECKOUT } };
  app.post(
    "/checkouts",
    { schema: { summary: "Start a checkout session for a patient.", ...start } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId } = request.principal;
        const { resource, patient_id: patientId } = request.body;
        const wanted = { type: resource.type, itemId: resource.id, patientId };
        const { id, started } = await startCheckout(tx, { clinicId, outbox: context.outbox }, wanted);
        return { status: started ? 201 : 200, body: await checkoutNow(tx, clinicId, id) };
      }),
  );
}

function endRoutes(app: App, context: ApiContext): void {
  const schema = { params: ID_PARAMS, body: NOTHING, response: { 200: CHECKOUT } };
  const ends = [
    ["complete", completeCheckout, "Complete a checkout session: the patient gets what was bought."],
    ["expire", expireCheckout, "Let a checkout session expire."],
  ] as const;
  for (const [name, act, summary] of ends) {
    app.post(`/checkouts/:id/${name}`, { schema: { summary, ...schema } }, (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId } = request.principal;
        const id = readId(request.params.id, "checkout");
        await act(tx, { clinicId, outbox: context.outbox }, id);
        return { status: 200, body: await checkoutNow(tx, clinicId, id) };
      }),
    );
  }
}

async function checkoutNow(tx: Tx, clinicId: number, id: number): Promise<z.infer<typeof CHECKOUT>> {
  return showCheckout(await getCheckout(tx, clinicId, id), await getClinic(tx, clinicId));
}
