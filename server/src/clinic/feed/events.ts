/**
 * Events that other software has made itself: stored as they are, once for each of the caller's keys.
 *
 * Owns the rows of `feed_keys`. Promises: all events of a transaction are stored or none; the key is written in the very
 * transaction of its event; the same key with the same event again is taken silently, with another one refused; patients in
 * them are known by their ids afterwards. Does not ask whether an event should have fired: that is the other software's part.
 */
import { hash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { type EventName, eventDefinition, type Facts, GROUPS } from "@hookwell/sdk";
import { sql } from "kysely";
import type { Tx } from "../../db/schema.ts";
import { conflict } from "../../errors.ts";
import { type EmittedEvent, emitMany } from "../../outbox/emit.ts";
import { uuidv7 } from "../../outbox/identifiers.ts";
import { type ClinicContext, getClinic } from "../clinics.ts";
import { keepIntegers } from "./ids.ts";
import { type FedId, knowPatients, type OwnKind, refuseOwnRecords } from "./taken.ts";

const HASH_BYTES = 32;

/** An event as it came, its facts checked; `field` is where it stood in the request, with a dot at its end or empty. */
export interface FedEvent {
  readonly field: string;
  readonly key: string;
  readonly keyHash: Buffer;
  readonly bodyHash: Buffer;
  readonly subject: string;
  readonly facts: Facts;
}

export interface TakenEvent extends EmittedEvent {
  readonly subject: string;
  /** The key was used before, for this very event. */
  readonly duplicate: boolean;
}

/** An event ready to be stored. */
export function fedEvent(event: { field: string; key: string; subject: string; facts: Facts }): FedEvent {
  const { field, key, subject, facts } = event;
  const bodyHash = hash("sha256", `${subject} ${JSON.stringify(facts)}`, "buffer");
  return { field, key, subject, facts, bodyHash, keyHash: hash("sha256", key, "buffer") };
}

/**
 * Stores events in the order given, in a constant number of statements. No key may stand twice among them.
 * @throws ProblemError 409: `key_reused`, `no_academy`, `id_in_use`
 */
export async function takeEvents(tx: Tx, context: ClinicContext, events: readonly FedEvent[]): Promise<TakenEvent[]> {
  const { clinicId, outbox } = context;
  await refuseWithoutAcademy(tx, clinicId, events);
  const millis = outbox.clock.now().epochMilliseconds;
  const ids = events.map(() => uuidv7(millis));
  const { isNew, known } = await takeKeys(tx, clinicId, { events, ids });
  const before = await readTaken(
    tx,
    context,
    events.filter((_, at) => !isNew[at]),
  );
  const fresh = events.flatMap((event, at) => (isNew[at] ? [{ ...event, id: ids[at] as string }] : []));
  const patients = fresh.flatMap(patientsOf);
  const records = recordsOf(fresh);
  await keepIntegers(tx, clinicId, [
    ...patients.map(({ id }) => ({ kind: "patient" as const, id })),
    ...TEXT_IDS.flatMap((kind) => records[kind].map(({ id }) => ({ kind, id }))),
  ]);
  await knowPatients(tx, clinicId, { patients, known });
  const emitted = await emitMany(outbox, tx, { clinicId, events: fresh });
  // Only now: the subjects are locked, so nobody of the clinic's can be on the way to one of these ids.
  await refuseOwnRecords(tx, clinicId, records);
  return events.map(({ subject }, at) =>
    isNew[at]
      ? { ...(emitted.shift() as EmittedEvent), subject, duplicate: false }
      : { ...(before.shift() as EmittedEvent), subject, duplicate: true },
  );
}

async function refuseWithoutAcademy(tx: Tx, clinicId: number, events: readonly FedEvent[]): Promise<void> {
  const first = events.find(({ facts }) => GROUPS[eventDefinition(facts.event).group].needsAcademy);
  if (first === undefined || (await getClinic(tx, clinicId)).hasAcademy) return;
  throw conflict(
    "no_academy",
    "This clinic does not have Clinic Academy, so it has no courses and webinars. Leave these events out.",
    `${first.field}facts.event`,
  );
}

interface Keys {
  readonly events: readonly FedEvent[];
  readonly ids: readonly string[];
}

interface TakenKeys {
  /** For each event. */
  readonly isNew: readonly boolean[];
  /** Those of the events' patients that exist, and whether only the feed knows them. */
  readonly known: ReadonlyMap<number, boolean>;
}

/**
 * Takes the keys that are new, and in the same turn looks the patients up. Where another transaction has just taken the same
 * key, this waits until that one has ended.
 */
async function takeKeys(tx: Tx, clinicId: number, { events, ids }: Keys): Promise<TakenKeys> {
  const patients = [...new Set(events.flatMap((event) => patientsOf(event).map(({ id }) => id)))];
  const { rows } = await sql<{
    at: number | null;
    id: number | null;
    feed_only: boolean | null;
  }>`/* prepared feed_keys */
    with given as materialized (
      select g.id, g.at,
        substring(${Buffer.concat(events.map(({ keyHash }) => keyHash))}::bytea from (g.at::int - 1) * ${HASH_BYTES}::int + 1 for ${HASH_BYTES}::int) as key_hash,
        substring(${Buffer.concat(events.map(({ bodyHash }) => bodyHash))}::bytea from (g.at::int - 1) * ${HASH_BYTES}::int + 1 for ${HASH_BYTES}::int) as body_hash
      from unnest(${[...ids]}::uuid[]) with ordinality as g (id, at)),
    taken as (
      insert into feed_keys (clinic_id, key_hash, event_id, body_hash)
      select ${clinicId}::bigint, g.key_hash, g.id, g.body_hash from given g order by g.key_hash
      on conflict do nothing returning event_id)
    select g.at::int as at, null::bigint as id, null::boolean as feed_only from taken t join given g on g.id = t.event_id
    union all
    select null, p.id, p.feed_only from patients p where p.clinic_id = ${clinicId}::bigint and p.id = any(${patients}::bigint[])`.execute(
    tx,
  );
  const taken = new Set(rows.map(({ at }) => at));
  const known = new Map(rows.flatMap(({ id, feed_only }) => (id === null ? [] : [[id, feed_only === true] as const])));
  return { isNew: events.map((_, at) => taken.has(at + 1)), known };
}

interface TakenRow {
  readonly key_hash: Buffer;
  readonly body_hash: Buffer;
  readonly event_id: string;
  readonly subject: string | null;
  readonly version: number | null;
  readonly facts: Buffer | null;
}

/** What the keys were used for. @throws ProblemError 409 `key_reused` where that was something else */
async function readTaken(tx: Tx, context: ClinicContext, events: readonly FedEvent[]): Promise<EmittedEvent[]> {
  if (events.length === 0) return [];
  const { clinicId, outbox } = context;
  const { rows } = await sql<TakenRow>`
    select k.key_hash, k.body_hash, k.event_id, e.subject, e.subject_version as version, e.facts
    from feed_keys k left join events e on e.clinic_id = k.clinic_id and e.id = k.event_id
    where k.clinic_id = ${clinicId} and k.key_hash = any(${events.map(({ keyHash }) => keyHash)}::bytea[])`.execute(tx);
  const byKey = new Map(rows.map((row) => [row.key_hash.toString("hex"), row]));
  const seal = await outbox.seal.forClinic(tx, clinicId);
  const open = ({ event_id, facts }: TakenRow): unknown =>
    facts === null ? null : JSON.parse(seal.open({ column: "events.facts", row: event_id }, facts));
  return events.map((event) => {
    const row = byKey.get(event.keyHash.toString("hex"));
    if (row === undefined) throw new Error("a key of the feed is neither new nor known");
    // The same members in another order are the same event.
    const isSame =
      row.body_hash.equals(event.bodyHash) ||
      (row.subject === event.subject && isDeepStrictEqual(open(row), event.facts));
    if (!isSame) throw keyReused(event.field);
    return { id: row.event_id, subjectVersion: row.version ?? 0, woken: [] };
  });
}

function keyReused(field: string) {
  return conflict(
    "key_reused",
    "This key was used for another event. Use a new key for a new event, and the same one only to send it again.",
    `${field}key`,
  );
}

/** The patients of an event, each where he stands. */
function patientsOf({ field, facts }: FedEvent): FedId[] {
  if (!("participants" in facts)) return [{ id: facts.client.id, field: `${field}facts.client.id` }];
  return facts.participants.map(({ id }, at) => ({ id, field: `${field}facts.participants.${at}.id` }));
}

/** Records that snapshots may name by texts, so their integers are kept from being given to one. */
const TEXT_IDS = ["consult", "invoice", "membership"] as const;

function recordsOf(events: readonly FedEvent[]) {
  const of = (kind: OwnKind) =>
    events.flatMap(({ field, subject }): FedId[] =>
      subject.startsWith(`${kind}:`) ? [{ id: Number(subject.slice(kind.length + 1)), field: `${field}subject` }] : [],
    );
  return {
    ...{ consult: of("consult"), invoice: of("invoice"), membership: of("membership") },
    ...{ "course-access": of("course-access"), "webinar-access": of("webinar-access") },
  };
}

/** The subject that the facts themselves name; null where the caller has to say it (contract §7). */
export function subjectOf(facts: Facts): string | null {
  if ("consult" in facts) return `consult:${facts.consult.id}`;
  if ("membership" in facts) return `membership:${facts.membership.id}`;
  return facts.event === "patient_account.created" ? `patient:${facts.client.id}` : null;
}

/** Whether the text is a subject of the event's kind. */
export function isSubjectOf(event: EventName, subject: string): boolean {
  const [, kind = "", id = ""] = /^([a-z-]+):([1-9]\d{0,15})$/.exec(subject) ?? [];
  return kind === eventDefinition(event).subject && Number.isSafeInteger(Number(id));
}
