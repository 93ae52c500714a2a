/** /v1/webhooks/{id}: the secret's rotation and its end, and the public keys. For managers only. */
import { z } from "zod";
import { clinicTime } from "../clinic/times.ts";
import { inClinic } from "../db/pool.ts";
import { getPublicKeys, revokePreviousSecret, rotateSecret } from "../webhooks/webhooks.ts";
import { command } from "./command.ts";
import type { ApiContext } from "./context.ts";
import { ID_PARAMS, readId } from "./ids.ts";
import { PUBLIC_KEYS, publicKeysUrl, showPublicKeys } from "./public-keys.ts";
import type { App } from "./server.ts";
import { requireManager } from "./session.ts";
import { SECRET, showWebhook, WEBHOOK } from "./webhook-shapes.ts";
import { roomOf, timeZoneOf } from "./webhooks.ts";

const NOTHING = z.strictObject({}).nullish();

export async function webhookSecretsRoutes(app: App, context: ApiContext): Promise<void> {
  app.addHook("onRequest", requireManager);
  rotationRoutes(app, context);
  keysRoute(app, context);
}

function rotationRoutes(app: App, context: ApiContext): void {
  const answer = z.object({
    secret: SECRET,
    previous_valid_until: z.string(),
    public_key: z
      .string()
      .nullable()
      .describe("The new public key where the webhook also signs with `v1a`, else null."),
  });
  const rotate = { params: ID_PARAMS, body: NOTHING, response: { 200: answer } };
  app.post(
    "/webhooks/:id/rotate-secret",
    { schema: { summary: "Make a new secret for a webhook, which is shown this once.", ...rotate } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const id = readId(request.params.id, "webhook");
        const room = roomOf(context, request.principal);
        const { secret, previousValidUntil, publicKey } = await rotateSecret(tx, room, id);
        const until = clinicTime(previousValidUntil, await timeZoneOf(tx, room.clinicId));
        const kept = { previous_valid_until: until, public_key: publicKey };
        return { status: 200, body: { secret, ...kept }, kept };
      }),
  );

  const revoke = {
    description:
      "Ends a rotation's overlap now: from the next attempt on, messages are signed with the current secret alone.",
    params: ID_PARAMS,
    body: NOTHING,
    response: { 200: WEBHOOK },
  };
  app.post(
    "/webhooks/:id/revoke-previous-secret",
    { schema: { summary: "Stop signing with a webhook's previous secret.", ...revoke } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const id = readId(request.params.id, "webhook");
        const room = roomOf(context, request.principal);
        const webhook = await revokePreviousSecret(tx, room, id);
        return { status: 200, body: showWebhook(webhook, await timeZoneOf(tx, room.clinicId)) };
      }),
  );
}

function keysRoute(app: App, context: ApiContext): void {
  const url = z
    .string()
    .nullable()
    .describe("Where receivers fetch the same without signing in; null as long as `v1a` was never on.");
  const schema = {
    description: "The public keys with which messages may be signed now, newest first; none where `v1a` is off.",
    params: ID_PARAMS,
    response: { 200: z.object({ url, keys: PUBLIC_KEYS }) },
  };
  app.get(
    "/webhooks/:id/public-keys",
    { schema: { summary: "Read the public keys by which a webhook's signatures are checked.", ...schema } },
    async ({ principal, params }) => {
      const id = readId(params.id, "webhook");
      return inClinic(context.db, principal.clinicId, async (tx) => {
        const { token, keys } = await getPublicKeys(tx, roomOf(context, principal), id);
        const timeZone = await timeZoneOf(tx, principal.clinicId);
        const shown = showPublicKeys(keys, (instant) => clinicTime(instant, timeZone));
        return { url: publicKeysUrl(context, token), keys: shown };
      });
    },
  );
}
