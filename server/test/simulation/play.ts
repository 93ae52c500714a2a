/** Plays one seed and prints its whole history and what is wrong with it: `npm run simulate -- <seed> [<breakage>]`. */
import { BREAKAGES } from "./breakages.ts";
import { simulate } from "./simulation.ts";

const [seed, breakage] = process.argv.slice(2);
if (!/^\d+$/.test(seed ?? "")) throw new Error("npm run simulate -- <seed> [<number of a seeded bug>]");
const { lines, counts, violations, fingerprint } = await simulate(Number(seed), BREAKAGES[Number(breakage)] ?? null);
const said = violations.length === 0 ? ["nothing is wrong"] : violations;
process.stdout.write([...lines, "", JSON.stringify(counts), fingerprint, ...said, ""].join("\n"));
process.exitCode = violations.length === 0 ? 0 : 1;
