/** /v1/retention: for how many days the clinic keeps what was sent and what came of it. Managers only. */
import { z } from "zod";
import { record } from "../audit/audit.ts";
import { inClinic } from "../db/pool.ts";
import type { Tx } from "../db/schema.ts";
import { invalid } from "../errors.ts";
import { command } from "./command.ts";
import type { ApiContext } from "./context.ts";
import type { App } from "./server.ts";
import { requireManager } from "./session.ts";

const DAYS = z
  .int()
  .min(0, { error: "Choose a number of days from 0, or null." })
  .nullable()
  .describe(
    "The clinic's own choice; null where the operator's holds. 0: content goes as soon as nothing waits for it.",
  );
const CHANGE = z.strictObject({ days: DAYS });
const RETENTION = z.object({
  days: DAYS,
  operator_days: z.int().describe("Nothing is kept longer than this."),
  kept_days: z.int().describe("What holds: the lesser of the two."),
});

export async function retentionRoutes(app: App, context: ApiContext): Promise<void> {
  app.addHook("onRequest", requireManager);

  app.get(
    "/retention",
    { schema: { summary: "Read for how many days messages are kept.", response: { 200: RETENTION } } },
    ({ principal: { clinicId } }) =>
      inClinic(context.db, clinicId, async (tx) => show(await readDays(tx, clinicId), context)),
  );

  const schema = { body: CHANGE, response: { 200: RETENTION } };
  app.patch(
    "/retention",
    { schema: { summary: "Change for how many days messages are kept.", ...schema } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId, userId: actor } = request.principal;
        const { days } = request.body;
        if (days !== null && days > context.retentionDays) throw tooLong(context.retentionDays);
        const before = await readDays(tx, clinicId);
        await tx.updateTable("clinics").set({ retention_days: days }).where("id", "=", clinicId).execute();
        const entry = {
          action: "retention.changed",
          target: "clinic",
          before: { days: before },
          after: { days },
        } as const;
        if (before !== days) await record(tx, { clinicId, actor, ...entry });
        return { status: 200, body: show(days, context) };
      }),
  );
}

async function readDays(tx: Tx, clinicId: number): Promise<number | null> {
  const row = await tx
    .selectFrom("clinics")
    .select("retention_days")
    .where("id", "=", clinicId)
    .executeTakeFirstOrThrow();
  return row.retention_days;
}

function show(days: number | null, { retentionDays }: ApiContext): z.output<typeof RETENTION> {
  return { days, operator_days: retentionDays, kept_days: Math.min(days ?? retentionDays, retentionDays) };
}

function tooLong(most: number) {
  return invalid("days", `This server keeps things for ${most} days at most. Choose fewer, or null.`, "too_big");
}
