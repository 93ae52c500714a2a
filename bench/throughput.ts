/**
 * Deliveries a second: one Hookwell node against a bare undici loop and against the same work on two job queues, and many
 * webhooks with little against few with much. They take turns, run by run, on one machine and one PostgreSQL, so that the ratios tell
 * more than the figures.
 */
import { randomBytes } from "node:crypto";
import { render, sampleFacts } from "@hookwell/sdk";
import { HEALTHY_PLACES_MAX } from "../server/src/delivery/places.ts";
import { startBenchServer } from "./database.ts";
import {
  type Backlog,
  type DrainContext,
  type DrainFigures,
  measureDrain,
  prepareBacklog,
  type Shape,
} from "./drain.ts";
import { medians, type PartFigures, type SuiteOptions, spreads } from "./part.ts";
import { measureQueue, type QueueFigures } from "./queues/queue.ts";
import { measureRaw } from "./raw.ts";
import { startReceiver } from "./receiver.ts";
import { printTopStatements } from "./statements.ts";
import { ratiosByRun, rounded } from "./statistics.ts";

const DEEP: Shape = { webhooks: 100, each: 600 };
const WIDE: Shape = { webhooks: 20_000, each: 3 };
const WARM_UP = 20_000;

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
  pgBoss: QueueFigures;
  graphileWorker: QueueFigures;
}

interface RoundOptions {
  deep: Backlog;
  wide: Backlog;
  run: number;
  options: SuiteOptions;
}

async function round(context: DrainContext, { deep, wide, run, options }: RoundOptions): Promise<Round> {
  const print = (name: string, found: { per_second: number }, more = "") =>
    options.print(`Run ${run}: ${name} ${Math.round(found.per_second)}/s${more}`);
  const load = { body: likeBody(), concurrency: HEALTHY_PLACES_MAX, count: DEEP.webhooks * DEEP.each };
  const raw = await measureRaw(context.receiver, { ...load, warmUp: WARM_UP });
  print("bare undici", raw);
  const drained = async (name: string, backlog: Backlog) => {
    const found = await drainOnce(context, backlog, options);
    const { node, postgres, receiver } = found.cpu;
    const memory = `peak ${rounded(found.rss_mb ?? 0)} MB`;
    print(
      name,
      found,
      `, CPU s: node ${node}, PostgreSQL ${postgres}, receiver ${receiver}; first attempt after ` +
        `${Math.round(found.first_attempt_after_ms)} ms, ${memory}`,
    );
    return found;
  };
  const queued = async (name: Parameters<typeof measureQueue>[1]) => {
    const found = await measureQueue(context, name, { ...load, warmUp: WARM_UP });
    print(name, found, `, CPU s: node ${found.cpu.node}, PostgreSQL ${found.cpu.postgres}`);
    return found;
  };
  return {
    raw: raw.per_second,
    deep: await drained("100 × 600", deep),
    wide: await drained("20,000 × 3", wide),
    pgBoss: await queued("pg-boss"),
    graphileWorker: await queued("graphile-worker"),
  };
}

async function drainOnce(
  context: DrainContext,
  backlog: Backlog,
  { pgStats, print }: SuiteOptions,
): Promise<DrainFigures> {
  if (!pgStats) return measureDrain(context, backlog);
  return measureDrain({ ...context, onSettled: () => printTopStatements(context.server, print) }, backlog);
}

/** What a delivery of the workload is sent as. */
function likeBody(): string {
  const choice = { practitioner: "id", patient: "all" } as const;
  return render(sampleFacts("participant.added"), choice, { part: 0, participantsPerRequest: 200 });
}

function figures(rounds: readonly Round[]): PartFigures {
  const perSecond = {
    raw_per_second: rounds.map((one) => one.raw),
    hookwell_per_second: rounds.map((one) => one.deep.per_second),
    wide_per_second: rounds.map((one) => one.wide.per_second),
    pg_boss_per_second: rounds.map((one) => one.pgBoss.per_second),
    graphile_worker_per_second: rounds.map((one) => one.graphileWorker.per_second),
  };
  const deep = perSecond.hookwell_per_second;
  const ratios = {
    ratio_to_raw: ratiosByRun(deep, perSecond.raw_per_second),
    ratio_to_pg_boss: ratiosByRun(deep, perSecond.pg_boss_per_second),
    ratio_to_graphile_worker: ratiosByRun(deep, perSecond.graphile_worker_per_second),
    wide_ratio: ratiosByRun(perSecond.wide_per_second, deep),
  };
  return { keys: medians(ratios), supporting: medians(perSecond), details: spreads({ ...ratios, ...perSecond }) };
}
