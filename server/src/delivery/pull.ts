/**
 * Pull: the deliveries of one webhook by their numbers, for a receiver that reconciles (contract §7).
 *
 * Promises: a page is one snapshot, and every number between where it begins and where it ends is in it, as a delivery or
 * within a range that is no longer kept; none is missed while a delivery goes from the one table to the other. Bounded in
 * numbers and in bytes. Renders nothing, and does not know who may read what.
 */
import type { BlockChoice } from "@hookwell/sdk";
import { CompiledQuery } from "kysely";
import type { Tx } from "../db/schema.ts";
import type { DeliveryKey } from "../outbox/identifiers.ts";
import { sqlFile } from "./sql-file.ts";

export const PULLED_NUMBERS_MAX = 100;
/** Sealed facts of a page, all in all; the delivery that reaches it is still in the page. */
export const PULLED_FACTS_MAX_BYTES = 1024 * 1024;
const PULL = sqlFile("pull");

export interface PullQuery {
  readonly clinicId: number;
  readonly webhookId: number;
  /** 0 begins at the first. */
  readonly after: number;
  /** 1 to PULLED_NUMBERS_MAX */
  readonly limit: number;
  readonly factsMaxBytes?: number;
}

export interface PulledDelivery extends DeliveryKey {
  readonly sequence: number;
  readonly participantsPerRequest: number;
  readonly choice: { readonly practitioner: BlockChoice; readonly patient: BlockChoice };
  readonly state: "waiting" | "sending" | "delivered" | "given_up" | "cancelled";
  readonly reason: string | null;
  readonly attempts: number;
  readonly createdAt: Temporal.Instant;
  readonly finishedAt: Temporal.Instant | null;
  /** Null where it is no longer kept. */
  readonly event: {
    readonly name: string;
    readonly subject: string;
    readonly subjectVersion: number;
    /** null where the content is no longer kept, or does not fit into this page */
    readonly facts: Buffer | null;
  } | null;
}

export interface PulledPage {
  /** By their numbers. */
  readonly deliveries: readonly PulledDelivery[];
  /** Numbers of which nothing is kept any more, both ends included. */
  readonly notKept: readonly { readonly from: number; readonly to: number }[];
  /** Every number after `after` up to here is in the page; `after` itself where there is none. */
  readonly upTo: number;
  /** The highest number that was given so far; 0 for none. */
  readonly highest: number;
}

/** Reads a page. The caller has seen to it that there is such a webhook. */
export async function readPage(tx: Tx, query: PullQuery): Promise<PulledPage> {
  const { clinicId, webhookId, after, limit, factsMaxBytes = PULLED_FACTS_MAX_BYTES } = query;
  const { rows } = await tx.executeQuery<Row>(
    CompiledQuery.raw(PULL, [clinicId, webhookId, after, Math.min(limit, PULLED_NUMBERS_MAX), factsMaxBytes]),
  );
  const [first] = rows;
  if (first === undefined || first.highest <= after) {
    return { deliveries: [], notKept: [], upTo: after, highest: first?.highest ?? 0 };
  }
  const found = rows.filter(isNumbered);
  const fitting = found.filter(({ fits }) => fits);
  const deliveries = fitting.map((row) => toDelivery(row, webhookId));
  const last = deliveries.at(-1)?.sequence ?? after;
  const upTo = fitting.length < found.length ? last : found.length > 0 ? first.up_to : endOfNothing(first);
  return { deliveries, notKept: gaps(deliveries, after, upTo), upTo, highest: first.highest };
}

interface PageRow {
  readonly highest: number;
  readonly up_to: number;
  readonly next_kept: number | null;
}

interface NumberedRow extends PageRow {
  readonly sequence: number;
  readonly event_id: string;
  readonly part: number;
  readonly participants_per_request: number;
  readonly choice_practitioner: BlockChoice;
  readonly choice_patient: BlockChoice;
  readonly state: PulledDelivery["state"];
  readonly reason: string | null;
  readonly attempt: number;
  readonly created_at: Temporal.Instant;
  readonly finished_at: Temporal.Instant | null;
  readonly name: string | null;
  readonly subject: string;
  readonly subject_version: number;
  readonly fits: boolean;
  readonly facts: Buffer | null;
}

/** One row without a delivery stands for a page that has none. */
type Row = NumberedRow | (PageRow & { readonly sequence: null });

function isNumbered(row: Row): row is NumberedRow {
  return row.sequence !== null;
}

function endOfNothing({ highest, up_to, next_kept }: PageRow): number {
  if (up_to === highest) return highest;
  return next_kept === null ? highest : next_kept - 1;
}

function gaps(deliveries: readonly PulledDelivery[], after: number, upTo: number): { from: number; to: number }[] {
  const found: { from: number; to: number }[] = [];
  let next = after + 1;
  for (const sequence of [...deliveries.map((one) => one.sequence), upTo + 1]) {
    if (sequence > next) found.push({ from: next, to: sequence - 1 });
    next = sequence + 1;
  }
  return found;
}

function toDelivery(row: NumberedRow, webhookId: number): PulledDelivery {
  const { name, subject, subject_version: subjectVersion, facts } = row;
  return {
    ...{ eventId: row.event_id, webhookId, part: row.part, sequence: row.sequence },
    participantsPerRequest: row.participants_per_request,
    choice: { practitioner: row.choice_practitioner, patient: row.choice_patient },
    ...{ state: row.state, reason: row.reason, attempts: row.attempt },
    ...{ createdAt: row.created_at, finishedAt: row.finished_at },
    event: name === null ? null : { name, subject, subjectVersion, facts },
  };
}
