/** Consults from a file. Back-dated ones are as good as any. */
import type { Tx } from "../../db/schema.ts";
import { invalid } from "../../errors.ts";
import { getClinic } from "../clinics.ts";
import { among, changeConsults } from "../consult-changes.ts";
import { scheduleConsult } from "../consults.ts";
import { readTime } from "../times.ts";
import type { Column, Row } from "./csv.ts";
import type { ImportJob } from "./import-run.ts";
import { type PeopleIndex, readPeople } from "./people-index.ts";

export const CONSULT_COLUMNS: readonly Column[] = [
  { name: "start_time", isNeeded: true, example: "2026-11-03 09:00" },
  { name: "duration", isNeeded: false, example: "45" },
  { name: "service", isNeeded: true, example: "Physiotherapy follow-up" },
  { name: "practitioner", isNeeded: true, example: "pat.pretend@example.test" },
  { name: "patients", isNeeded: false, example: "sam.sample@example.test|12" },
  { name: "room", isNeeded: false, example: "2" },
  { name: "notes", isNeeded: false, example: "" },
];

/** Between the patients of one consult. */
const SEPARATOR = "|";
/** All changes of a file are in memory until its end. */
const PLACES_MAX = 100_000;
const COLUMNS = new Set(CONSULT_COLUMNS.map(({ name }) => name));

/** A consult that is here already is refused, so that the same file cannot be imported twice by mistake. */
export async function importConsults({ tx, context, run }: ImportJob, rows: AsyncIterable<Row>): Promise<void> {
  const { clinicId } = context;
  const people = await readPeople(tx, clinicId);
  const { timeZone } = await getClinic(tx, clinicId);
  let places = 0;
  await changeConsults(tx, context, async (changes) => {
    const make = async (row: Row) => {
      const consult = readConsult(row, people);
      places += consult.patientIds.length;
      if (places > PLACES_MAX) throw tooManyPlaces();
      const startsAt = readTime("start_time", consult.startTime, timeZone);
      await refuseSame(tx, { ...consult, clinicId, startsAt });
      await scheduleConsult(changes, consult);
      // A consult with nobody in it makes no event (contract §3 rule 3).
      return { events: consult.patientIds.length > 0 ? 1 : 0 };
    };
    await run.each(rows, make, (field) => ({ column: columnOf(field) }));
    run.end();
  });
}

interface Same {
  readonly clinicId: number;
  readonly serviceId: number;
  readonly practitionerId: number;
  readonly startsAt: Temporal.Instant;
  readonly patientIds: readonly number[];
}

/** The same service, practitioner and time, with one of the same patients in it, or nobody in both. */
async function refuseSame(tx: Tx, { clinicId, serviceId, practitionerId, startsAt, patientIds }: Same): Promise<void> {
  const others = await tx
    .selectFrom("consults")
    .select("id")
    .where("clinic_id", "=", clinicId)
    .where("starts_at", "=", startsAt)
    .where("service_id", "=", serviceId)
    .where("practitioner_id", "=", practitionerId)
    .where("cancelled_at", "is", null)
    .execute();
  if (others.length === 0) return;
  const ids = others.map(({ id }) => id);
  const places = await tx
    .selectFrom("consult_participants")
    .select(["consult_id", "patient_id"])
    .where("clinic_id", "=", clinicId)
    .where("consult_id", "=", among(ids))
    .execute();
  const taken = new Set(places.map(({ consult_id }) => consult_id));
  const isSame =
    patientIds.length === 0
      ? ids.some((id) => !taken.has(id))
      : places.some(({ patient_id }) => patientIds.includes(patient_id));
  if (!isSame) return;
  throw invalid(
    "start_time",
    "This consult is here already, or stands twice in the file. Remove the line.",
    "already_there",
  );
}

function readConsult(row: Row, people: PeopleIndex) {
  const patients = row
    .value("patients")
    .split(SEPARATOR)
    .map((text) => text.trim());
  return {
    // Spreadsheets write a blank where the standard writes T.
    startTime: row.value("start_time").replace(/^(\d{4}-\d\d-\d\d) +/, "$1T"),
    durationMinutes: readMinutes(row.value("duration")),
    serviceId: people.service("service", row.value("service")),
    practitionerId: people.practitioner("practitioner", row.value("practitioner")),
    patientIds: patients.filter((text) => text !== "").map((text) => people.patient("patients", text)),
    room: row.value("room"),
    notes: row.value("notes"),
  };
}

function tooManyPlaces() {
  const message = `The patients of all lines of a file come to at most ${PLACES_MAX}. Move this line to another file.`;
  return invalid("patients", message, "too_many");
}

function readMinutes(text: string): number | undefined {
  if (text === "") return undefined;
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw invalid("duration", "A length is in whole minutes. Write it like 45.", "duration_range");
}

function columnOf(field: string): string | null {
  if (field.startsWith("patient_ids")) return "patients";
  return COLUMNS.has(field) ? field : null;
}
