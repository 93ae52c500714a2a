/**
 * Latency: commit → received, 500 events a second, one server that does everything, and two of which one takes the events
 * and the other delivers them; and bare POSTs at the same rate to the same receiver, which show what the machine can do.
 */
import { randomBytes } from "node:crypto";
import { startBenchServer } from "./database.ts";
import { COMMIT_TIMES, type FedFigures, measureFed } from "./fed-server.ts";
import { barePosts } from "./latency.ts";
import type { Load, Percentiles } from "./open-loop.ts";
import { medians, type PartFigures, type SuiteOptions, spreads } from "./part.ts";
import { startReceiver } from "./receiver.ts";
import { printTopStatements } from "./statements.ts";

const LOAD: Load = { perSecond: 500, seconds: 20 };
const WARM_UP: Load = { perSecond: 200, seconds: 5 };
/** Few, with three webhooks each: what the feed gets of one clinic at a time it commits together, so taking it costs little. */
const CLINICS = 5;
const EVENTS = ["participant.added", "participant.removed", "consult.updated"] as const;

interface Run {
  bare: Percentiles;
  one: FedFigures;
  two: FedFigures;
}

export async function latency(options: SuiteOptions): Promise<PartFigures> {
  const server = await startBenchServer({ settings: COMMIT_TIMES, statements: options.pgStats });
  const receiver = await startReceiver();
  const masterKey = randomBytes(32).toString("base64");
  const common = {
    server,
    receiver,
    masterKey,
    clinics: CLINICS,
    events: EVENTS,
    warmUp: WARM_UP,
    load: LOAD,
    cpuProf: options.cpuProf,
    onArrived: options.pgStats ? () => printTopStatements(server, options.print) : undefined,
  };
  const runs: Run[] = [];
  try {
    for (let run = 1; run <= options.runs; run += 1) {
      await receiver.reset({ record: true });
      const bare = await barePosts(receiver, LOAD);
      const one = await measureFed({ ...common, name: "one_node", roles: ["all"] });
      const two = await measureFed({ ...common, name: "two_nodes", roles: ["api", "worker"] });
      runs.push({ bare, one, two });
      options.print(`Run ${run}: ${JSON.stringify(runs.at(-1))}`);
    }
  } finally {
    receiver.close();
    await server.stop();
  }
  const goals = {
    latency_p50_ms: runs.map(({ one }) => one.commit_to_received_ms.p50),
    latency_p99_ms: runs.map(({ one }) => one.commit_to_received_ms.p99),
    latency_two_nodes_p99_ms: runs.map(({ two }) => two.commit_to_received_ms.p99),
  };
  const others = {
    latency_committed_per_second: runs.map(({ one }) => one.committed_per_second),
    latency_two_nodes_committed_per_second: runs.map(({ two }) => two.committed_per_second),
    latency_two_nodes_p50_ms: runs.map(({ two }) => two.commit_to_received_ms.p50),
    bare_post_p50_ms: runs.map(({ bare }) => bare.p50),
    bare_post_p99_ms: runs.map(({ bare }) => bare.p99),
    accepted_to_received_p50_ms: runs.map(({ one }) => one.sent_to_received_ms.p50),
    accepted_to_received_p99_ms: runs.map(({ one }) => one.sent_to_received_ms.p99),
  };
  return { keys: medians(goals), supporting: medians(others), details: spreads({ ...goals, ...others }) };
}
