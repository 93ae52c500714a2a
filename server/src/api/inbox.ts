/** /v1/inbox: what the built-in test inbox received, with the judgement that a receiver came to. For managers only. */
import { WEBHOOK_HEADERS } from "@hookwell/sdk";
import { z } from "zod";
import { getClinic } from "../clinic/clinics.ts";
import { clinicTime } from "../clinic/times.ts";
import { inClinic } from "../db/pool.ts";
import type { Tx } from "../db/schema.ts";
import { emptyInbox, type InboxMessage, readMessages } from "../inbox/messages.ts";
import { command } from "./command.ts";
import type { ApiContext } from "./context.ts";
import type { App } from "./server.ts";
import { requireManager } from "./session.ts";

const MESSAGES_SHOWN_MAX = 100;
const EVENT_MAX_CHARACTERS = 100;

const MESSAGE = z.object({
  id: z.int(),
  received_at: z.string(),
  event: z.string().nullable(),
  headers: z.record(z.string(), z.string()),
  body: z.string(),
  test: z.boolean(),
  signature: z.object({ verified: z.boolean(), reason: z.string().nullable(), webhook_id: z.int().nullable() }),
  delivery_id: z.string().nullable(),
});
const INBOX = z.object({ url: z.string(), messages: z.array(MESSAGE) });

export async function inboxRoutes(app: App, context: ApiContext): Promise<void> {
  app.addHook("onRequest", requireManager);

  app.get(
    "/inbox",
    { schema: { summary: "Read what the built-in test inbox has received.", response: { 200: INBOX } } },
    async ({ principal: { clinicId, embedded } }) =>
      inClinic(context.db, clinicId, async (tx) => {
        const seal = await context.seal.forClinic(tx, clinicId);
        const { timeZone } = await getClinic(tx, clinicId);
        // The embedded page has no inbox of its own and asks for the address alone.
        const messages = embedded ? [] : await readMessages(tx, clinicId, { seal, limit: MESSAGES_SHOWN_MAX });
        const url = context.inboxUrlPrefix + (await tokenOf(tx, clinicId));
        return { url, messages: messages.map((message) => show(message, timeZone)) };
      }),
  );

  const empty = { response: { 200: z.object({ deleted: z.int() }) } };
  app.delete("/inbox", { schema: { summary: "Empty the built-in test inbox.", ...empty } }, (request, reply) =>
    command(request, reply, context, async (tx) => ({
      status: 200,
      body: { deleted: await emptyInbox(tx, request.principal.clinicId) },
    })),
  );
}

async function tokenOf(tx: Tx, clinicId: number): Promise<string> {
  const row = await tx.selectFrom("clinics").select("inbox_token").where("id", "=", clinicId).executeTakeFirstOrThrow();
  return row.inbox_token;
}

function show(message: InboxMessage, timeZone: string): z.output<typeof MESSAGE> {
  const id = message.headers[WEBHOOK_HEADERS.id] ?? null;
  const { reason, webhookId } = message.verdict;
  const body = message.body.toString("utf8");
  return {
    id: message.id,
    received_at: clinicTime(message.receivedAt, timeZone),
    event: eventOf(body),
    headers: { ...message.headers },
    body,
    test: message.headers[WEBHOOK_HEADERS.test] === "true",
    signature: { verified: reason === null, reason, webhook_id: webhookId },
    delivery_id: webhookId === null ? null : id,
  };
}

/** The event's name as the body says it; null where the body is not of ours. */
function eventOf(body: string): string | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return null;
  }
  const first: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
  const event = typeof first === "object" && first !== null && "event" in first ? first.event : null;
  return typeof event === "string" && event.length <= EVENT_MAX_CHARACTERS ? event : null;
}
