/** Who is asking, and for which clinic. It comes from the credential alone, never from a request's content. */

export type StaffRole = "manager" | "practitioner" | "front_desk";

/** What an API key may be used for. */
export const API_KEY_SCOPES = ["feed", "deliveries:pull"] as const;
export type ApiKeyScope = (typeof API_KEY_SCOPES)[number];

export interface Principal {
  /** Of an API key, which no person is behind: `api_key:<id>`. */
  readonly userId: string;
  readonly userName: string;
  readonly userEmail: string;
  readonly clinicId: number;
  /** An API key has none of the staff's roles: what it may do is in its scopes. */
  readonly role: StaffRole | "api_key";
  /** Empty for staff. */
  readonly scopes: readonly ApiKeyScope[];
  /** Of an API key with the scope `deliveries:pull`: the one webhook whose deliveries it reads. Null for staff. */
  readonly webhookId: number | null;
}
