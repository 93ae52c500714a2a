/**
 * One history from one seed: trouble, then calm, then the wait for retries that are hours away; and a judgement.
 *
 * In trouble, all that happens and all that goes wrong is drawn from the seed. In calm nothing goes wrong any more but for
 * receivers that are still failing. Where nothing is due for a while, the nodes are stopped in good order, time jumps to the
 * next retry, and others are started. The history ends when every delivery is final, or when nothing moves any more.
 */
import { BLOCK_CHOICES } from "@hookwell/sdk";
import type { RunKey } from "../../src/delivery/engine-store.ts";
import type { DeliveryRow, RunRow } from "../model/tables.ts";
import type { Breakage } from "./breakages.ts";
import { NO_DATABASE_FAULTS } from "./database.ts";
import { judge, recoveryMs } from "./judge.ts";
import { NO_NETWORK_FAULTS } from "./network.ts";
import { World } from "./world.ts";

const SECOND_MS = 1_000;
const CALM_STEP_MS = 10 * SECOND_MS;
/** What is due and not sent for so long, with nothing wrong, was forgotten. */
const FORGOTTEN_AFTER_MS = 90 * SECOND_MS;
/** Nothing is due for so long: time may jump. */
const QUIET_MS = 60 * SECOND_MS;
const STEPS_MAX = 20_000;

export interface History {
  seed: number;
  violations: string[];
  fingerprint: string;
  /** the whole history, a line each */
  lines: string[];
  /** how much of what there was */
  counts: {
    /** webhooks that were parked at some time */
    parked: number;
    /** deliveries that recoveries took, and those that ended because their content was erased */
    recovered: number;
    expired: number;
    /** posts to another address than the first */
    moved: number;
    databaseJumps: number;
    posts: number;
    receptions: number;
    unknown: number;
    late: number;
    failedAfterCommit: number;
    simulatedMs: number;
  };
}

/** Plays one seed to its end. `breakage` is a seeded bug: something outside the engine that lies to it. */
export async function simulate(seed: number, breakage: Breakage | null = null): Promise<History> {
  const world = await World.create(seed, breakage);
  const stuck: string[] = [];
  try {
    await trouble(world);
    await calm(world, stuck);
  } catch (error) {
    stuck.push(`the simulation ended early: ${error instanceof Error ? error.message : String(error)}`);
  }
  const attempts = [...world.model.tables.attempts.values()];
  return {
    seed,
    violations: [...stuck, ...(await judge(world))],
    fingerprint: world.timeline.fingerprint(),
    lines: world.timeline.lines,
    counts: {
      parked: [...world.model.tables.notices.values()].filter(({ kind }) => kind === "webhook.failing").length,
      recovered: world.clinic.recoveries.flatMap(({ taken }) => taken).length,
      expired: [...world.model.tables.finished.values()].filter(({ reason }) => reason === "expired").length,
      moved: world.network.posts.filter(({ host, webhook }) => host !== `receiver-${webhook}.example.test`).length,
      databaseJumps: world.databaseClock.jumps.length,
      posts: world.network.posts.length,
      receptions: world.network.receptions.length,
      unknown: attempts.filter(({ outcome }) => outcome === "unknown").length,
      late: attempts.filter(({ late }) => late).length,
      failedAfterCommit: world.database.failedAfterCommit,
      simulatedMs: world.timeline.nowMs,
    },
  };
}

async function trouble(world: World): Promise<void> {
  const { plan, timeline, database, network } = world;
  for (let n = 0; n < plan.nodes; n++) world.startNode();
  database.faults = plan.database;
  network.faults = plan.network;
  scheduleEvents(world);
  scheduleNodeTrouble(world);
  scheduleManagers(world);
  await timeline.runUntil(plan.troubleMs);
  database.faults = { ...NO_DATABASE_FAULTS, latencyMs: plan.database.latencyMs };
  network.faults = NO_NETWORK_FAULTS;
  database.downUntilMs = 0;
}

/** Something happens so often, at any time of the trouble. */
function often(world: World, times: number, happen: () => void): void {
  for (let n = 0; n < times; n++) world.timeline.after(world.random.between(0, world.plan.troubleMs), happen);
}

function scheduleEvents(world: World): void {
  const { plan, random, clinic } = world;
  often(world, plan.events, () => {
    const subjects = Array.from(
      { length: random.pick([1, 1, 1, 2, 3]) },
      () => `consult:${random.whole(1, plan.subjects)}`,
    );
    const opensForMs = random.chance(plan.opensLong) ? random.between(100, 9_000) : 0;
    clinic.emit(subjects, opensForMs, () => world.nudge());
  });
}

function scheduleNodeTrouble(world: World): void {
  const { plan, random, timeline, database } = world;
  const any = (happen: (node: World["nodes"][number]) => void) => () => {
    if (world.nodes.length > 0) happen(random.pick(world.nodes));
  };
  const startLater = () => timeline.after(random.between(0, 20 * SECOND_MS), () => world.startNode());
  const kill = any((node) => {
    world.kill(node);
    startLater();
  });
  const stop = any((node) => {
    void world.stop(node);
    startLater();
  });
  often(world, plan.kills, kill);
  often(world, plan.stops, stop);
  often(
    world,
    plan.stills,
    any((node) => node.process.standStill(random.between(SECOND_MS, 60 * SECOND_MS))),
  );
  often(
    world,
    plan.jumps,
    any((node) => node.process.jumpWall(random.between(-7_200, 7_200) * SECOND_MS)),
  );
  often(world, plan.databaseJumps, () => world.databaseClock.jump(random.between(-600, 600) * SECOND_MS));
  often(world, plan.outages, () => {
    database.downUntilMs = timeline.nowMs + random.between(3, 45) * SECOND_MS;
  });
}

