/** Every accepted event that a webhook listens for is delivered, ended for a stated reason, or due (contract §6, §7). */
import {
  attemptsBefore,
  CLOCK_GRAIN_MS,
  type Evidence,
  firstAccepted,
  happened,
  lastVersion,
  possible,
  type Trail,
} from "./evidence.ts";
import { type AcceptedEvent, type DeliveryRow, deliveryIdOf } from "./history.ts";

const PARTICIPANTS_PER_REQUEST_MAX = 200;
/** The schedule of contract §7 has ten attempts. */
const ATTEMPTS_PER_SCHEDULE = 10;
/** Bodies are kept for 30 days unless somebody chose otherwise; what still waits ends a day before they go. */
const EXPIRES_AFTER_DEFAULT_MS = 29 * 86_400_000;

export function* lost(evidence: Evidence): Generator<string> {
  const webhooks = Map.groupBy(evidence.versions.keys(), (webhook) => evidence.versions.get(webhook)?.[0]?.clinic);
  for (const event of evidence.history.accepted) {
    for (const webhook of webhooks.get(event.clinic) ?? []) yield* missingOf(evidence, event, webhook);
  }
}

function* missingOf(evidence: Evidence, event: AcceptedEvent, webhook: string): Generator<string> {
  const inForce = possible(evidence, webhook, { fromMs: event.beganMs, untilMs: event.doneMs });
  const listens = inForce.length > 0 && inForce.every((one) => !one.deleted && one.events.includes(event.name));
  if (!listens) return;
  const counts = inForce.map((one) =>
    one.onePerRequest ? event.participants : Math.ceil(event.participants / PARTICIPANTS_PER_REQUEST_MAX),
  );
  for (let part = 0; part < Math.min(...counts); part++) {
    const id = deliveryIdOf(event.event, webhook, part);
    if (!evidence.trails.get(id)?.row) yield `${id} was accepted, and there is no delivery of it`;
  }
}

/** What the rows say of a delivery's end is what its receiver knows of it. */
export function* unfounded(evidence: Evidence): Generator<string> {
  for (const trail of evidence.trails.values()) {
    if (!trail.row || trail.row.test) continue;
    const { state } = trail.row;
    if (state === "delivered" && !firstAccepted(trail))
      yield `${trail.id} is called delivered, and no receiver took it`;
    if (state === "given_up") yield* givenUpEarly(trail, trail.row);
    if (state === "cancelled") yield* cancelledWithoutCause(evidence, trail.row);
  }
}

/** Only the end of its schedule is a reason to give up; whatever else fails is tried again, and a webhook that is off waits. */
function* givenUpEarly(trail: Trail, row: DeliveryRow): Generator<string> {
  const attempts = row.attempts - attemptsBefore(trail, trail.resent.at(-1));
  if (attempts < ATTEMPTS_PER_SCHEDULE)
    yield `${row.id} was given up after ${attempts} attempts of ${ATTEMPTS_PER_SCHEDULE}, as "${row.reason}"`;
  else if (row.reason !== "schedule_ended")
    yield `${row.id} was given up as "${row.reason}", which is no reason to give up`;
  if (row.attempts > 0 && trail.attempts.length === 0) yield `${row.id} was given up, and no attempt of it is recorded`;
}

function* cancelledWithoutCause(evidence: Evidence, row: DeliveryRow): Generator<string> {
  if (!hasCause(evidence, row)) yield `${row.id} was cancelled as "${row.reason}", and nothing of the kind is recorded`;
}

/** What is off keeps what waits: only what happened while it was off ends as that. */
function hasCause(evidence: Evidence, { reason, webhook, subject, event, finishedMs }: DeliveryRow): boolean {
  const during = happened(evidence, event);
  const { fromMs, untilMs } = during ?? { fromMs: Number.NEGATIVE_INFINITY, untilMs: Number.NEGATIVE_INFINITY };
  const endMs = Math.max(untilMs, finishedMs ?? Number.POSITIVE_INFINITY) + CLOCK_GRAIN_MS;
  if (reason === "off")
    return possible(evidence, webhook, during ?? { fromMs, untilMs: endMs }).some((one) => !one.enabled);
  if (reason === "deleted") return possible(evidence, webhook, { fromMs, untilMs: endMs }).some((one) => one.deleted);
  if (reason === "expired") return endMs - fromMs >= (evidence.options.expiresAfterMs ?? EXPIRES_AFTER_DEFAULT_MS);
  return evidence.history.changes.some(
    (one) => one.what !== "resent" && one.what === reason && one.of === subject && one.fromMs <= endMs,
  );
}

/** What waits has a time at which it is due. */
export function* stuck(evidence: Evidence): Generator<string> {
  for (const row of waiting(evidence)) if (row.dueMs === null) yield `${row.id} waits without end`;
}

/** When everything should have been delivered, nothing waits but for webhooks that are off. */
export function* unfinished(evidence: Evidence): Generator<string> {
  if (!evidence.options.drained) return;
  for (const row of waiting(evidence)) {
    if (row.dueMs !== null && lastVersion(evidence, row.webhook)?.enabled !== false) yield `${row.id} still waits`;
  }
}

function* waiting({ trails }: Evidence): Generator<DeliveryRow> {
  for (const { row } of trails.values()) if (row?.state === "open" && !row.test) yield row;
}
