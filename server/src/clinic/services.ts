/**
 * Services: what a clinic offers, and how many fit into it.
 *
 * Owns the rows of `services`. Promises that a one-to-one service is for one patient. Changing one sends nothing; later
 * events carry the new name (contract §3 rule 6). The kind never changes, because consults were scheduled by it.
 */
import type { Tx } from "../db/schema.ts";
import { invalid, notFound, together } from "../errors.ts";
import { cleanName } from "./names.ts";
import type { ListById } from "./people.ts";

const DURATION_MAX_MINUTES = 1_440;
/** Also the limit of a service without a capacity of its own. */
const CAPACITY_MAX_PATIENTS = 1_000;

export type ServiceKind = "one_to_one" | "group" | "class";

export interface ServiceRow {
  readonly id: number;
  readonly name: string;
  readonly kind: ServiceKind;
  readonly durationMinutes: number;
  /** Places that can be booked or held; null where only `CAPACITY_MAX_PATIENTS` is the limit. */
  readonly capacity: number | null;
}

export interface NewService {
  readonly name: string;
  readonly kind: ServiceKind;
  readonly durationMinutes: number;
  readonly capacity: number | null;
}

const SERVICE = ["id", "name", "kind", "duration_minutes as durationMinutes", "capacity"] as const;

/** @throws ProblemError naming `name`, `duration` or `capacity` */
export async function addService(tx: Tx, clinicId: number, service: NewService): Promise<ServiceRow> {
  const checked = together({
    name: () => cleanName("name", service.name),
    duration_minutes: () => checkDuration(service.durationMinutes),
    capacity: () => checkCapacity(service),
  });
  const values = { clinic_id: clinicId, kind: service.kind, ...checked };
  return tx.insertInto("services").values(values).returning(SERVICE).executeTakeFirstOrThrow();
}

export interface ServiceChange {
  readonly clinicId: number;
  readonly id: number;
  /** What is absent stays as it is. */
  readonly change: {
    readonly name?: string | undefined;
    readonly durationMinutes?: number | undefined;
    readonly capacity?: number | null | undefined;
  };
}

/**
 * Changes a service. Consults that are scheduled already keep their length and whoever is in them; the new length and the
 * new number of places hold for what is scheduled or booked from now on.
 * @throws ProblemError naming `name`, `duration` or `capacity`, or 404
 */
export async function changeService(tx: Tx, { clinicId, id, change }: ServiceChange): Promise<ServiceRow> {
  const { kind } = await getService(tx, clinicId, id);
  const { name, durationMinutes, capacity } = change;
  const values = {
    ...(name === undefined ? {} : { name: cleanName("name", name) }),
    ...(durationMinutes === undefined ? {} : { duration_minutes: checkDuration(durationMinutes) }),
    ...(capacity === undefined ? {} : { capacity: checkCapacity({ kind, capacity }) }),
  };
  if (Object.keys(values).length === 0) return getService(tx, clinicId, id);
  await tx.updateTable("services").set(values).where("clinic_id", "=", clinicId).where("id", "=", id).execute();
  return getService(tx, clinicId, id);
}

/** @throws ProblemError 404 */
export async function getService(tx: Tx, clinicId: number, id: number): Promise<ServiceRow> {
  const service = await findService(tx, clinicId, id);
  if (service === undefined) throw notFound("the service");
  return service;
}

/** The service, or undefined where this clinic has none of that id. */
export function findService(tx: Tx, clinicId: number, id: number): Promise<ServiceRow | undefined> {
  const found = tx.selectFrom("services").select(SERVICE).where("clinic_id", "=", clinicId).where("id", "=", id);
  return found.executeTakeFirst();
}

/** In the order of their ids. */
export async function listServices(tx: Tx, page: ListById): Promise<ServiceRow[]> {
  return tx
    .selectFrom("services")
    .select(SERVICE)
    .where("clinic_id", "=", page.clinicId)
    .where("id", ">", page.after ?? 0)
    .orderBy("id")
    .limit(page.limit)
    .execute();
}

/** How many patients can be booked or held at once. */
export function placesOf(service: Pick<ServiceRow, "kind" | "capacity">): number {
  return service.kind === "one_to_one" ? 1 : (service.capacity ?? CAPACITY_MAX_PATIENTS);
}

/** @throws ProblemError naming `duration` unless it is whole minutes from 1 to a day */
export function checkDuration(minutes: number): number {
  if (Number.isInteger(minutes) && minutes >= 1 && minutes <= DURATION_MAX_MINUTES) return minutes;
  throw invalid(
    "duration",
    `A length is from 1 to ${DURATION_MAX_MINUTES} minutes. Write it in whole minutes.`,
    "duration_range",
  );
}

function checkCapacity({ kind, capacity }: Pick<NewService, "kind" | "capacity">): number | null {
  if (capacity === null) return null;
  if (kind === "one_to_one" && capacity !== 1) {
    throw invalid(
      "capacity",
      "A one-to-one service has one place. Leave the capacity out, or choose a group or a class.",
      "capacity_range",
    );
  }
  if (Number.isInteger(capacity) && capacity >= 1 && capacity <= CAPACITY_MAX_PATIENTS) return capacity;
  throw invalid(
    "capacity",
    `A capacity is from 1 to ${CAPACITY_MAX_PATIENTS} places. Leave it out for the most.`,
    "capacity_range",
  );
}
