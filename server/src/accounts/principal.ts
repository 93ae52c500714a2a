/** Who is asking, and for which clinic. It comes from the credential alone, never from a request's content. */

export type StaffRole = "manager" | "practitioner" | "front_desk";

export interface Principal {
  readonly userId: string;
  readonly userName: string;
  readonly userEmail: string;
  readonly clinicId: number;
  readonly role: StaffRole;
}
