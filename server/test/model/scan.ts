/**
 * The model of what TAKE and REFILL have in common (engine.md): look at a window of each leased webhook's deliveries, begin
 * the heads that are due, number those that have no number yet, hold the run.
 *
 * It sees what had been committed when its statement began (`seen`), and changes what is there when it has its locks
 * (`now`): a row that somebody else has changed in between is not begun, and the scan says that it cannot be trusted.
 */
import { narrower } from "@hookwell/sdk";
import type { Begun, RunKey, RunScan, Scan } from "../../src/delivery/engine-store.ts";
import { type DeliveryRow, nameOf, type Tables } from "./tables.ts";

/** A webhook that is leased to the node that asks, and what it wants of it. */
export interface Leased extends RunKey {
  fence: number;
  /** rows up to this id are passed by; 0 consumes the bells */
  cursor: number;
  want: number;
  look: number;
  passedOver: readonly string[];
  freed: readonly string[];
  /** by TAKE, which tells of the receiver's health as well */
  isTaken: boolean;
}

export interface Scanning {
  now: Tables;
  seen: Tables;
  /** the database's time when the statement began */
  atMs: number;
  owner: number;
}

/** Looks at each leased webhook, begins what may be begun, and says what it has seen. */
export function scanAll(scanning: Scanning, leased: readonly Leased[]): Scan {
  const scan: Scan = { runs: [], begun: [], waiting: [], rung: [], lookedUpTo: null };
  for (const lease of leased) scanOne(scanning, lease, scan);
  return scan;
}

function scanOne(scanning: Scanning, lease: Leased, scan: Scan): void {
  const { now, seen, atMs, owner } = scanning;
  const key: RunKey = { clinicId: lease.clinicId, webhookId: lease.webhookId };
  if (lease.cursor === 0) silence(scanning, key);
  const all = [...seen.deliveriesOf(key).values()];
  const passed = new Set(lease.passedOver);
  const window = all.filter((row) => row.id > lease.cursor && !passed.has(row.orderKey)).slice(0, lease.look);
  const heads = window.filter((row) => isHead(row, all));
  const freed = lease.freed.flatMap((orderKey) => all.find((row) => row.orderKey === orderKey) ?? []);
  const startable = (row: DeliveryRow) => row.dueAt <= atMs && isNobodys(row, lease.fence);
  const isProbing = now.run(key).parkedAt !== null;
  // A probe is for what has been due for longest, so that the subjects take turns (contract §7).
  const able = heads.filter(startable).sort((a, b) => (isProbing ? a.dueAt - b.dueAt : 0) || a.id - b.id);
  const picked = [...able.slice(0, lease.want), ...freed.filter(startable)];
  if (new Set(picked).size !== picked.length) throw new Error("a freed subject was not passed over by the scan");
  const leftOverId = Math.min(...able.slice(lease.want).map(({ id }) => id));

  const described = describeRun(scanning, key, lease.isTaken);
  const locked = picked.flatMap((row) => lockAgain(scanning, lease, row) ?? []);
  const begun = locked.sort((a, b) => a.id - b.id).map((row) => begin(scanning, lease, row));
  const held = { fence: lease.fence, owner, nextAt: Number.POSITIVE_INFINITY };
  now.changeRun(key, { ...held, yieldedBy: null, yieldedAt: null });

  scan.begun.push(...begun);
  scan.waiting.push(
    ...[...heads, ...freed]
      .filter(({ dueAt }) => dueAt > atMs && dueAt < Number.POSITIVE_INFINITY)
      .map(({ orderKey, dueAt }) => ({ ...key, orderKey, dueInMs: dueAt - atMs })),
  );
  const isLeft = leftOverId < Number.POSITIVE_INFINITY;
  scan.runs.push({
    ...described,
    fence: lease.fence,
    seen: window.length,
    cursor: isLeft ? leftOverId - 1 : (window.at(-1)?.id ?? null),
    more: isLeft || window.length >= lease.look,
    left: isLeft,
    contended: locked.length !== picked.length,
  });
}

/** Bells are consumed in the snapshot of the scan: what rang later was not seen, and stays. */
export function silence({ now, seen }: Scanning, key: RunKey): void {
  for (const bell of seen.bells.values()) if (nameOf(bell) === nameOf(key)) now.bells.delete(bell.id);
}

function isHead(row: DeliveryRow, all: readonly DeliveryRow[]): boolean {
  return !all.some((other) => other.orderKey === row.orderKey && other.id < row.id);
}

/** Not begun, or begun under a lease that is over. */
function isNobodys(row: DeliveryRow, fence: number): boolean {
  return row.begunAt === null || (row.fence ?? 0) < fence;
}

function lockAgain({ now, atMs }: Scanning, lease: Leased, row: DeliveryRow): DeliveryRow | null {
  const current = now.deliveriesOf(row).get(row.id);
  if (!current || current.attempt !== row.attempt || current.dueAt > atMs) return null;
  return isNobodys(current, lease.fence) ? current : null;
}

function begin({ now, seen, atMs }: Scanning, lease: Leased, row: DeliveryRow): Begun {
  const { clinicId, webhookId, id, eventId, part, orderKey, scheduleStart } = row;
  const choice = narrower(row.choice, seen.webhook(row).choice);
  if (row.begunAt !== null) now.noteUnknown(row, row.begunAt);
  const run = now.run(row);
  const sequence = row.sequence ?? run.nextSequence;
  if (row.sequence === null) now.changeRun(row, { nextSequence: run.nextSequence + 1 });
  const attempt = row.attempt + 1;
  now.putDelivery({ ...row, choice, sequence, attempt, begunAt: atMs, fence: lease.fence });
  const event = now.events.get(eventId);
  if (!event) throw new Error(`the model has no event ${eventId}`);
  const { name, subject, subjectVersion, facts } = event;
  return {
    ...{ clinicId, webhookId, id, eventId, part, orderKey, choice, sequence, attempt, scheduleStart },
    participantsPerRequest: PARTICIPANTS_PER_REQUEST,
    test: false,
    fence: lease.fence,
    event: facts && { name, subject, subjectVersion, facts },
  };
}

type Described = Omit<RunScan, "fence" | "seen" | "cursor" | "more" | "left" | "contended">;

function describeRun({ now, seen, atMs }: Scanning, key: RunKey, isTaken: boolean): Described {
  const { version, concurrency, pacePerSecond, host } = seen.webhook(key);
  const { answeredAt, failures, failingSince, parkedAt, probes, warned, warnedAt, recoveredAt } = now.run(key);
  const ago = (at: number | null) => (at === null ? null : atMs - at);
  const told = { host, failures, failingMs: ago(failingSince), probes, warned, warnedMs: ago(warnedAt) };
  const untold = { host: null, failures: null, failingMs: null, probes: null, warned: null, warnedMs: null };
  return {
    ...{ ...key, version, concurrency, pacePerSecond, proved: answeredAt !== null, parked: parkedAt !== null },
    ...(isTaken ? told : untold),
    recoveredMs: isTaken ? ago(recoveredAt) : null,
  };
}

/** The model splits nothing: every event has one participant. */
export const PARTICIPANTS_PER_REQUEST = 200;
