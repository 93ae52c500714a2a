// Who works at the clinic, and who is invited to.
import type { Page, Role } from "../api-types.ts";
import type { Intent } from "../intent.ts";
import { call, part, post } from "./call.ts";

export interface StaffMember {
  user_id: string;
  name: string;
  email: string;
  role: Role;
  second_factor: boolean;
  is_you: boolean;
  since: string;
}

export interface Invitation {
  id: number;
  email: string;
  role: Role;
  letter: "waiting" | "sent" | "failed" | "none";
  created_at: string;
  expires_at: string;
  is_over: boolean;
}

/** With the link where no letter can bring it: the only time that it is told. */
export type Invited = Invitation & { link?: string };

export const staff = {
  list: async (signal?: AbortSignal) => (await call<Page<StaffMember>>("/v1/staff", { signal })).data,
  changeRole: (userId: string, role: Role) =>
    call<null>(`/v1/staff/${part(userId)}`, { method: "PATCH", body: { role } }),
  remove: (userId: string) => call<null>(`/v1/staff/${part(userId)}`, { method: "DELETE" }),
  invitations: (signal?: AbortSignal) =>
    call<Page<Invitation> & { sends_letters: boolean }>("/v1/invitations", { signal }),
  invite: (who: { email: string; role: Role }, intent: Intent) => post<Invited>("/v1/invitations", who, intent),
  resend: (id: number, intent: Intent) => post<Invited>(`/v1/invitations/${part(id)}/resend`, {}, intent),
  withdraw: (id: number) => call<null>(`/v1/invitations/${part(id)}`, { method: "DELETE" }),
};
