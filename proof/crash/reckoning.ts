/** What a run of crashes comes to: the logs and rows as evidence, the judge's verdict, and the figures. */

import type { Pools } from "../../server/src/db/pool.ts";
import { exportRows } from "../history/exporting.ts";
import { isAccepted, type Reception } from "../history/history.ts";
import { type CheckName, judge, type Verdict } from "../history/judge.ts";
import { type ClientLine, ClientRecord, linesOf, type ReceiverLine, toReception } from "../history/reading.ts";
import type { Disk } from "./cluster.ts";
import { CLOCK_JUMP_MAX_MS, type Fault, type Struck } from "./faults.ts";

/** A node may send as long as its lease of 30 s outlives the deadline of 15 s and a margin of 2 s, however starved it is. */
const SLACK_MS = 13_000;

export interface CrashFigures {
  struck: Struck[];
  byFault: Map<Fault, FaultFigures>;
  accepted: number;
  receptions: number;
  deliveriesDelivered: number;
  duplicates: number;
  lost: number;
  /** promises that were broken, a sentence each: the judge's, and those on duplicates and on the run itself */
  violations: string[];
  disk: Disk;
}

/** What became of the strikes of one fault. */
export interface FaultFigures {
  strikes: number;
  /** those that hit something in flight */
  underLoad: number;
  inFlight: number;
  /** of those in flight: taken, and sent again all the same */
  duplicates: number;
  /** from a strike to each webhook's next arrival */
  againMs: number[];
}

interface Reckoning {
  files: { client: string; receivers: string };
  keys: ReadonlyMap<string, string>;
  struck: Struck[];
  pools: Pools;
  disk: Disk;
}

/** Reads what is there when nothing runs any more, and judges it. */
export async function reckon({ files, keys, struck, pools, disk }: Reckoning): Promise<CrashFigures> {
  const record = new ClientRecord();
  for await (const line of linesOf<ClientLine>(files.client)) record.add(line);
  const receptions = [];
  for await (const line of linesOf<ReceiverLine>(files.receivers)) {
    receptions.push(await toReception({ ...line, webhook: keys.get(line.webhook) ?? line.webhook }, record.secrets));
  }
  const { accepted, refused, changes, secrets, webhooks } = record;
  const rows = await exportRows(pools.owner, [...new Set(webhooks.map(({ clinic }) => clinic))]);
  const clockMovedMs = struck.some(({ fault }) => fault === "clock") ? CLOCK_JUMP_MAX_MS : 0;
  const history = { accepted, refused, changes, secrets, webhooks, receptions, ...rows };
  const verdict = judge(history, { drained: true, clockMovedMs, slackMs: SLACK_MS });
  const doubled = doubledOf(receptions);
  const broken = verdict.violations.map(({ check, sentence }) => `${check}: ${sentence}`);
  return {
    ...{ struck, disk, accepted: accepted.length, receptions: receptions.length },
    byFault: byFault(struck, doubled),
    deliveriesDelivered: rows.deliveries.filter(({ state }) => state === "delivered").length,
    duplicates: doubled.size,
    lost: countLost(verdict),
    violations: [...broken, ...unexplained(struck, doubled), ...idleKills(struck)],
  };
}

/** Acceptances that were followed by another one of the same delivery: delivery and attempt of each. */
function doubledOf(receptions: readonly Reception[]): Set<string> {
  const before = new Map<string, number>();
  const doubled = new Set<string>();
  for (const { id, attempt } of receptions.filter(isAccepted)) {
    if (before.has(id)) doubled.add(`${id} ${before.get(id)}`);
    before.set(id, attempt);
  }
  return doubled;
}

function byFault(struck: readonly Struck[], doubled: Set<string>): Map<Fault, FaultFigures> {
  const figures = new Map<Fault, FaultFigures>();
  for (const { fault, inFlight, againMs } of struck) {
    const of = figures.get(fault) ?? { strikes: 0, underLoad: 0, inFlight: 0, duplicates: 0, againMs: [] };
    of.strikes += 1;
    if (inFlight.length > 0) of.underLoad += 1;
    of.inFlight += inFlight.length;
    of.duplicates += inFlight.filter((claim) => doubled.has(claim)).length;
    of.againMs.push(...againMs);
    figures.set(fault, of);
  }
  return figures;
}

/** Strike by strike nothing comes twice but what was in flight then: who was taken twice must have been so at one of them. */
function* unexplained(struck: readonly Struck[], doubled: Set<string>): Generator<string> {
  const inFlight = new Set(struck.flatMap((one) => one.inFlight));
  for (const claim of [...doubled].filter((one) => !inFlight.has(one))) {
    const [id, attempt] = claim.split(" ");
    yield `duplicates: ${id} was taken at attempt ${attempt} and sent again, though it was not in flight when a fault struck`;
  }
}

/** A kill of a node that has nothing in flight proves little; most must not be of that kind. */
function* idleKills(struck: readonly Struck[]): Generator<string> {
  const kills = struck.filter(({ fault }) => fault === "kill");
  const idle = kills.filter(({ inFlight }) => inFlight.length === 0);
  if (2 * idle.length > kills.length) {
    yield `idle: ${idle.length} of ${kills.length} kills hit a node with nothing in flight, so that this run proves little`;
  }
}

/** What is lost: an accepted event without its delivery, one called delivered that nobody took, one that waits for ever. */
function countLost({ count }: Verdict): number {
  const lossy: CheckName[] = ["lost", "unfounded", "stuck"];
  return lossy.reduce((sum, check) => sum + count[check], 0);
}
