/**
 * Snapshots: what the other software says a record is like now, from which the events are derived.
 *
 * Owns the rows of `feed_snapshots`. Promises: snapshots of one record are worked on one after the other, the very first two
 * also, so the subject's version rises in commit order; the same snapshot again sends nothing; one with an older version is
 * refused; ids are never those of a record of the clinic's own. Which events a change makes is said by the same functions as
 * for the clinic's records: see the three kinds.
 */
import type { EventName, Facts } from "@hookwell/sdk";
import { sql } from "kysely";
import type { Tx } from "../../db/schema.ts";
import { conflict, notFound } from "../../errors.ts";
import { emitMany } from "../../outbox/emit.ts";
import { type Clinic, type ClinicContext, getClinic } from "../clinics.ts";
import { type CallerId, externalId, type IdReader, readCallerId, resolveIds, type WantedId } from "./ids.ts";
import { type FedId, knowPatients, refuseOwnRecords, takeSubjects } from "./taken.ts";

export type SnapshotKind = "consult" | "invoice" | "membership";

/** What a kind of record knows of itself. `State` is plain JSON, and all that is kept. */
export interface SnapshotRules<Given, State> {
  readonly kind: SnapshotKind;
  /** The ids in it that may be texts. @throws ProblemError naming the field */
  ids(given: Given): readonly WantedId[];
  /** @throws ProblemError naming the field */
  read(given: Given, ids: IdReader, clinic: Clinic): State;
  patients(state: State): readonly FedId[];
  /** In the order in which they are sent. `after` is null when the record was deleted. */
  events(change: SnapshotChange<State>): readonly Facts[];
  /** @throws ProblemError where the record may not be deleted now */
  refuseDeletion?(state: State): void;
}

export interface SnapshotChange<State> {
  readonly id: number;
  readonly clinic: Clinic;
  readonly before: State | null;
  readonly after: State | null;
}

export interface Snapshot<Given> {
  readonly id: CallerId;
  /** The caller's own, rising; without one the snapshot is taken as newer than what is there. */
  readonly version?: number | undefined;
  /** Null deletes the record. */
  readonly given: Given | null;
}

export interface PutSnapshot {
  /** As events show it. */
  readonly id: number;
  readonly events: readonly EventName[];
  readonly isNew: boolean;
  /** True where this very snapshot was there already. */
  readonly unchanged: boolean;
}

interface Work<Given, State> {
  readonly rules: SnapshotRules<Given, State>;
  readonly snapshot: Snapshot<Given>;
}

/** Takes a snapshot and emits what it changes. @throws ProblemError, among them 409 `stale_version`, `version_conflict` */
export async function putSnapshot<Given, State>(
  tx: Tx,
  context: ClinicContext,
  work: Work<Given, State>,
): Promise<PutSnapshot> {
  const { clinicId, outbox } = context;
  const { rules, snapshot } = work;
  const clinic = await getClinic(tx, clinicId);
  const { key, after } = await read(tx, clinic, work);
  // Patients before the record, as everywhere in the feed: locks are taken in one order.
  if (after !== null) await knowPatients(tx, clinicId, { patients: rules.patients(after) });
  const row = await claim(tx, key, after !== null);
  const seal = await outbox.seal.forClinic(tx, clinicId);
  const place = { column: "feed_snapshots.state", row: `${key.kind}:${key.id}` } as const;
  const known = row.state === null ? null : (JSON.parse(seal.open(place, row.state)) as State);
  const isSame = known !== null && row.deleted === (after === null) && (after === null || isEqual(known, after));
  refuseOlder(row.version, { version: snapshot.version, isSame });
  const done = { id: key.id, isNew: known === null };
  const version = snapshot.version ?? row.version;
  if (isSame) {
    if (version !== row.version) await keep(tx, key, { version });
    return { ...done, events: [], unchanged: true };
  }
  if (after === null && known !== null) rules.refuseDeletion?.(known);
  const facts = rules.events({ id: key.id, clinic, before: row.deleted ? null : known, after });
  await emitMany(outbox, tx, { clinicId, events: facts.map((one) => ({ subject: place.row, facts: one })) });
  const state = seal.seal(place, JSON.stringify(after ?? known));
  await keep(tx, key, { version, state, deleted: after === null });
  return { ...done, events: facts.map(({ event }) => event), unchanged: false };
}

/** Which record it is, and what it says; null where the record is deleted. */
async function read<Given, State>(tx: Tx, clinic: Clinic, { rules, snapshot }: Work<Given, State>) {
  const { kind } = rules;
  const { given } = snapshot;
  const callerId = readCallerId("id", snapshot.id);
  const wanted = [{ kind, id: callerId, field: "id" }, ...(given === null ? [] : rules.ids(given))];
  const ids = await resolveIds(tx, clinic.id, wanted);
  const key: Key = { clinicId: clinic.id, kind, id: ids(kind, callerId), callerId };
  return { key, after: given === null ? null : rules.read(given, ids, clinic) };
}

interface Key {
  readonly clinicId: number;
  readonly kind: SnapshotKind;
  readonly id: number;
  readonly callerId: CallerId;
}

interface SnapshotRow {
  readonly version: number | null;
  readonly state: Buffer | null;
  readonly deleted: boolean;
}

/** Locks the record's row, which is made where there was none. @throws ProblemError 404, 409 `id_in_use` */
async function claim(tx: Tx, key: Key, mayBeNew: boolean): Promise<SnapshotRow> {
  const { clinicId, kind, id, callerId } = key;
  if (mayBeNew) {
    await takeSubjects(tx, clinicId, [`${kind}:${id}`]);
    const values = {
      clinic_id: clinicId,
      kind,
      id,
      external_id: typeof callerId === "string" ? externalId(callerId) : null,
    };
    // Where another transaction has just inserted the row, this waits until that one has ended.
    const { numInsertedOrUpdatedRows } = await tx
      .insertInto("feed_snapshots")
      .values(values)
      .onConflict((conflicting) => conflicting.columns(["clinic_id", "kind", "id"]).doNothing())
      .executeTakeFirstOrThrow();
    if (numInsertedOrUpdatedRows === 1n) await refuseOwnRecords(tx, clinicId, { [kind]: [{ id, field: "id" }] });
  }
  return tx
    .selectFrom("feed_snapshots")
    .select(["version", "state", "deleted"])
    .where("clinic_id", "=", clinicId)
    .where("kind", "=", kind)
    .where("id", "=", id)
    .forUpdate()
    .executeTakeFirstOrThrow(() => notFound(`the ${kind}`));
}

function refuseOlder(
  known: number | null,
  { version, isSame }: { version: number | undefined; isSame: boolean },
): void {
  if (known === null || version === undefined || version > known) return;
  if (version < known) {
    throw conflict(
      "stale_version",
      "A newer version of this record is here already. Nothing is to be done; send the newest one.",
      "version",
    );
  }
  if (isSame) return;
  throw conflict(
    "version_conflict",
    "This version is here already with other content. Raise the version with each change.",
    "version",
  );
}

interface Kept {
  readonly version: number | null;
  readonly state?: Buffer;
  readonly deleted?: boolean;
}

async function keep(tx: Tx, { clinicId, kind, id }: Key, kept: Kept): Promise<void> {
  await tx
    .updateTable("feed_snapshots")
    .set({ ...kept, updated_at: sql<Temporal.Instant>`now()` })
    .where("clinic_id", "=", clinicId)
    .where("kind", "=", kind)
    .where("id", "=", id)
    .execute();
}

/** Both were made by the same function, so their keys stand in the same order. */
function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
