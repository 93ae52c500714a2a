/** The faults that strike at random moments under load, one at a time, and how many deliveries each can have doubled. */
import { setTimeout as pause } from "node:timers/promises";
import { createPools } from "../../server/src/db/pool.ts";
import { silentLog } from "../../server/src/log.ts";
import { nowMs } from "./chance.ts";
import type { Cluster } from "./cluster.ts";
import type { Fleet } from "./fleet.ts";
import type { WireProxy } from "./wire-proxy.ts";

/** Every fault, and what it does. */
export const FAULT_WORDS = {
  kill: "kill -9 of the node that has most in flight",
  immediate: "PostgreSQL is stopped as by `pg_ctl stop -m immediate`, or killed, and started again",
  terminate: "all connections to the database are cut, again and again for 2 s",
  halfopen: "the nodes' connections to the database go silent; new ones work",
  idle: "300 idle connections to the database",
  disk: "the database's disk is full for 4 s: a small one is mounted, or else no file may grow",
  clock: "the nodes' wall clocks jump by up to two hours, and back after 3 s",
} as const;
export type Fault = keyof typeof FAULT_WORDS;
export const FAULTS = Object.keys(FAULT_WORDS) as Fault[];

const IDLE_CONNECTIONS = 300;
/** A delivery as receivers know it, and its attempt. */
const CLAIM = `'msg_' || replace(d.event_id::text, '-', '') || '_' || d.webhook_id ||
  case when d.part = 0 then '' else '_' || d.part end || ' ' || d.attempt`;
const BUSY_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 20;
const STORM_ROUNDS = 8;
const STORM_EVERY_MS = 250;
const DISK_FULL_MS = 4_000;
const CLOCK_AWRY_MS = 3_000;
const CLOCK_JUMPS_MS = [2 * 3_600_000, -2 * 3_600_000, 290_000, -290_000] as const;
export const CLOCK_JUMP_MAX_MS = 2 * 3_600_000;

export interface Scene {
  cluster: Cluster;
  fleet: Fleet;
  /** between the nodes and the database */
  nodesProxy: WireProxy;
  /** the operator's, past the nodes' proxy */
  databaseUrl: string;
  random: () => number;
  /** what has been counted as in flight */
  claims: Set<string>;
  /** one row, or null while the database is away */
  ask: <Row>(text: string, values?: unknown[]) => Promise<Row | null>;
}

/** What a fault was, and which attempts had been begun and not settled when it struck: delivery and number of each. */
export interface Struck {
  fault: Fault;
  atMs: number;
  kills: number;
  inFlight: string[];
  /** ms until each webhook delivered again, where that was waited for */
  againMs: number[];
}

type Strike = (scene: Scene) => Promise<{ atMs?: number; kills?: number; inFlight: string[] }>;

/** The claims that were begun and not settled, besides those that an earlier fault has been told of. */
async function begun({ ask, claims }: Scene, pid: number | null = null): Promise<string[]> {
  const row = await ask<{ claims: string[] }>(
    `select coalesce(array_agg(${CLAIM}), '{}') as claims from deliveries d
       join runs r on r.clinic_id = d.clinic_id and r.webhook_id = d.webhook_id
     where d.begun_at is not null
       and ($1::text is null or r.owner in (select n.id from nodes n where n.name like '% ' || $1::text))`,
    [pid],
  );
  const fresh = (row?.claims ?? []).filter((claim) => !claims.has(claim));
  for (const claim of fresh) claims.add(claim);
  return fresh;
}

/**
 * The running process that has most in flight by the rows, so that a kill is one under load and does not hit a node that has
 * just been started and holds nothing. Null where none has anything within a while.
 */
async function busiest({ ask, fleet }: Scene): Promise<number | null> {
  for (
    const giveUpAtMs = performance.now() + BUSY_WITHIN_MS;
    performance.now() < giveUpAtMs;
    await pause(LOOK_EVERY_MS)
  ) {
    const row = await ask<{ pid: number }>(
      `select p.pid from deliveries d
         join runs r on r.clinic_id = d.clinic_id and r.webhook_id = d.webhook_id join nodes n on n.id = r.owner
         join unnest($1::int[]) p (pid) on n.name like '% ' || p.pid
       where d.begun_at is not null and d.fence = r.fence group by p.pid order by count(*) desc limit 1`,
      [fleet.pids],
    );
    if (row) return row.pid;
  }
  return null;
}

const STRIKES: Readonly<Record<Fault, Strike>> = {
  async kill(scene) {
    const target = await busiest(scene);
    const atMs = nowMs(); // what was waited for was no part of the fault
    const pid = await scene.fleet.kill(scene.random(), target);
    return { atMs, kills: 1, inFlight: await begun(scene, pid) };
  },

  async immediate(scene) {
    const before = await begun(scene);
    await scene.cluster.crash(scene.random() < 0.7 ? "SIGQUIT" : "SIGKILL");
    return { inFlight: [...before, ...(await begun(scene))] };
  },

  async terminate(scene) {
    const inFlight: string[] = [];
    for (let round = 0; round < STORM_ROUNDS; round++) {
      inFlight.push(...(await begun(scene)));
      await scene.ask(
        "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name like 'hookwell %' and pid <> pg_backend_pid()",
      );
      await pause(STORM_EVERY_MS);
    }
    return { inFlight };
  },

  async halfopen(scene) {
    scene.nodesProxy.goDeaf();
    return { inFlight: await begun(scene) };
  },

  async idle(scene) {
    const pools = createPools({ url: scene.databaseUrl, log: silentLog(), appConnectionsMax: IDLE_CONNECTIONS });
    const idle: { release(destroy: boolean): void }[] = [];
    // One after the other: the server's queue of those that knock is not what this is about.
    while (idle.length < IDLE_CONNECTIONS) idle.push(await pools.app.connect());
    await pause(STORM_EVERY_MS * STORM_ROUNDS);
    for (const one of idle) one.release(true);
    await pools.close();
    return { inFlight: [] };
  },

  async disk(scene) {
    const before = await begun(scene);
    let during: string[] = [];
    await scene.cluster.fillDisk(async () => {
      await pause(DISK_FULL_MS);
      during = await begun(scene);
    });
    return { inFlight: [...before, ...during, ...(await begun(scene))] };
  },

  async clock(scene) {
    scene.fleet.moveClocks(CLOCK_JUMPS_MS[Math.floor(scene.random() * CLOCK_JUMPS_MS.length)] ?? 0);
    await pause(CLOCK_AWRY_MS);
    scene.fleet.moveClocks(0);
    return { inFlight: [] };
  },
};

/** Strikes and returns when it is over; what is broken then may still be on its way back. */
export async function strike(fault: Fault, scene: Scene): Promise<Struck> {
  const beganMs = nowMs();
  const { atMs = beganMs, kills = 0, inFlight } = await STRIKES[fault](scene);
  return { fault, atMs, kills, inFlight, againMs: [] };
}
