import type { Page } from "../api-types.ts";
import type { Intent } from "../intent.ts";
import { call, part, post } from "./call.ts";

export interface ApiKey {
  id: number;
  name: string;
  scopes: string[];
  /** The key's first characters. */
  prefix: string;
  created_at: string;
  last_used_at: string | null;
}

/** The answer to a creation: the only time that the key is told. */
export type CreatedApiKey = ApiKey & { key?: string };

export const apiKeys = {
  list: async (signal?: AbortSignal) => (await call<Page<ApiKey>>("/v1/api-keys", { signal })).data,
  create: (name: string, intent: Intent) => post<CreatedApiKey>("/v1/api-keys", { name, scopes: ["feed"] }, intent),
  revoke: (id: number) => call<null>(`/v1/api-keys/${part(id)}`, { method: "DELETE" }),
};
