/**
 * /v1/events: the way in for events that other software has made itself, and the list of all events.
 *
 * POST takes one event or up to 1,000, all or nothing, each with the caller's key; requests that come at the same time are
 * stored in one transaction. GET shows what is stored, without the facts.
 */
import { z } from "zod";
import { type FedEvent, type TakenEvent, takeEvents } from "../clinic/feed/events.ts";
import { FeedIntake } from "../clinic/feed/intake.ts";
import { inClinic } from "../db/pool.ts";
import type { Tx } from "../db/schema.ts";
import { command } from "./command.ts";
import type { ApiContext } from "./context.ts";
import { EVENT, type EventsRequest, NEW_EVENTS, readEvents, TAKEN_EVENTS } from "./event-shapes.ts";
import { EVENTS_BODY_MAX_BYTES } from "./feed-limits.ts";
import { PAGE_DEFAULT_ROWS, PAGE_QUERY, pageOf, readCursor, toPage } from "./paging.ts";
import type { App } from "./server.ts";

const CURSOR = z.tuple([z.uuid()]);
const ACCEPTED = 202;

export interface FeedContext extends ApiContext {
  /** A transaction of the feed, when it is the clinic's turn. @throws ProblemError 503 when too many wait */
  inTurn<Result>(clinicId: number, work: (tx: Tx) => Promise<Result>): Promise<Result>;
}

/** To be called within the feed's plugin, whose hooks and limits hold for them (feed.ts). */
export function eventsRoutes(app: App, context: FeedContext): void {
  takeRoute(app, context);
  listRoute(app, context);
}

function takeRoute(app: App, context: FeedContext): void {
  const { inTurn, outbox } = context;
  const intake = new FeedIntake((clinicId: number, events: readonly FedEvent[]) =>
    inTurn(clinicId, (tx) => takeEvents(tx, { clinicId, outbox }, events)),
  );
  app.route({
    method: "POST",
    url: "/events",
    schema: {
      summary: "Hand over finished events, one or up to 1,000.",
      body: NEW_EVENTS,
      response: { [ACCEPTED]: TAKEN_EVENTS },
    },
    config: { scope: "feed" },
    bodyLimit: EVENTS_BODY_MAX_BYTES,
    // The schemas are for the description: a thousand events are read, and answered, by hand.
    validatorCompiler: () => (value: unknown) => ({ value }),
    serializerCompiler: () => (value: unknown) => JSON.stringify(value),
    async handler(request, reply) {
      const { clinicId } = request.principal;
      const read = readEvents(request.body);
      if (request.headers["idempotency-key"] !== undefined) {
        return command(request, reply, { ...context, transact: inTurn }, async (tx) => {
          return { status: ACCEPTED, body: show(read, await takeEvents(tx, { clinicId, outbox }, read.events)) };
        });
      }
      const taken = await intake.take(clinicId, read.events);
      // Requests that were stored together share one list.
      context.nudge(clinicId, [...new Set(taken.map(({ woken }) => woken))].flat());
      return reply.code(ACCEPTED).send(show(read, taken) as never);
    },
  });
}

function show({ isSingle }: EventsRequest, taken: readonly TakenEvent[]) {
  const events = taken.map(({ id, subject, subjectVersion, duplicate }) => {
    return { id, subject, version: subjectVersion, duplicate };
  });
  return isSingle ? events[0] : { events };
}

function listRoute(app: App, { db }: ApiContext): void {
  const schema = { querystring: PAGE_QUERY, response: { 200: pageOf(EVENT) } };
  app.get(
    "/events",
    { schema: { summary: "List events, the newest first.", ...schema } },
    async ({ principal: { clinicId }, query }) => {
      const limit = query.limit ?? PAGE_DEFAULT_ROWS;
      const [before] = readCursor(query.cursor, CURSOR) ?? [];
      const rows = await inClinic(db, clinicId, (tx) => {
        let found = tx
          .selectFrom("events")
          .select(["id", "name", "subject", "subject_version as version", "occurred_at"])
          .where("clinic_id", "=", clinicId)
          .where("test", "=", false);
        if (before !== undefined) found = found.where("id", "<", before);
        return found
          .orderBy("id", "desc")
          .limit(limit + 1)
          .execute();
      });
      const item = (row: (typeof rows)[number]) => ({ ...row, occurred_at: row.occurred_at.toString() });
      return toPage(rows, limit, { item, key: ({ id }) => [id] });
    },
  );
}
