/**
 * /v1/consults: the schedule. Every change is one transaction with one unit of work, so its events are made once
 * (contract §3 rule 5), and answers with the consult as it stands afterwards.
 */
import { z } from "zod";
import { getClinic } from "../clinic/clinics.ts";
import { cancelConsult, restoreConsult } from "../clinic/consult-cancelling.ts";
import { type ConsultChanges, changeConsults } from "../clinic/consult-changes.ts";
import { getConsult, listConsults } from "../clinic/consult-views.ts";
import { changeConsult, type NewConsult, scheduleConsult } from "../clinic/consults.ts";
import { addParticipant, changeParticipant, moveParticipant, removeParticipant } from "../clinic/participants.ts";
import { scheduleSeries } from "../clinic/series.ts";
import type { Repeats } from "../clinic/series-times.ts";
import { inClinic } from "../db/pool.ts";
import type { Tx } from "../db/schema.ts";
import { command } from "./command.ts";
import {
  CONSULT,
  CONSULT_CHANGE,
  LIST_QUERY,
  MOVE,
  MOVED,
  NEW_CONSULT,
  NEW_PARTICIPANT,
  NOTHING,
  PARTICIPANT_CHANGE,
  PARTICIPANT_PARAMS,
  readConsultChange,
  readNewConsult,
  SCHEDULED,
  showConsult,
} from "./consult-shapes.ts";
import type { ApiContext } from "./context.ts";
import { ID_PARAMS, readId } from "./ids.ts";
import { PAGE_DEFAULT_ROWS, pageOf, readCursor, toPage } from "./paging.ts";
import type { App } from "./server.ts";

const CURSOR = z.tuple([z.int()]);

export async function consultsRoutes(app: App, context: ApiContext): Promise<void> {
  readRoutes(app, context);
  changeRoutes(app, context);
  cancelRoutes(app, context);
  participantRoutes(app, context);
  moveRoute(app, context);
}

function readRoutes(app: App, { db }: ApiContext): void {
  const list = { querystring: LIST_QUERY, response: { 200: pageOf(CONSULT) } };
  app.get("/consults", { schema: { summary: "List consults.", ...list } }, ({ principal: { clinicId }, query }) =>
    inClinic(db, clinicId, async (tx) => {
      const clinic = await getClinic(tx, clinicId);
      const limit = query.limit ?? PAGE_DEFAULT_ROWS;
      const [after] = readCursor(query.cursor, CURSOR) ?? [];
      const days = { clinicId, timeZone: clinic.timeZone, from: query.from, to: query.to };
      const patientId = query.patient_id === undefined ? undefined : readId(query.patient_id, "patient");
      const rows = await listConsults(tx, { ...days, patientId, after, limit: limit + 1 });
      return toPage(rows, limit, { item: (row) => showConsult(row, clinic), key: ({ id }) => [id] });
    }),
  );

  const one = { params: ID_PARAMS, response: { 200: CONSULT } };
  app.get(
    "/consults/:id",
    { schema: { summary: "Read a consult.", ...one } },
    ({ principal: { clinicId }, params }) => {
      const id = readConsultId(params);
      return inClinic(db, clinicId, (tx) => consultNow(tx, clinicId, id));
    },
  );
}

function changeRoutes(app: App, context: ApiContext): void {
  const add = { body: NEW_CONSULT, response: { 201: SCHEDULED } };
  app.post("/consults", { schema: { summary: "Schedule a consult, or a series of them.", ...add } }, (request, reply) =>
    command(request, reply, context, async (tx) => {
      const { clinicId } = request.principal;
      const consult = readNewConsult(request.body);
      const { repeats } = request.body;
      const { id, series } = await changing(context, tx, clinicId)((changes) => schedule(changes, consult, repeats));
      return { status: 201, body: { ...(await consultNow(tx, clinicId, id)), ...series } };
    }),
  );

  const change = { params: ID_PARAMS, body: CONSULT_CHANGE, response: { 200: CONSULT } };
  app.patch("/consults/:id", { schema: { summary: "Change a consult.", ...change } }, (request, reply) =>
    command(request, reply, context, async (tx) => {
      const { clinicId } = request.principal;
      const id = readConsultId(request.params);
      const change = readConsultChange(request.body);
      await changing(context, tx, clinicId)((changes) => changeConsult(changes, id, change));
      return { status: 200, body: await consultNow(tx, clinicId, id) };
    }),
  );
}

