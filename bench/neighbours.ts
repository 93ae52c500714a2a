/**
 * What 500 dead webhooks cost 100 healthy ones: the time from commit to the first attempt's arrival, at a steady rate, with
 * the dead beside them and without. The dead begin to get events at the moment at which the measurement begins: the engine
 * has to find out about them while it is measured. For comparison the same with 500 further healthy ones in place of the
 * dead: what the same events cost where nobody is dead.
 */
import { randomBytes } from "node:crypto";
import { startBenchServer } from "./database.ts";
import { startDeadReceivers } from "./dead-receivers.ts";
import { COMMIT_TIMES, type FedFigures, type FedOptions, measureFed } from "./fed-server.ts";
import type { Load } from "./open-loop.ts";
import { medians, type PartFigures, type SuiteOptions, spreads } from "./part.ts";
import { startReceiver } from "./receiver.ts";
import { printTopStatements } from "./statements.ts";
import { ratiosByRun } from "./statistics.ts";

const HEALTHY = 100;
const LOAD: Load = { perSecond: 200, seconds: 30 };
const WARM_UP: Load = { perSecond: 100, seconds: 5 };
/** 25 clinics with 20 dead webhooks each: 125 of each kind. Ten events a second among them make 200 deliveries. */
const DEAD_CLINICS = 25;
const DEAD_OF_A_KIND = 5;
const DEAD_EVENTS_PER_SECOND = 10;

type Company = "alone" | "among_dead" | "among_living";
const IN_TURN: readonly Company[] = ["alone", "among_dead", "among_living"];

export async function neighbours(options: SuiteOptions): Promise<PartFigures> {
  const server = await startBenchServer({ settings: COMMIT_TIMES, statements: options.pgStats });
  const receiver = await startReceiver();
  const living = await startReceiver();
  await living.reset({ record: false });
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
    onArrived: options.pgStats ? () => printTopStatements(server, options.print) : undefined,
  };
  const beside = (addresses: readonly string[], ofEach: number) => ({
    clinics: DEAD_CLINICS,
    urls: addresses.flatMap((url) => Array<string>(ofEach).fill(url)),
    eventsPerSecond: DEAD_EVENTS_PER_SECOND,
  });
  const kinds = Object.values(dead.urls);
  const company: Record<Company, Partial<FedOptions>> = {
    alone: {},
    among_dead: { beside: beside(kinds, DEAD_OF_A_KIND), cpuProf: options.cpuProf },
    among_living: { beside: beside([living.url], kinds.length * DEAD_OF_A_KIND) },
  };
  const runs: Record<Company, FedFigures>[] = [];
  try {
    for (let run = 1; run <= options.runs; run += 1) {
      const figures: Partial<Record<Company, FedFigures>> = {};
      // Forwards and back again in turn, so that going first counts for none.
      for (const name of run % 2 === 1 ? IN_TURN : IN_TURN.toReversed()) {
        figures[name] = await measureFed({ ...common, ...company[name], name: `healthy_${name}` });
      }
      runs.push(figures as Record<Company, FedFigures>);
      options.print(`Run ${run}: ${JSON.stringify(figures)}`);
    }
  } finally {
    dead.close();
    living.close();
    receiver.close();
    await server.stop();
  }
  const of = (name: Company, figure: (of: FedFigures) => number) => runs.map((run) => figure(run[name]));
  const p99 = (name: Company) => of(name, (run) => run.commit_to_received_ms.p99);
  const goals = { neighbour_p99_ratio: ratiosByRun(p99("among_dead"), p99("alone")) };
  const others = {
    healthy_among_dead_missing: of("among_dead", (run) => run.missing),
    living_neighbour_p99_ratio: ratiosByRun(p99("among_living"), p99("alone")),
    ...Object.fromEntries(
      IN_TURN.flatMap((name) => [
        [`healthy_${name}_committed_per_second`, of(name, (run) => run.committed_per_second)],
        [`healthy_${name}_p50_ms`, of(name, (run) => run.commit_to_received_ms.p50)],
        [`healthy_${name}_p99_ms`, p99(name)],
      ]),
    ),
  };
  return { keys: medians(goals), supporting: medians(others), details: spreads({ ...goals, ...others }) };
}
