/** /v1/notices: what managers are told of their webhooks, in the page. Managers only. */
import { z } from "zod";
import { getClinic } from "../clinic/clinics.ts";
import { clinicTime } from "../clinic/times.ts";
import { inClinic } from "../db/pool.ts";
import {
  countUnread,
  listNotices,
  markAllRead,
  markRead,
  type ReadableNotice,
  type Sends,
  UNREAD_COUNTED_MAX,
} from "../notices/in-app.ts";
import { LATE_EVENTS, NOTICE_KINDS } from "../notices/kinds.ts";
import { LATE_STATES } from "../notices/late-now.ts";
import { command } from "./command.ts";
import type { ApiContext } from "./context.ts";
import { ID_PARAMS, readId } from "./ids.ts";
import { PAGE_DEFAULT_ROWS, PAGE_QUERY, pageOf, readCursor, toPage } from "./paging.ts";
import type { App } from "./server.ts";
import { requireManager } from "./session.ts";

const CURSOR = z.tuple([z.int()]);
const TIME = z.string().nullable();
const SENDS = z
  .object({ sent: z.int(), waiting: z.int(), given_up: z.int() })
  .describe("Messages; all 0 where there was nobody to tell this way.");

const NOTICE = z.object({
  id: z.int(),
  kind: z.enum(NOTICE_KINDS),
  webhook: z.object({ id: z.int(), name: z.string(), deleted: z.boolean() }).nullable(),
  outcome: z.string().nullable().describe("Of the attempt that caused it."),
  status: z.int().nullable(),
  failing_since: TIME,
  off_at: TIME.describe("When the webhook will be turned off."),
  expires_at: TIME.describe("When the content of what waits is no longer kept."),
  waiting_count: z.int().nullable(),
  delivery_id: z.string().nullable(),
  delivery_state: z
    .enum(LATE_STATES)
    .nullable()
    .describe("Now, and waiting as long as anything about the same consult waits; null once it is no longer kept."),
  delivered_at: TIME.describe("When the late delivery arrived after all."),
  consult_starts_at: TIME,
  event: z.enum(LATE_EVENTS).nullable(),
  created_at: z.string(),
  read_at: TIME,
  email: SENDS,
  operational_webhook: SENDS,
});
const PAGE = pageOf(NOTICE).extend({
  email_is_set_up: z.boolean().describe("Whether this server sends e-mail at all."),
  unread_count: z.int().describe(`At most ${UNREAD_COUNTED_MAX}: more are not counted.`),
});
const LIST_QUERY = PAGE_QUERY.extend({ unread: z.enum(["true", "false"]).optional() });
const READ_ALL = z
  .strictObject({ up_to: z.int().min(1).optional().describe("The id of the newest one that was seen.") })
  .nullish();

export async function noticesRoutes(app: App, context: ApiContext): Promise<void> {
  app.addHook("onRequest", requireManager);

  const list = { querystring: LIST_QUERY, response: { 200: PAGE } };
  app.get(
    "/notices",
    { schema: { summary: "List notices, the newest first.", ...list } },
    async ({ principal: { clinicId }, query }) => {
      const limit = query.limit ?? PAGE_DEFAULT_ROWS;
      const [beforeId] = readCursor(query.cursor, CURSOR) ?? [null];
      return inClinic(context.db, clinicId, async (tx) => {
        const { timeZone } = await getClinic(tx, clinicId);
        const unread = query.unread === "true";
        const rows = await listNotices(tx, { clinicId, unread, beforeId, limit: limit + 1 });
        const page = toPage(rows, limit, { item: (row) => show(row, timeZone), key: (row) => [row.id] });
        return { ...page, email_is_set_up: context.sendsEmail, unread_count: await countUnread(tx, clinicId) };
      });
    },
  );

  const one = { params: ID_PARAMS, body: z.strictObject({}).nullish(), response: { 200: NOTICE } };
  app.post("/notices/:id/read", { schema: { summary: "Mark a notice as read.", ...one } }, (request, reply) =>
    command(request, reply, context, async (tx) => {
      const { clinicId, userId: actor } = request.principal;
      const notice = await markRead(tx, { clinicId, actor }, readId(request.params.id, "notice"));
      return { status: 200, body: show(notice, (await getClinic(tx, clinicId)).timeZone) };
    }),
  );

  const all = { body: READ_ALL, response: { 200: z.object({ read_count: z.int() }) } };
  app.post("/notices/read-all", { schema: { summary: "Mark all notices as read.", ...all } }, (request, reply) =>
    command(request, reply, context, async (tx) => {
      const { clinicId, userId: actor } = request.principal;
      return { status: 200, body: { read_count: await markAllRead(tx, { clinicId, actor }, request.body?.up_to) } };
    }),
  );
}

function show(notice: ReadableNotice, timeZone: string): z.infer<typeof NOTICE> {
  const { details } = notice;
  const time = (at: Temporal.Instant | null | undefined) => (at == null ? null : clinicTime(at, timeZone));
  return {
    id: notice.id,
    kind: notice.kind,
    webhook: notice.webhook,
    outcome: details.outcome ?? null,
    status: details.status ?? null,
    failing_since: time(details.failingSince),
    off_at: time(details.offAt),
    expires_at: time(details.expiresAt),
    waiting_count: details.waiting ?? null,
    delivery_id: details.deliveryId ?? null,
    delivery_state: notice.lateNow?.state ?? null,
    delivered_at: time(notice.lateNow?.deliveredAt),
    consult_starts_at: time(details.startsAt),
    event: details.event ?? null,
    created_at: clinicTime(notice.createdAt, timeZone),
    read_at: time(notice.readAt),
    email: showSends(notice.email),
    operational_webhook: showSends(notice.operationalWebhook),
  };
}

function showSends({ sent, waiting, givenUp }: Sends): z.infer<typeof SENDS> {
  return { sent, waiting, given_up: givenUp };
}
