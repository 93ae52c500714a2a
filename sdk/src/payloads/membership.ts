/** Memberships: of clinic packages and of the academy (contract §2, §4). */
import { id, name, object, oneOf } from "../shapes.ts";
import { type IdOnly, PERSON, type Person, SAMPLE_PATIENTS } from "./persons.ts";

export type MembershipEventName = "membership.started" | "membership.cancelled";

export const MEMBERSHIP_TYPES = ["clinic_package_membership", "academy_membership"] as const;
export type MembershipType = (typeof MEMBERSHIP_TYPES)[number];

export const RECURRENCE_INTERVALS = ["day", "week", "month", "year"] as const;
export type RecurrenceInterval = (typeof RECURRENCE_INTERVALS)[number];

export interface Membership {
  type: MembershipType;
  /** This patient's membership. */
  id: number;
  name: string;
  /** The plan. */
  membership_id: number;
  recurrence_interval: RecurrenceInterval;
}

/** Everything known of the change, as captured in its transaction. */
export interface MembershipFacts {
  event: MembershipEventName;
  membership: Membership;
  client: Person;
}

/** The body that is sent. */
export interface MembershipBody {
  event: MembershipEventName;
  membership: Membership;
  client?: Person | IdOnly;
}

const MEMBERSHIP = object({
  type: oneOf(...MEMBERSHIP_TYPES),
  id,
  name,
  membership_id: id,
  recurrence_interval: oneOf(...RECURRENCE_INTERVALS),
});

/** Facts and body alike: a membership event's body is its facts, less what was not selected. */
export function membershipShape<E extends MembershipEventName>(event: E) {
  return object({ event: oneOf(event), membership: MEMBERSHIP, client: PERSON });
}

export const MEMBERSHIP_SAMPLES: { readonly [E in MembershipEventName]: MembershipFacts & { event: E } } = {
  "membership.started": {
    event: "membership.started",
    membership: {
      type: "clinic_package_membership",
      id: 7701,
      name: "Monthly wellness plan",
      membership_id: 44,
      recurrence_interval: "month",
    },
    client: { ...SAMPLE_PATIENTS.placeholder },
  },
  "membership.cancelled": {
    event: "membership.cancelled",
    membership: {
      type: "academy_membership",
      id: 7688,
      name: "Movement library",
      membership_id: 9,
      recurrence_interval: "year",
    },
    client: { ...SAMPLE_PATIENTS.invented },
  },
};
