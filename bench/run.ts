/**
 * `npm run bench -- --json`: all figures of the engine's speed. Prints what it does and, last, one line of JSON.
 *   `--only throughput,latency` some parts · `--runs 5` how often, of which the medians are reported
 *   `--cpu-prof DIR` a CPU profile of the node under test · `--pg-stats` what PostgreSQL was busy with
 * `npm run bench -- --quick`: the figures of the first journey. `--skip-clone` leaves out the clean clone (which needs the
 * package registry). `npm run bench -- --feed`: how many events other software can hand over in a second.
 * `npm run bench -- --soak <minutes> [--rate <n>]`: whether anything grows under a steady load, see soak.ts. `--help` lists
 * all of these.
 */
import { parseArgs } from "node:util";
import { measureFeed } from "./feed.ts";
import { measureFirstDelivery } from "./first-delivery.ts";
import { measureLatency } from "./latency.ts";
import { soak } from "./soak.ts";
import { isPart, PARTS, runSuite } from "./suite.ts";

if (process.argv.includes("--soak")) {
  await soak(process.argv.slice(2), (line) => process.stdout.write(`${line}\n`));
  process.exit();
}

const RUNS = 5;
const RUNS_MAX = 100;
const print = (line: string) => void process.stdout.write(`${line}\n`);

const USAGE = `Usage: npm run bench -- --json [--only ${Object.keys(PARTS).join(",")}] [--runs ${RUNS}] [--cpu-prof DIR] [--pg-stats]
       npm run bench -- --quick [--skip-clone]
       npm run bench -- --feed
       npm run bench -- --soak MINUTES [--rate EVENTS_A_SECOND]
       npm run bench -- --help
`;

function usage(problem: string): never {
  process.stderr.write(`${problem}\n${USAGE}`);
  process.exit(2);
}

function readFlags() {
  try {
    return parseArgs({
      options: {
        ...{ json: { type: "boolean" }, only: { type: "string" }, runs: { type: "string" } },
        ...{ "cpu-prof": { type: "string" }, "pg-stats": { type: "boolean" } },
        ...{ quick: { type: "boolean" }, "skip-clone": { type: "boolean" }, feed: { type: "boolean" } },
        help: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
}

async function firstJourney(flags: { quick?: boolean; "skip-clone"?: boolean; feed?: boolean }): Promise<void> {
  const figures: Record<string, unknown> = { node: process.version };
  if (flags.feed) {
    print("The feed over HTTP beside plain inserts, 64 at once, one webhook that listens, durable commits …");
    Object.assign(figures, await measureFeed());
  }
  if (flags.quick) {
    print("Commit to receipt, 200 events a second for 15 s, one node, embedded PostgreSQL with durable commits …");
    Object.assign(figures, await measureLatency({ perSecond: 200, seconds: 15 }));
    print(JSON.stringify(figures));
  }
  if (flags.quick && !flags["skip-clone"]) {
    print("A clean clone: npm ci, npm start, sign in, configure, schedule a consult, received …");
    Object.assign(figures, await measureFirstDelivery(print));
  }
  print(JSON.stringify(figures));
}

const flags = readFlags();
if (flags.help) {
  process.stdout.write(USAGE);
} else if (flags.quick || flags.feed) {
  await firstJourney(flags);
} else {
  if (!flags.json && flags.only === undefined) usage("Say which figures you want.");
  const only = flags.only?.split(",") ?? Object.keys(PARTS);
  const parts = only.filter(isPart);
  if (parts.length !== only.length) usage(`Not a part: ${only.filter((name) => !isPart(name)).join(", ")}.`);
  const runs = Number(flags.runs ?? RUNS);
  if (!(Number.isInteger(runs) && runs >= 1 && runs <= RUNS_MAX)) usage(`--runs is a number from 1 to ${RUNS_MAX}.`);
  const keys = await runSuite(parts, { runs, cpuProf: flags["cpu-prof"], pgStats: flags["pg-stats"] ?? false, print });
  print(JSON.stringify(keys));
}
