// What is wrong in the schedule's forms, and where it stands. Pure.
import { type FieldError, ProblemError } from "../api.ts";
import type { ServiceKind } from "../api-types.ts";
import { dayOf } from "../ui/time.ts";
import { repeatsMistakes, type TypedRepeats } from "./repeats.ts";

/** A day; the server refuses more. */
export const DURATION_MAX_MINUTES = 1_440;

const PLACES = ["service_id", "practitioner_id", "start_time", "duration", "interval", "count", "until"] as const;
type Place = (typeof PLACES)[number] | "patients" | "other";
export type PlacedErrors = Partial<Record<Place, string>>;
/** The words for what is wrong; in the dictionaries under `schedule.mistake`. */
type Mistake = "start" | "duration" | "patient" | "interval" | "count" | "until" | "tooLong";

const PATIENT_FIELDS = ["patient_ids", "patient_id", "participants"];

interface Words {
  /** For a refusal as a whole. */
  problem: (error: unknown) => string;
  /** For one field. */
  field: (error: FieldError) => string;
}

/** Each error at its field; without any, the refusal's own sentence stands under "other". */
export function placeErrors(error: unknown, words: Words): PlacedErrors {
  if (error === null) return {};
  if (!(error instanceof ProblemError) || error.fieldErrors.length === 0) return { other: words.problem(error) };
  const placed: PlacedErrors = {};
  for (const fieldError of error.fieldErrors) {
    const [first = "", second = "count"] = fieldError.field.split(".");
    const field = first === "repeats" ? second : first;
    const place = PATIENT_FIELDS.includes(field) ? "patients" : (PLACES.find((name) => name === field) ?? "other");
    placed[place] ??= words.field(fieldError);
  }
  return placed;
}

/** What can be told before the server is asked. `start` is empty while the picker's date is not complete. */
export function timeMistakes({ start, duration }: { start: string; duration: string }) {
  const minutes = Number(duration);
  const mistakes: { start_time?: Mistake; duration?: Mistake } = {};
  if (start === "") mistakes.start_time = "start";
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > DURATION_MAX_MINUTES) mistakes.duration = "duration";
  return mistakes;
}

/** A one-to-one consult is with somebody; groups and classes may still be empty. */
export function consultMistakes(
  typed: { start: string; duration: string; patients: readonly unknown[]; repeats: TypedRepeats },
  kind: ServiceKind | undefined,
) {
  const lacksPatient = kind === "one_to_one" && typed.patients.length === 0;
  const mistakes: Partial<Record<Place, Mistake>> = {
    ...timeMistakes(typed),
    ...repeatsMistakes(typed.repeats, dayOf(typed.start)),
  };
  if (lacksPatient) mistakes.patients = "patient";
  return mistakes;
}
