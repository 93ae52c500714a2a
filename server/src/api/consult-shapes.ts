/** What requests and answers of /v1/consults look like. */
import { z } from "zod";
import type { Clinic } from "../clinic/clinics.ts";
import { ARRIVAL_NAMES } from "../clinic/consult-arrivals.ts";
import type { ConsultView } from "../clinic/consult-views.ts";
import { PARTICIPANTS_MAX } from "../clinic/participants.ts";
import { INTERVAL_MAX, OCCURRENCES_MAX } from "../clinic/series-times.ts";
import { clinicTime, endOf } from "../clinic/times.ts";
import { ID_PARAMS } from "./ids.ts";
import { PAGE_QUERY } from "./paging.ts";
import { PATIENT } from "./patients.ts";
import { SERVICE_KIND } from "./services.ts";

const ID = z.int().min(1);
const TIME = z.string().max(64).describe("RFC 3339 with an offset, or local to the clinic without one.");
const MINUTES = z.number().describe("Elapsed minutes.");
const PLACE_STATUS = z.enum(["booked", "held", "wait_listed"]);
const ARRIVAL = z
  .enum(ARRIVAL_NAMES)
  .describe("late_cancel gives the place up; a one-to-one consult is cancelled with it. no_show changes nothing else.");

export const CONSULT = z.object({
  id: z.int(),
  service: z.object({ id: z.int(), name: z.string(), kind: SERVICE_KIND }),
  practitioner: z.object({ id: z.int(), name: z.string() }),
  start_time: z.string().describe("RFC 3339 with the clinic's offset for that instant."),
  end_time: z.string(),
  duration: MINUTES,
  cancelled: z.boolean(),
  cancelled_at: z.string().nullable(),
  room: z.string().nullable(),
  notes: z.string().nullable(),
  series_id: z.int().nullable().describe("The series that it was scheduled with; null for one alone."),
  participants: z.array(z.object({ patient: PATIENT, status: PLACE_STATUS, arrival: ARRIVAL })),
});

export const LIST_QUERY = PAGE_QUERY.extend({
  from: z.string(),
  to: z.string().describe("The first day that is not listed; at most 62 days after from."),
  patient_id: z.string().optional().describe("Only those in which this patient has a place."),
});

const APPOINTMENT = z.strictObject({
  service_id: ID.optional(),
  practitioner_id: ID.optional(),
  start_time: TIME.optional(),
  duration: MINUTES.optional(),
  room: z.string().nullable().optional(),
  notes: z.string().nullable().optional(),
});

export const CONSULT_CHANGE = APPOINTMENT.extend({
  patient_id: ID.optional().describe("Another patient of a one-to-one consult."),
});

const REPEATS = z.strictObject({
  every: z.enum(["day", "week", "month"]),
  interval: z.int().min(1).max(INTERVAL_MAX).optional().describe("2 with week: every other week. 1 by default."),
  count: z.int().min(1).max(OCCURRENCES_MAX).optional().describe("How many, the first included; this or until."),
  until: z.string().optional().describe("The last day, of the clinic's calendar, like 2027-06-30."),
});

export const NEW_CONSULT = APPOINTMENT.extend({
  service_id: ID,
  practitioner_id: ID,
  start_time: TIME,
  duration: MINUTES.optional().describe("Elapsed minutes; the service's by default."),
  patient_ids: z.array(ID).max(PARTICIPANTS_MAX).optional().describe("Each is booked."),
  participants: z
    .array(z.strictObject({ patient_id: ID, status: PLACE_STATUS }))
    .max(PARTICIPANTS_MAX)
    .optional(),
  repeats: REPEATS.optional().describe("Schedules a series: each at the same time of day on the clinic's clock."),
});

/** The first consult, and with `repeats` what else was scheduled. */
export const SCHEDULED = CONSULT.extend({
  series: z.object({ id: z.int(), consult_ids: z.array(z.int()) }).optional(),
});

export const NOTHING = z.strictObject({}).nullish();
export const PARTICIPANT_PARAMS = ID_PARAMS.extend({ patient_id: z.string() });
export const NEW_PARTICIPANT = z.strictObject({ patient_id: ID, status: PLACE_STATUS.optional() });
export const PARTICIPANT_CHANGE = z.strictObject({ status: PLACE_STATUS.optional(), arrival: ARRIVAL.optional() });
export const MOVE = z.strictObject({ to_consult_id: ID });
export const MOVED = z.object({ from: CONSULT, to: CONSULT });

/** The clinic's words for what a body says of an appointment. */
function readAppointment(body: z.infer<typeof APPOINTMENT>) {
  return {
    serviceId: body.service_id,
    practitionerId: body.practitioner_id,
    startTime: body.start_time,
    durationMinutes: body.duration,
    room: body.room,
    notes: body.notes,
  };
}

/** The same of a change. */
export function readConsultChange(body: z.infer<typeof CONSULT_CHANGE>) {
  return { ...readAppointment(body), patientId: body.patient_id };
}

export function readNewConsult(body: z.infer<typeof NEW_CONSULT>) {
  return {
    ...readAppointment(body),
    serviceId: body.service_id,
    practitionerId: body.practitioner_id,
    startTime: body.start_time,
    patientIds: body.patient_ids,
    participants: body.participants?.map(({ patient_id, status }) => ({ patientId: patient_id, status })),
  };
}

export function showConsult(consult: ConsultView, { timeZone }: Clinic): z.infer<typeof CONSULT> {
  const { startsAt, durationMinutes, cancelledAt } = consult;
  return {
    id: consult.id,
    service: consult.service,
    practitioner: consult.practitioner,
    start_time: clinicTime(startsAt, timeZone),
    end_time: clinicTime(endOf(startsAt, durationMinutes), timeZone),
    duration: durationMinutes,
    cancelled: cancelledAt !== null,
    cancelled_at: cancelledAt === null ? null : clinicTime(cancelledAt, timeZone),
    room: consult.room,
    notes: consult.notes,
    series_id: consult.seriesId,
    participants: [...consult.participants],
  };
}
