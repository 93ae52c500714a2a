/** `npm run fuzz -- [--seconds N] [--seed S] [--only operationId]`: asks the server for a while and tells what is wrong. */
import { parseArgs } from "node:util";
import { fuzz } from "./fuzz.ts";
import { withFuzzServer } from "./server.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    only: { type: "string" },
  },
});
const seed = Number(values.seed);
const seconds = Number(values.seconds);
if (!Number.isSafeInteger(seed) || !(seconds > 0))
  throw new Error("npm run fuzz -- --seconds 60 --seed 1 [--only get_me]");

process.stdout.write(`seed ${seed}, ${seconds} s\n`);
const only = values.only === undefined ? {} : { only: values.only };
const bounds = { seed, seconds, rounds: Number.POSITIVE_INFINITY, requestsPerRound: 10, ...only };
const report = await withFuzzServer(process.env.DATABASE_URL, (server) => fuzz(server, bounds));
const { faults, ...counts } = report;
const said = faults.length === 0 ? ["nothing is wrong"] : faults;
process.stdout.write([JSON.stringify(counts, null, 1), ...said, ""].join("\n"));
process.exitCode = faults.length === 0 ? 0 : 1;
