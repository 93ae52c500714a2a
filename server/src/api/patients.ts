/** /v1/patients: who is treated. Adding one is no portal sign-up, and renaming sends nothing (contract §1, §3 rule 6). */
import { z } from "zod";
import { addPatient, changePatient, getPatient, listPatients } from "../clinic/people.ts";
import { inClinic } from "../db/pool.ts";
import { command } from "./command.ts";
import type { ApiContext } from "./context.ts";
import { ID_PARAMS, readId } from "./ids.ts";
import { PAGE_DEFAULT_ROWS, PAGE_QUERY, pageOf, readCursor, searchText, toPage } from "./paging.ts";
import type { App } from "./server.ts";

const SEARCH_MAX_CHARACTERS = 200;

export const PATIENT = z.object({ id: z.int(), name: z.string(), email: z.string().nullable() });
const NEW_PATIENT = z.strictObject({ name: z.string(), email: z.string().nullable().optional() });
const CHANGE = z.strictObject({ name: z.string().optional(), email: z.string().nullable().optional() });
const LIST = PAGE_QUERY.extend({ q: searchText(SEARCH_MAX_CHARACTERS).optional() });
const CURSOR = z.tuple([z.int()]);

export async function patientsRoutes(app: App, context: ApiContext): Promise<void> {
  app.get(
    "/patients",
    { schema: { summary: "List patients.", querystring: LIST, response: { 200: pageOf(PATIENT) } } },
    async ({ principal: { clinicId }, query }) => {
      const limit = query.limit ?? PAGE_DEFAULT_ROWS;
      const [after] = readCursor(query.cursor, CURSOR) ?? [];
      const list = { clinicId, search: query.q, after, limit: limit + 1 };
      const rows = await inClinic(context.db, clinicId, (tx) => listPatients(tx, list));
      return toPage(rows, limit, { item: (row) => row, key: ({ id }) => [id] });
    },
  );

  app.post(
    "/patients",
    { schema: { summary: "Add a patient.", body: NEW_PATIENT, response: { 201: PATIENT } } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { name, email = null } = request.body;
        return { status: 201, body: await addPatient(tx, request.principal.clinicId, { name, email }) };
      }),
  );

  app.get(
    "/patients/:id",
    { schema: { summary: "Read a patient.", params: ID_PARAMS, response: { 200: PATIENT } } },
    async ({ principal: { clinicId }, params }) => {
      const id = readId(params.id, "patient");
      return inClinic(context.db, clinicId, (tx) => getPatient(tx, clinicId, id));
    },
  );

  app.patch(
    "/patients/:id",
    { schema: { summary: "Change a patient.", params: ID_PARAMS, body: CHANGE, response: { 200: PATIENT } } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId } = request.principal;
        const change = { clinicId, id: readId(request.params.id, "patient"), change: request.body };
        return { status: 200, body: await changePatient(tx, change) };
      }),
  );
}
