/**
 * Facts: everything known of an event, as captured in the transaction of the change (contract §6, "Facts are captured").
 *
 * Owns the union over all 13 events, the shape of each, the samples, and the strict check of facts that come from
 * outside. Promises that facts which pass can be projected for every data choice. Does not judge whether amounts add
 * up or whether the event should have fired: that is the clinic's part.
 */
import { type EventName, isEventName } from "./catalogue.ts";
import { check, PROBLEMS_MAX, type Problem } from "./check.ts";
import {
  ACADEMY_SAMPLES,
  type AcademyBody,
  type AcademyFacts,
  accessShape,
  checkoutShape,
} from "./payloads/academy.ts";
import { ACCOUNT_SAMPLES, ACCOUNT_SHAPE, type AccountBody, type AccountFacts } from "./payloads/account.ts";
import {
  CONSULT_SAMPLES,
  type ConsultBody,
  type ConsultFacts,
  consultBodyShape,
  consultFactsShape,
} from "./payloads/consult.ts";
import { INVOICE_SAMPLES, type InvoiceBody, type InvoiceFacts, invoiceShape } from "./payloads/invoice.ts";
import {
  MEMBERSHIP_SAMPLES,
  type MembershipBody,
  type MembershipFacts,
  membershipShape,
} from "./payloads/membership.ts";
import type { ObjectShape } from "./shapes.ts";

/** Everything known of an event; `event` tells which. */
export type Facts = ConsultFacts | InvoiceFacts | AccountFacts | AcademyFacts | MembershipFacts;

/** The facts of one event. */
export type FactsOf<E extends EventName> = E extends ConsultFacts["event"]
  ? ConsultFacts & { event: E }
  : E extends InvoiceFacts["event"]
    ? InvoiceFacts & { event: E }
    : E extends MembershipFacts["event"]
      ? MembershipFacts & { event: E }
      : Extract<AcademyFacts | AccountFacts, { event: E }>;

/** What is sent: a consult event is always an array, every other event one object. */
export type Body = ConsultBody[] | InvoiceBody | AccountBody | AcademyBody | MembershipBody;

/** What is sent for one event. */
export type BodyOf<E extends EventName> = E extends ConsultFacts["event"]
  ? (ConsultBody & { event: E })[]
  : E extends InvoiceFacts["event"]
    ? InvoiceBody & { event: E }
    : E extends MembershipFacts["event"]
      ? MembershipBody & { event: E }
      : Extract<AcademyBody | AccountBody, { event: E }>;

/** The shape of each event's facts. */
export const FACTS_SHAPES = {
  "participant.added": consultFactsShape("participant.added"),
  "consult.updated": consultFactsShape("consult.updated"),
  "participant.removed": consultFactsShape("participant.removed"),
  "invoice.created": invoiceShape("invoice.created"),
  "invoice.updated": invoiceShape("invoice.updated"),
  "invoice.deleted": invoiceShape("invoice.deleted"),
  "patient_account.created": ACCOUNT_SHAPE,
  "course.checkout_process_started": checkoutShape("course"),
  "course_participant.added": accessShape("course"),
  "webinar.checkout_process_started": checkoutShape("webinar"),
  "webinar_participant.added": accessShape("webinar"),
  "membership.started": membershipShape("membership.started"),
  "membership.cancelled": membershipShape("membership.cancelled"),
} as const satisfies Record<EventName, ObjectShape>;

/** The shape of one object of each event's body, with everything in it. Only consults differ from their facts. */
export const FULL_BODY_SHAPES: Readonly<Record<EventName, ObjectShape>> = {
  ...FACTS_SHAPES,
  "participant.added": consultBodyShape("participant.added"),
  "consult.updated": consultBodyShape("consult.updated"),
  "participant.removed": consultBodyShape("participant.removed"),
};

const SAMPLES: { readonly [E in EventName]: FactsOf<E> } = {
  ...CONSULT_SAMPLES,
  ...INVOICE_SAMPLES,
  ...ACCOUNT_SAMPLES,
  ...ACADEMY_SAMPLES,
  ...MEMBERSHIP_SAMPLES,
};

/** A realistic example of an event, about invented people. Each call gives a fresh copy. */
export function sampleFacts<E extends EventName>(event: E): FactsOf<E> {
  return structuredClone(SAMPLES[event]);
}

export type FactsCheck =
  | { readonly ok: true; readonly facts: Facts }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Tells whether a value from outside is the facts of one of the 13 events: exactly the keys of the shape (in any
 * order), every value of its kind and within its limit (contract §2, §5).
 *
 * Never throws on bad input. A problem's `path` names the field with dots (`participants.2.email`, empty for the whole
 * value); messages never repeat a value, because values may be a patient's. At most `PROBLEMS_MAX` are listed.
 */
export function checkFacts(value: unknown): FactsCheck {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { ok: false, problems: [{ path: "", message: "must be an object" }] };
  }
  const event = Object.hasOwn(value, "event") ? (value as { event: unknown }).event : undefined;
  if (!isEventName(event)) {
    return { ok: false, problems: [{ path: "event", message: "must be the name of one of the 13 events" }] };
  }
  const problems = check(FACTS_SHAPES[event], value);
  if (problems.length > 0) return { ok: false, problems: problems.slice(0, PROBLEMS_MAX) };
  // The shapes and the types are held equal by a type-level test, so the check above is the proof.
  return { ok: true, facts: value as Facts };
}
