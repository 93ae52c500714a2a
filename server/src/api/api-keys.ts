/** /v1/api-keys: the keys with which other programs speak for the clinic. Managers only; a key is shown once. */
import { z } from "zod";
import { type ApiKeyRow, createApiKey, listApiKeys, revokeApiKey } from "../accounts/api-keys.ts";
import { API_KEY_SCOPES } from "../accounts/principal.ts";
import { inClinic } from "../db/pool.ts";
import { command } from "./command.ts";
import type { ApiContext } from "./context.ts";
import { ID_PARAMS, readId } from "./ids.ts";
import type { App } from "./server.ts";
import { requireManager } from "./session.ts";

const SCOPE = z.enum(API_KEY_SCOPES);
const API_KEY = z.object({
  id: z.int(),
  name: z.string(),
  scopes: z.array(SCOPE),
  prefix: z.string().describe("The key's first characters."),
  created_at: z.string(),
  last_used_at: z.string().nullable().describe("To the minute or so."),
});
const NEW_API_KEY = z.strictObject({
  name: z.string(),
  scopes: z.array(SCOPE).min(1).max(API_KEY_SCOPES.length),
});
const CREATED = API_KEY.extend({ key: z.string().describe("Shown here and never again.") });

export async function apiKeysRoutes(app: App, context: ApiContext): Promise<void> {
  app.addHook("onRequest", requireManager);

  const list = { response: { 200: z.object({ data: z.array(API_KEY), next_cursor: z.null() }) } };
  app.get("/api-keys", { schema: list }, async ({ principal: { clinicId } }) => {
    const rows = await inClinic(context.db, clinicId, (tx) => listApiKeys(tx, clinicId));
    return { data: rows.map(show), next_cursor: null };
  });

  app.post("/api-keys", { schema: { body: NEW_API_KEY, response: { 201: CREATED } } }, (request, reply) =>
    command(request, reply, context, async (tx) => {
      const { clinicId, userId: actor } = request.principal;
      const { name, scopes } = request.body;
      const { row, key } = await createApiKey(tx, { clinicId, actor, name, scopes: [...new Set(scopes)] });
      return { status: 201, body: { ...show(row), key } };
    }),
  );

  app.delete("/api-keys/:id", { schema: { params: ID_PARAMS } }, (request, reply) =>
    command(request, reply, context, async (tx) => {
      const { clinicId, userId: actor } = request.principal;
      await revokeApiKey(tx, { clinicId, actor, id: readId(request.params.id, "API key") });
      return { status: 204 };
    }),
  );
}

function show(row: ApiKeyRow): z.infer<typeof API_KEY> {
  return {
    id: row.id,
    name: row.name,
    scopes: [...row.scopes],
    prefix: row.prefix,
    created_at: row.createdAt.toString(),
    last_used_at: row.lastUsedAt?.toString() ?? null,
  };
}
