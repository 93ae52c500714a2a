/** /v1/operational-webhook: the one address of a clinic that is told when its webhooks fail. Managers only; its secret is shown once. */
import { z } from "zod";
import type { Principal } from "../accounts/principal.ts";
import { getClinic } from "../clinic/clinics.ts";
import { clinicTime } from "../clinic/times.ts";
import { inClinic } from "../db/pool.ts";
import type { Tx } from "../db/schema.ts";
import { NOTICE_KINDS } from "../notices/kinds.ts";
import { rotateOperationalSecret } from "../notices/operational-secret.ts";
import {
  changeOperationalWebhook,
  createOperationalWebhook,
  deleteOperationalWebhook,
  getOperationalWebhook,
  type OperationalContext,
  type OperationalWebhook,
} from "../notices/operational-webhook.ts";
import { command } from "./command.ts";
import type { ApiContext } from "./context.ts";
import type { App } from "./server.ts";
import { requireManager } from "./session.ts";
import { SECRET } from "./webhook-shapes.ts";

const URL_MAX_CHARACTERS = 20_000;
const TIME = z.string().nullable();
const EVENTS = z.array(z.enum(NOTICE_KINDS)).max(NOTICE_KINDS.length);

const OPERATIONAL_WEBHOOK = z.object({
  url_host: z.string(),
  url_masked: z.string().describe("Path and query are credentials of many services: they are never shown again."),
  events: EVENTS,
  enabled: z.boolean(),
  off_reason: z.enum(["you", "receiver_gone"]).nullable(),
  version: z.int(),
  last_delivered_at: TIME,
  last_failed_at: TIME,
  last_error: z.string().nullable(),
  last_status: z.int().nullable(),
  previous_secret_valid_until: TIME.describe(
    "Until then messages are signed with the secret before the current one, too.",
  ),
});
const NEW = z.strictObject({
  url: z.string().max(URL_MAX_CHARACTERS),
  events: EVENTS.optional().describe("All of them where it is left out."),
  enabled: z.boolean().optional(),
});

export async function operationalWebhookRoutes(app: App, context: ApiContext): Promise<void> {
  app.addHook("onRequest", requireManager);

  app.get(
    "/operational-webhook",
    { schema: { summary: "Read the webhook that is told of notices.", response: { 200: OPERATIONAL_WEBHOOK } } },
    async ({ principal }) => {
      const room = roomOf(context, principal);
      return inClinic(context.db, room.clinicId, async (tx) => show(tx, room, await getOperationalWebhook(tx, room)));
    },
  );

  const create = { body: NEW, response: { 201: OPERATIONAL_WEBHOOK.extend({ secret: SECRET }) } };
  app.post(
    "/operational-webhook",
    { schema: { summary: "Set up the webhook that is told of notices; its secret is shown this once.", ...create } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const room = roomOf(context, request.principal);
        const { webhook, secret } = await createOperationalWebhook(tx, room, request.body);
        const shown = await show(tx, room, webhook);
        return { status: 201, body: { ...shown, secret }, kept: shown };
      }),
  );

  const change = { body: NEW.partial(), response: { 200: OPERATIONAL_WEBHOOK } };
  app.patch(
    "/operational-webhook",
    { schema: { summary: "Change the webhook that is told of notices, or turn it off and on.", ...change } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const room = roomOf(context, request.principal);
        return { status: 200, body: await show(tx, room, await changeOperationalWebhook(tx, room, request.body)) };
      }),
  );

  const rotate = {
    body: z.strictObject({}).nullish(),
    response: { 200: z.object({ secret: SECRET, previous_valid_until: z.string() }) },
  };
  app.post(
    "/operational-webhook/rotate-secret",
    { schema: { summary: "Make a new secret for the webhook that is told of notices.", ...rotate } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const room = roomOf(context, request.principal);
        const { secret, previousValidUntil } = await rotateOperationalSecret(tx, room);
        const { timeZone } = await getClinic(tx, room.clinicId);
        const kept = { previous_valid_until: clinicTime(previousValidUntil, timeZone) };
        return { status: 200, body: { secret, ...kept }, kept };
      }),
  );

  app.delete(
    "/operational-webhook",
    { schema: { summary: "Remove the webhook that is told of notices.", response: { 204: z.null() } } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        await deleteOperationalWebhook(tx, roomOf(context, request.principal));
        return { status: 204 };
      }),
  );
}

function roomOf({ seal, egress }: ApiContext, { clinicId, userId: actor }: Principal): OperationalContext {
  return { seal, clinicId, actor, checkAddress: (text) => egress.check(text) };
}

async function show(
  tx: Tx,
  { clinicId }: OperationalContext,
  webhook: OperationalWebhook,
): Promise<z.infer<typeof OPERATIONAL_WEBHOOK>> {
  const { timeZone } = await getClinic(tx, clinicId);
  const time = (at: Temporal.Instant | null) => at && clinicTime(at, timeZone);
  return {
    url_host: webhook.urlHost,
    url_masked: webhook.urlMasked,
    events: [...webhook.events],
    enabled: webhook.enabled,
    off_reason: webhook.offReason,
    version: webhook.version,
    last_delivered_at: time(webhook.lastDeliveredAt),
    last_failed_at: time(webhook.lastFailedAt),
    last_error: webhook.lastError,
    last_status: webhook.lastStatus,
    previous_secret_valid_until: time(webhook.previousSecretValidUntil),
  };
}
