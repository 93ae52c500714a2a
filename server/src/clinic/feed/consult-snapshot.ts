/** Consults of other software: their snapshots, and the events of contract §3 by the clinic's own rules. */
import type { ConsultFacts, Person, Practitioner, Service } from "@hookwell/sdk";
import { invalid } from "../../errors.ts";
import { type ConsultState, consultEvents } from "../consult-events.ts";
import { consultFacts, type Names } from "../consult-facts.ts";
import { readTime } from "../times.ts";
import {
  type CallerNamed,
  type CallerPerson,
  readNamed,
  readPatient,
  readPractitioner,
  refuseTwice,
  want,
} from "./persons.ts";
import type { SnapshotChange, SnapshotRules } from "./snapshots.ts";

const DURATION_MAX_MINUTES = 10_080;
export const SNAPSHOT_PARTICIPANTS_MAX = 1_000;

export interface GivenConsult {
  readonly service: CallerNamed;
  readonly practitioner: CallerPerson;
  /** RFC 3339 with an offset, or a local time of the clinic without one. */
  readonly startTime: string;
  readonly durationMinutes: number;
  readonly cancelled: boolean;
  readonly participants: readonly CallerPerson[];
}

/** Plain JSON, as it is kept. */
interface FedConsult {
  readonly startsAt: string;
  readonly durationMinutes: number;
  readonly cancelled: boolean;
  readonly service: Service;
  readonly practitioner: Practitioner;
  readonly participants: readonly Person[];
}

export const CONSULT_SNAPSHOTS: SnapshotRules<GivenConsult, FedConsult> = {
  kind: "consult",
  ids: ({ service, practitioner, participants }) => [
    want("service", "service", service),
    want("practitioner", "practitioner", practitioner),
    ...participants.map((one, at) => want("patient", `participants.${at}`, one)),
  ],
  read(given, ids, { timeZone }) {
    const participants = given.participants.map((one, at) => readPatient(ids, `participants.${at}`, one));
    refuseTwice("participants", participants);
    return {
      startsAt: readTime("start_time", given.startTime, timeZone).toString(),
      durationMinutes: checkDuration(given.durationMinutes),
      cancelled: given.cancelled,
      service: readNamed(ids, "service", { field: "service", value: given.service }),
      practitioner: readPractitioner(ids, "practitioner", given.practitioner),
      participants,
    };
  },
  patients: ({ participants }) => participants.map(({ id }, at) => ({ id, field: `participants.${at}.id` })),
  events: consultFactsOf,
};

function consultFactsOf({ id, clinic, before, after }: SnapshotChange<FedConsult>): ConsultFacts[] {
  if (after === null) throw new Error("a consult is cancelled, never deleted");
  const state = stateOf(after);
  const names = namesOf(before, after, clinic.timeZone);
  const events = consultEvents(before === null ? null : stateOf(before), state);
  return events.map((event) => consultFacts({ consultId: id, state, event }, names));
}

function stateOf({ startsAt, service, practitioner, participants, ...rest }: FedConsult): ConsultState {
  return {
    ...rest,
    startsAt: Temporal.Instant.from(startsAt),
    serviceId: service.id,
    practitionerId: practitioner.id,
    booked: participants.map(({ id }) => id),
  };
}

/** Who is gone is only in the snapshot before; whoever is in both is called as in the new one. */
function namesOf(before: FedConsult | null, after: FedConsult, timeZone: string): Names {
  const people = [...(before?.participants ?? []), ...after.participants];
  return {
    timeZone,
    services: new Map([[after.service.id, after.service]]),
    practitioners: new Map([[after.practitioner.id, after.practitioner]]),
    patients: new Map(people.map((person) => [person.id, person])),
  };
}

function checkDuration(minutes: number): number {
  if (Number.isInteger(minutes) && minutes >= 1 && minutes <= DURATION_MAX_MINUTES) return minutes;
  throw invalid(
    "duration",
    `A length is from 1 to ${DURATION_MAX_MINUTES} minutes. Write it in whole minutes.`,
    "duration_range",
  );
}
