/** /v1/deliveries: what was sent, what waits, what each receiver answered, and sending again. For managers only. */
import { z } from "zod";
import { record } from "../audit/audit.ts";
import { inClinic } from "../db/pool.ts";
import { resend } from "../delivery/resend.ts";
import { notFound } from "../errors.ts";
import { type DeliveryKey, deliveryId } from "../outbox/identifiers.ts";
import { answerMasks, needingFacts } from "./answer-masks.ts";
import { keyName, readAttempts, readLastAttempts } from "./attempt-log.ts";
import { command } from "./command.ts";
import type { ApiContext } from "./context.ts";
import { type LoggedDelivery, readDeliveries, readDelivery } from "./delivery-log.ts";
import { DELIVERIES_QUERY, daysOf, idsOf } from "./delivery-query.ts";
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
import { readFacts } from "./event-facts.ts";
import { ID_PARAMS, readId } from "./ids.ts";
import { PAGE_DEFAULT_ROWS, pageOf, readCursor, toPage } from "./paging.ts";
import type { App } from "./server.ts";
import { requireManager } from "./session.ts";
import { readSubjectNames } from "./subject-names.ts";

const PART_MAX = 32_767;
const CURSOR = z.tuple([z.uuid(), z.int().min(1), z.int().min(0).max(PART_MAX)]);

export async function deliveriesRoutes(app: App, context: ApiContext): Promise<void> {
  app.addHook("onRequest", requireManager);
  listRoute(app, context);
  detailRoute(app, context);
  resendRoute(app, context);
  revealRoute(app, context);
}

function listRoute(app: App, context: ApiContext): void {
  const schema = { querystring: DELIVERIES_QUERY, response: { 200: pageOf(DELIVERY) } };
  app.get(
    "/deliveries",
    { schema: { summary: "List deliveries, the newest first.", ...schema } },
    async ({ principal, principal: { clinicId }, query }) => {
      const limit = query.limit ?? PAGE_DEFAULT_ROWS;
      const webhookId = query.webhook_id === undefined ? undefined : readId(query.webhook_id, "webhook");
      const cursor = readCursor(query.cursor, CURSOR);
      const after = cursor === null ? undefined : { eventId: cursor[0], webhookId: cursor[1], part: cursor[2] };
      return inClinic(context.db, clinicId, async (tx) => {
        const view = await viewOf(tx, context, principal);
        const { event, subject, state } = query;
        const wanted = { clinicId, webhookId, event, subject, state, ...idsOf(query), ...daysOf(query, view) };
        const { rows, readTo } = await readDeliveries(tx, { ...wanted, after, limit: limit + 1 });
        const lastAttempts = await readLastAttempts(tx, clinicId, rows.slice(0, limit));
        const names = await readSubjectNames(tx, clinicId, rows);
        const lastOf = (row: LoggedDelivery) => lastAttempts.get(keyName(row)) ?? null;
        const tried = rows.flatMap((delivery) => {
          const attempt = lastOf(delivery);
          return attempt === null ? [] : [{ delivery, attempts: [attempt] }];
        });
        const maskOf = answerMasks(tried, await readFacts(tx, clinicId, needingFacts(tried)), view.seal);
        const showLast = (delivery: LoggedDelivery) => {
          const attempt = lastOf(delivery);
          return attempt === null ? null : showAttempt({ delivery, attempt, mask: maskOf(delivery) }, view);
        };
        return toPage(rows, limit, {
          item: (row) => ({
            ...showDelivery(row, view, names),
            attempts: row.attempts,
            last_attempt: showLast(row),
          }),
          key: (row) => placeOf(row),
          readTo: readTo && placeOf(readTo),
        });
      });
    },
  );
}

/** As it stands in a cursor. */
function placeOf({ eventId, webhookId, part }: DeliveryKey): [string, number, number] {
  return [eventId, webhookId, part];
}

function detailRoute(app: App, context: ApiContext): void {
  const schema = { params: ID_PARAMS, response: { 200: DELIVERY_DETAIL } };
  app.get(
    "/deliveries/:id",
    { schema: { summary: "Read a delivery with its attempts.", ...schema } },
    async ({ principal, principal: { clinicId }, params }) => {
      const key = readKey(params.id);
      return inClinic(context.db, clinicId, async (tx) => {
        const delivery = await readDelivery(tx, clinicId, key);
        if (delivery === null) throw notFound("delivery");
        const view = await viewOf(tx, context, principal);
        const names = await readSubjectNames(tx, clinicId, [delivery]);
        const attempts = await readAttempts(tx, clinicId, key);
        const facts = await readFacts(tx, clinicId, [delivery]);
        const mask = answerMasks([{ delivery, attempts }], facts, view.seal)(delivery);
        const shown = [
          ...attempts.map((attempt) => showAttemptWhole({ delivery, attempt, mask }, view)),
          ...showUnderWay(delivery, view),
        ];
        return {
          ...showDelivery(delivery, view, names),
          attempts: shown,
          last_attempt: shown.at(-1) ?? null,
          request: await showRequest({ tx, clinicId, view, facts }, delivery, attempts),
        };
      });
    },
  );
}

function resendRoute(app: App, context: ApiContext): void {
  const schema = {
    params: ID_PARAMS,
    body: z.strictObject({}).nullish(),
    response: { 202: z.object({ id: z.string(), state: z.literal("waiting") }) },
  };
  app.post("/deliveries/:id/resend", { schema: { summary: "Send a delivery again.", ...schema } }, (request, reply) =>
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
