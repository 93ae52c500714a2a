/** The parts of the benchmark suite, and the one line that they end with. */
import { backlog } from "./backlog.ts";
import { startBenchServer } from "./database.ts";
import { idle } from "./idle.ts";
import { latency } from "./latency-nodes.ts";
import { describeMachine } from "./machine.ts";
import { neighbours } from "./neighbours.ts";
import type { PartFigures, SuiteOptions } from "./part.ts";
import { throughput } from "./throughput.ts";

export const PARTS = { throughput, latency, backlog, neighbours, idle } satisfies Record<
  string,
  (options: SuiteOptions) => Promise<PartFigures>
>;

export type PartName = keyof typeof PARTS;

export function isPart(name: string): name is PartName {
  return Object.hasOwn(PARTS, name);
}

/** Runs the parts, one after the other, prints each one's spreads, and returns all their keys. */
export async function runSuite(parts: readonly PartName[], options: SuiteOptions): Promise<Record<string, unknown>> {
  const server = await startBenchServer();
  options.print(JSON.stringify({ machine: await describeMachine(server), runs: options.runs }));
  await server.stop();
  const keys: Record<string, unknown> = {};
  const supporting: Record<string, unknown> = {};
  for (const name of parts) {
    options.print(`— ${name}`);
    const figures = await PARTS[name](options);
    Object.assign(keys, figures.keys);
    Object.assign(supporting, figures.supporting);
    options.print(JSON.stringify({ [name]: figures.details }));
  }
  return { ...keys, ...supporting };
}
