/**
 * What 500 dead webhooks cost 100 healthy ones: the time from commit to the first attempt's arrival, at a steady rate, with
 * the dead beside them and without. The dead begin to get events at the moment at which the measurement begins: the engine
 * has to find out about them while it is measured.
 */
import { randomBytes } from "node:crypto";
import { startBenchServer } from "./database.ts";
import { startDeadReceivers } from "./dead-receivers.ts";
import { COMMIT_TIMES, type FedFigures, measureFed } from "./fed-server.ts";
import type { Load } from "./open-loop.ts";
import { medians, type PartFigures, type SuiteOptions, spreads } from "./part.ts";
import { startReceiver } from "./receiver.ts";
import { ratiosByRun } from "./statistics.ts";

const HEALTHY = 100;
const LOAD: Load = { perSecond: 200, seconds: 30 };
const WARM_UP: Load = { perSecond: 100, seconds: 5 };
/** 25 clinics with 20 dead webhooks each: 125 of each kind. Ten events a second among them make 200 deliveries. */
const DEAD_CLINICS = 25;
const DEAD_OF_A_KIND = 5;
const DEAD_EVENTS_PER_SECOND = 10;

export async function neighbours(options: SuiteOptions): Promise<PartFigures> {
  const server = await startBenchServer({ settings: COMMIT_TIMES });
  const receiver = await startReceiver();
  const dead = await startDeadReceivers();
  const masterKey = randomBytes(32).toString("base64");
  const common = {
    server,
    receiver,
    masterKey,
    clinics: HEALTHY,
    events: ["participant.added"] as const,
    warmUp: WARM_UP,
    load: LOAD,
    roles: ["all"] as const,
  };
  const urls = Object.values(dead.urls).flatMap((url) => Array<string>(DEAD_OF_A_KIND).fill(url));
  const beside = { clinics: DEAD_CLINICS, urls, eventsPerSecond: DEAD_EVENTS_PER_SECOND };
  const runs: { alone: FedFigures; among: FedFigures }[] = [];
  try {
    const measureAlone = () => measureFed({ ...common, name: "healthy_alone" });
    const measureAmong = () => measureFed({ ...common, name: "healthy_among", beside, cpuProf: options.cpuProf });
    for (let run = 1; run <= options.runs; run += 1) {
      // In turn, so that going first counts for neither.
      const early = run % 2 === 1 ? await measureAlone() : undefined;
      const among = await measureAmong();
      const alone = early ?? (await measureAlone());
      runs.push({ alone, among });
      options.print(`Run ${run}: ${JSON.stringify({ alone, among })}`);
    }
  } finally {
    dead.close();
    receiver.close();
    await server.stop();
  }
  const alone = runs.map((run) => run.alone.commit_to_received_ms);
  const among = runs.map((run) => run.among.commit_to_received_ms);
  const p99 = (of: typeof alone) => of.map((one) => one.p99);
  const goals = { neighbour_p99_ratio: ratiosByRun(p99(among), p99(alone)) };
  const others = {
    healthy_among_dead_missing: runs.map((run) => run.among.missing),
    healthy_alone_committed_per_second: runs.map((run) => run.alone.committed_per_second),
    healthy_among_dead_committed_per_second: runs.map((run) => run.among.committed_per_second),
    healthy_alone_p50_ms: alone.map((one) => one.p50),
    healthy_alone_p99_ms: p99(alone),
    healthy_among_dead_p50_ms: among.map((one) => one.p50),
    healthy_among_dead_p99_ms: p99(among),
  };
  return { keys: medians(goals), supporting: medians(others), details: spreads({ ...goals, ...others }) };
}
