/**
 * /v1/webhooks/{id}/recover: sending again what failed, or was never sent because the webhook was off. It is counted first;
 * the work is done by the workers, and a page asks how far it is. For managers only.
 */
import { z } from "zod";
import type { Principal } from "../accounts/principal.ts";
import { getClinic } from "../clinic/clinics.ts";
import { clinicTime, readTime } from "../clinic/times.ts";
import { inClinic } from "../db/pool.ts";
import type { Tx } from "../db/schema.ts";
import {
  countRecoverable,
  getRecovery,
  listRecoveries,
  RECOVERABLE_COUNTED_MAX,
  RECOVERED_STATES,
  RECOVERY_PACE_MAX_PER_SECOND,
  type RecoverCount,
  type RecoverRange,
  type RecoverScope,
  type Recovery,
  startRecovery,
  stepRecovery,
} from "../delivery/recoveries.ts";
import { command } from "./command.ts";
import type { ApiContext } from "./context.ts";
import { ID_PARAMS, readId } from "./ids.ts";
import { PAGE_DEFAULT_ROWS, PAGE_QUERY, pageOf, readCursor, toPage } from "./paging.ts";
import type { App } from "./server.ts";
import { requireManager } from "./session.ts";

const TIME_MAX_CHARACTERS = 64;
const PACE_WORDS = `Write a whole number from 1 to ${RECOVERY_PACE_MAX_PER_SECOND}.`;
const STATES = z.array(z.enum(RECOVERED_STATES, { error: 'This must be "failed" or "off".' }));

const RANGE = z.strictObject({
  from: z
    .string()
    .max(TIME_MAX_CHARACTERS)
    .describe("Events that happened from then on. RFC 3339, or without an offset on the clinic's clock."),
  to: z
    .string()
    .max(TIME_MAX_CHARACTERS)
    .nullish()
    .describe("And before then; up to now where absent. Only what has ended when the recovery starts is taken."),
  states: STATES.min(1, { error: "Choose at least one." })
    .max(RECOVERED_STATES.length)
    .describe("`failed`: given up. `off`: never sent, because the webhook was off."),
});
const NEW_RECOVERY = RANGE.extend({
  pace_per_second: z
    .int({ error: PACE_WORDS })
    .min(1, { error: PACE_WORDS })
    .max(RECOVERY_PACE_MAX_PER_SECOND, { error: PACE_WORDS })
    .nullish()
    .describe("Deliveries a second; never more than half of the webhook's own pace, which it is where this is absent."),
});

const COUNT = z.object({
  found: z.int().describe("Deliveries that would be sent again."),
  left_out: z.int().describe("Not among them: their content is no longer kept."),
  counted_all: z.boolean().describe(`False beyond ${RECOVERABLE_COUNTED_MAX}: then there are at least so many.`),
});
const RECOVERY = COUNT.extend({
  id: z.int(),
  state: z.enum(["running", "paused", "done", "cancelled"]).describe("`done`: all of them are queued."),
  waits_for: z.enum(["webhook_off", "webhook_parked"]).nullable().describe("Why a running one stands still."),
  from: z.string(),
  to: z.string().nullable(),
  states: STATES,
  queued: z.int().describe("Taken back so far: on their way, or ended a second time."),
  left: z.int().nullable().describe("Found and not queued yet; null where not all were counted."),
  waiting: z.int().describe("Of the queued ones, those that have not ended again; up to 10,000."),
  delivered: z.int().describe("Of the queued ones, those that have arrived since."),
  failed: z.int().describe("Of the queued ones, those that were given up once more, or cancelled."),
  pace_per_second: z.number(),
  started_by: z.string(),
  created_at: z.string(),
  ended_at: z.string().nullable(),
});
const RECOVERY_PARAMS = ID_PARAMS.extend({ recovery_id: z.string() });
const CURSOR = z.tuple([z.int()]);

export async function recoverRoutes(app: App, context: ApiContext): Promise<void> {
  app.addHook("onRequest", requireManager);
  startRoutes(app, context);
  readRoutes(app, context);
  stepRoutes(app, context);
}

