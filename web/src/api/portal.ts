// The patients' door: a clinic's public sign-up. No session is needed, and none is made.
import type { Language } from "../i18n/languages.ts";
import { call, part, post } from "./call.ts";

export interface PortalClinic {
  clinic: { name: string; locale: Language };
}

export interface NewAccount {
  name: string;
  email: string;
  password: string;
}

const at = (portalName: string) => `/portal-api/${part(portalName)}`;

export const portal = {
  clinic: (portalName: string, signal?: AbortSignal) => call<PortalClinic>(at(portalName), { signal }),
  /** The answer is the same whether or not the e-mail has an account here. */
  signUp: (portalName: string, account: NewAccount) =>
    post<{ status: "received" }>(`${at(portalName)}/accounts`, account),
};
