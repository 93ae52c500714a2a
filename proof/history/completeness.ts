/** Every accepted event that a webhook listens for is delivered, ended for a stated reason, or due (contract §6, §7). */
import { type Evidence, firstAccepted, lastVersion, possible, type Trail } from "./evidence.ts";
import { type AcceptedEvent, type DeliveryRow, deliveryIdOf } from "./history.ts";

const PARTICIPANTS_PER_REQUEST_MAX = 200;
/** The schedule of contract §7 has ten attempts. */
const ATTEMPTS_PER_SCHEDULE = 10;

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

function* givenUpEarly(trail: Trail, row: DeliveryRow): Generator<string> {
  const isEarly = trail.resent.length === 0 && row.attempts < ATTEMPTS_PER_SCHEDULE;
  if (isEarly && row.reason === "schedule_ended") {
    yield `${row.id} was given up after ${row.attempts} attempts of ${ATTEMPTS_PER_SCHEDULE}`;
  }
  if (row.attempts > 0 && trail.attempts.length === 0) yield `${row.id} was given up, and no attempt of it is recorded`;
}

function* cancelledWithoutCause(evidence: Evidence, row: DeliveryRow): Generator<string> {
  const { reason } = row;
  const versions = evidence.versions.get(row.webhook) ?? [];
  const isRecorded = (what: string) =>
    evidence.history.changes.some((change) => change.what === what && change.of === row.subject);
  const hasCause =
    (reason === "off" && versions.some((one) => !one.enabled)) ||
    (reason === "deleted" && versions.some((one) => one.deleted)) ||
    (reason === "erased" && isRecorded("erased")) ||
    (reason === "not_shared" && isRecorded("not_shared")) ||
    reason === "expired";
  if (!hasCause) yield `${row.id} was cancelled as "${reason}", and nothing of the kind is recorded`;
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
