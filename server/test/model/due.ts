/** The model of what TAKE finds due: webhooks whose time has come, and webhooks that have rung. */
import type { RunKey, TakeRequest } from "../../src/delivery/engine-store.ts";
import { nameOf, type RunRow, type Tables } from "./tables.ts";

/** A receiver that failed last, or has never answered. */
export function isSuspect({ answeredAt, failures }: RunRow): boolean {
  return answeredAt === null || failures > 0;
}

/** What was given away is for those who have less than their share, and after a while for anybody. */
export const GIVEN_AWAY_FOR_MS = 5_000;

/** Whether a node may take it, as far as it was given away by another. */
export function isFor(
  { yieldedAt, yieldedBy }: RunRow,
  { owner, room, atMs }: { owner: number; room: boolean; atMs: number },
): boolean {
  if (yieldedAt === null || yieldedAt < atMs - GIVEN_AWAY_FOR_MS) return true;
  return room && yieldedBy !== owner;
}

/** Webhooks with bells, in the order of their keys, from one after another one on. */
export function rungOf(seen: Tables, after: RunKey = { clinicId: 0, webhookId: 0 }): RunKey[] {
  const byKey = (a: RunKey, b: RunKey) => a.clinicId - b.clinicId || a.webhookId - b.webhookId;
  const rung = new Map([...seen.bells.values()].map((bell) => [nameOf(bell), keyOf(bell)]));
  return [...rung.values()].filter((key) => byKey(key, after) > 0).sort(byKey);
}

/** Webhooks that may have due work: those whose time has come, the longest ago first, and then those that have rung. */
export function dueOf(
  { seen, atMs, rung }: { seen: Tables; atMs: number; rung: readonly RunKey[] },
  { webhooks, suspect, owner, room = true }: TakeRequest & { owner: number },
): RunKey[] {
  const waiting = [...seen.runs.values()]
    .filter((run) => run.owner === null && run.nextAt <= atMs && isSuspect(run) === suspect)
    .filter((run) => seen.isOn(run) && isFor(run, { owner, room, atMs }))
    .sort((a, b) => a.nextAt - b.nextAt || compare(placeIn(rung, a), placeIn(rung, b)))
    .slice(0, 2 * webhooks)
    .map(keyOf);
  const names = new Set(waiting.map(nameOf));
  return [...waiting, ...rung.filter((key) => !names.has(nameOf(key)))];
}

function placeIn(rung: readonly RunKey[], key: RunKey): number {
  const at = rung.findIndex((other) => nameOf(other) === nameOf(key));
  return at < 0 ? Number.POSITIVE_INFINITY : at;
}

/** Infinity minus Infinity is not a number. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

export function keyOf({ clinicId, webhookId }: RunKey): RunKey {
  return { clinicId, webhookId };
}
