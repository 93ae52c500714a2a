/** Load that comes when it comes, whatever became of what came before: nobody waits politely, so nothing slow is left out. */
import { type BenchReceiver, machineMs } from "./receiver.ts";
import { percentile, rounded } from "./statistics.ts";

export interface Load {
  perSecond: number;
  seconds: number;
}

export interface Percentiles {
  p50: number;
  p99: number;
  count: number;
}

/** Starts `perSecond × seconds` pieces of work at fixed moments and waits for the last. */
export async function openLoop({ perSecond, seconds }: Load, work: (n: number) => Promise<void>): Promise<void> {
  const running: Promise<void>[] = [];
  const begun = machineMs();
  for (let n = 0; n < perSecond * seconds; n++) {
    const due = begun + (n * 1000) / perSecond;
    while (machineMs() < due) await new Promise((fulfil) => setTimeout(fulfil, Math.max(0, due - machineMs())));
    running.push(work(n));
  }
  await Promise.all(running);
}

const ARRIVAL_TIMEOUT_MS = 60_000;
const POLL_MS = 50;

export interface Waits {
  /** For each subject, the ms between the moment given for it and its arrival; of a missing one, how long was waited for it. */
  ms: number[];
  /** How many had not arrived when nothing was waited for any longer. */
  missing: number;
}

/** Waits until all of the subjects have arrived, or for a minute. */
export async function awaitArrivals(receiver: BenchReceiver, subjects: ReadonlyMap<string, unknown>): Promise<void> {
  const giveUpAt = machineMs() + ARRIVAL_TIMEOUT_MS;
  const isComplete = () => [...subjects.keys()].every((subject) => receiver.arrivals.has(subject));
  while (!isComplete() && machineMs() < giveUpAt) await new Promise((fulfil) => setTimeout(fulfil, POLL_MS));
}

/** How long each of the subjects took to arrive since the moment given for it (machineMs). */
export function waitsOf({ arrivals }: BenchReceiver, from: ReadonlyMap<string, number>): Waits {
  const now = machineMs();
  const missing = [...from.keys()].filter((subject) => !arrivals.has(subject)).length;
  // The receiver can have a request before the sender's own callback after the commit has run: that counts as no time.
  return { ms: [...from].map(([subject, at]) => Math.max(0, (arrivals.get(subject) ?? now) - at)), missing };
}

/** Waits for the subjects, all of which have to arrive, and says how long each took. */
export async function allArrived(receiver: BenchReceiver, from: ReadonlyMap<string, number>): Promise<number[]> {
  await awaitArrivals(receiver, from);
  const { ms, missing } = waitsOf(receiver, from);
  if (missing > 0) throw new Error(`${missing} of ${from.size} did not arrive`);
  return ms;
}

/** @throws RangeError for no values */
export function percentiles(values: readonly number[]): Percentiles {
  return { p50: rounded(percentile(values, 0.5)), p99: rounded(percentile(values, 0.99)), count: values.length };
}
