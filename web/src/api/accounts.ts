// One's own account: the second step, passwords, clinics, and following an invitation.
import type { Role } from "../api-types.ts";
import type { Language } from "../i18n/languages.ts";
import { call, post } from "./call.ts";

export interface FoundInvitation {
  clinic: { name: string; locale: Language };
  email: string;
  role: Role;
  has_account: boolean;
  /** The e-mail of whoever is signed in in this browser. */
  signed_in_as: string | null;
}

/** The letter is on its way if there is somebody to write to; without a mail server no letter ever is. */
export interface LetterAsked {
  status: "received";
  sends_letters: boolean;
}

/** What an authenticator app needs, and the codes for the day when it is lost. Told this once. */
export interface Enrolment {
  totp_uri: string;
  backup_codes: string[];
}

export interface Code {
  code: string;
  trust_device?: boolean;
}

const at = (path: string) => `/api/auth/${path}`;

export const account = {
  verifyCode: (code: Code) => post<unknown>(at("two-factor/verify-totp"), code),
  verifyBackupCode: (code: Code) => post<unknown>(at("two-factor/verify-backup-code"), code),
  enrol: (password: string) => post<Enrolment>(at("two-factor/enable"), { password }),
  turnOff: (password: string) => post<unknown>(at("two-factor/disable"), { password }),
  newBackupCodes: (password: string) =>
    post<{ backup_codes: string[] }>(at("two-factor/generate-backup-codes"), { password }),
  changePassword: (passwords: { current_password: string; new_password: string }) =>
    post<unknown>(at("change-password"), passwords),
  switchClinic: (clinicId: number) => post<unknown>(at("switch-clinic"), { clinic_id: clinicId }),
  askForReset: (email: string, locale: Language) => post<LetterAsked>(at("reset-requests"), { email, locale }),
  reset: (token: string, password: string) => post<unknown>(at("reset-password"), { token, new_password: password }),
};

export const invitation = {
  look: (token: string, signal?: AbortSignal) =>
    call<FoundInvitation>("/api/invitations/look", { method: "POST", body: { token }, signal }),
  accept: (body: { token: string; name?: string; password?: string }) =>
    post<{ clinic_id: number; is_new: boolean }>("/api/invitations/accept", body),
};
