/** How the answer of take.sql and refill.sql becomes a Scan. */
import type { BlockChoice } from "@hookwell/sdk";
import type { Begun, RunScan, Scan } from "./engine-store.ts";
import type { Warned } from "./health.ts";

/** The one row of begin.sql: JSON, in which a list without entries is null. `rung` and `looked_up_to` are of take.sql alone. */
export interface ScanRow {
  scan: {
    runs: RunJson[] | null;
    begun: BegunJson[] | null;
    waiting: (KeyJson & { order_key: string; due_in_ms: number })[] | null;
    contents: ContentJson[] | null;
  };
  rung?: (KeyJson & { version: number })[] | null;
  looked_up_to?: KeyJson | null;
}

interface KeyJson {
  clinic_id: number;
  webhook_id: number;
}

interface RunJson extends KeyJson {
  fence: number;
  version: number;
  proved: boolean;
  concurrency: number;
  pace: number;
  seen: number;
  cursor: number | null;
  more: boolean;
  left: boolean;
  contended: boolean;
  host: string | null;
  failures: number | null;
  failing_ms: number | null;
  parked: boolean;
  probes: number | null;
  warned: Warned | null;
  warned_ms: number | null;
  recovered_ms: number | null;
}

interface BegunJson extends KeyJson {
  id: number;
  event_id: string;
  part: number;
  participants_per_request: number;
  order_key: string;
  choice_practitioner: BlockChoice;
  choice_patient: BlockChoice;
  test: boolean;
  sequence: number | null;
  attempt: number;
  schedule_start: number;
  fence: number;
}

/** The last four are null where the content is gone. */
interface ContentJson {
  clinic_id: number;
  event_id: string;
  name: string | null;
  subject: string | null;
  subject_version: number | null;
  /** base64 */
  facts: string | null;
}

export function toScan({ scan, rung, looked_up_to: upTo }: ScanRow): Scan {
  const contents = new Map((scan.contents ?? []).map((content) => [contentKey(content), toContent(content)]));
  return {
    runs: (scan.runs ?? []).map(toRunScan),
    begun: (scan.begun ?? []).map((begun) => toBegun(begun, contents.get(contentKey(begun)) ?? null)),
    waiting: (scan.waiting ?? []).map((w) => ({ ...toKey(w), orderKey: w.order_key, dueInMs: w.due_in_ms })),
    rung: (rung ?? []).map((key) => ({ ...toKey(key), version: key.version })),
    lookedUpTo: upTo ? toKey(upTo) : null,
  };
}

function toKey({ clinic_id: clinicId, webhook_id: webhookId }: KeyJson) {
  return { clinicId, webhookId };
}

/** As parseInt8 of db/values.ts: JSON would make another number of it silently. */
function exact(int8: number): number {
  if (!Number.isSafeInteger(int8)) throw new RangeError(`The int8 ${int8} is beyond 2^53 - 1 and cannot be a number.`);
  return int8;
}

function contentKey({ clinic_id, event_id }: { clinic_id: number; event_id: string }): string {
  return `${clinic_id}/${event_id}`;
}

function toRunScan(run: RunJson): RunScan {
  const { fence, version, proved, concurrency, seen, cursor, more, left, contended } = run;
  const { parked, host, failures, failing_ms: failingMs, probes, warned } = run;
  return {
    ...{
      ...toKey(run),
      fence: exact(fence),
      version,
      proved,
      concurrency,
      pacePerSecond: run.pace,
      seen,
      cursor,
      more,
      left,
      contended,
    },
    ...{ parked, host, failures, failingMs, probes, warned, warnedMs: run.warned_ms, recoveredMs: run.recovered_ms },
  };
}

function toBegun(begun: BegunJson, event: Begun["event"]): Begun {
  return {
    clinicId: begun.clinic_id,
    webhookId: begun.webhook_id,
    id: exact(begun.id),
    eventId: begun.event_id,
    part: begun.part,
    participantsPerRequest: begun.participants_per_request,
    orderKey: begun.order_key,
    choice: { practitioner: begun.choice_practitioner, patient: begun.choice_patient },
    test: begun.test,
    sequence: begun.sequence,
    attempt: begun.attempt,
    scheduleStart: begun.schedule_start,
    fence: exact(begun.fence),
    event,
  };
}

function toContent({ name, subject, subject_version: subjectVersion, facts }: ContentJson): Begun["event"] {
  if (name === null || subject === null || subjectVersion === null || facts === null) return null;
  return { name, subject, subjectVersion, facts: Buffer.from(facts, "base64") };
}
