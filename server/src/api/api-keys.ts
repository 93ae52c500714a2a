/** /v1/api-keys: the keys with which other programs speak for the clinic. Managers only; a key is shown once. */
import { z } from "zod";
import { type ApiKeyRow, createApiKey, listApiKeys, revokeApiKey } from "../accounts/api-keys.ts";
import { EMBED_ORIGIN_MAX_CHARACTERS, EMBED_ORIGINS_MAX, readEmbedOrigins } from "../accounts/embed-origins.ts";
import { API_KEY_SCOPES } from "../accounts/principal.ts";
import { getClinic } from "../clinic/clinics.ts";
import { readTime } from "../clinic/times.ts";
import type { Clock } from "../clock.ts";
import { inClinic } from "../db/pool.ts";
import { invalid } from "../errors.ts";
import { type CommandContext, command } from "./command.ts";
import type { ApiContext } from "./context.ts";
import { ID_PARAMS, readId } from "./ids.ts";
import type { App } from "./server.ts";
import { requireManager } from "./session.ts";

const SCOPE = z.enum(API_KEY_SCOPES);
const API_KEY = z.object({
  id: z.int(),
  name: z.string(),
  scopes: z.array(SCOPE),
  webhook_id: z.int().nullable().describe("Whose deliveries it reads, with the scope `deliveries:pull`."),
  embed_origins: z
    .array(z.string())
    .nullable()
    .describe("Which pages may show the embedded page in a frame, with the scope `embed`."),
  prefix: z.string().describe("The key's first characters."),
  created_at: z.string(),
  last_used_at: z.string().nullable().describe("To the minute or so."),
  expires_at: z
    .string()
    .nullable()
    .describe("From then on it opens nothing; null where it only ends by being revoked."),
});
const NEW_API_KEY = z.strictObject({
  name: z.string(),
  scopes: z.array(SCOPE).min(1).max(API_KEY_SCOPES.length),
  webhook_id: z
    .int()
    .min(1)
    .nullish()
    .describe("Needed for the scope `deliveries:pull`: the key reads this one's deliveries."),
  embed_origins: z
    .array(z.string().max(EMBED_ORIGIN_MAX_CHARACTERS))
    .max(EMBED_ORIGINS_MAX)
    .nullish()
    .describe("Needed for the scope `embed`: origins such as `https://clinic.example.test`."),
  expires_at: z.string().max(64).nullish().describe("RFC 3339 with an offset, or local to the clinic without one."),
});
const CREATED = API_KEY.extend({
  key: z
    .string()
    .optional()
    .describe("Shown here and never again: the answer that the same Idempotency-Key brings again is without it."),
});

export async function apiKeysRoutes(app: App, context: ApiContext): Promise<void> {
  app.addHook("onRequest", requireManager);

  const list = { response: { 200: z.object({ data: z.array(API_KEY), next_cursor: z.null() }) } };
  app.get(
    "/api-keys",
    { schema: { summary: "List the API keys, without the keys themselves.", ...list } },
    async ({ principal: { clinicId } }) => {
      const rows = await inClinic(context.db, clinicId, (tx) => listApiKeys(tx, clinicId));
      return { data: rows.map(show), next_cursor: null };
    },
  );

  app.post(
    "/api-keys",
    {
      schema: { summary: "Make an API key, which is shown this once.", body: NEW_API_KEY, response: { 201: CREATED } },
    },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { clinicId, userId: actor } = request.principal;
        const { name, scopes, expires_at, webhook_id: webhookId = null, embed_origins: origins } = request.body;
        const embedOrigins = origins == null ? null : readEmbedOrigins(origins, context);
        const { timeZone } = await getClinic(tx, clinicId);
        const expiresAt = expires_at == null ? null : readExpiry(expires_at, timeZone, context.clock);
        const wanted = { clinicId, actor, name, expiresAt, webhookId, embedOrigins, scopes: [...new Set(scopes)] };
        const { row, key } = await createApiKey(tx, wanted);
        return { status: 201, body: { ...show(row), key }, kept: show(row) };
      }),
  );

  app.delete(
    "/api-keys/:id",
    { schema: { summary: "Revoke an API key.", params: ID_PARAMS, response: { 204: z.null() } } },
    (request, reply) => {
      const { clinicId, userId: actor } = request.principal;
      const id = readId(request.params.id, "API key");
      const transact: CommandContext["transact"] = async (_clinic, work) => {
        const result = await inClinic(context.db, clinicId, work);
        // After the commit, or a request in between would put it back; before the answer, which says that it is closed.
        context.accounts.forgetApiKey({ clinicId, id });
        return result;
      };
      return command(request, reply, { ...context, transact }, async (tx) => {
        await revokeApiKey(tx, { clinicId, actor, id });
        return { status: 204 };
      });
    },
  );
}

function readExpiry(text: string, timeZone: string, clock: Clock): Temporal.Instant {
  const expiresAt = readTime("expires_at", text, timeZone);
  if (Temporal.Instant.compare(expiresAt, clock.now()) > 0) return expiresAt;
  throw invalid("expires_at", "This is in the past. Write a later time, or leave it out.", "invalid");
}

function show(row: ApiKeyRow): z.infer<typeof API_KEY> {
  return {
    id: row.id,
    name: row.name,
    scopes: [...row.scopes],
    webhook_id: row.webhookId,
    embed_origins: row.embedOrigins && [...row.embedOrigins],
    prefix: row.prefix,
    created_at: row.createdAt.toString(),
    last_used_at: row.lastUsedAt?.toString() ?? null,
    expires_at: row.expiresAt?.toString() ?? null,
  };
}
