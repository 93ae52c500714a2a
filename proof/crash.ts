/**
 * `npm run crash`: crashes under load, judged from the outside (crash/harness.ts). Ends with 1 when a promise was broken, with
 * 2 when it was called wrongly. USAGE has every flag.
 */
import { parseArgs } from "node:util";
import { FAULT_WORDS, FAULTS, type Fault } from "./crash/faults.ts";
import { crash } from "./crash/harness.ts";
import type { CrashFigures } from "./crash/reckoning.ts";

const KILLS_DEFAULT = 20;
const KILLS_MAX = 10_000;
const PAUSE_DEFAULT_MS = 5_000;
const NODES = 2;
const EVENTS_PER_SECOND = 30;
const USAGE = `Usage: npm run crash -- [--kills N] [--fault F] [--seed S] [--minutes M] [--json] [--keep]

  --kills N     how many times it strikes, 1 to ${KILLS_MAX}; ${KILLS_DEFAULT} by default
  --fault F     with what; kill by default:
${FAULTS.map((fault) => `                  ${fault.padEnd(11)}${FAULT_WORDS[fault]}`).join("\n")}
                  all        kill N times, and after every other kill one of the others, in turn
  --seed S      repeats the choice of faults and the load; it is said at the beginning, and drawn at random by default
  --minutes M   spreads the faults over so many minutes; by default there are up to ${PAUSE_DEFAULT_MS / 1000} s between two
  --json        the last line is one object with the figures
  --keep        leaves the logs, and says where
  --help        says this

Ends with 1 when a promise was broken.
`;

function usage(): never {
  process.stderr.write(USAGE);
  process.exit(2);
}

function readFlags() {
  try {
    return parseArgs({
      options: {
        kills: { type: "string", default: String(KILLS_DEFAULT) },
        seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 31)) },
        minutes: { type: "string" },
        fault: { type: "string", default: "kill" },
        json: { type: "boolean", default: false },
        keep: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch {
    return usage();
  }
}

const values = readFlags();
if (values.help) {
  process.stdout.write(USAGE);
  process.exit();
}
const [kills, seed, minutes] = [values.kills, values.seed, values.minutes ?? "0"].map(Number) as [
  number,
  number,
  number,
];
const isKnown = values.fault === "all" || FAULTS.some((fault) => fault === values.fault);
if (
  !isKnown ||
  !Number.isInteger(kills) ||
  kills < 1 ||
  kills > KILLS_MAX ||
  !Number.isInteger(seed) ||
  !(minutes >= 0)
)
  usage();

/** With all of them, each other fault strikes once among every so many kills. */
function schedule(): Fault[] {
  if (values.fault !== "all") return Array.from({ length: kills }, () => values.fault as Fault);
  const others = FAULTS.filter((fault) => fault !== "kill");
  return Array.from({ length: kills }, (_, n): Fault[] => {
    const other = n % 2 === 1 ? others[((n - 1) / 2) % others.length] : undefined;
    return other ? ["kill", other] : ["kill"];
  }).flat();
}

const faults = schedule();
const pauseMs = minutes > 0 ? (minutes * 60_000) / faults.length : PAUSE_DEFAULT_MS;
const say = (line: string) => process.stderr.write(`${line}\n`);
say(`seed ${seed}, ${faults.length} faults, ${NODES} nodes, ${EVENTS_PER_SECOND} changes a second`);
const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort());
const figures = await crash({
  faults,
  seed,
  pauseMs,
  nodes: NODES,
  perSecond: EVENTS_PER_SECOND,
  keep: values.keep,
  signal: interrupted.signal,
  say,
});
const report = toReport(figures);
for (const violation of report.violations) say(violation);
const { violations, ...rest } = report;
process.stdout.write(
  values.json
    ? `${JSON.stringify(report)}\n`
    : `${JSON.stringify({ ...rest, violations: violations.length }, null, 2)}\n`,
);
process.exitCode = violations.length === 0 ? 0 : 1;

function toReport({ struck, byFault, disk, ...figures }: CrashFigures) {
  const all = [...byFault];
  const inFlight = all.reduce((sum, [, one]) => sum + one.inFlight, 0);
  const isDiskWanted = faults.includes("disk");
  return {
    ...{ seed, kills: struck.reduce((sum, one) => sum + one.kills, 0), accepted: figures.accepted },
    ...{ delivered: figures.deliveriesDelivered, received: figures.receptions, lost: figures.lost },
    ...{ duplicates: figures.duplicates, in_flight_at_faults: inFlight, violations: figures.violations },
    by_fault: Object.fromEntries(
      all.map(([fault, { strikes, underLoad, inFlight, duplicates, againMs }]) => [
        fault,
        {
          ...{ strikes, with_requests_in_flight: underLoad, in_flight: inFlight, duplicates },
          first_delivery_again_ms: middleAndLongest(againMs),
        },
      ]),
    ),
    first_delivery_again_ms: middleAndLongest(all.flatMap(([, { againMs }]) => againMs)),
    ...(isDiskWanted && (disk.problem === null ? { disk: disk.how } : { skipped: { disk: disk.problem } })),
  };
}

function middleAndLongest(ms: readonly number[]): { p50: number; max: number } {
  const sorted = ms.toSorted((a, b) => a - b);
  return { p50: Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0), max: Math.round(sorted.at(-1) ?? 0) };
}
