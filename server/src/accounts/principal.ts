/** Who is asking, and for which clinic. It comes from the credential alone, never from a request's content. */

import type { EmbedCapability } from "@hookwell/sdk";

export type StaffRole = "manager" | "practitioner" | "front_desk";

/** What an API key may be used for. */
export const API_KEY_SCOPES = ["feed", "deliveries:pull", "embed"] as const;
export type ApiKeyScope = (typeof API_KEY_SCOPES)[number];

export interface Principal {
  /** Of an API key, which no person is behind: `api_key:<id>`; of the embedded page: `embed:<id of the key>:<its user>`. */
  readonly userId: string;
  readonly userName: string;
  readonly userEmail: string;
  readonly clinicId: number;
  /** An API key has none of the staff's roles: what it may do is in its scopes. */
  readonly role: StaffRole | "api_key" | "embedded";
  /** Empty for staff. */
  readonly scopes: readonly ApiKeyScope[];
  /** Of an API key with the scope `deliveries:pull`: the one webhook whose deliveries it reads. Null for staff. */
  readonly webhookId: number | null;
  /** Of an API key, and of the embedded page that came of it. */
  readonly apiKeyId?: number;
  /** Of the embedded page alone. */
  readonly embedded?: Embedded;
}

/** Somebody whom other software vouches for, in a frame of its own page. */
export interface Embedded {
  readonly sessionId: number;
  /** As the other software knows its user. */
  readonly hostUserId: string;
  readonly capabilities: readonly EmbedCapability[];
}

/** What a capability guards, for everybody: staff and programs are held by their roles and scopes, and lack none. */
export function isCapable({ embedded }: Principal, capability: EmbedCapability): boolean {
  return embedded === undefined || embedded.capabilities.includes(capability);
}
