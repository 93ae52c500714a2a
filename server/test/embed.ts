/** The embedded page, as tests open it: a key of its own, a session of one of its host's users, and calls with its token. */
import type { EmbedCapability } from "@hookwell/sdk";
import type { Answer, Caller, TestApi, TestClinic } from "./api.ts";

export const HOST_ORIGIN = "https://clinic-suite.example.test";
const USER = { id: "u-4711", name: "Robin Example" };

export interface EmbedKey {
  readonly id: number;
  readonly key: string;
}

/** A new key that makes embedded pages, for pages of HOST_ORIGIN. */
export async function embedKey(clinic: TestClinic, origins: readonly string[] = [HOST_ORIGIN]): Promise<EmbedKey> {
  const body = { name: "Clinic suite", scopes: ["embed"], embed_origins: origins };
  return (await clinic.as.manager("/v1/api-keys", { method: "POST", body })).json;
}

/** Asks for a session, with whatever a test changes of an ordinary one. */
export function askForEmbed(api: TestApi, key: string, changes: object = {}): Promise<Answer> {
  const body = { capabilities: ["view"], user: USER, ...changes };
  return api.anonymous("/v1/embed-sessions", { method: "POST", body, headers: { authorization: `Bearer ${key}` } });
}

/** Follows a link as the page in the frame does. */
export function follow(api: TestApi, link: string): Promise<Answer> {
  return api.anonymous("/embed/exchange", { method: "POST", body: { link: new URL(link).hash.slice(1) } });
}

export function withToken(api: TestApi, token: string): Caller {
  return (path, call = {}) =>
    api.anonymous(path, { ...call, headers: { ...call.headers, authorization: `Bearer ${token}` } });
}

/** An open page with such capabilities. */
export async function openEmbed(
  api: TestApi,
  key: string,
  options: { capabilities: readonly EmbedCapability[]; user?: typeof USER },
): Promise<{ id: number; token: string; call: Caller }> {
  const made = (await askForEmbed(api, key, options)).json;
  const { token } = (await follow(api, made.link)).json;
  return { id: made.id, token, call: withToken(api, token) };
}
