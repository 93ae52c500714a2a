import type { Page } from "../api-types.ts";
import type { Intent } from "../intent.ts";
import { call, part, post } from "./call.ts";

/** What a key opens: telling Hookwell what happens, fetching the deliveries of one webhook, or showing the embedded page. */
export type ApiKeyScope = "feed" | "deliveries:pull" | "embed";

export interface NewApiKey {
  name: string;
  scopes: ApiKeyScope[];
  webhook_id?: number;
  embed_origins?: string[];
}

export interface ApiKey {
  id: number;
  name: string;
  scopes: ApiKeyScope[];
  /** Whose deliveries it fetches; null where it does not. */
  webhook_id: number | null;
  /** Which pages may hold the embedded page in a frame; null where it shows none. */
  embed_origins: string[] | null;
  /** The key's first characters. */
  prefix: string;
  created_at: string;
  last_used_at: string | null;
}

/** The answer to a creation: the only time that the key is told. */
export type CreatedApiKey = ApiKey & { key?: string };

export const apiKeys = {
  list: async (signal?: AbortSignal) => (await call<Page<ApiKey>>("/v1/api-keys", { signal })).data,
  create: (input: NewApiKey, intent: Intent) => post<CreatedApiKey>("/v1/api-keys", input, intent),
  revoke: (id: number) => call<null>(`/v1/api-keys/${part(id)}`, { method: "DELETE" }),
};