/** One consult, or a series of them; the id is the first one's. */
async function schedule(changes: ConsultChanges, consult: NewConsult, repeats: Repeats | undefined) {
  if (repeats === undefined) return { id: await scheduleConsult(changes, consult) };
  const { seriesId, consultIds } = await scheduleSeries(changes, consult, repeats);
  const [id = 0] = consultIds;
  return { id, series: { series: { id: seriesId, consult_ids: consultIds } } };
}

/** Both may be asked for twice; the second time nothing happens. */
function cancelRoutes(app: App, context: ApiContext): void {
  const schema = { params: ID_PARAMS, body: NOTHING, response: { 200: CONSULT } };
  const acts = [
    ["cancel", cancelConsult, "Cancel a consult."],
    ["restore", restoreConsult, "Restore a cancelled consult."],
  ] as const;
  for (const [name, act, summary] of acts) {
    app.post(`/consults/:id/${name}`, { schema: { summary, ...schema } }, (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId } = request.principal;
        const id = readConsultId(request.params);
        await changing(context, tx, clinicId)((changes) => act(changes, id));
        return { status: 200, body: await consultNow(tx, clinicId, id) };
      }),
    );
  }
}

function participantRoutes(app: App, context: ApiContext): void {
  const add = { params: ID_PARAMS, body: NEW_PARTICIPANT, response: { 201: CONSULT } };
  app.post(
    "/consults/:id/participants",
    { schema: { summary: "Add a patient to a group consult or class.", ...add } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId } = request.principal;
        const participant = { consultId: readConsultId(request.params), patientId: request.body.patient_id };
        const { status } = request.body;
        await changing(context, tx, clinicId)((changes) => addParticipant(changes, { ...participant, status }));
        return { status: 201, body: await consultNow(tx, clinicId, participant.consultId) };
      }),
  );

  const change = { params: PARTICIPANT_PARAMS, body: PARTICIPANT_CHANGE, response: { 200: CONSULT } };
  app.patch(
    "/consults/:id/participants/:patient_id",
    { schema: { summary: "Change a participant of a consult.", ...change } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId } = request.principal;
        const participant = readParticipant(request.params);
        await changing(
          context,
          tx,
          clinicId,
        )((changes) => changeParticipant(changes, { ...participant, ...request.body }));
        return { status: 200, body: await consultNow(tx, clinicId, participant.consultId) };
      }),
  );

  const remove = { params: PARTICIPANT_PARAMS, response: { 200: CONSULT } };
  app.delete(
    "/consults/:id/participants/:patient_id",
    { schema: { summary: "Take a patient out of a consult.", ...remove } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId } = request.principal;
        const participant = readParticipant(request.params);
        await changing(context, tx, clinicId)((changes) => removeParticipant(changes, participant));
        return { status: 200, body: await consultNow(tx, clinicId, participant.consultId) };
      }),
  );
}

function moveRoute(app: App, context: ApiContext): void {
  const move = { params: PARTICIPANT_PARAMS, body: MOVE, response: { 200: MOVED } };
  app.post(
    "/consults/:id/participants/:patient_id/move",
    { schema: { summary: "Move a patient to another consult.", ...move } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId } = request.principal;
        const participant = readParticipant(request.params);
        const toConsultId = request.body.to_consult_id;
        await changing(context, tx, clinicId)((changes) => moveParticipant(changes, { ...participant, toConsultId }));
        const from = await consultNow(tx, clinicId, participant.consultId);
        return { status: 200, body: { from, to: await consultNow(tx, clinicId, toConsultId) } };
      }),
  );
}

/** The transaction's one unit of consult changes, ready to run a command. */
function changing({ outbox }: ApiContext, tx: Tx, clinicId: number) {
  return <Result>(work: (changes: ConsultChanges) => Promise<Result>) => changeConsults(tx, { clinicId, outbox }, work);
}

function readConsultId(params: z.infer<typeof ID_PARAMS>): number {
  return readId(params.id, "consult");
}

function readParticipant(params: z.infer<typeof PARTICIPANT_PARAMS>) {
  return { consultId: readConsultId(params), patientId: readId(params.patient_id, "participant") };
}

async function consultNow(tx: Tx, clinicId: number, id: number) {
  return showConsult(await getConsult(tx, clinicId, id), await getClinic(tx, clinicId));
}
