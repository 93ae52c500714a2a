/**
 * An independent judge of what a receiver got: it reads the receivers' own records and the log, and knows nothing of how
 * the engine works. Each violation is a sentence (contract §7).
 */
import type pg from "pg";
import type { Received } from "./receiver.ts";

export interface Reception {
  id: string;
  webhook: string;
  subject: string;
  version: number;
  sequence: number;
  attempt: number;
  body: string;
  /** what the receiver answered */
  status: number;
}

export interface LoggedAttempt {
  id: string;
  attempt: number;
  /** its outcome is not known, or came after its claim had been lost */
  isInDoubt: boolean;
}

export interface History {
  /** webhook-ids of all that was committed, and the webhook each is for */
  committed: { id: string; webhook: string }[];
  /** in order of arrival */
  receptions: Reception[];
  attempts: LoggedAttempt[];
}

export function reception(webhook: string, received: Received, status: number): Reception {
  const header = (name: string) => String(received.headers[name] ?? "");
  return {
    id: header("webhook-id"),
    webhook,
    subject: header("webhook-subject"),
    version: Number(header("webhook-subject-version")),
    sequence: Number(header("webhook-sequence")),
    attempt: Number(header("webhook-attempt")),
    body: received.body,
    status,
  };
}

/** The log as SQL alone sees it; ids are put together here, not by the program. */
export async function readLog(owner: pg.Pool, clinicId: number): Promise<Pick<History, "committed" | "attempts">> {
  const id =
    "'msg_' || replace(event_id::text, '-', '') || '_' || webhook_id || case when part = 0 then '' else '_' || part end";
  const committed = await owner.query(
    `select ${id} as id, webhook_id::text as webhook from finished_deliveries where clinic_id = $1
     union all select ${id}, webhook_id::text from deliveries where clinic_id = $1`,
    [clinicId],
  );
  const attempts = await owner.query(
    `select ${id} as id, attempt, outcome = 'unknown' or late as "isInDoubt" from attempts where clinic_id = $1`,
    [clinicId],
  );
  return { committed: committed.rows, attempts: attempts.rows };
}

/** Everything that is wrong with a history in which all has been delivered; empty when it kept every promise. */
export function violations(history: History): string[] {
  return [
    ...lost(history),
    ...unlogged(history),
    ...unexplainedDuplicates(history),
    ...changedBetweenAttempts(history),
    ...outOfOrder(history),
    ...gaps(history),
  ];
}

function lost({ committed, receptions }: History): string[] {
  const arrived = new Set(receptions.filter((r) => r.status < 300).map((r) => r.id));
  const known = new Set(committed.map((c) => c.id));
  return [
    ...committed.filter((c) => !arrived.has(c.id)).map((c) => `${c.id} never arrived`),
    ...receptions.filter((r) => !known.has(r.id)).map((r) => `${r.id} arrived and was never committed`),
  ];
}

function unlogged({ receptions, attempts }: History): string[] {
  const logged = new Set(attempts.map((a) => `${a.id} attempt ${a.attempt}`));
  const sent = receptions.map((r) => `${r.id} attempt ${r.attempt}`);
  return [
    ...sent.filter((one) => !logged.has(one)).map((one) => `${one} left no attempt row`),
    ...sent.filter((one, at) => sent.indexOf(one) !== at).map((one) => `${one} was sent twice`),
  ];
}

function unexplainedDuplicates({ receptions, attempts }: History): string[] {
  const doubts = Map.groupBy(
    attempts.filter((a) => a.isInDoubt),
    (a) => a.id,
  );
  const accepted = Map.groupBy(
    receptions.filter((r) => r.status < 300),
    (r) => r.id,
  );
  return [...accepted]
    .filter(([id, times]) => times.length > 1 + (doubts.get(id)?.length ?? 0))
    .map(([id, times]) => `${id} was accepted ${times.length} times without a recorded fault`);
}

function changedBetweenAttempts({ receptions }: History): string[] {
  const kept = (r: Reception) => JSON.stringify([r.webhook, r.subject, r.version, r.sequence, r.body]);
  return [...Map.groupBy(receptions, (r) => r.id)]
    .filter(([, times]) => new Set(times.map(kept)).size > 1)
    .map(([id]) => `${id} was not the same at every attempt`);
}

/** By first arrival, whatever was answered: a later event of a subject comes after an earlier one is delivered. */
function outOfOrder({ receptions }: History): string[] {
  const firsts = receptions.filter((r, at) => receptions.findIndex((other) => other.id === r.id) === at);
  return [...Map.groupBy(firsts, (r) => `webhook ${r.webhook}, ${r.subject}`)].flatMap(([name, arrivals]) =>
    arrivals
      .filter((r, at) => at > 0 && r.version < (arrivals[at - 1]?.version ?? 0))
      .map((r) => `${name}: version ${r.version} came after a later one`),
  );
}

function gaps({ receptions }: History): string[] {
  return [...Map.groupBy(receptions, (r) => r.webhook)].flatMap(([webhook, all]) => {
    const byId = new Map(all.map((r) => [r.id, r.sequence]));
    const numbers = [...byId.values()].sort((a, b) => a - b);
    const at = numbers.findIndex((sequence, index) => sequence !== index + 1);
    return at < 0 ? [] : [`webhook ${webhook}: sequence ${at + 1} is missing or doubled`];
  });
}
