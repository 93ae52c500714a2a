/**
 * Nothing goes where it must not: events not ticked, another clinic's, a webhook that is off or deleted, an address that is no
 * longer its own, data that was not chosen, or that its patient does not share any more.
 */
import { type Arrival, type Evidence, happened, lookedAt, possible, type Trail } from "./evidence.ts";
import { type RecordedChange, type Span, type WebhookVersion, WIDTH } from "./history.ts";

export function* misdirected(evidence: Evidence): Generator<string> {
  const refused = new Set(evidence.history.refused);
  for (const trail of evidence.trails.values()) {
    const first = trail.arrivals[0];
    if (!first || first.test) continue;
    const event = /^msg_([0-9a-f]{32})_/.exec(trail.id)?.[1] ?? "";
    const stored = evidence.events.get(event);
    const during = happened(evidence, event);
    if (refused.has(event)) yield `${trail.id} arrived, and its change was rolled back`;
    else if (!trail.row) yield `${trail.id} arrived and was never committed`;
    else if (stored && during) yield* notListening(evidence, trail, { first, ...stored, ...during });
  }
}

interface Committed extends Span {
  first: Arrival;
  clinic: string;
  name: string;
}

function* notListening(evidence: Evidence, trail: Trail, { first, ...event }: Committed): Generator<string> {
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

/** Every attempt goes to the address that its webhook has then: a changed one applies to the next attempt (contract §6). */
export function* wrongAddress(evidence: Evidence): Generator<string> {
  for (const trail of evidence.trails.values()) {
    for (const arrival of trail.arrivals) {
      const { address, test } = arrival;
      if (address === null || test) continue;
      const inForce = possible(evidence, arrival.webhook, lookedAt(evidence, trail, arrival));
      if (inForce.length > 0 && inForce.every((one) => one.address !== address))
        yield `${trail.id} attempt ${arrival.attempt} went to ${address}, which webhook ${arrival.webhook} did not have then`;
    }
  }
}

const BLOCKS = ["practitioner", "patient"] as const;

/** A body holds of each person what was chosen when the event happened *and* when it was sent, and no more (contract §6). */
export function* tooMuchData(evidence: Evidence): Generator<string> {
  for (const trail of evidence.trails.values()) {
    const stored = evidence.events.get(trail.row?.event ?? "");
    const during = happened(evidence, trail.row?.event ?? "");
    if (!stored || !during) continue;
    for (const arrival of trail.arrivals) {
      if (arrival.test) continue;
      // The client is the message itself, whatever was chosen.
      const blocks = stored.name === "patient_account.created" ? BLOCKS.slice(0, 1) : BLOCKS;
      for (const block of beyondChoice(evidence, trail, { arrival, blocks, ...during }))
        yield `${trail.id} attempt ${arrival.attempt} carried more of the ${block} than was chosen`;
    }
  }
}

interface Happened extends Span {
  arrival: Arrival;
  blocks: readonly (typeof BLOCKS)[number][];
}

function beyondChoice(evidence: Evidence, trail: Trail, { arrival, ...event }: Happened) {
  const { carried } = arrival;
  if (!carried) return [];
  const now = lookedAt(evidence, trail, arrival);
  const chosen = [possible(evidence, arrival.webhook, event), possible(evidence, arrival.webhook, now)];
  return event.blocks.filter(
    (block) => WIDTH[carried[block]] > Math.min(...chosen.map((versions) => widest(versions, block))),
  );
}

function widest(versions: readonly WebhookVersion[], block: (typeof BLOCKS)[number]): number {
  return Math.max(0, ...versions.map((one) => WIDTH[one[block]]));
}

/** What leaves after a recorded "do not share" or an erasure holds nothing of the patient (contract §7). */
export function* stillShared(evidence: Evidence): Generator<string> {
  const recorded = Map.groupBy(evidence.history.changes, ({ what, of }) => (what === "resent" ? null : of));
  for (const trail of evidence.trails.values()) {
    for (const arrival of trail.arrivals) {
      const changes = recorded.get(arrival.subject);
      if (!changes || arrival.test || (arrival.carried?.patient ?? "off") === "off") continue;
      const { fromMs } = lookedAt(evidence, trail, arrival);
      const change = changes.find(
        (one) => one.untilMs < fromMs && (one.what === "not_shared" || isOlder(evidence, trail, one)),
      );
      if (change)
        yield `${trail.id} attempt ${arrival.attempt} carried the patient after "${change.what}" was recorded`;
    }
  }
}

/** An erasure takes what was there; what happens afterwards is another event's content. */
function isOlder(evidence: Evidence, trail: Trail, { fromMs }: RecordedChange): boolean {
  const event = happened(evidence, trail.row?.event ?? "");
  return event === null || event.untilMs < fromMs;
}
