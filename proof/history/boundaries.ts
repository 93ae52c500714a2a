/** Nothing goes where it must not: events not ticked, another clinic's, a webhook that is off or deleted, data not chosen. */
import { type Arrival, type Evidence, lookedAt, possible, type Trail } from "./evidence.ts";
import type { Block, WebhookVersion } from "./history.ts";

/** For events whose commit nobody heard of: their transaction began then, and lasted no longer. */
const TRANSACTION_MAX_MS = 60_000;

export function* misdirected(evidence: Evidence): Generator<string> {
  const refused = new Set(evidence.history.refused);
  const accepted = new Map(evidence.history.accepted.map((event) => [event.event, event]));
  for (const trail of evidence.trails.values()) {
    const first = trail.arrivals[0];
    if (!first || first.test) continue;
    const event = /^msg_([0-9a-f]{32})_/.exec(trail.id)?.[1] ?? "";
    const stored = evidence.events.get(event);
    if (refused.has(event)) yield `${trail.id} arrived, and its change was rolled back`;
    else if (!trail.row) yield `${trail.id} arrived and was never committed`;
    else if (stored) {
      const known = accepted.get(event);
      const span = known
        ? { fromMs: known.beganMs, untilMs: known.doneMs }
        : { fromMs: stored.occurredMs, untilMs: stored.occurredMs + TRANSACTION_MAX_MS };
      yield* wrongAddress(evidence, trail, { first, ...stored, ...span });
    }
  }
}

interface Committed {
  first: Arrival;
  clinic: string;
  name: string;
  fromMs: number;
  untilMs: number;
}

function* wrongAddress(evidence: Evidence, trail: Trail, { first, ...event }: Committed): Generator<string> {
  const inForce = possible(evidence, first.webhook, event);
  if (inForce.length === 0) yield `${trail.id} arrived at a webhook that did not exist when it happened`;
  else if (inForce.every(({ clinic }) => clinic !== event.clinic))
    yield `${trail.id} arrived at another clinic's webhook`;
  else if (inForce.every(({ events }) => !events.includes(event.name)))
    yield `${trail.id} arrived at webhook ${first.webhook}, which had not ticked ${event.name}`;
  else if (inForce.every(({ enabled }) => !enabled) && trail.resent.length === 0)
    yield `${trail.id} happened while webhook ${first.webhook} was off, and was sent all the same`;
}

/** No attempt begins while a webhook is off or after it was deleted. */
export function* sentWhileOff(evidence: Evidence): Generator<string> {
  for (const trail of evidence.trails.values()) {
    for (const arrival of trail.arrivals) {
      if (arrival.test) continue;
      const inForce = possible(evidence, arrival.webhook, lookedAt(evidence, trail, arrival));
      if (inForce.length > 0 && inForce.every((one) => !one.enabled || one.deleted))
        yield `${trail.id} attempt ${arrival.attempt} was sent while webhook ${arrival.webhook} was off`;
    }
  }
}

const WIDTH: Record<Block, number> = { off: 0, id: 1, all: 2 };
const BLOCKS = ["practitioner", "patient"] as const;

/** A body holds of each person what was chosen when the event happened *and* when it was sent, and no more (contract §6). */
export function* tooMuchData(evidence: Evidence): Generator<string> {
  const accepted = new Map(evidence.history.accepted.map((event) => [event.event, event]));
  for (const trail of evidence.trails.values()) {
    const stored = evidence.events.get(trail.row?.event ?? "");
    if (!stored) continue;
    const { beganMs: fromMs = stored.occurredMs, doneMs: untilMs = fromMs + TRANSACTION_MAX_MS } =
      accepted.get(stored.event) ?? {};
    for (const arrival of trail.arrivals) {
      if (arrival.test) continue;
      // The client is the message itself, whatever was chosen.
      const blocks = stored.name === "patient_account.created" ? BLOCKS.slice(0, 1) : BLOCKS;
      for (const block of beyondChoice(evidence, trail, { arrival, blocks, fromMs, untilMs }))
        yield `${trail.id} attempt ${arrival.attempt} carried more of the ${block} than was chosen`;
    }
  }
}

interface Happened {
  arrival: Arrival;
  blocks: readonly (typeof BLOCKS)[number][];
  fromMs: number;
  untilMs: number;
}

function beyondChoice(evidence: Evidence, trail: Trail, { arrival, ...happened }: Happened) {
  const { carried } = arrival;
  if (!carried) return [];
  const now = lookedAt(evidence, trail, arrival);
  const chosen = [possible(evidence, arrival.webhook, happened), possible(evidence, arrival.webhook, now)];
  return happened.blocks.filter(
    (block) => WIDTH[carried[block]] > Math.min(...chosen.map((versions) => widest(versions, block))),
  );
}

function widest(versions: readonly WebhookVersion[], block: (typeof BLOCKS)[number]): number {
  return Math.max(0, ...versions.map((one) => WIDTH[one[block]]));
}
