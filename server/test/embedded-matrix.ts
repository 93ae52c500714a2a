/** The embedded page's part of the matrix in roles.test.ts, and pages with each set of capabilities that is told apart there. */
import { EMBED_CAPABILITIES, type EmbedCapability } from "@hookwell/sdk";
import type { Caller, TestApi } from "./api.ts";
import { openEmbed, withToken } from "./embed.ts";

/** What the embedded page may call, with the capabilities it takes. Every other route is closed to it. */
export const FOR_EMBEDDED: Readonly<Record<string, readonly EmbedCapability[]>> = {
  "GET /v1/me": ["view"],
  "GET /v1/event-types": ["view"],
  "GET /v1/webhooks": ["view"],
  "GET /v1/webhooks/activity": ["view"],
  "POST /v1/webhooks": ["manage"],
  "POST /v1/webhooks/check-url": ["manage"],
  "GET /v1/webhooks/{id}": ["manage"],
  "PATCH /v1/webhooks/{id}": ["manage"],
  "DELETE /v1/webhooks/{id}": ["manage"],
  "POST /v1/webhooks/{id}/test": ["manage"],
  "POST /v1/webhooks/{id}/rotate-secret": ["manage", "new-secret"],
  "POST /v1/webhooks/{id}/recover/count": ["manage"],
  "POST /v1/webhooks/{id}/recover": ["manage"],
  "GET /v1/webhooks/{id}/recover": ["view"],
  "GET /v1/webhooks/{id}/recover/{recovery_id}": ["view"],
  "POST /v1/webhooks/{id}/recover/{recovery_id}/pause": ["manage"],
  "POST /v1/webhooks/{id}/recover/{recovery_id}/resume": ["manage"],
  "POST /v1/webhooks/{id}/recover/{recovery_id}/cancel": ["manage"],
  "POST /v1/webhooks/{id}/revoke-previous-secret": ["manage"],
  "GET /v1/webhooks/{id}/public-keys": ["view"],
  "GET /v1/deliveries": ["view"],
  "GET /v1/deliveries/{id}": ["view"],
  "POST /v1/deliveries/{id}/resend": ["manage"],
  "GET /v1/notices": ["view"],
  "GET /v1/stream": ["view"],
  "GET /v1/inbox": ["manage"],
};
export const EMBEDDED: readonly (readonly EmbedCapability[])[] = [
  ["view"],
  ["view", "manage"],
  ["view", "manage", "new-secret"],
  ["view", "manage", "include-patient"],
];

/** One for each set. */
export async function openPages(api: TestApi, key: string): Promise<Map<readonly EmbedCapability[], Caller>> {
  const pages = new Map<readonly EmbedCapability[], Caller>();
  for (const capabilities of EMBEDDED) {
    const user = { id: capabilities.join("+"), name: "Test User" };
    pages.set(capabilities, (await openEmbed(api, key, { capabilities, user })).call);
  }
  return pages;
}

/** The token of a page that could do everything, and was ended. */
export async function endedPage(api: TestApi, key: string): Promise<string> {
  const { id, token } = await openEmbed(api, key, { capabilities: EMBED_CAPABILITIES });
  await withToken(api, key)(`/v1/embed-sessions/${id}`, { method: "DELETE" });
  return token;
}
