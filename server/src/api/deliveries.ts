/** /v1/deliveries: what was sent, what waits, what each receiver answered, and sending again. For managers only. */
import { z } from "zod";
import { record } from "../audit/audit.ts";
import { instantOf, readDate } from "../clinic/times.ts";
import { inClinic } from "../db/pool.ts";
import { resend } from "../delivery/resend.ts";
import { notFound } from "../errors.ts";
import { deliveryId, lowestEventId } from "../outbox/identifiers.ts";
import { command } from "./command.ts";
import type { ApiContext } from "./context.ts";
import { keyName, readAttempts, readDeliveries, readDelivery, readLastAttempts } from "./delivery-log.ts";
import { readKey, revealRoute, showRequest } from "./delivery-request.ts";
import {
  DELIVERY,
  DELIVERY_DETAIL,
  showAttempt,
  showAttemptWhole,
  showDelivery,
  showUnderWay,
  viewOf,
} from "./delivery-shapes.ts";
import { ID_PARAMS, readId } from "./ids.ts";
import { PAGE_DEFAULT_ROWS, PAGE_QUERY, pageOf, readCursor, searchText, toPage } from "./paging.ts";
import type { App } from "./server.ts";
import { requireManager } from "./session.ts";
import { EVENT } from "./webhook-shapes.ts";

/** Kind and id, as deliveries show it and the header `webhook-subject` has it. */
const SUBJECT = /^[a-z_-]{1,40}:[a-z0-9-]{1,40}$/;

/** The header `webhook-id` of a delivery, or the id of an event, which one delivery or several have in common. */
const SEARCHED_MAX_CHARACTERS = 100;
const DAY = z.string().max(20);

const QUERY = PAGE_QUERY.extend({
  id: searchText(SEARCHED_MAX_CHARACTERS).optional().describe("The id of a delivery, or of an event."),
  from: DAY.optional().describe("Events from this day of the clinic on."),
  to: DAY.optional().describe("Events up to and on this day of the clinic."),
  webhook_id: z.string().optional(),
  event: EVENT.optional(),
  subject: z
    .string()
    .regex(SUBJECT, { error: "Write the subject as deliveries show it, such as consult:16." })
    .optional(),
  state: z
    .enum(["delivered", "waiting", "failed"], { error: 'This must be "delivered", "waiting" or "failed".' })
    .optional(),
});
const PART_MAX = 32_767;
const CURSOR = z.tuple([z.uuid(), z.int().min(1), z.int().min(0).max(PART_MAX)]);

export async function deliveriesRoutes(app: App, context: ApiContext): Promise<void> {
  app.addHook("onRequest", requireManager);
  listRoute(app, context);
  detailRoute(app, context);
  resendRoute(app, context);
  revealRoute(app, context);
}

/** The ids of the events of some days of the clinic: they begin with their time. */
function idsOfDays({ from, to }: { from?: string | undefined; to?: string | undefined }, timeZone: string) {
  const lowest = (date: Temporal.PlainDate) =>
    lowestEventId(instantOf(date.toPlainDateTime(), timeZone).epochMilliseconds);
  return {
    fromEventId: from === undefined ? undefined : lowest(readDate("from", from)),
    toEventId: to === undefined ? undefined : lowest(readDate("to", to).add({ days: 1 })),
  };
}

function listRoute(app: App, context: ApiContext): void {
  const schema = { querystring: QUERY, response: { 200: pageOf(DELIVERY) } };
  app.get("/deliveries", { schema }, async ({ principal: { clinicId }, query }) => {
    const limit = query.limit ?? PAGE_DEFAULT_ROWS;
    const webhookId = query.webhook_id === undefined ? undefined : readId(query.webhook_id, "webhook");
    const cursor = readCursor(query.cursor, CURSOR);
    const after = cursor === null ? undefined : { eventId: cursor[0], webhookId: cursor[1], part: cursor[2] };
    return inClinic(context.db, clinicId, async (tx) => {
      const view = await viewOf(tx, context, clinicId);
      const { event, subject, state, id } = query;
      const filters = { webhookId, event, subject, state, id: id?.trim(), ...idsOfDays(query, view.timeZone) };
      const rows = await readDeliveries(tx, { clinicId, ...filters, after, limit: limit + 1 });
      const lastAttempts = await readLastAttempts(tx, clinicId, rows.slice(0, limit));
      return toPage(rows, limit, {
        item: (row) => ({
          ...showDelivery(row, view),
          attempts: row.attempts,
          last_attempt: showAttempt(row, lastAttempts.get(keyName(row)) ?? null, view),
        }),
        key: (row) => [row.eventId, row.webhookId, row.part],
      });
    });
  });
}

function detailRoute(app: App, context: ApiContext): void {
  const schema = { params: ID_PARAMS, response: { 200: DELIVERY_DETAIL } };
  app.get("/deliveries/:id", { schema }, async ({ principal: { clinicId }, params }) => {
    const key = readKey(params.id);
    return inClinic(context.db, clinicId, async (tx) => {
      const delivery = await readDelivery(tx, clinicId, key);
      if (delivery === null) throw notFound("delivery");
      const view = await viewOf(tx, context, clinicId);
      const attempts = await readAttempts(tx, clinicId, key);
      const shown = [
        ...attempts.map((attempt) => showAttemptWhole(delivery, attempt, view)),
        ...showUnderWay(delivery, view),
      ];
      return {
        ...showDelivery(delivery, view),
        attempts: shown,
        last_attempt: shown.at(-1) ?? null,
        request: await showRequest({ tx, clinicId, view }, delivery, attempts),
      };
    });
  });
}

function resendRoute(app: App, context: ApiContext): void {
  const schema = {
    params: ID_PARAMS,
    body: z.strictObject({}).nullish(),
    response: { 202: z.object({ id: z.string(), state: z.literal("waiting") }) },
  };
  app.post("/deliveries/:id/resend", { schema }, (request, reply) =>
    command(request, reply, context, async (tx) => {
      const key = readKey(request.params.id);
      const { clinicId, userId: actor } = request.principal;
      await resend(tx, clinicId, key);
      const target = `delivery:${deliveryId(key)}`;
      await record(tx, { clinicId, actor, action: "delivery.resent", target, before: null, after: null });
      return { status: 202, body: { id: deliveryId(key), state: "waiting" } };
    }),
  );
}
