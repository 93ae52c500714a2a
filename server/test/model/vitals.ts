/** The model of what a node learns by its heartbeat. */
import type { Vitals } from "../../src/delivery/engine-store.ts";
import { GIVEN_AWAY_FOR_MS } from "./due.ts";
import type { RunRow, Tables } from "./tables.ts";

/** Others take over so long after a node's time has run out. */
export const TAKEN_OVER_AFTER_MS = 5_000;

/** As it is before this beat. `sendsWithin`: a node whose time ends sooner begins no requests any more. */
export function vitalsOf(
  tables: Tables,
  { owner, at, sendsWithin }: { owner: number; at: number; sendsWithin: number },
): Vitals {
  const others = [...tables.nodes.values()].filter(({ id }) => id !== owner);
  const sending = others.filter(({ aliveUntil }) => aliveUntil > at + sendsWithin);
  const runs = [...tables.runs.values()];
  const lives = (id: number) => {
    const node = tables.nodes.get(id);
    return node !== undefined && (id === owner || node.aliveUntil >= at - TAKEN_OVER_AFTER_MS);
  };
  const firstEnd = Math.min(...others.map(({ aliveUntil }) => aliveUntil));
  return {
    alive: tables.nodes.has(owner),
    othersSending: sending.length,
    othersTaking: sending.filter((node) => node.takes).length,
    nextDeathMs: others.length === 0 ? null : firstEnd - at + TAKEN_OVER_AFTER_MS,
    held: runs.filter((run) => run.owner !== null || isJustGivenAway(run, at)).length,
    orphaned: runs.some((run) => run.owner !== null && !lives(run.owner)),
  };
}

/** Given away and not taken yet. */
function isJustGivenAway({ owner, nextAt, yieldedAt }: RunRow, atMs: number): boolean {
  return owner === null && yieldedAt !== null && nextAt <= atMs && nextAt > atMs - GIVEN_AWAY_FOR_MS;
}
