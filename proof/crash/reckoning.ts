/** What a run of crashes comes to: the logs and rows as evidence, the judge's verdict, and the figures. */
import type { Pools } from "../../server/src/db/pool.ts";
import { exportRows } from "../history/exporting.ts";
import { type CheckName, judge, type Verdict } from "../history/judge.ts";
import { type ClientLine, ClientRecord, linesOf, type ReceiverLine, toReception } from "../history/reading.ts";
import { CLOCK_JUMP_MAX_MS, type Struck } from "./faults.ts";

/** A node may send as long as its lease of 30 s outlives the deadline of 15 s and a margin of 2 s, however starved it is. */
const SLACK_MS = 13_000;

export interface CrashFigures {
  struck: Struck[];
  accepted: number;
  receptions: number;
  deliveriesDelivered: number;
  duplicates: number;
  inFlight: number;
  /** from a fault to each webhook's next arrival */
  againMs: number[];
  verdict: Verdict;
  diskProblem: string | null;
}

interface Reckoning {
  files: { client: string; receivers: string };
  keys: ReadonlyMap<string, string>;
  struck: Struck[];
  pools: Pools;
  diskProblem: string | null;
}

/** Reads what is there when nothing runs any more, and judges it. */
export async function reckon({ files, keys, struck, pools, diskProblem }: Reckoning): Promise<CrashFigures> {
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
  return {
    ...{ struck, verdict, diskProblem, duplicates: verdict.duplicates },
    accepted: accepted.length,
    receptions: receptions.length,
    deliveriesDelivered: rows.deliveries.filter(({ state }) => state === "delivered").length,
    inFlight: struck.reduce((sum, one) => sum + one.inFlight, 0),
    againMs: struck.flatMap((one) => one.againMs),
  };
}

/** What is lost: an accepted event without its delivery, one called delivered that nobody took, one that waits for ever. */
export function countLost({ count }: Verdict): number {
  const lossy: CheckName[] = ["lost", "unfounded", "stuck"];
  return lossy.reduce((sum, check) => sum + count[check], 0);
}
