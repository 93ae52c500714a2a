/** The faults that strike at random moments under load, one at a time, and how many deliveries each can have doubled. */
import { setTimeout as pause } from "node:timers/promises";
import { createPools } from "../../server/src/db/pool.ts";
import { silentLog } from "../../server/src/log.ts";
import { nowMs } from "./chance.ts";
import type { Cluster } from "./cluster.ts";
import type { Fleet } from "./fleet.ts";
import type { WireProxy } from "./wire-proxy.ts";

export const FAULTS = ["kill", "immediate", "terminate", "halfopen", "idle", "disk", "clock"] as const;
export type Fault = (typeof FAULTS)[number];

const IDLE_CONNECTIONS = 300;
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
  /** delivery and attempt of what has been counted as in flight */
  claims: Set<string>;
  /** one row, or null while the database is away */
  ask: <Row>(text: string, values?: unknown[]) => Promise<Row | null>;
}

/** What a fault was, and how many attempts had been begun and not settled when it struck. */
export interface Struck {
  fault: Fault;
  atMs: number;
  kills: number;
  inFlight: number;
  /** ms until each webhook delivered again, where that was waited for */
  againMs: number[];
}

type Strike = (scene: Scene) => Promise<{ atMs?: number; kills?: number; inFlight: number }>;

/** How many claims there are that were begun and not settled, besides those that an earlier fault has been told of. */
async function begun({ ask, claims }: Scene, pid: number | null = null): Promise<number> {
  const row = await ask<{ claims: string[] }>(
    `select coalesce(array_agg(d.id || ' ' || d.attempt), '{}') as claims from deliveries d
       join runs r on r.clinic_id = d.clinic_id and r.webhook_id = d.webhook_id
     where d.begun_at is not null
       and ($1::text is null or r.owner in (select n.id from nodes n where n.name like '% ' || $1::text))`,
    [pid],
  );
  const fresh = (row?.claims ?? []).filter((claim) => !claims.has(claim));
  for (const claim of fresh) claims.add(claim);
  return fresh.length;
}

/**
 * The process that has most in flight, so that a kill is one under load and does not hit a node that has just been started
 * and holds nothing. Null where none has anything within a while.
 */
async function busiest({ ask }: Scene): Promise<number | null> {
  for (
    const giveUpAtMs = performance.now() + BUSY_WITHIN_MS;
    performance.now() < giveUpAtMs;
    await pause(LOOK_EVERY_MS)
  ) {
    const row = await ask<{ pid: number }>(
      `select split_part(n.name, ' ', 2)::int as pid from deliveries d
         join runs r on r.clinic_id = d.clinic_id and r.webhook_id = d.webhook_id join nodes n on n.id = r.owner
       where d.begun_at > now() - interval '2 seconds' group by n.id, n.name order by count(*) desc limit 1`,
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
    return { inFlight: before + (await begun(scene)) };
  },

  async terminate(scene) {
    let inFlight = 0;
    for (let round = 0; round < STORM_ROUNDS; round++) {
      inFlight += await begun(scene);
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
    return { inFlight: 0 };
  },

  async disk(scene) {
    const before = await begun(scene);
    let during = 0;
    await scene.cluster.fillDisk(async () => {
      await pause(DISK_FULL_MS);
      during = await begun(scene);
    });
    return { inFlight: before + during + (await begun(scene)) };
  },

  async clock(scene) {
    scene.fleet.moveClocks(CLOCK_JUMPS_MS[Math.floor(scene.random() * CLOCK_JUMPS_MS.length)] ?? 0);
    await pause(CLOCK_AWRY_MS);
    scene.fleet.moveClocks(0);
    return { inFlight: 0 };
  },
};

/** Strikes and returns when it is over; what is broken then may still be on its way back. */
export async function strike(fault: Fault, scene: Scene): Promise<Struck> {
  const beganMs = nowMs();
  const { atMs = beganMs, kills = 0, inFlight } = await STRIKES[fault](scene);
  return { fault, atMs, kills, inFlight, againMs: [] };
}
