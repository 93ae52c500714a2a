/** Reading the audit trail: newest first, by who, what and when. Only what has been chained is shown. */
import { type RawBuilder, sql } from "kysely";
import type { Tx } from "../db/schema.ts";

export const ACTORS_MAX = 200;

export interface TrailEntry {
  readonly sequence: number;
  readonly at: Temporal.Instant;
  /** The user's id, or `api_key:<id>`. */
  readonly actor: string;
  /** The name as it was then; where the program acted on somebody's order, that person's latest known one. */
  readonly actorName: string | null;
  /** The address it came from; null for what the program did by itself. */
  readonly origin: string | null;
  readonly action: string;
  readonly target: string;
  /** JSON texts, masked when they were written. */
  readonly before: string | null;
  readonly after: string | null;
}

export interface TrailFilter {
  readonly clinicId: number;
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly target?: string | undefined;
  /** From then on. */
  readonly from?: Temporal.Instant | undefined;
  /** Before then. */
  readonly until?: Temporal.Instant | undefined;
}

/** The entries before the given one, newest first. */
export async function listTrail(
  tx: Tx,
  filter: TrailFilter,
  { beforeSequence, limit }: { beforeSequence: number | null; limit: number },
): Promise<TrailEntry[]> {
  const before = beforeSequence === null ? sql`true` : sql`a.sequence < ${beforeSequence}`;
  const { rows } = await sql<TrailEntry>`
    select a.sequence, a.at, a.actor, a.origin, a.action, a.target, a.before, a.after,
      coalesce(a.actor_name, (select n.actor_name from audit n where n.clinic_id = a.clinic_id and n.actor = a.actor
        and n.actor_name is not null order by n.sequence desc limit 1)) as "actorName"
    from audit a where ${matches(filter)} and ${before} order by a.sequence desc limit ${limit}`.execute(tx);
  return rows;
}

/** How many there are, at most `max`: further ones are not counted. */
export async function countTrail(tx: Tx, filter: TrailFilter, max: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from (select from audit a where ${matches(filter)} limit ${max}) counted`.execute(tx);
  return rows[0]?.count ?? 0;
}

function matches(filter: TrailFilter): RawBuilder<boolean> {
  const { clinicId, actor, action, target, from, until } = filter;
  const conditions = [sql`a.clinic_id = ${clinicId} and a.sequence is not null`];
  if (actor !== undefined) conditions.push(sql`a.actor = ${actor}`);
  if (action !== undefined) conditions.push(sql`a.action = ${action}`);
  if (target !== undefined) conditions.push(sql`a.target = ${target}`);
  if (from !== undefined) conditions.push(sql`a.at >= ${from.toString()}::timestamptz`);
  if (until !== undefined) conditions.push(sql`a.at < ${until.toString()}::timestamptz`);
  return sql<boolean>`${sql.join(conditions, sql` and `)}`;
}

export interface TrailActor {
  readonly actor: string;
  readonly name: string | null;
}

/** Who stands in the trail, each once, at most ACTORS_MAX: from actor to actor along the index, however long the trail is. */
export async function listActors(tx: Tx, clinicId: number): Promise<TrailActor[]> {
  const { rows } = await sql<TrailActor>`
    with recursive actors (actor) as (
      (select a.actor from audit a where a.clinic_id = ${clinicId} order by a.actor limit 1)
      union all
      select (select a.actor from audit a where a.clinic_id = ${clinicId} and a.actor > c.actor order by a.actor limit 1)
      from actors c where c.actor is not null
    )
    select c.actor, (select n.actor_name from audit n where n.clinic_id = ${clinicId} and n.actor = c.actor
      and n.actor_name is not null order by n.sequence desc limit 1) as name
    from actors c where c.actor is not null limit ${ACTORS_MAX}`.execute(tx);
  return rows;
}
