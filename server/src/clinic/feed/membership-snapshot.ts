/** Memberships of other software: their snapshots, and the events by the clinic's own rule (contract §1, §4). */
import type { MembershipEventName, MembershipFacts, MembershipType, Person, RecurrenceInterval } from "@hookwell/sdk";
import { isRunning, type MembershipState, membershipEvent } from "../memberships/states.ts";
import { type CallerNamed, type CallerPerson, readNamed, readPatient, want } from "./persons.ts";
import type { SnapshotChange, SnapshotRules } from "./snapshots.ts";

export interface GivenMembership {
  readonly type: MembershipType;
  readonly plan: CallerNamed;
  readonly recurrenceInterval: RecurrenceInterval;
  readonly state: MembershipState;
  readonly client: CallerPerson;
}

/** Plain JSON, as it is kept. */
interface FedMembership {
  readonly type: MembershipType;
  readonly plan: { readonly id: number; readonly name: string };
  readonly recurrenceInterval: RecurrenceInterval;
  readonly state: MembershipState;
  readonly client: Person;
}

export const MEMBERSHIP_SNAPSHOTS: SnapshotRules<GivenMembership, FedMembership> = {
  kind: "membership",
  ids: ({ plan, client }) => [want("plan", "plan", plan), want("patient", "client", client)],
  read: ({ type, plan, recurrenceInterval, state, client }, ids) => ({
    type,
    plan: readNamed(ids, "plan", { field: "plan", value: plan }),
    recurrenceInterval,
    state,
    client: readPatient(ids, "client", client),
  }),
  patients: ({ client }) => [{ id: client.id, field: "client.id" }],
  events: membershipFactsOf,
};

function membershipFactsOf({ id, before, after }: SnapshotChange<FedMembership>): MembershipFacts[] {
  if (after === null) throw new Error("a membership is cancelled or ended, never deleted");
  const facts = (event: MembershipEventName, plan: FedMembership) =>
    membershipFacts(id, event, { plan, client: after.client });
  const isSwitched = before !== null && before.plan.id !== after.plan.id;
  // A plan is switched by leaving the old and taking up the new (contract §4).
  if (isSwitched && isRunning(before.state) && isRunning(after.state)) {
    return [facts("membership.cancelled", before), facts("membership.started", after)];
  }
  const event = membershipEvent(before?.state ?? null, after.state);
  if (event === null) return [];
  return [facts(event, isSwitched && event === "membership.cancelled" ? before : after)];
}

function membershipFacts(
  id: number,
  event: MembershipEventName,
  { plan, client }: { plan: FedMembership; client: Person },
): MembershipFacts {
  return {
    event,
    membership: {
      type: plan.type,
      id,
      name: plan.plan.name,
      membership_id: plan.plan.id,
      recurrence_interval: plan.recurrenceInterval,
    },
    client,
  };
}
