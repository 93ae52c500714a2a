/**
 * Deliveries a second: one Hookwell node against a bare undici loop and against the same work on two job queues, and many
 * webhooks with little against few with much. They take turns, run by run, on one machine and one PostgreSQL, so that the ratios tell
 * more than the figures.
 */
import { randomBytes } from "node:crypto";
import { render, sampleFacts } from "@hookwell/sdk";
import { REQUESTS_IN_FLIGHT_MAX } from "../server/src/delivery/dispatcher.ts";
import { startBenchServer } from "./database.ts";
import {
  type Backlog,
  type DrainContext,
  type DrainFigures,
  measureDrain,
  prepareBacklog,
  type Shape,
} from "./drain.ts";
import { measureRaw } from "./raw.ts";
import { startReceiver } from "./receiver.ts";
import { printTopStatements } from "./statements.ts";
import { median, ratiosByRun, rounded, type Spread, spread } from "./statistics.ts";

const DEEP: Shape = { webhooks: 100, each: 600 };
const WIDE: Shape = { webhooks: 20_000, each: 3 };
const WARM_UP = 20_000;

export interface SuiteOptions {
  runs: number;
  cpuProf?: string | undefined;
  pgStats: boolean;
  print: (line: string) => void;
}

/** Figures under their keys: numbers, null where this system cannot tell, spreads and more below `details`. */
export interface PartFigures {
  keys: Record<string, number | null>;
  details: Record<string, unknown>;
}

export async function throughput(options: SuiteOptions): Promise<PartFigures> {
  const server = await startBenchServer({ statements: options.pgStats });
  const receiver = await startReceiver();
  const masterKey = randomBytes(32).toString("base64");
  const context: DrainContext = { server, receiver, masterKey, cpuProf: options.cpuProf };
  try {
    options.print("Preparing: 100 webhooks × 600 deliveries, and 20,000 × 3 …");
    const deep = await prepareBacklog(context, { name: "deep", ...DEEP });
    const wide = await prepareBacklog(context, { name: "wide", ...WIDE });
    const rounds: Round[] = [];
    for (let run = 1; run <= options.runs; run += 1) rounds.push(await round(context, { deep, wide, run, options }));
    return figures(rounds);
  } finally {
    receiver.close();
    await server.stop();
  }
}

interface Round {
  raw: number;
  deep: DrainFigures;
  wide: DrainFigures;
}

interface RoundOptions {
  deep: Backlog;
  wide: Backlog;
  run: number;
  options: SuiteOptions;
}

async function round(context: DrainContext, { deep, wide, run, options }: RoundOptions): Promise<Round> {
  const { print, pgStats } = options;
  const raw = await measureRaw(context.receiver, {
    body: likeBody(),
    concurrency: REQUESTS_IN_FLIGHT_MAX,
    warmUp: WARM_UP,
    count: DEEP.webhooks * DEEP.each,
  });
  print(`Run ${run}: bare undici ${said(raw)}`);
  const drained = async (name: string, backlog: Backlog) => {
    const top: string[] = [];
    const onSettled = async () =>
      void (pgStats && (await printTopStatements(context.server, (line) => top.push(line))));
    const found = await measureDrain({ ...context, onSettled }, backlog);
    const { node, postgres, receiver } = found.cpu;
    print(
      `Run ${run}: ${name} ${said(found)}, CPU s: node ${node}, PostgreSQL ${postgres}, receiver ${receiver}; ` +
        `first attempt after ${Math.round(found.first_attempt_after_ms)} ms, peak ${rounded(found.rss_mb ?? 0)} MB`,
    );
    for (const line of top) print(line);
    return found;
  };
  return { raw: raw.per_second, deep: await drained("100 × 600", deep), wide: await drained("20,000 × 3", wide) };
}

/** What a delivery of the workload is sent as. */
function likeBody(): string {
  const choice = { practitioner: "id", patient: "all" } as const;
  return render(sampleFacts("participant.added"), choice, { part: 0, participantsPerRequest: 200 });
}

const said = (found: { per_second: number }) => `${Math.round(found.per_second)}/s`;

function figures(rounds: readonly Round[]): PartFigures {
  const raw = rounds.map((one) => one.raw);
  const deep = rounds.map((one) => one.deep.per_second);
  const wide = rounds.map((one) => one.wide.per_second);
  const ratios = { ratio_to_raw: ratiosByRun(deep, raw), wide_ratio: ratiosByRun(wide, deep) };
  const spreads: Record<string, Spread> = {
    ...mapped(ratios, spread),
    raw_per_second: spread(raw),
    hookwell_per_second: spread(deep),
    wide_per_second: spread(wide),
  };
  return {
    keys: mapped(ratios, (values) => rounded(median(values))),
    details: { ...spreads, cpu_seconds: rounds.map((one) => ({ deep: one.deep.cpu, wide: one.wide.cpu })) },
  };
}

function mapped<In, Out>(record: Record<string, In>, change: (value: In) => Out): Record<string, Out> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
