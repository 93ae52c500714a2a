/**
 * What somebody may not change who may manage webhooks, but not turn patients' data on: the embedded page without
 * `include-patient`. Of a webhook that sends patients' data such a person may narrow, rename, slow down, pause and delete,
 * and nothing by which the data would be more, or go elsewhere.
 */
import { eventDefinition } from "@hookwell/sdk";
import { type FieldProblem, ProblemError } from "../errors.ts";
import { changedFields } from "./masking.ts";
import type { WebhookSettings } from "./settings.ts";

const WIDTH = { off: 0, id: 1, all: 2 } as const;
/** Where the data goes, and what goes along with it. */
const LOCKED: ReadonlySet<string> = new Set(["url", "headers", "recipient", "oneParticipantPerRequest"]);

const FIELDS: Readonly<Record<string, string>> = { oneParticipantPerRequest: "one_participant_per_request" };
const WORDS =
  "This would send patients' data, which may not be turned on here. Leave it as it is, or ask a manager of the clinic.";

interface Change {
  /** Null for a new one. */
  readonly before: WebhookSettings | null;
  readonly after: WebhookSettings;
}

/** @throws ProblemError 403 `patient_data_locked` with each field that is locked, where `locked` is so */
export function refusePatientData(locked: boolean | undefined, change: Change): void {
  if (!locked) return;
  const fields = lockedFields(change);
  const [first] = fields;
  if (first === undefined) return;
  throw new ProblemError({
    status: 403,
    code: "patient_data_locked",
    title: WORDS,
    fields: fields.map((field): FieldProblem => ({ field, message: WORDS, code: "patient_data_locked" })),
  });
}

/** Pure. As the API names them. */
function lockedFields({ before, after }: Change): string[] {
  if (!sendsPatients(after)) return [];
  const isWider = WIDTH[after.include.patient] > WIDTH[before?.include.patient ?? "off"];
  const known = new Set(before?.events);
  // Where the box is ticked each further event sends patients' data, too.
  const isMore = after.events.some(
    (event) => !known.has(event) && (after.include.patient !== "off" || eventDefinition(event).patientAlways),
  );
  const moved = before === null ? [] : changedFields(before, after).filter((field) => LOCKED.has(field));
  return [
    ...(isWider ? ["include.patient"] : []),
    ...(isMore ? ["events"] : []),
    ...moved.map((field) => FIELDS[field] ?? field),
  ];
}

function sendsPatients({ include, events }: WebhookSettings): boolean {
  return include.patient !== "off" || events.some((event) => eventDefinition(event).patientAlways);
}
