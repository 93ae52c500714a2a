// Memberships and the plans that they are of, as the server tells them. Dates are "YYYY-MM-DD" by the clinic's calendar.
import type { MembershipType, RecurrenceInterval } from "@hookwell/sdk";
import type { Page, Person } from "../api-types.ts";
import type { Intent } from "../intent.ts";
import { all, call, PAGE_ROWS, part, post, query } from "./call.ts";

export type MembershipState = "pending" | "active" | "paused" | "cancelled" | "ended";
/** The two practice cards stand in for a payment processor. */
export type PaymentSource = "at_desk" | "practice_card" | "practice_card_declined";

export interface Plan {
  id: number;
  type: MembershipType;
  name: string;
  price: number;
  /** Percent. */
  tax_rate: number;
  currency: string;
  recurrence_interval: RecurrenceInterval;
  /** Null: until it is cancelled. */
  number_of_payments: number | null;
  /** What each charge gives the patient to pay with. */
  credit_value: number | null;
  /** Courses and webinars that it opens. */
  item_ids: number[];
  active: boolean;
}

export type PlanInput = Partial<Omit<Plan, "id" | "currency">>;

export interface Membership {
  id: number;
  plan: { id: number; name: string; type: MembershipType };
  client: Person;
  state: MembershipState;
  recurrence_interval: RecurrenceInterval;
  started_at: string | null;
  cancelled_at: string | null;
  cancel_reason: "staff" | "patient" | "payment_failed" | "switched" | null;
  /** The first day without access. */
  access_until: string | null;
  next_charge_on: string | null;
  payments_made: number;
  number_of_payments: number | null;
  payment_source: PaymentSource;
  last_charge: { on: string; outcome: "paid" | "declined" | "awaiting" } | null;
  retry_on: string | null;
  /** The records of its charges, oldest first; none for an academy membership. */
  invoices: number[];
  subject: string;
}

export interface MembershipQuery {
  state?: MembershipState | undefined;
  plan?: number | undefined;
  patient?: number | undefined;
  cursor?: string | undefined;
}

export interface NewMembership {
  plan_id: number;
  client_id: number;
  payment_source: PaymentSource;
}

export interface Cancellation {
  by: "staff" | "patient";
  at: "now" | "period_end";
}

/** A course or webinar, as far as a plan shows it. */
export interface PlanItem {
  id: number;
  name: string;
  type: "course" | "webinar";
}

const at = (id: number) => `/v1/memberships/${part(id)}`;

export const plans = {
  list: (signal?: AbortSignal) => all<Plan>("/v1/membership-plans", {}, signal),
  create: (input: PlanInput, intent: Intent) => post<Plan>("/v1/membership-plans", input, intent),
  change: (id: number, input: PlanInput, intent: Intent) =>
    call<Plan>(`/v1/membership-plans/${part(id)}`, { method: "PATCH", body: input, intent }),
  /** What an academy membership can open. */
  items: async (signal?: AbortSignal): Promise<PlanItem[]> =>
    (await Promise.all(["courses", "webinars"].map((kind) => all<PlanItem>(`/v1/${kind}`, {}, signal)))).flat(),
};

export const memberships = {
  list: ({ plan, patient, ...filters }: MembershipQuery, signal?: AbortSignal) =>
    call<Page<Membership>>(
      `/v1/memberships${query({ ...filters, plan_id: plan, patient_id: patient, limit: PAGE_ROWS })}`,
      { signal },
    ),
  get: (id: number, signal?: AbortSignal) => call<Membership>(at(id), { signal }),
  assign: (membership: NewMembership, intent: Intent) => post<Membership>("/v1/memberships", membership, intent),
  cancel: (id: number, cancellation: Cancellation, intent: Intent) =>
    post<Membership>(`${at(id)}/cancel`, cancellation, intent),
  resume: (id: number, intent: Intent) => post<Membership>(`${at(id)}/resume`, {}, intent),
  pause: (id: number, intent: Intent) => post<Membership>(`${at(id)}/pause`, {}, intent),
  markPaid: (id: number, intent: Intent) => post<Membership>(`${at(id)}/mark-paid`, {}, intent),
  switch: (id: number, planId: number, intent: Intent) =>
    post<{ cancelled: Membership; started: Membership }>(`${at(id)}/switch`, { plan_id: planId }, intent),
  changeSource: (id: number, source: PaymentSource, intent: Intent) =>
    post<Membership>(`${at(id)}/payment-source`, { payment_source: source }, intent),
};
