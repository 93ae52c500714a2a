/**
 * Reading what was, is and will be delivered: the unfinished and the finished deliveries as one list, and one delivery. Only
 * reads. However many a clinic has, and whatever the list is narrowed by, a page looks at few rows more than it shows, or at
 * a limited number where few of many fit; then it is cut short, and says where to read on (delivery-log.test.ts).
 */
import type { BlockChoice, EventName } from "@hookwell/sdk";
import { sql } from "kysely";
import type { Tx } from "../db/schema.ts";
import type { DeliveryKey } from "../outbox/identifiers.ts";
import { keyOf } from "./attempt-log.ts";
import {
  type DeliveryQuery,
  type DeliveryRow,
  type DeliveryState,
  deliveriesStatement,
  floorStatement,
  ofEvent,
} from "./delivery-statements.ts";
import { readWaits, type Wait } from "./waits.ts";

/** Of so many events the deliveries are looked up one by one. */
const FEW_EVENTS_MAX = 2_000;
/** How many deliveries are looked at, one window after the other, for a page of what may be few among many. */
const WINDOWS_ROWS = [200, 2_000, 20_000];
/** Of one event's deliveries the lowest key that there can be. */
const FIRST_OF_EVENT = { webhookId: 1, part: 0 };

export interface LoggedDelivery extends DeliveryKey {
  event: EventName;
  webhookName: string;
  subject: string;
  subjectVersion: number;
  sequence: number | null;
  participantsPerRequest: number;
  choice: { practitioner: BlockChoice; patient: BlockChoice };
  test: boolean;
  state: DeliveryState;
  reason: string | null;
  attempts: number;
  /** Null where it does not wait. */
  wait: Wait | null;
  /** Attempts that belong to schedules before this one. */
  scheduleStart: number;
  /** Sealed; of its webhook, as it is now. */
  webhookUrl: Buffer;
  /** Of the attempt that is under way. */
  begunAt: Temporal.Instant | null;
  createdAt: Temporal.Instant;
  finishedAt: Temporal.Instant | null;
}

/** Newest first. */
export interface LoggedPage {
  readonly rows: LoggedDelivery[];
  /** Where it was cut short, for there are few among many: what comes after this place has not been looked at. */
  readonly readTo: DeliveryKey | null;
}

/** A page of deliveries. */
export async function readDeliveries(tx: Tx, query: DeliveryQuery): Promise<LoggedPage> {
  const { rows, readTo } = await readRows(tx, query);
  const waiting = rows.filter(({ state }) => state === "waiting").map(keyOf);
  const waitOf = await readWaits(tx, query.clinicId, waiting);
  return { rows: rows.map((row) => toDelivery(row, row.state === "waiting" ? waitOf(keyOf(row)) : null)), readTo };
}

interface Rows {
  readonly rows: DeliveryRow[];
  readonly readTo: DeliveryKey | null;
}

async function readRows(tx: Tx, query: DeliveryQuery): Promise<Rows> {
  const byEvents = await isOfFewEvents(tx, query);
  if (!byEvents && isSparse(query)) return readInWindows(tx, query);
  const { rows } = await deliveriesStatement(query, { byEvents }).execute(tx);
  return { rows, readTo: null };
}

/** Whether it is narrowed by what no index of deliveries knows. */
function isSparse({ event, subject, state }: DeliveryQuery): boolean {
  return event !== undefined || subject !== undefined || state === "delivered";
}

/** Looks at more and more deliveries from the newest on, until the page is full or enough were looked at. */
async function readInWindows(tx: Tx, query: DeliveryQuery): Promise<Rows> {
  const found: DeliveryRow[] = [];
  let until = query.until;
  for (const windowRows of WINDOWS_ROWS) {
    const rest = { ...query, until, limit: query.limit - found.length };
    const [floor] = (await floorStatement(rest, windowRows).execute(tx)).rows;
    const window = floor === undefined ? rest : { ...rest, from: floor.event_id };
    found.push(...(await deliveriesStatement(window, { byEvents: false }).execute(tx)).rows);
    if (floor === undefined || found.length >= query.limit) return { rows: found, readTo: null };
    until = floor.event_id;
  }
  return { rows: found, readTo: { eventId: until as string, ...FIRST_OF_EVENT } };
}

/**
 * Whether the events that are asked for are so few that their deliveries are found from them; otherwise they are frequent
 * among the deliveries. PostgreSQL would not see it: it takes each look into one day's partition for a look into all.
 */
async function isOfFewEvents(tx: Tx, query: DeliveryQuery): Promise<boolean> {
  const { clinicId, event, subject } = query;
  if (event === undefined && subject === undefined) return false;
  const conditions = [sql`e.clinic_id = ${clinicId}`, ...ofEvent(query)];
  const some = sql`select from events e where ${sql.join(conditions, sql` and `)} limit ${FEW_EVENTS_MAX + 1}`;
  const { rows } = await sql<{ found: number }>`select count(*) as found from (${some}) few`.execute(tx);
  return Number(rows[0]?.found) <= FEW_EVENTS_MAX;
}

/** One delivery; null where this clinic has none with that key. */
export async function readDelivery(tx: Tx, clinicId: number, key: DeliveryKey): Promise<LoggedDelivery | null> {
  const { rows } = await readDeliveries(tx, { clinicId, limit: 1, exact: key });
  return rows[0] ?? null;
}

function toDelivery(row: DeliveryRow, wait: Wait | null): LoggedDelivery {
  return {
    ...keyOf(row),
    event: row.event,
    webhookName: row.webhook_name,
    subject: row.subject,
    subjectVersion: row.subject_version,
    sequence: row.sequence,
    participantsPerRequest: row.participants_per_request,
    choice: { practitioner: row.choice_practitioner, patient: row.choice_patient },
    test: row.test,
    state: row.state,
    reason: row.reason,
    attempts: row.attempt,
    wait,
    scheduleStart: row.schedule_start,
    webhookUrl: row.webhook_url,
    begunAt: row.begun_at,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  };
}
