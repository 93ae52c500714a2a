/**
 * The independent judge (proof/history) for tests that hold everything in one process: what their receivers got, and the
 * rows of a clinic whose webhooks are not changed meanwhile.
 */
import type pg from "pg";
import { exportRows } from "../../proof/history/exporting.ts";
import type * as evidence from "../../proof/history/history.ts";
import { judge } from "../../proof/history/judge.ts";
import { observe } from "../../proof/history/reading.ts";
import type { Received } from "./receiver.ts";

export type Reception = evidence.Reception;

export interface LoggedAttempt extends evidence.AttemptRow {
  /** its outcome is not known, or came after its claim had been lost */
  isInDoubt: boolean;
}

export interface History {
  /** all that was committed */
  committed: evidence.DeliveryRow[];
  /** in order of arrival */
  receptions: Reception[];
  attempts: LoggedAttempt[];
  events: evidence.EventRow[];
  webhooks: evidence.WebhookVersion[];
}

/** Call it when the request has arrived: its time is now. */
export function reception(webhook: string, received: Received, status: number): Reception {
  const headers = received.headers as Record<string, string>;
  return observe({ webhook, headers, body: received.body, atMs: now(), status });
}

const now = () => performance.timeOrigin + performance.now();

/** The rows of a clinic, and its webhooks as they are now, as if they had always been so. */
export async function readLog(owner: pg.Pool, clinicId: number): Promise<Omit<History, "receptions">> {
  const { events, deliveries, attempts } = await exportRows(owner, [clinicId]);
  const { rows } = await owner.query(
    `select clinic_id::text as clinic, id::text as webhook, events, include_practitioner as practitioner,
       include_patient as patient, one_participant_per_request as "onePerRequest", enabled, url_host as address,
       deleted_at is not null as deleted from webhooks where clinic_id = $1`,
    [clinicId],
  );
  const always = { fromMs: Number.NEGATIVE_INFINITY, untilMs: Number.POSITIVE_INFINITY };
  return {
    events,
    committed: deliveries,
    attempts: attempts.map((one) => ({ ...one, isInDoubt: one.late || one.outcome === "unknown" })),
    webhooks: rows.map((row) => ({ ...row, ...always })),
  };
}

/** Everything that is wrong with a history in which all has been delivered; empty when it kept every promise. */
export function violations({ committed, receptions, attempts, events, webhooks }: History): string[] {
  const rows = new Map(committed.map((row) => [row.event, row]));
  const accepted = events.map(({ clinic, event, name, occurredMs }) => {
    const { subject = "", version = 0 } = rows.get(event) ?? {};
    return { clinic, event, name, subject, version, participants: 1, beganMs: occurredMs, doneMs: occurredMs };
  });
  const history = { accepted, receptions, attempts, events, webhooks, deliveries: committed };
  const { violations } = judge(
    { ...history, refused: [], changes: [], secrets: [] },
    { drained: true, timesMoved: true },
  );
  return violations.map(({ check, sentence }) => `${check}: ${sentence}`);
}
