/** /v1/services: what a clinic offers. Changing one sends nothing (contract §3 rule 6). */
import { z } from "zod";
import { addService, changeService, listServices, type ServiceRow } from "../clinic/services.ts";
import { inClinic } from "../db/pool.ts";
import { command } from "./command.ts";
import type { ApiContext } from "./context.ts";
import { ID_PARAMS, readId } from "./ids.ts";
import { PAGE_DEFAULT_ROWS, PAGE_QUERY, pageOf, readCursor, toPage } from "./paging.ts";
import type { App } from "./server.ts";

export const SERVICE_KIND = z.enum(["one_to_one", "group", "class"]);

const SERVICE = z.object({
  id: z.int(),
  name: z.string(),
  kind: SERVICE_KIND,
  duration: z.int().describe("Minutes."),
  capacity: z.int().nullable(),
});
const NEW_SERVICE = z.strictObject({
  name: z.string(),
  kind: SERVICE_KIND,
  duration: z.number().describe("Minutes."),
  capacity: z.number().nullable().optional(),
});
const SERVICE_CHANGE = z.strictObject({
  name: z.string().optional(),
  duration: z.number().optional().describe("Minutes, for consults that are scheduled from now on."),
  capacity: z.number().nullable().optional().describe("Places, for what is booked from now on."),
});
const CURSOR = z.tuple([z.int()]);

export async function servicesRoutes(app: App, context: ApiContext): Promise<void> {
  app.get(
    "/services",
    { schema: { summary: "List services.", querystring: PAGE_QUERY, response: { 200: pageOf(SERVICE) } } },
    async ({ principal: { clinicId }, query }) => {
      const limit = query.limit ?? PAGE_DEFAULT_ROWS;
      const [after] = readCursor(query.cursor, CURSOR) ?? [];
      const list = { clinicId, after, limit: limit + 1 };
      const rows = await inClinic(context.db, clinicId, (tx) => listServices(tx, list));
      return toPage(rows, limit, { item: shown, key: ({ id }) => [id] });
    },
  );

  app.post(
    "/services",
    { schema: { summary: "Add a service.", body: NEW_SERVICE, response: { 201: SERVICE } } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { name, kind, duration, capacity = null } = request.body;
        const service = { name, kind, durationMinutes: duration, capacity };
        return { status: 201, body: shown(await addService(tx, request.principal.clinicId, service)) };
      }),
  );

  app.patch(
    "/services/:id",
    { schema: { summary: "Change a service.", params: ID_PARAMS, body: SERVICE_CHANGE, response: { 200: SERVICE } } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId } = request.principal;
        const { name, duration, capacity } = request.body;
        const change = { name, durationMinutes: duration, capacity };
        const id = readId(request.params.id, "service");
        return { status: 200, body: shown(await changeService(tx, { clinicId, id, change })) };
      }),
  );
}

function shown({ id, name, kind, durationMinutes, capacity }: ServiceRow) {
  return { id, name, kind, duration: durationMinutes, capacity };
}
