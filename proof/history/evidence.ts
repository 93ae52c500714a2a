/** The history, sorted once so that each check finds what it needs by webhook and by delivery. Judges nothing. */
import {
  type AttemptRow,
  type DeliveryRow,
  type EventRow,
  type History,
  isAccepted,
  type JudgeOptions,
  type Reception,
  type RecordedChange,
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
}

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
  };
}

function listIn<Key, Value>(map: Map<Key, Value[]>, key: Key): Value[] {
  const known = map.get(key);
  if (known) return known;
  const made: Value[] = [];
  map.set(key, made);
  return made;
}

/** The settings of a webhook that may have been in force at some moment of this time. */
export function possible(evidence: Evidence, webhook: string, span: { fromMs: number; untilMs: number }) {
  const all = evidence.versions.get(webhook) ?? [];
  return all.filter(({ fromMs, untilMs }) => fromMs <= span.untilMs && span.fromMs <= untilMs);
}

/** The first arrival that was answered with 2xx. */
export function firstAccepted(trail: Trail): Arrival | undefined {
  return trail.arrivals.find(isAccepted);
}

/** An attempt whose outcome is not known, or came after its claim had been lost: what a fault leaves behind. */
export function isInDoubt(attempt: AttemptRow): boolean {
  return attempt.late || attempt.outcome === "unknown";
}

/** A request that was begun before a change may arrive so long after it: one deadline. */
const DEADLINE_MS = 15_000;
const SLACK_DEFAULT_MS = 2_000;

/** The time in which the settings may have been looked at by which an attempt was sent. */
export function lookedAt({ options }: Evidence, trail: Trail, arrival: Arrival): { fromMs: number; untilMs: number } {
  const row = trail.attempts.find(({ attempt }) => attempt === arrival.attempt);
  // Without a row, it was begun as early as its deadline allows.
  const begunMs = Math.min(row?.startedMs ?? arrival.atMs - DEADLINE_MS, arrival.atMs);
  return { fromMs: begunMs - (options.slackMs ?? SLACK_DEFAULT_MS), untilMs: arrival.atMs };
}

/** What becomes of a webhook at last, as far as its settings tell. */
export function lastVersion(evidence: Evidence, webhook: string): WebhookVersion | undefined {
  return evidence.versions.get(webhook)?.at(-1);
}
