/** The history, sorted once so that each check finds what it needs by webhook and by delivery. Judges nothing. */
import {
  type AcceptedEvent,
  type AttemptRow,
  type DeliveryRow,
  type EventRow,
  type History,
  isAccepted,
  type JudgeOptions,
  type Reception,
  type RecordedChange,
  type Span,
  type WebhookVersion,
} from "./history.ts";

/** A reception and its place in the order of arrival. */
export interface Arrival extends Reception {
  place: number;
}

/** All that is known of one delivery. */
export interface Trail {
  id: string;
  row: DeliveryRow | null;
  /** in order of arrival */
  arrivals: Arrival[];
  /** by number */
  attempts: AttemptRow[];
  resent: readonly RecordedChange[];
}

export interface Evidence {
  history: History;
  options: JudgeOptions;
  trails: ReadonlyMap<string, Trail>;
  /** trails by webhook; tests are among them */
  byWebhook: ReadonlyMap<string, Trail[]>;
  versions: ReadonlyMap<string, WebhookVersion[]>;
  events: ReadonlyMap<string, EventRow>;
  accepted: ReadonlyMap<string, AcceptedEvent>;
  /** when whose times were moved, by webhook-id and by webhook; what was moved with everything else is under EVERYTHING */
  moved: ReadonlyMap<string, Span[]>;
}

const EVERYTHING = "*";

/** Sorts a history. Memory is proportional to the number of receptions and rows; bodies are not among them. */
export function toEvidence(history: History, options: JudgeOptions): Evidence {
  const trails = new Map<string, Trail>();
  const byWebhook = new Map<string, Trail[]>();
  const trailOf = (id: string, webhook: string): Trail => {
    const known = trails.get(id);
    if (known) return known;
    const made: Trail = { id, row: null, arrivals: [], attempts: [], resent: [] };
    trails.set(id, made);
    listIn(byWebhook, webhook).push(made);
    return made;
  };
  for (const row of history.deliveries) trailOf(row.id, row.webhook).row = row;
  for (const [place, one] of history.receptions.entries()) {
    trailOf(one.id, one.webhook).arrivals.push(Object.assign({}, one, { place }));
  }
  for (const attempt of history.attempts) trailOf(attempt.id, attempt.webhook).attempts.push(attempt);
  const resent = Map.groupBy(
    history.changes.filter(({ what }) => what === "resent"),
    ({ of }) => of,
  );
  for (const trail of trails.values()) {
    trail.attempts.sort((a, b) => a.attempt - b.attempt);
    trail.resent = resent.get(trail.id) ?? [];
  }
  return {
    ...{ history, options, trails, byWebhook },
    versions: Map.groupBy(history.webhooks, ({ webhook }) => webhook),
    events: new Map(history.events.map((event) => [event.event, event])),
    accepted: new Map(history.accepted.map((event) => [event.event, event])),
    moved: movedBy(options),
  };
}

function movedBy({ timesMoved = [] }: JudgeOptions): Map<string, Span[]> {
  const moved = new Map<string, Span[]>();
  if (timesMoved === true)
    listIn(moved, EVERYTHING).push({ fromMs: Number.NEGATIVE_INFINITY, untilMs: Number.POSITIVE_INFINITY });
  for (const { of, ...span } of typeof timesMoved === "boolean" ? [] : timesMoved) {
    for (const one of of ?? [EVERYTHING]) listIn(moved, one).push(span);
  }
  return moved;
}

/** Whether a test brought it forward at some moment of this time: a delivery by its webhook-id, or a webhook's next probe. */
export function wasMoved({ moved }: Evidence, of: string, during: Span): boolean {
  return [of, EVERYTHING].some((one) => (moved.get(one) ?? []).some((span) => overlaps(span, during)));
}

function listIn<Key, Value>(map: Map<Key, Value[]>, key: Key): Value[] {
  const known = map.get(key);
  if (known) return known;
  const made: Value[] = [];
  map.set(key, made);
  return made;
}

/** The settings of a webhook that may have been in force at some moment of this time. */
export function possible(evidence: Evidence, webhook: string, span: Span): WebhookVersion[] {
  return (evidence.versions.get(webhook) ?? []).filter((version) => overlaps(version, span));
}

function overlaps(one: Span, other: Span): boolean {
  return one.fromMs <= other.untilMs && other.fromMs <= one.untilMs;
}

/** For events whose commit nobody heard of: their transaction began then, and lasted no longer. */
const TRANSACTION_MAX_MS = 60_000;

/** The time in which an event's transaction committed; null where the event is kept no longer. */
export function happened(evidence: Evidence, event: string): Span | null {
  const known = evidence.accepted.get(event);
  if (known) return { fromMs: known.beganMs, untilMs: known.doneMs };
  const stored = evidence.events.get(event);
  return stored ? { fromMs: stored.occurredMs, untilMs: stored.occurredMs + TRANSACTION_MAX_MS } : null;
}

/** The first arrival that was answered with 2xx. */
export function firstAccepted(trail: Trail): Arrival | undefined {
  return trail.arrivals.find(isAccepted);
}

/** Clocks tell whole milliseconds, and an end that only a row tells of is timed by the database's. */
export const CLOCK_GRAIN_MS = 5;

/** How many attempts of a delivery belong to schedules before the one that somebody began by sending it again. */
export function attemptsBefore({ attempts }: Trail, begun: RecordedChange | undefined): number {
  if (begun === undefined) return 0;
  // By their numbers: of one that nothing came of, and that says nothing of its receiver, the row may not be among them.
  return Math.max(0, ...attempts.filter(({ startedMs }) => startedMs < begun.fromMs).map(({ attempt }) => attempt));
}

/** An attempt whose outcome is not known, or came after its claim had been lost: what a fault leaves behind. */
export function isInDoubt(attempt: AttemptRow): boolean {
  return attempt.late || attempt.outcome === "unknown";
}

/** A request that was begun before a change may arrive so long after it: one deadline. */
const DEADLINE_MS = 15_000;
const SLACK_DEFAULT_MS = 2_000;

/** The time in which the settings may have been looked at by which an attempt was sent. */
export function lookedAt({ options }: Evidence, trail: Trail, arrival: Arrival): Span {
  const row = trail.attempts.find(({ attempt }) => attempt === arrival.attempt);
  // Without a row, it was begun as early as its deadline allows.
  const begunMs = Math.min(row?.startedMs ?? arrival.atMs - DEADLINE_MS, arrival.atMs);
  return { fromMs: begunMs - (options.slackMs ?? SLACK_DEFAULT_MS), untilMs: arrival.atMs };
}

/** What becomes of a webhook at last, as far as its settings tell. */
export function lastVersion(evidence: Evidence, webhook: string): WebhookVersion | undefined {
  return evidence.versions.get(webhook)?.at(-1);
}
