/** The facts of consult events: what is known at the moment of the change, in the words and times of that moment. */
import type { ConsultFacts, Person, Practitioner, Service } from "@hookwell/sdk";
import { sql } from "kysely";
import type { Tx } from "../db/schema.ts";
import { getClinic } from "./clinics.ts";
import type { ConsultEvent, ConsultState } from "./consult-events.ts";
import { clinicTime, endOf } from "./times.ts";

/** The names behind the ids of some consults, as they are now. */
export interface Names {
  readonly timeZone: string;
  readonly services: ReadonlyMap<number, Service>;
  readonly practitioners: ReadonlyMap<number, Practitioner>;
  readonly patients: ReadonlyMap<number, Person>;
}

export interface NamedIds {
  readonly clinicId: number;
  readonly serviceIds: readonly number[];
  readonly practitionerIds: readonly number[];
  readonly patientIds: readonly number[];
}

/** Reads all names that some events need, one statement a kind however many consults changed. */
export async function readNames(tx: Tx, ids: NamedIds): Promise<Names> {
  const { timeZone } = await getClinic(tx, ids.clinicId);
  const among = (wanted: readonly number[]) => sql<number>`any(${[...new Set(wanted)]}::bigint[])`;
  const services = await tx
    .selectFrom("services")
    .select(["id", "name"])
    .where("clinic_id", "=", ids.clinicId)
    .where("id", "=", among(ids.serviceIds))
    .execute();
  const practitioners = await tx
    .selectFrom("practitioners")
    .select(["id", "name", "email"])
    .where("clinic_id", "=", ids.clinicId)
    .where("id", "=", among(ids.practitionerIds))
    .execute();
  const patients = await tx
    .selectFrom("patients")
    .select(["id", "name", "email"])
    .where("clinic_id", "=", ids.clinicId)
    .where("id", "=", among(ids.patientIds))
    .execute();
  return { timeZone, services: byId(services), practitioners: byId(practitioners), patients: byId(patients) };
}

function byId<Row extends { id: number }>(rows: readonly Row[]): Map<number, Row> {
  return new Map(rows.map((row) => [row.id, row]));
}

export interface ConsultAtEvent {
  readonly consultId: number;
  /** The state after the transaction, which is also when the events happened. */
  readonly state: ConsultState;
  readonly event: ConsultEvent;
}

/** The facts of one event, every key in the documented order. */
export function consultFacts({ consultId, state, event }: ConsultAtEvent, names: Names): ConsultFacts {
  const end = endOf(state.startsAt, state.durationMinutes);
  return {
    event: event.event,
    consult: {
      id: consultId,
      start_time: clinicTime(state.startsAt, names.timeZone),
      end_time: clinicTime(end, names.timeZone),
      duration: state.durationMinutes,
      cancelled: event.cancelled,
    },
    service: named(names.services, state.serviceId, "service"),
    practitioner: named(names.practitioners, state.practitionerId, "practitioner"),
    participants: event.patientIds.map((id) => named(names.patients, id, "patient")),
  };
}

function named<Named>(all: ReadonlyMap<number, Named>, id: number, kind: string): Named {
  const found = all.get(id);
  if (found === undefined) throw new Error(`the ${kind} ${id} of a consult has no row, though a foreign key says so`);
  return found;
}
