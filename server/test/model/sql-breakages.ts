/** Seeded bugs in the engine's SQL, each one change of its text: holding the model against it has to notice every one. */
import type pg from "pg";
import { DeliveryStore } from "../../src/delivery/store.ts";

export interface SqlBreakage {
  name: string;
  statement: string;
  /** what is taken out of the text, and what comes in its place */
  out: string;
  into: string;
  /** statements in another order, of nodes that are lost, are enough to find it (any-order.ts) */
  found?: "in any order";
}

export const SQL_BREAKAGES: readonly SqlBreakage[] = [
  {
    name: "settle is not fenced",
    statement: "settle",
    out: "and d.fence = r.fence and d.attempt = r.attempt and r.state is not null",
    into: "and r.state is not null",
  },
  {
    name: "a late result is not marked as late",
    statement: "settle",
    out: "(clinic_id, webhook_id, id, attempt) not in (select clinic_id, webhook_id, id, attempt from counted)",
    into: "false",
  },
  {
    name: "a receiver's health is written by whoever says so",
    statement: "settle",
    out: "r.owner = $30::bigint and r.fence = s.health_fence and",
    into: "$30::bigint is not null and",
  },
  {
    name: "an answer of the old address proves the new one",
    statement: "settle",
    out: "s.delivered_version = r.webhook_version",
    into: "s.delivered_version is not null",
  },
  {
    name: "what the old receiver did counts against the new one",
    statement: "settle",
    out: "and r.webhook_version = s.health_version",
    into: "",
  },
  {
    name: "the time of a success from before the clock was set back stays",
    statement: "settle",
    out: "and r.last_delivered_at < now() + interval '1 minute')",
    into: ")",
  },
  {
    name: "what was narrowed since is begun as wide as before",
    statement: "take",
    out: "case when 'off' in (d.choice_patient, n.include_patient) then 'off'",
    into: "case when false then 'off'",
  },
  {
    name: "taking over does not raise the fence",
    found: "in any order",
    statement: "take",
    out: "r.fence + 1 as fence",
    into: "r.fence as fence",
  },
  {
    name: "a parked webhook hears bells",
    statement: "take",
    out: "and (r.parked_at is null or r.next_at <= now())",
    into: "",
  },
  {
    name: "the bells of webhooks that another node holds are taken away, too",
    found: "in any order",
    statement: "take",
    out: "bells b using spent_locked s",
    into: "bells b using looked_up s",
  },
  {
    name: "a held webhook's bells stay until it has a place",
    statement: "take",
    out: "delete from bells b using spent_locked s where",
    into: "delete from bells b using spent_locked s where false and",
  },
  {
    name: "a parked webhook's bells stay until somebody looks after what rests",
    statement: "take",
    out: "or (owner is null and parked_at is not null and next_at > now())",
    into: "",
  },
  {
    name: "a webhook that was changed sleeps for as long as its holder thought",
    statement: "release",
    out: "when s.version <> r.webhook_version then now()",
    into: "",
  },
  {
    name: "the head of a subject is any of its deliveries",
    found: "in any order",
    statement: "take",
    out: "is not distinct from d.clinic_id and e.id < d.id) as head",
    into: "is not distinct from d.clinic_id and e.id < d.id and false) as head",
  },
  {
    name: "a refill is not fenced",
    statement: "refill",
    out: "and r.fence = h.fence and w.enabled",
    into: "and w.enabled",
  },
  {
    name: "release gives back what others hold",
    statement: "release",
    out: "and r.fence = s.fence and r.owner is not distinct from $1::bigint",
    into: "and ($1::bigint is not null or r.fence = s.fence)",
  },
  {
    name: "nodes are given up before their five seconds",
    statement: "reap",
    out: "delete from nodes where alive_until < now() - interval '5 seconds'",
    into: "delete from nodes where alive_until < now()",
  },
];

/** A store that runs the broken text. Throws where the text to be changed is not there: then the bug has to be sown anew. */
export function brokenStore(pool: pg.Pool, breakage: SqlBreakage): DeliveryStore {
  const { statement, out, into } = breakage;
  // A connection keeps what it has prepared: no two texts may have one name.
  const name = `broken_${SQL_BREAKAGES.indexOf(breakage)}_${statement}`;
  const query = (config: pg.QueryConfig) => {
    if (config.name !== `engine_${statement}`) return pool.query(config);
    if (!config.text.includes(out)) throw new Error(`this bug is not sown, its text is not in ${statement}: ${out}`);
    return pool.query({ ...config, name, text: config.text.replace(out, () => into) });
  };
  return new DeliveryStore({ query } as unknown as pg.Pool);
}
