/** How the rows of take.sql and refill.sql become a Scan. */
import type { BlockChoice } from "@hookwell/sdk";
import type { Begun, RunKey, RunScan, Scan } from "./engine-store.ts";
import type { Warned } from "./health.ts";

/** One row of the answer of begin.sql; `kind` tells which columns it has. */
export interface ScanRow {
  kind: "run" | "waiting" | "begun" | "rung" | "looked" | "content";
  clinic_id: number;
  webhook_id: number;
  fence: number;
  version: number;
  proved: boolean;
  concurrency: number;
  pace: number;
  seen: number;
  id: number | null;
  more: boolean;
  left_over: boolean;
  contended: boolean;
  event_id: string;
  part: number;
  per_request: number;
  order_key: string;
  choice_practitioner: BlockChoice;
  choice_patient: BlockChoice;
  test: boolean;
  sequence: number | null;
  attempt: number;
  schedule_start: number;
  due_in_ms: number;
  /** these four are null where the event, or its content, is gone */
  name: string | null;
  subject: string | null;
  subject_version: number | null;
  facts: Buffer | null;
  host: string | null;
  failures: number | null;
  failing_ms: number | null;
  parked: boolean;
  probes: number | null;
  warned: Warned | null;
  warned_ms: number | null;
  recovered_ms: number | null;
}

/** Sorts the rows by their kinds. */
export function toScan(rows: ScanRow[]): Scan {
  const scan: Scan = { runs: [], begun: [], waiting: [], rung: [], lookedUpTo: null };
  const contents = new Map(
    rows.filter((row) => row.kind === "content").map((row) => [contentKey(row), toContent(row)]),
  );
  for (const row of rows) {
    const key = { clinicId: row.clinic_id, webhookId: row.webhook_id };
    if (row.kind === "run") scan.runs.push({ ...key, ...toRunScan(row) });
    else if (row.kind === "begun") scan.begun.push(toBegun(row, contents.get(contentKey(row)) ?? null));
    else if (row.kind === "waiting") scan.waiting.push({ ...key, orderKey: row.order_key, dueInMs: row.due_in_ms });
    else if (row.kind === "looked") scan.lookedUpTo = key;
    else if (row.kind === "rung") scan.rung.push(key);
  }
  return scan;
}

function contentKey({ clinic_id, event_id }: ScanRow): string {
  return `${clinic_id}/${event_id}`;
}

function toRunScan(row: ScanRow): Omit<RunScan, keyof RunKey> {
  const { fence, version, proved, concurrency, seen, more, left_over: left, contended } = row;
  const { parked, host, failures, failing_ms: failingMs, probes, warned } = row;
  return {
    ...{ fence, version, proved, concurrency, pacePerSecond: row.pace, seen, cursor: row.id, more, left, contended },
    ...{ parked, host, failures, failingMs, probes, warned, warnedMs: row.warned_ms, recoveredMs: row.recovered_ms },
  };
}

function toBegun(row: ScanRow, event: Begun["event"]): Begun {
  return {
    clinicId: row.clinic_id,
    webhookId: row.webhook_id,
    id: row.id ?? 0,
    eventId: row.event_id,
    part: row.part,
    participantsPerRequest: row.per_request,
    orderKey: row.order_key,
    choice: { practitioner: row.choice_practitioner, patient: row.choice_patient },
    test: row.test,
    sequence: row.sequence,
    attempt: row.attempt,
    scheduleStart: row.schedule_start,
    fence: row.fence,
    event,
  };
}

function toContent({ name, subject, subject_version: subjectVersion, facts }: ScanRow): Begun["event"] {
  if (name === null || subject === null || subjectVersion === null || facts === null) return null;
  return { name, subject, subjectVersion, facts };
}
