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

const ARRIVAL_TIMEOUT_MS = 180_000;
const POLL_MS = 50;

/** For each subject the ms between the moment that is given for it (machineMs) and its arrival. Waits until all are there. */
export async function allArrived(receiver: BenchReceiver, from: ReadonlyMap<string, number>): Promise<number[]> {
  const giveUpAt = machineMs() + ARRIVAL_TIMEOUT_MS;
  while (![...from.keys()].every((subject) => receiver.arrivals.has(subject))) {
    if (machineMs() > giveUpAt) {
      const missing = [...from.keys()].filter((subject) => !receiver.arrivals.has(subject));
      throw new Error(`${missing.length} of ${from.size} did not arrive`);
    }
    await new Promise((fulfil) => setTimeout(fulfil, POLL_MS));
  }
  // The receiver can have a request before the sender's own callback after the commit has run: that counts as no time.
  return [...from].map(([subject, at]) => Math.max(0, (receiver.arrivals.get(subject) ?? Number.NaN) - at));
}

/** @throws RangeError for no values */
export function percentiles(values: readonly number[]): Percentiles {
  return { p50: rounded(percentile(values, 0.5)), p99: rounded(percentile(values, 0.99)), count: values.length };
}
