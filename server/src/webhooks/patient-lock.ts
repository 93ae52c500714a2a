/**
 * What somebody may not change who may manage webhooks, but not turn patients' data on: the embedded page without
 * `include-patient`. Of a webhook that sends patients' data such a person may narrow, rename, slow down, pause and delete,
 * and nothing by which the data would be more, or go elsewhere.
 */
import { EVENT_NAMES, type EventName, eventDefinition } from "@hookwell/sdk";
import { sql } from "kysely";
import type { Tx } from "../db/schema.ts";
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

/**
 * Whatever it says, an event that always tells of a patient takes the whole patient along: what waits of it, or can be sent
 * again, would follow a new address although the webhook does not take such events any more.
 * @throws ProblemError 403 `patient_data_locked` with each field that is locked; the caller holds the webhook's row
 */
export async function refusePatientData(tx: Tx, change: Change & { clinicId: number; id: number }): Promise<void> {
  const { before, after } = change;
  const isMoved = before !== null && changedFields(before, after).some((field) => LOCKED.has(field));
  const fields = lockedFields(change, isMoved && (await keepsWholePatients(tx, change)));
  if (fields.length > 0) throw locked(fields);
}

/** @throws ProblemError 403 `patient_data_locked` where a new webhook would send patients' data */
export function refuseNewPatientData(after: WebhookSettings): void {
  const fields = lockedFields({ before: null, after }, false);
  if (fields.length > 0) throw locked(fields);
}

function locked(fields: readonly string[]): ProblemError {
  return new ProblemError({
    status: 403,
    code: "patient_data_locked",
    title: WORDS,
    fields: fields.map((field): FieldProblem => ({ field, message: WORDS, code: "patient_data_locked" })),
  });
}

/** Pure. As the API names them. `keepsPatients`: it has deliveries that would take whole patients along. */
function lockedFields({ before, after }: Change, keepsPatients: boolean): string[] {
  const isWider = WIDTH[after.include.patient] > WIDTH[before?.include.patient ?? "off"];
  const known = new Set(before?.events);
  // Where the box is ticked each further event sends patients' data, too.
  const isMore = after.events.some(
    (event) => !known.has(event) && (after.include.patient !== "off" || isAlways(event)),
  );
  const isHeld = sendsPatients(after) || keepsPatients || (before?.events.some(isAlways) ?? false);
  const moved = before === null || !isHeld ? [] : changedFields(before, after).filter((field) => LOCKED.has(field));
  return [
    ...(isWider ? ["include.patient"] : []),
    ...(isMore ? ["events"] : []),
    ...moved.map((field) => FIELDS[field] ?? field),
  ];
}

/** Whether it has a delivery, waiting or finished, of an event that always tells of a patient and whose content is kept. */
async function keepsWholePatients(tx: Tx, { clinicId, id }: { clinicId: number; id: number }): Promise<boolean> {
  const names = EVENT_NAMES.filter(isAlways);
  const has = (table: "deliveries" | "finished_deliveries") => sql`exists (select from ${sql.table(table)} d
    where d.clinic_id = e.clinic_id and d.event_id = e.id and d.webhook_id = ${id} and not d.test)`;
  const { rows } = await sql`select from events e
    where e.clinic_id = ${clinicId} and e.name = any (${names}) and e.facts is not null
      and (${has("deliveries")} or ${has("finished_deliveries")}) limit 1`.execute(tx);
  return rows.length > 0;
}

function sendsPatients({ include, events }: WebhookSettings): boolean {
  return include.patient !== "off" || events.some(isAlways);
}

function isAlways(event: EventName): boolean {
  return eventDefinition(event).patientAlways;
}
