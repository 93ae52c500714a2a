/**
 * /v1/audit: who changed what, from where, and whether the trail is whole. Managers only. The files are in audit-export.ts.
 */
import { z } from "zod";
import { verifyChain } from "../audit/chain.ts";
import { listActors, listTrail } from "../audit/trail.ts";
import { getClinic } from "../clinic/clinics.ts";
import { inClinic } from "../db/pool.ts";
import { exportRoutes } from "./audit-export.ts";
import { AUDIT_ENTRY, readFilter, showEntry, TRAIL_FILTERS, withTargetNames } from "./audit-shapes.ts";
import type { ApiContext } from "./context.ts";
import { PAGE_DEFAULT_ROWS, PAGE_QUERY, pageOf, readCursor, toPage } from "./paging.ts";
import { perPersonAndMinute } from "./person-limits.ts";
import type { App } from "./server.ts";
import { requireManager } from "./session.ts";

/** How many entries one look at the page checks; the whole of a longer trail is for `hookwell audit verify`. */
const CHECKED_ENTRIES_MAX = 20_000;
/** Of one person; each reads and hashes as many. */
const CHECKS_PER_MINUTE_MAX = 10;
const LIST_QUERY = PAGE_QUERY.extend(TRAIL_FILTERS);
const CURSOR = z.tuple([z.int().min(1)]);

const ACTORS = z.object({ data: z.array(z.object({ id: z.string(), name: z.string().nullable() })) });
const CHECK = z.object({
  complete: z.boolean(),
  checked_count: z.int().describe(`Of the newest ${CHECKED_ENTRIES_MAX}.`),
  total_count: z.int().nullable().describe("Null where it breaks."),
  broken_at: z.int().nullable().describe("The first entry that is missing or not what it was."),
});

export async function auditRoutes(app: App, context: ApiContext): Promise<void> {
  app.addHook("onRequest", requireManager);

  const list = { querystring: LIST_QUERY, response: { 200: pageOf(AUDIT_ENTRY) } };
  app.get(
    "/audit",
    { schema: { summary: "List who changed what.", ...list } },
    async ({ principal: { clinicId }, query }) => {
      const limit = query.limit ?? PAGE_DEFAULT_ROWS;
      const [beforeSequence] = readCursor(query.cursor, CURSOR) ?? [null];
      return inClinic(context.db, clinicId, async (tx) => {
        const { timeZone } = await getClinic(tx, clinicId);
        const filter = readFilter(query, { clinicId, timeZone });
        const rows = await withTargetNames(
          tx,
          clinicId,
          await listTrail(tx, filter, { beforeSequence, limit: limit + 1 }),
        );
        return toPage(rows, limit, { item: (row) => showEntry(row, timeZone), key: (row) => [row.sequence] });
      });
    },
  );

  app.get(
    "/audit/actors",
    { schema: { summary: "List the people and keys that stand in the history.", response: { 200: ACTORS } } },
    async ({ principal: { clinicId } }) => {
      const actors = await inClinic(context.db, clinicId, (tx) => listActors(tx, clinicId));
      return { data: actors.map(({ actor, name }) => ({ id: actor, name })) };
    },
  );

  const check = {
    schema: { summary: "Check that nothing of the history was changed or taken away.", response: { 200: CHECK } },
    config: perPersonAndMinute(CHECKS_PER_MINUTE_MAX),
  };
  app.get("/audit/check", check, async ({ principal: { clinicId } }) => {
    const scope = { clinicId, newest: CHECKED_ENTRIES_MAX };
    const verdict = await inClinic(context.db, clinicId, (tx) => verifyChain(tx, scope));
    return {
      complete: verdict.complete,
      checked_count: verdict.checked,
      total_count: verdict.complete ? verdict.head.sequence : null,
      broken_at: verdict.complete ? null : verdict.sequence,
    };
  });

  exportRoutes(app, context);
}
