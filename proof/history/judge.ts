/**
 * The judge: everything that is wrong with a history, a sentence for each broken promise; nothing when it kept them all.
 *
 * Owns the list of checks. Promises to read only evidence (history.ts): it would judge any other engine that makes the same
 * promises (contract §6, §7). Does not collect the evidence (reading.ts, exporting.ts).
 */
import { invented, notRising, tooEarly, unlogged } from "./attempts.ts";
import { misdirected, sentWhileOff, stillShared, tooMuchData, wrongAddress } from "./boundaries.ts";
import { lost, stuck, unfinished, unfounded } from "./completeness.ts";
import { type Evidence, toEvidence } from "./evidence.ts";
import type { History, JudgeOptions, Violation } from "./history.ts";
import { outOfOrder, sequenceGaps } from "./ordering.ts";
import { sentWhileParked } from "./parking.ts";
import { changed, countDuplicates, duplicated } from "./sameness.ts";
import { badlySigned } from "./signing.ts";

/** Sentences of each check that are kept; one is enough to know, and a broken engine may break a promise a million times. */
const KEPT_PER_CHECK_MAX = 50;

const CHECKS = {
  lost,
  unfounded,
  stuck,
  unfinished,
  misdirected,
  wrong_address: wrongAddress,
  sent_while_off: sentWhileOff,
  too_much_data: tooMuchData,
  still_shared: stillShared,
  changed,
  duplicated,
  badly_signed: badlySigned,
  unlogged,
  invented,
  not_rising: notRising,
  too_early: tooEarly,
  out_of_order: outOfOrder,
  sequence_gaps: sequenceGaps,
  sent_while_parked: sentWhileParked,
} as const satisfies Record<string, (evidence: Evidence) => Iterable<string>>;

export type CheckName = keyof typeof CHECKS;
export const CHECK_NAMES = Object.keys(CHECKS) as CheckName[];

export interface Verdict {
  violations: Violation[];
  /** sentences beyond KEPT_PER_CHECK_MAX are counted, not kept */
  count: Record<CheckName, number>;
  /** deliveries that a receiver took more than once */
  duplicates: number;
}

/** Judges a history as a whole. */
export function judge(history: History, options: JudgeOptions): Verdict {
  const evidence = toEvidence(history, options);
  const violations: Violation[] = [];
  const count = {} as Record<CheckName, number>;
  for (const [check, find] of Object.entries(CHECKS) as [CheckName, (typeof CHECKS)[CheckName]][]) {
    count[check] = 0;
    for (const sentence of find(evidence)) {
      if (count[check]++ < KEPT_PER_CHECK_MAX) violations.push({ check, sentence });
    }
  }
  return { violations, count, duplicates: countDuplicates(evidence) };
}
