/**
 * /v1/courses and /v1/webinars, alike: what Clinic Academy offers, and who takes part. All staff let patients in, managers
 * alone say what is offered. A patient who gains access makes one `*_participant.added` (contract §1).
 */
import type { ResourceType } from "@hookwell/sdk";
import { z } from "zod";
import { listParticipants } from "../clinic/academy/academy-views.ts";
import { enrol, removeAccess } from "../clinic/academy/access.ts";
import { addItem, changeItem, listItems, requireAcademy } from "../clinic/academy/items.ts";
import { getClinic } from "../clinic/clinics.ts";
import { inClinic } from "../db/pool.ts";
import type { Tx } from "../db/schema.ts";
import {
  ITEM,
  ITEM_CHANGE,
  NEW_ITEM,
  NEW_PARTICIPANT,
  PARTICIPANT,
  readItem,
  showItem,
  showParticipant,
} from "./academy-shapes.ts";
import { command } from "./command.ts";
import type { ApiContext } from "./context.ts";
import { ID_PARAMS, readId } from "./ids.ts";
import { PAGE_DEFAULT_ROWS, PAGE_QUERY, pageOf, readCursor, toPage } from "./paging.ts";
import type { App } from "./server.ts";
import { requireManager } from "./session.ts";

const CURSOR = z.tuple([z.int()]);
const PARTICIPANT_PARAMS = z.object({ id: z.string(), patient_id: z.string() });

export async function academyRoutes(app: App, context: ApiContext): Promise<void> {
  for (const type of ["course", "webinar"] as const) {
    listRoute(app, context, type);
    changeRoutes(app, context, type);
    participantsRoute(app, context, type);
    enrolRoute(app, context, type);
    removeRoute(app, context, type);
  }
}

function listRoute(app: App, { db }: ApiContext, type: ResourceType): void {
  const list = { querystring: PAGE_QUERY, response: { 200: pageOf(ITEM) } };
  app.get(
    `/${type}s`,
    { schema: { summary: `List the clinic's ${type}s.`, ...list } },
    ({ principal: { clinicId }, query }) =>
      inClinic(db, clinicId, async (tx) => {
        const clinic = await requireAcademy(tx, clinicId);
        const limit = query.limit ?? PAGE_DEFAULT_ROWS;
        const [after] = readCursor(query.cursor, CURSOR) ?? [];
        const rows = await listItems(tx, { clinicId, type, after, limit: limit + 1 });
        return toPage(rows, limit, { item: (row) => showItem(row, clinic), key: ({ id }) => [id] });
      }),
  );
}

function changeRoutes(app: App, context: ApiContext, type: ResourceType): void {
  const add = { body: NEW_ITEM, response: { 201: ITEM } };
  app.post(
    `/${type}s`,
    { schema: { summary: `Add a ${type}.`, ...add }, onRequest: requireManager },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId } = request.principal;
        const { name, price, currency } = request.body;
        const row = await addItem(tx, clinicId, { ...readItem(request.body), type, name, price, currency });
        return { status: 201, body: showItem(row, await getClinic(tx, clinicId)) };
      }),
  );

  const change = { params: ID_PARAMS, body: ITEM_CHANGE, response: { 200: ITEM } };
  app.patch(
    `/${type}s/:id`,
    { schema: { summary: `Change a ${type}.`, ...change }, onRequest: requireManager },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId } = request.principal;
        const key = { clinicId, type, id: readId(request.params.id, type) };
        const row = await changeItem(tx, key, readItem(request.body));
        return { status: 200, body: showItem(row, await getClinic(tx, clinicId)) };
      }),
  );
}

function participantsRoute(app: App, { db }: ApiContext, type: ResourceType): void {
  const list = { params: ID_PARAMS, querystring: PAGE_QUERY, response: { 200: pageOf(PARTICIPANT) } };
  app.get(
    `/${type}s/:id/participants`,
    { schema: { summary: `List who has access to a ${type}.`, ...list } },
    ({ principal: { clinicId }, params, query }) => {
      const id = readId(params.id, type);
      return inClinic(db, clinicId, async (tx) => {
        const clinic = await getClinic(tx, clinicId);
        const limit = query.limit ?? PAGE_DEFAULT_ROWS;
        const [before] = readCursor(query.cursor, CURSOR) ?? [];
        const rows = await listParticipants(tx, { clinicId, type, id, before, limit: limit + 1 });
        return toPage(rows, limit, { item: (row) => showParticipant(row, clinic), key: ({ placeId }) => [placeId] });
      });
    },
  );
}

/** 201 where the patient gained access, 200 where he had it. */
function enrolRoute(app: App, context: ApiContext, type: ResourceType): void {
  const add = { params: ID_PARAMS, body: NEW_PARTICIPANT, response: { 200: PARTICIPANT, 201: PARTICIPANT } };
  app.post(
    `/${type}s/:id/participants`,
    { schema: { summary: `Give a patient access to a ${type}.`, ...add } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId } = request.principal;
        const { patient_id: patientId, how } = request.body;
        const itemId = readId(request.params.id, type);
        const { added } = await enrol(tx, { clinicId, outbox: context.outbox }, { type, itemId, patientId, how });
        const body = await participantNow(tx, { clinicId, type, id: itemId, patientId });
        return { status: added ? 201 : 200, body };
      }),
  );
}

function removeRoute(app: App, context: ApiContext, type: ResourceType): void {
  const remove = { params: PARTICIPANT_PARAMS, response: { 204: z.null() } };
  app.delete(
    `/${type}s/:id/participants/:patient_id`,
    { schema: { summary: `Take a patient's access to a ${type} away.`, ...remove } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId } = request.principal;
        const itemId = readId(request.params.id, type);
        const patientId = readId(request.params.patient_id, "participant");
        await removeAccess(tx, clinicId, { type, itemId, patientId });
        return { status: 204 };
      }),
  );
}

interface OneParticipant {
  readonly clinicId: number;
  readonly type: ResourceType;
  readonly id: number;
  readonly patientId: number;
}

async function participantNow(tx: Tx, one: OneParticipant): Promise<z.infer<typeof PARTICIPANT>> {
  const [view] = await listParticipants(tx, { ...one, limit: 1 });
  if (view === undefined) throw new Error("a patient was let in and is no participant");
  return showParticipant(view, await getClinic(tx, one.clinicId));
}
