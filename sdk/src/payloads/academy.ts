/** Courses and webinars: checkout started, access gained (contract §2). */
import { id, money, name, object, oneOf } from "../shapes.ts";
import { type IdOnly, PERSON, type Person, SAMPLE_PATIENTS } from "./persons.ts";

export type ResourceType = "course" | "webinar";
type CheckoutEventName = `${ResourceType}.checkout_process_started`;
type AccessEventName = `${ResourceType}_participant.added`;
export type AcademyEventName = CheckoutEventName | AccessEventName;

export interface Resource<T extends ResourceType = ResourceType> {
  type: T;
  name: string;
  id: number;
}

/** Zeros where nothing was paid. */
export interface AccessPayment {
  subtotal: number;
  taxes: number;
  total: number;
}

/** The contract names no key in it: always `{}`. */
type AdditionalData = Record<string, never>;

/** Everything known of a checkout that starts. There is no payment yet, so there is no key for it. */
export interface CheckoutFacts<T extends ResourceType> {
  event: `${T}.checkout_process_started`;
  resource: Resource<T>;
  additional_data: AdditionalData;
  client: Person;
}

/** Everything known of an access gained. */
export interface AccessFacts<T extends ResourceType> {
  event: `${T}_participant.added`;
  resource: Resource<T>;
  additional_data: AdditionalData;
  payment: AccessPayment;
  client: Person;
}

export type AcademyFacts =
  | CheckoutFacts<"course">
  | AccessFacts<"course">
  | CheckoutFacts<"webinar">
  | AccessFacts<"webinar">;

type WithoutClient<F> = F extends unknown ? Omit<F, "client"> : never;

/** The body that is sent. */
export type AcademyBody = WithoutClient<AcademyFacts> & { client?: Person | IdOnly };

const PAYMENT = object({ subtotal: money, taxes: money, total: money });

function resourceShape<T extends ResourceType>(type: T) {
  return object({ type: oneOf(type), name, id });
}

/** Facts and body alike: a checkout event's body is its facts, less what was not selected. */
export function checkoutShape<T extends ResourceType>(type: T) {
  return object({
    event: oneOf(`${type}.checkout_process_started` as const),
    resource: resourceShape(type),
    additional_data: object({}),
    client: PERSON,
  });
}

/** Facts and body alike: an access event's body is its facts, less what was not selected. */
export function accessShape<T extends ResourceType>(type: T) {
  return object({
    event: oneOf(`${type}_participant.added` as const),
    resource: resourceShape(type),
    additional_data: object({}),
    payment: PAYMENT,
    client: PERSON,
  });
}

export const ACADEMY_SAMPLES: { readonly [E in AcademyEventName]: Extract<AcademyFacts, { event: E }> } = {
  "course.checkout_process_started": {
    event: "course.checkout_process_started",
    resource: { type: "course", name: "Back care at home", id: 301 },
    additional_data: {},
    client: { ...SAMPLE_PATIENTS.invented },
  },
  "course_participant.added": {
    event: "course_participant.added",
    resource: { type: "course", name: "Back care at home", id: 301 },
    additional_data: {},
    payment: { subtotal: 199, taxes: 25.87, total: 224.87 },
    client: { ...SAMPLE_PATIENTS.invented },
  },
  "webinar.checkout_process_started": {
    event: "webinar.checkout_process_started",
    resource: { type: "webinar", name: "Running without knee pain", id: 412 },
    additional_data: {},
    client: { ...SAMPLE_PATIENTS.sample },
  },
  "webinar_participant.added": {
    event: "webinar_participant.added",
    resource: { type: "webinar", name: "Sleep and recovery", id: 415 },
    additional_data: {},
    payment: { subtotal: 0, taxes: 0, total: 0 },
    client: { ...SAMPLE_PATIENTS.example },
  },
};