function startRoutes(app: App, context: ApiContext): void {
  const count = { params: ID_PARAMS, body: RANGE, response: { 200: COUNT } };
  app.post(
    "/webhooks/:id/recover/count",
    { schema: { summary: "Count the deliveries that a recovery would send again.", ...count } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const scope = scopeOf(request);
        const range = readRange(request.body, await timeZoneOf(tx, scope));
        return { status: 200, body: showCount(await countRecoverable(tx, scope, range)) };
      }),
  );

  const start = { params: ID_PARAMS, body: NEW_RECOVERY, response: { 202: RECOVERY } };
  app.post(
    "/webhooks/:id/recover",
    { schema: { summary: "Start a recovery: send again what was not delivered.", ...start } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const scope = scopeOf(request);
        const timeZone = await timeZoneOf(tx, scope);
        const wanted = { ...readRange(request.body, timeZone), pacePerSecond: request.body.pace_per_second ?? null };
        const recovery = await startRecovery(tx, scope, { ...wanted, by: request.principal });
        return { status: 202, body: show(recovery, timeZone) };
      }),
  );
}

function readRoutes(app: App, { db }: ApiContext): void {
  const list = { params: ID_PARAMS, querystring: PAGE_QUERY, response: { 200: pageOf(RECOVERY) } };
  app.get(
    "/webhooks/:id/recover",
    { schema: { summary: "List a webhook's recoveries.", ...list } },
    async (request) => {
      const { query } = request;
      const scope = scopeOf(request);
      const limit = query.limit ?? PAGE_DEFAULT_ROWS;
      const [before] = readCursor(query.cursor, CURSOR) ?? [];
      return inClinic(db, scope.clinicId, async (tx) => {
        const rows = await listRecoveries(tx, scope, { before, limit: limit + 1 });
        const timeZone = await timeZoneOf(tx, scope);
        return toPage(rows, limit, { item: (row) => show(row, timeZone), key: ({ id }) => [id] });
      });
    },
  );

  const one = { params: RECOVERY_PARAMS, response: { 200: RECOVERY } };
  app.get(
    "/webhooks/:id/recover/:recovery_id",
    { schema: { summary: "Read how a recovery is getting on.", ...one } },
    async (request) => {
      const scope = scopeOf(request);
      const id = readId(request.params.recovery_id, "the recovery");
      return inClinic(db, scope.clinicId, async (tx) =>
        show(await getRecovery(tx, scope, id), await timeZoneOf(tx, scope)),
      );
    },
  );
}

function stepRoutes(app: App, context: ApiContext): void {
  const schema = { params: RECOVERY_PARAMS, body: z.strictObject({}).nullish(), response: { 200: RECOVERY } };
  const steps = [
    ["pause", "Pause a recovery."],
    ["resume", "Resume a paused recovery."],
    ["cancel", "Cancel a recovery; what it has sent stays sent."],
  ] as const;
  for (const [step, summary] of steps) {
    app.post(`/webhooks/:id/recover/:recovery_id/${step}`, { schema: { summary, ...schema } }, (request, reply) =>
      command(request, reply, context, async (tx) => {
        const scope = scopeOf(request);
        const id = readId(request.params.recovery_id, "the recovery");
        const recovery = await stepRecovery(tx, scope, { id, step, actor: request.principal.userId });
        return { status: 200, body: show(recovery, await timeZoneOf(tx, scope)) };
      }),
    );
  }
}

function scopeOf(request: { readonly principal: Principal; readonly params: { readonly id: string } }): RecoverScope {
  return { clinicId: request.principal.clinicId, webhookId: readId(request.params.id, "the webhook") };
}

async function timeZoneOf(tx: Tx, { clinicId }: RecoverScope): Promise<string> {
  return (await getClinic(tx, clinicId)).timeZone;
}

function readRange(body: z.output<typeof RANGE>, timeZone: string): RecoverRange {
  const to = body.to == null ? null : readTime("to", body.to, timeZone);
  return { from: readTime("from", body.from, timeZone), to, states: body.states };
}

function showCount({ found, leftOut, countedAll }: RecoverCount): z.output<typeof COUNT> {
  return { found, left_out: leftOut, counted_all: countedAll };
}

function show(recovery: Recovery, timeZone: string): z.output<typeof RECOVERY> {
  const { id, state, states, found, queued, waiting, delivered, failed, countedAll } = recovery;
  const time = (instant: Temporal.Instant | null) => (instant === null ? null : clinicTime(instant, timeZone));
  return {
    ...showCount(recovery),
    ...{ id, state, waits_for: recovery.waitsFor, states: [...states] },
    ...{ queued, waiting, delivered, failed },
    from: clinicTime(recovery.from, timeZone),
    to: time(recovery.to),
    left: countedAll ? Math.max(0, found - queued) : null,
    pace_per_second: recovery.pacePerSecond,
    started_by: recovery.startedByName,
    created_at: clinicTime(recovery.createdAt, timeZone),
    ended_at: time(recovery.endedAt),
  };
}
