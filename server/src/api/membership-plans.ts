/** /v1/membership-plans: what can be given to patients. All staff see them, managers alone change them. */
import { z } from "zod";
import { addPlan, changePlan, listPlans } from "../clinic/memberships/plans.ts";
import { inClinic } from "../db/pool.ts";
import { command } from "./command.ts";
import type { ApiContext } from "./context.ts";
import { ID_PARAMS, readId } from "./ids.ts";
import { NEW_PLAN, PLAN, PLAN_CHANGE, readNewPlan, readPlan, showPlan } from "./membership-shapes.ts";
import { PAGE_DEFAULT_ROWS, PAGE_QUERY, pageOf, readCursor, toPage } from "./paging.ts";
import type { App } from "./server.ts";
import { requireManager } from "./session.ts";

const CURSOR = z.tuple([z.int()]);

export async function membershipPlansRoutes(app: App, context: ApiContext): Promise<void> {
  const { db, outbox } = context;
  const list = { querystring: PAGE_QUERY, response: { 200: pageOf(PLAN) } };
  app.get(
    "/membership-plans",
    { schema: { summary: "List membership plans.", ...list } },
    async ({ principal: { clinicId }, query }) => {
      const limit = query.limit ?? PAGE_DEFAULT_ROWS;
      const [after] = readCursor(query.cursor, CURSOR) ?? [];
      const rows = await inClinic(db, clinicId, (tx) => listPlans(tx, { clinicId, after, limit: limit + 1 }));
      return toPage(rows, limit, { item: showPlan, key: ({ id }) => [id] });
    },
  );

  const add = { body: NEW_PLAN, response: { 201: PLAN } };
  app.post(
    "/membership-plans",
    { schema: { summary: "Add a membership plan.", ...add }, onRequest: requireManager },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId } = request.principal;
        return { status: 201, body: showPlan(await addPlan(tx, { clinicId, outbox }, readNewPlan(request.body))) };
      }),
  );

  const change = { params: ID_PARAMS, body: PLAN_CHANGE, response: { 200: PLAN } };
  app.patch(
    "/membership-plans/:id",
    { schema: { summary: "Change a membership plan.", ...change }, onRequest: requireManager },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId } = request.principal;
        const wanted = { id: readId(request.params.id, "plan"), change: readPlan(request.body) };
        return { status: 200, body: showPlan(await changePlan(tx, { clinicId, outbox }, wanted)) };
      }),
  );
}
