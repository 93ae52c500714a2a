/**
 * The independent judge (proof/history) for tests that hold everything in one process: what their receivers got, and the
 * rows of a clinic, whose webhooks are not changed meanwhile unless a test says so.
 */
import { nowMs } from "../../proof/crash/chance.ts";
import { exportRows } from "../../proof/history/exporting.ts";
import type * as evidence from "../../proof/history/history.ts";
import { judge } from "../../proof/history/judge.ts";
import { observe, type ReceiverLine, toReception } from "../../proof/history/reading.ts";
import { inClinic } from "../src/db/pool.ts";
import { liveSecrets } from "../src/webhooks/secrets.ts";
import type { TestEngine } from "./engine.ts";
import type { Received } from "./receiver.ts";

export interface Reception extends evidence.Reception {
  /** as it came, for its signature */
  line: ReceiverLine;
}

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
  secrets: evidence.LiveSecret[];
  timesMoved: readonly evidence.MovedTimes[];
  changes: evidence.RecordedChange[];
}

/** Call it when the request has arrived: its time is now. */
export function reception(webhook: string, received: Received, status: number): Reception {
  const headers = received.headers as Record<string, string>;
  const { host: address = "" } = received.headers;
  const line = { webhook, address, headers, body: received.body, atMs: nowMs(), status };
  return { ...observe(line), line };
}

const ALWAYS = { fromMs: Number.NEGATIVE_INFINITY, untilMs: Number.POSITIVE_INFINITY };

/** The rows of a clinic, its webhooks and secrets as they are now, as if they had always been so, and whose times were moved. */
export async function readLog(engine: TestEngine, clinicId: number): Promise<Omit<History, "receptions">> {
  const { owner, moved: timesMoved } = engine;
  const { events, deliveries, attempts } = await exportRows(owner, [clinicId]);
  const { rows: webhooks } = await owner.query<evidence.WebhookVersion>(
    `select clinic_id::text as clinic, id::text as webhook, events, include_practitioner as practitioner,
       include_patient as patient, one_participant_per_request as "onePerRequest", enabled, url_host as address,
       deleted_at is not null as deleted from webhooks where clinic_id = $1`,
    [clinicId],
  );
  return {
    ...{ events, timesMoved, committed: deliveries, changes: [] },
    attempts: attempts.map((one) => ({ ...one, isInDoubt: one.late || one.outcome === "unknown" })),
    webhooks: webhooks.map((row) => ({ ...row, ...ALWAYS })),
    secrets: await secretsOf(
      engine,
      clinicId,
      webhooks.map(({ webhook }) => webhook),
    ),
  };
}

async function secretsOf(
  { app, seal }: TestEngine,
  clinicId: number,
  webhooks: readonly string[],
): Promise<evidence.LiveSecret[]> {
  const always = { beganMs: ALWAYS.fromMs, fromMs: ALWAYS.fromMs, untilMs: null, endedMs: null };
  return inClinic(app, clinicId, async (tx) => {
    const store = { tx, clinicId, seal: await seal.forClinic(tx, clinicId) };
    const found: evidence.LiveSecret[] = [];
    for (const webhook of webhooks) {
      const secrets = await liveSecrets(store, Number(webhook));
      found.push(...secrets.map((secret, n) => ({ ...always, webhook, secret, name: `secret ${n}` })));
    }
    return found;
  });
}

/** Everything that is wrong with a history in which all has been delivered; empty when it kept every promise. */
export async function violations({ committed, timesMoved, ...history }: History): Promise<string[]> {
  const rows = new Map(committed.map((row) => [row.event, row]));
  const accepted = history.events.map(({ clinic, event, name, occurredMs }) => {
    const { subject = "", version = 0 } = rows.get(event) ?? {};
    return { clinic, event, name, subject, version, participants: 1, beganMs: occurredMs, doneMs: occurredMs };
  });
  const receptions = await Promise.all(history.receptions.map(({ line }) => toReception(line, history.secrets)));
  const { violations } = judge(
    { ...history, accepted, receptions, deliveries: committed, refused: [] },
    { drained: true, timesMoved },
  );
  return violations.map(({ check, sentence }) => `${check}: ${sentence}`);
}