function scheduleManagers(world: World): void {
  const { plan, random, timeline, clinic } = world;
  often(world, plan.switches, () => {
    const key = random.pick(clinic.webhooks);
    clinic.setEnabled(key, false);
    timeline.after(random.between(SECOND_MS, 30 * SECOND_MS), () => clinic.setEnabled(key, true));
  });
  often(world, plan.deletions, () => clinic.delete(random.pick(clinic.webhooks)));
  often(world, plan.resends, () => clinic.resendOne());
  often(world, plan.moves, () => world.move(random.pick(clinic.webhooks)));
  often(world, plan.choices, () => {
    const choice = { practitioner: random.pick(BLOCK_CHOICES), patient: random.pick(BLOCK_CHOICES) };
    clinic.choose(random.pick(clinic.webhooks), choice);
  });
  often(world, plan.rotations, () => clinic.changeSecrets(random.pick(clinic.webhooks), "rotate"));
  often(world, plan.revocations, () => clinic.changeSecrets(random.pick(clinic.webhooks), "revoke"));
  often(world, plan.recoveries, () => clinic.recover(random.pick(clinic.webhooks)));
  often(world, plan.erasures, () => clinic.eraseOne());
}

async function calm(world: World, stuck: string[]): Promise<void> {
  const { timeline, model } = world;
  await timeline.runUntil(timeline.nowMs + recoveryMs(world));
  for (let step = 0; unfinished(world).length > 0 || isRecovering(world); step++) {
    if (step > STEPS_MAX) throw new Error("there is no end to it");
    tidy(world);
    stuck.push(...forgotten(world));
    if (stuck.length > 0) break;
    if (isQuiet(world)) await sleepUntilDue(world);
    await timeline.runUntil(timeline.nowMs + CALM_STEP_MS);
  }
  await timeline.runUntil(timeline.nowMs + QUIET_MS); // a sweep comes by once more
  world.isEnding = true;
  await world.stopAll();
  for (const run of model.tables.runs.values()) {
    if (run.owner !== null)
      stuck.push(`webhook ${run.webhookId} is still held after every node has stopped in good order`);
  }
}

/** When everything has ended, managers ask once for what has not arrived. */
function isRecovering(world: World): boolean {
  if (world.hasRecovered) return false;
  world.hasRecovered = true;
  for (const key of world.clinic.webhooks) world.clinic.recover(key);
  return true;
}

/** Managers turn on what a receiver's 410 turned off; maintenance clears what a deletion has left. */
function tidy({ clinic, network, plan }: World): void {
  if (plan.keepsNothing) clinic.side.eraseFinished();
  for (const key of clinic.webhooks) {
    clinic.setEnabled(key, true);
    if (network.inFlight === 0) clinic.side.clearDeleted(key);
  }
}

function unfinished({ model }: World): DeliveryRow[] {
  return [...model.tables.deliveries.values()].flatMap((rows) => [...rows.values()]);
}

/** The deliveries that may be sent next: the first of each subject. */
function heads(world: World, key: RunKey): DeliveryRow[] {
  const rows = [...world.model.tables.deliveriesOf(key).values()];
  return rows.filter((row, at) => rows.findIndex(({ orderKey }) => orderKey === row.orderKey) === at);
}

/** When the next delivery of a webhook may be sent, in ms since the beginning: a parked one waits for its probe. */
function nextDueMs(world: World, key: RunKey): number {
  const { timeline, databaseClock } = world;
  const { parkedAt, nextAt, owner } = world.model.tables.run(key);
  const due = Math.min(...heads(world, key).map(({ dueAt }) => dueAt));
  const isWaiting = parkedAt !== null && owner === null;
  return (isWaiting ? Math.max(due, nextAt) : due) - databaseClock.nowMs + timeline.nowMs;
}

/** Due long ago, with nothing wrong and nothing sent to that webhook: nobody will ever send it. */
function forgotten(world: World): string[] {
  const { timeline, network, clinic, model, databaseClock } = world;
  const longAgoMs = timeline.nowMs - FORGOTTEN_AFTER_MS;
  const moves = (key: RunKey) =>
    isBeingProbed(model.tables.run(key)) ||
    model.tables.webhook(key).updatedAt > databaseClock.at(longAgoMs) ||
    network.posts.some(({ webhook, atMs }) => webhook === key.webhookId && atMs > longAgoMs);
  return clinic.webhooks
    .filter((key) => model.tables.isOn(key) && !moves(key) && nextDueMs(world, key) < longAgoMs)
    .map(({ webhookId }) => `webhook ${webhookId} has something due and was forgotten`);
}

/** Taken for its probe, which is about to be sent; its deliveries have been due for as long as it was left alone. */
function isBeingProbed({ parkedAt, owner }: RunRow): boolean {
  return parkedAt !== null && owner !== null;
}

function isQuiet(world: World): boolean {
  const { network, timeline, clinic } = world;
  return network.inFlight === 0 && clinic.webhooks.every((key) => nextDueMs(world, key) > timeline.nowMs + QUIET_MS);
}

async function sleepUntilDue(world: World): Promise<void> {
  const { timeline, clinic, plan } = world;
  const dueMs = Math.min(...clinic.webhooks.map((key) => nextDueMs(world, key)));
  if (dueMs === Number.POSITIVE_INFINITY) return;
  await world.stopAll();
  await timeline.runUntil(timeline.nowMs + 30 * SECOND_MS); // what is under way to those that have stopped
  timeline.jumpTo(dueMs - SECOND_MS);
  for (let n = 0; n < plan.nodes; n++) world.startNode();
}
