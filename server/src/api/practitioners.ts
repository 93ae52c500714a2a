/** /v1/practitioners: who treats. Renaming sends nothing (contract §3 rule 6). */
import { z } from "zod";
import { addPractitioner, changePractitioner, listPractitioners } from "../clinic/people.ts";
import { inClinic } from "../db/pool.ts";
import { command } from "./command.ts";
import type { ApiContext } from "./context.ts";
import { ID_PARAMS, readId } from "./ids.ts";
import { PAGE_DEFAULT_ROWS, PAGE_QUERY, pageOf, readCursor, toPage } from "./paging.ts";
import type { App } from "./server.ts";

const PRACTITIONER = z.object({ id: z.int(), name: z.string(), email: z.string() });
const NEW_PRACTITIONER = z.strictObject({ name: z.string(), email: z.string() });
const CHANGE = z.strictObject({ name: z.string().optional(), email: z.string().optional() });
const CURSOR = z.tuple([z.int()]);

export async function practitionersRoutes(app: App, context: ApiContext): Promise<void> {
  app.get(
    "/practitioners",
    { schema: { summary: "List practitioners.", querystring: PAGE_QUERY, response: { 200: pageOf(PRACTITIONER) } } },
    async ({ principal: { clinicId }, query }) => {
      const limit = query.limit ?? PAGE_DEFAULT_ROWS;
      const [after] = readCursor(query.cursor, CURSOR) ?? [];
      const list = { clinicId, after, limit: limit + 1 };
      const rows = await inClinic(context.db, clinicId, (tx) => listPractitioners(tx, list));
      return toPage(rows, limit, { item: (row) => row, key: ({ id }) => [id] });
    },
  );

  app.post(
    "/practitioners",
    { schema: { summary: "Add a practitioner.", body: NEW_PRACTITIONER, response: { 201: PRACTITIONER } } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        return { status: 201, body: await addPractitioner(tx, request.principal.clinicId, request.body) };
      }),
  );

  app.patch(
    "/practitioners/:id",
    { schema: { summary: "Change a practitioner.", params: ID_PARAMS, body: CHANGE, response: { 200: PRACTITIONER } } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId } = request.principal;
        const change = { clinicId, id: readId(request.params.id, "practitioner"), change: request.body };
        return { status: 200, body: await changePractitioner(tx, change) };
      }),
  );
}
