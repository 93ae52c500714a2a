/**
 * The other software's ids, and the integers that events show for them.
 *
 * Owns the rows of `feed_ids`. Promises: an integer is used as it is; a text gets an integer that stays the same for ever,
 * from 2^52 upward, where neither the clinic's own numbers nor an integer that was used before can be. Does not know whether
 * a record of the clinic has an id already: taken.ts does.
 */
import { hash } from "node:crypto";
import { sql } from "kysely";
import type { Tx } from "../../db/schema.ts";
import { conflict, invalid } from "../../errors.ts";

export type FeedIdKind =
  | "consult"
  | "invoice"
  | "membership"
  | "patient"
  | "practitioner"
  | "service"
  | "plan"
  | "line_item"
  | "payment";

/** An id as the other software writes it. A text of digits is the integer. */
export type CallerId = number | string;

const CALLER_ID_MAX_BYTES = 64;
/** Integers from here on are allotted to texts; a caller's own from this range are kept, so that none is given twice. */
const ALLOTTED_FROM = 2 ** 52;
const INTEGER = /^[1-9]\d{0,15}$/;
const CONTROL = /\p{Cc}/u;

/** The id as an integer where it is one. @throws ProblemError naming `field` */
export function readCallerId(field: string, id: CallerId): CallerId {
  const number = typeof id === "number" ? id : INTEGER.test(id) ? Number(id) : Number.NaN;
  if (Number.isSafeInteger(number) && number >= 1) return number;
  const isText = typeof id === "string" && id !== "" && id.isWellFormed() && !CONTROL.test(id);
  if (isText && Buffer.byteLength(id) <= CALLER_ID_MAX_BYTES) return id;
  throw invalid(
    field,
    `An id is an integer from 1 to 2^53 − 1, or a text of 1 to ${CALLER_ID_MAX_BYTES} bytes without control characters.`,
    "invalid",
  );
}

/** An id that is needed as an integer; `field` is where it stood. */
export interface WantedId {
  readonly kind: FeedIdKind;
  readonly id: CallerId;
  readonly field: string;
}

export type IdReader = (kind: FeedIdKind, id: CallerId) => number;

interface NewId {
  readonly kind: FeedIdKind;
  readonly id: CallerId;
  /** As it is kept. */
  readonly external: Buffer;
}

interface Kept extends NewId {
  readonly field: string;
  readonly place: string;
}

/** The SHA-256 of a text id: it may be anything, a person's e-mail too, so it is not kept itself. */
export function externalId(id: CallerId): Buffer {
  return hash("sha256", String(id), "buffer");
}

/**
 * Looks all ids up, and allots integers to texts that are new. In one order, so that two transactions that allot the same
 * ones never wait in a ring.
 * @throws ProblemError 409 `id_in_use` for an integer that was allotted to a text before
 */
export async function resolveIds(tx: Tx, clinicId: number, wanted: readonly WantedId[]): Promise<IdReader> {
  const kept = new Map<string, Kept>();
  for (const { kind, id, field } of wanted) {
    const place = placeOf(kind, id);
    if (isKept(id) && !kept.has(place)) kept.set(place, { kind, id, field, external: externalId(id), place });
  }
  const all = [...kept.values()].sort((a, b) => (a.place < b.place ? -1 : 1));
  const found = await readIds(tx, clinicId, all);
  const taken = await allot(tx, clinicId, { ids: all, found });
  if (taken !== undefined) throw idInUse(taken.field);
  return (kind, id) => {
    const known = isKept(id) ? found.get(placeOf(kind, id)) : id;
    if (known === undefined) throw new Error(`an id of kind ${kind} was not looked up`);
    return known as number;
  };
}

/** 409: this id belongs to somebody else. */
export function idInUse(field?: string) {
  return conflict(
    "id_in_use",
    "This id belongs to another record here already. Use a text as id, such as a:12.",
    field,
  );
}

function placeOf(kind: FeedIdKind, id: CallerId): string {
  return `${kind} ${id}`;
}

function isKept(id: CallerId): boolean {
  return typeof id === "string" || id >= ALLOTTED_FROM;
}

async function readIds(tx: Tx, clinicId: number, ids: readonly Kept[]): Promise<Map<string, number>> {
  if (ids.length === 0) return new Map();
  const { rows } = await sql<{ at: number; id: number }>`
    select w.at::int as at, f.id from unnest(${ids.map(({ kind }) => kind)}::text[], ${ids.map(({ external }) => external)}::bytea[])
      with ordinality as w (kind, external_id, at)
      join feed_ids f on f.clinic_id = ${clinicId} and f.kind = w.kind and f.external_id = w.external_id`.execute(tx);
  return new Map(rows.map(({ at, id }) => [(ids[at - 1] as Kept).place, id]));
}

/** Keeps integers that came with finished events from being given to a text later. Those that were given to one: nothing. */
export async function keepIntegers(tx: Tx, clinicId: number, ids: readonly { kind: FeedIdKind; id: number }[]) {
  const high = ids.filter(({ id }) => isKept(id)).map((one) => ({ ...one, external: externalId(one.id) }));
  await insert(tx, clinicId, high);
}

interface Allotting {
  readonly ids: readonly Kept[];
  /** What is known already; grows. */
  readonly found: Map<string, number>;
}

/** Gives every id that is not found yet a row. Returns an integer that belongs to a text, if there is one. */
async function allot(tx: Tx, clinicId: number, { ids, found }: Allotting): Promise<Kept | undefined> {
  for (;;) {
    const missing = ids.filter(({ place }) => !found.has(place));
    if (missing.length === 0) return undefined;
    await insert(tx, clinicId, missing);
    for (const [place, id] of await readIds(tx, clinicId, missing)) found.set(place, id);
    const taken = missing.find(({ id, place }) => typeof id === "number" && !found.has(place));
    if (taken !== undefined) return taken;
    // A text whose integer a caller had used before draws again: each draw is one further.
  }
}

/**
 * A row for each, the texts first; in one order within either. Where somebody else has just allotted the same one, this waits
 * for him and changes nothing.
 */
async function insert(tx: Tx, clinicId: number, ids: readonly NewId[]): Promise<void> {
  const sorted = [...ids].sort((a, b) => (placeOf(a.kind, a.id) < placeOf(b.kind, b.id) ? -1 : 1));
  const texts = columnsOf(sorted.filter(({ id }) => typeof id === "string"));
  const integers = columnsOf(sorted.filter(({ id }) => typeof id === "number"));
  if (texts.ids.length > 0) {
    await sql`
      insert into feed_ids (clinic_id, kind, external_id)
      select ${clinicId}::bigint, w.kind, w.external_id
      from unnest(${texts.kinds}::text[], ${texts.externals}::bytea[]) with ordinality as w (kind, external_id, at)
      order by w.at on conflict do nothing`.execute(tx);
  }
  if (integers.ids.length > 0) {
    await sql`
      insert into feed_ids (clinic_id, kind, external_id, id)
      select ${clinicId}::bigint, w.kind, w.external_id, w.id
      from unnest(${integers.kinds}::text[], ${integers.externals}::bytea[], ${integers.ids}::bigint[])
        with ordinality as w (kind, external_id, id, at)
      order by w.at on conflict do nothing`.execute(tx);
  }
}

function columnsOf(ids: readonly NewId[]) {
  return {
    ids: ids.map(({ id }) => id),
    kinds: ids.map(({ kind }) => kind),
    externals: ids.map(({ external }) => external),
  };
}
