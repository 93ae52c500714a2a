// The patients' door: a clinic's portal. Its sessions are the patients' own, apart from those of staff.
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

/** A letter is on its way if there is somebody to write to; without a mail server no letter ever is. */
export interface Received {
  status: "received";
  sends_letters: boolean;
}

/** What a signed-in patient sees. */
export interface OwnPage {
  patient: { name: string; email: string | null };
  time_zone: string;
  consults: { start_time: string; duration: number; service: string; practitioner: string }[];
}

const at = (portalName: string) => `/portal-api/${part(portalName)}`;

export const portal = {
  clinic: (portalName: string, signal?: AbortSignal) => call<PortalClinic>(at(portalName), { signal }),
  /** The answer is the same whether or not the e-mail has an account here. */
  signUp: (portalName: string, account: NewAccount) => post<Received>(`${at(portalName)}/accounts`, account),
  confirm: (portalName: string, link: { token: string; password: string }) =>
    post<unknown>(`${at(portalName)}/confirm`, link),
  askForReset: (portalName: string, email: string) => post<Received>(`${at(portalName)}/reset-requests`, { email }),
  reset: (portalName: string, link: { token: string; password: string }) =>
    post<unknown>(`${at(portalName)}/reset`, link),
  signIn: (portalName: string, credentials: { email: string; password: string }) =>
    post<unknown>(`${at(portalName)}/session`, credentials),
  own: (portalName: string, signal?: AbortSignal) => call<OwnPage>(`${at(portalName)}/session`, { signal }),
  signOut: (portalName: string) => call<null>(`${at(portalName)}/session`, { method: "DELETE" }),
};
