/**
 * /v1/series: recurring consults. A series is scheduled by POST /v1/consults with `repeats`; here it is seen and changed as a
 * whole, or from a day on. Each occurrence makes its own events (contract §3 rule 8).
 */
import { z } from "zod";
import { type Clinic, getClinic } from "../clinic/clinics.ts";
import { type ConsultChanges, changeConsults } from "../clinic/consult-changes.ts";
import { cancelSeries, changeSeries, registerInSeries, removeFromSeries } from "../clinic/series.ts";
import { getSeries, type SeriesView } from "../clinic/series-views.ts";
import { clinicTime, endOf } from "../clinic/times.ts";
import { inClinic } from "../db/pool.ts";
import type { Tx } from "../db/schema.ts";
import { type CommandRequest, command } from "./command.ts";
import type { ApiContext } from "./context.ts";
import { ID_PARAMS, readId } from "./ids.ts";
import type { App } from "./server.ts";

const ID = z.int().min(1);
const FROM = z.string().optional().describe("The clinic's day of the first one meant; without it, all are.");

const SERIES = z.object({
  id: z.int(),
  every: z.enum(["day", "week", "month"]),
  interval: z.int(),
  occurrences: z.array(
    z.object({
      id: z.int().describe("The consult's."),
      start_time: z.string(),
      end_time: z.string(),
      cancelled: z.boolean(),
      patient_ids: z.array(z.int()).describe("Who is booked."),
    }),
  ),
});
const CHANGED = SERIES.extend({ changed_consult_ids: z.array(z.int()) });
const REGISTER = z.strictObject({ patient_id: ID, from: FROM });
const CANCEL = z.strictObject({ from: FROM }).nullish();
const CHANGE = z.strictObject({
  from: FROM,
  start_time: z.string().max(64).optional().describe("Time of day on the clinic's clock, like 18:00; days stay."),
  duration: z.number().optional().describe("Elapsed minutes."),
  service_id: ID.optional(),
  practitioner_id: ID.optional(),
});
const PATIENT_PARAMS = ID_PARAMS.extend({ patient_id: z.string() });

export async function seriesRoutes(app: App, context: ApiContext): Promise<void> {
  const read = { params: ID_PARAMS, response: { 200: SERIES } };
  app.get(
    "/series/:id",
    { schema: { summary: "Read a series of consults.", ...read } },
    ({ principal: { clinicId }, params }) => {
      const id = readSeriesId(params);
      return inClinic(context.db, clinicId, (tx) => seriesNow(tx, clinicId, id));
    },
  );
  changeRoutes(app, context);
  patientRoutes(app, context);
}

function changeRoutes(app: App, context: ApiContext): void {
  const change = { params: ID_PARAMS, body: CHANGE, response: { 200: CHANGED } };
  app.patch(
    "/series/:id",
    { schema: { summary: "Change a series' consults, all or from a day on.", ...change } },
    (request, reply) => {
      const { from, start_time, duration, service_id, practitioner_id } = request.body;
      const part = { seriesId: readSeriesId(request.params), from };
      const values = { durationMinutes: duration, serviceId: service_id, practitionerId: practitioner_id };
      return command(request, reply, context, async (tx) => ({
        status: 200,
        body: await changed({ request, context, tx, seriesId: part.seriesId }, (changes) =>
          changeSeries(changes, part, { ...values, timeOfDay: start_time }),
        ),
      }));
    },
  );

  const cancel = { params: ID_PARAMS, body: CANCEL, response: { 200: CHANGED } };
  app.post(
    "/series/:id/cancel",
    { schema: { summary: "Cancel a series' consults, all or from a day on.", ...cancel } },
    (request, reply) => {
      const part = { seriesId: readSeriesId(request.params), from: request.body?.from };
      return command(request, reply, context, async (tx) => ({
        status: 200,
        body: await changed({ request, context, tx, seriesId: part.seriesId }, (changes) =>
          cancelSeries(changes, part),
        ),
      }));
    },
  );
}

function patientRoutes(app: App, context: ApiContext): void {
  const register = { params: ID_PARAMS, body: REGISTER, response: { 201: CHANGED } };
  app.post(
    "/series/:id/participants",
    { schema: { summary: "Register a patient for a series' consults.", ...register } },
    (request, reply) => {
      const { patient_id, from } = request.body;
      const part = { seriesId: readSeriesId(request.params), from, patientId: patient_id };
      return command(request, reply, context, async (tx) => ({
        status: 201,
        body: await changed({ request, context, tx, seriesId: part.seriesId }, (changes) =>
          registerInSeries(changes, part),
        ),
      }));
    },
  );

  const query = z.strictObject({ from: FROM });
  const remove = { params: PATIENT_PARAMS, querystring: query, response: { 200: CHANGED } };
  app.delete(
    "/series/:id/participants/:patient_id",
    { schema: { summary: "Take a patient out of a series' consults.", ...remove } },
    (request, reply) => {
      const patientId = readId(request.params.patient_id, "participant");
      const part = { seriesId: readSeriesId(request.params), from: request.query.from, patientId };
      return command(request, reply, context, async (tx) => ({
        status: 200,
        body: await changed({ request, context, tx, seriesId: part.seriesId }, (changes) =>
          removeFromSeries(changes, part),
        ),
      }));
    },
  );
}

interface Act {
  readonly request: Pick<CommandRequest, "principal">;
  readonly context: ApiContext;
  readonly tx: Tx;
  readonly seriesId: number;
}

/** Runs a command on the series; the series as it stands afterwards, and which of its consults are not as they were. */
async function changed(
  act: Act,
  work: (changes: ConsultChanges) => Promise<number[]>,
): Promise<z.infer<typeof CHANGED>> {
  const { tx, seriesId } = act;
  const { clinicId } = act.request.principal;
  const ids = await changeConsults(tx, { clinicId, outbox: act.context.outbox }, work);
  return { ...(await seriesNow(tx, clinicId, seriesId)), changed_consult_ids: ids };
}

async function seriesNow(tx: Tx, clinicId: number, id: number): Promise<z.infer<typeof SERIES>> {
  return shown(await getSeries(tx, clinicId, id), await getClinic(tx, clinicId));
}

function shown({ id, every, interval, occurrences }: SeriesView, { timeZone }: Clinic): z.infer<typeof SERIES> {
  return {
    id,
    every,
    interval,
    occurrences: occurrences.map((one) => ({
      id: one.id,
      start_time: clinicTime(one.startsAt, timeZone),
      end_time: clinicTime(endOf(one.startsAt, one.durationMinutes), timeZone),
      cancelled: one.cancelledAt !== null,
      patient_ids: [...one.patientIds],
    })),
  };
}

function readSeriesId(params: z.infer<typeof ID_PARAMS>): number {
  return readId(params.id, "series");
}
