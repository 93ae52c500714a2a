/**
 * What somebody may not change who may manage webhooks, but not turn patients' data on: the embedded page without
 * `include-patient`. Of a webhook that sends patients' data such a person may narrow, rename, slow down, pause and delete,
 * and nothing by which the data would be more, or go elsewhere.
 */
import { EVENT_NAMES } from "@hookwell/sdk";
import { sql } from "kysely";
import type { Tx } from "../db/schema.ts";
import { type FieldProblem, ProblemError } from "../errors.ts";
import { changedFields } from "./masking.ts";
import { isAlwaysOfPatient, PATIENT_WIDTH, sendsPatients } from "./patient-data.ts";
import type { WebhookSettings } from "./settings.ts";

/** Where the data goes, and what goes along with it. */
const LOCKED: ReadonlySet<string> = new Set(["url", "headers", "recipient", "oneParticipantPerRequest"]);

/** How long what others are just writing is waited for. */
const WRITERS_AWAITED_MS = 2_000;
const LOOK_EVERY_MS = 50;
const BUSY_RETRY_AFTER_SECONDS = 10;

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
  const keepsPatients = isMoved && ((await keepsWholePatients(tx, change)) || (await willKeepThem(tx, change)));
  const fields = lockedFields(change, keepsPatients);
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
  const isWider = PATIENT_WIDTH[after.include.patient] > PATIENT_WIDTH[before?.include.patient ?? "off"];
  const known = new Set(before?.events);
  // Where the box is ticked each further event sends patients' data, too.
  const isMore = after.events.some(
    (event) => !known.has(event) && (after.include.patient !== "off" || isAlwaysOfPatient(event)),
  );
  const isHeld = sendsPatients(after) || keepsPatients || (before?.events.some(isAlwaysOfPatient) ?? false);
  const moved = before === null || !isHeld ? [] : changedFields(before, after).filter((field) => LOCKED.has(field));
  return [
    ...(isWider ? ["include.patient"] : []),
    ...(isMore ? ["events"] : []),
    ...moved.map((field) => FIELDS[field] ?? field),
  ];
}

/** Whether it has a delivery, waiting or finished, of an event that always tells of a patient and whose content is kept. */
async function keepsWholePatients(tx: Tx, { clinicId, id }: { clinicId: number; id: number }): Promise<boolean> {
  const names = EVENT_NAMES.filter(isAlwaysOfPatient);
  const has = (table: "deliveries" | "finished_deliveries") => sql`exists (select from ${sql.table(table)} d
    where d.clinic_id = e.clinic_id and d.event_id = e.id and d.webhook_id = ${id} and not d.test)`;
  const { rows } = await sql`select from events e
    where e.clinic_id = ${clinicId} and e.name = any (${names}) and e.facts is not null
      and (${has("deliveries")} or ${has("finished_deliveries")}) limit 1`.execute(tx);
  return rows.length > 0;
}

/** The same of deliveries that another transaction is adding, which may have read the webhook before its events were changed. */
async function willKeepThem(tx: Tx, change: { clinicId: number; id: number }): Promise<boolean> {
  await untilWritersEnd(tx);
  return keepsWholePatients(tx, change);
}

/**
 * Waits for every transaction that is writing deliveries at this moment: whoever adds some locks their table ahead of
 * reading which webhooks listen. Whoever begins later reads the webhook as it is now.
 * @throws ProblemError 503 `busy` where one of them takes long, a large import, say
 */
async function untilWritersEnd(tx: Tx): Promise<void> {
  const { rows } = await sql<{ writer: string }>`select virtualtransaction as writer from pg_locks
    where locktype = 'relation' and database = (select oid from pg_database where datname = current_database())
      and relation = 'deliveries'::regclass and mode = 'RowExclusiveLock' and pid <> pg_backend_pid()`.execute(tx);
  const writers = rows.map(({ writer }) => writer);
  for (let waitedMs = 0; await areUnderWay(tx, writers); waitedMs += LOOK_EVERY_MS) {
    if (waitedMs >= WRITERS_AWAITED_MS) throw busy();
    await sql`select pg_sleep(${LOOK_EVERY_MS / 1_000}::float8)`.execute(tx);
  }
}

/** Each holds its own number for as long as it lasts. */
async function areUnderWay(tx: Tx, transactions: readonly string[]): Promise<boolean> {
  if (transactions.length === 0) return false;
  const { rows } = await sql`select from pg_locks where locktype = 'virtualxid'
    and virtualtransaction = any (${transactions}) limit 1`.execute(tx);
  return rows.length > 0;
}

function busy(): ProblemError {
  return new ProblemError({
    status: 503,
    code: "busy",
    title:
      "Much is being written at this moment, so it cannot be said what would go to the new address. Try again later.",
    retryAfterSeconds: BUSY_RETRY_AFTER_SECONDS,
  });
}
