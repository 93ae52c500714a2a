/** What only the database knows of all nodes together. Numbers alone: no row's own words leave here. */
import type pg from "pg";

export interface DatabaseFigures {
  readonly liveNodes: number;
  readonly parkedWebhooks: number;
  readonly pauses: number;
  /** e-mails and operational calls that wait for their time or their turn */
  readonly noticesWaiting: number;
}

/** Costs a look at one row per parked webhook and waiting notice. `pool`: the dispatcher's or the owner's. */
export async function readDatabaseFigures(pool: pg.Pool): Promise<DatabaseFigures> {
  const { rows } = await pool.query<Record<"nodes" | "parked" | "pauses" | "notices", number>>(
    `select (select count(*)::int from nodes where alive_until > now()) as nodes,
       (select count(*)::int from runs where parked_at is not null) as parked,
       (select count(*)::int from sending_pauses) as pauses,
       (select count(*)::int from notice_sends where state = 'waiting') as notices`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error("the figures were read and did not come");
  return {
    liveNodes: row.nodes,
    parkedWebhooks: row.parked,
    pauses: row.pauses,
    noticesWaiting: row.notices,
  };
}
