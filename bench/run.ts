/**
 * `npm run bench -- --quick`: the figures of the first journey. Prints what it did and, last, one line of JSON.
 * `npm run bench -- --feed`: how many events other software can hand over in a second.
 * `npm run bench -- --soak <minutes> [--rate <n>]`: whether anything grows under a steady load, see soak.ts.
 * `--skip-clone` leaves out the clean clone (which needs the package registry).
 */
import { measureFeed } from "./feed.ts";
import { measureFirstDelivery } from "./first-delivery.ts";
import { measureLatency } from "./latency.ts";
import { soak } from "./soak.ts";

if (process.argv.includes("--soak")) {
  await soak(process.argv.slice(2), (line) => process.stdout.write(`${line}\n`));
  process.exit();
}

const flags = new Set(process.argv.slice(2));
const unknown = [...flags].filter((flag) => !["--quick", "--skip-clone", "--feed"].includes(flag));
const print = (line: string) => process.stdout.write(`${line}\n`);

if (unknown.length > 0 || !(flags.has("--quick") || flags.has("--feed"))) {
  process.stderr.write("Usage: npm run bench -- --quick [--skip-clone] | --feed\n");
  process.exit(2);
}

const figures: Record<string, unknown> = { node: process.version };
if (flags.has("--feed")) {
  print("The feed over HTTP beside plain inserts, 64 at once, one webhook that listens, durable commits …");
  Object.assign(figures, await measureFeed());
}
if (flags.has("--quick")) {
  print("Commit to receipt, 200 events a second for 15 s, one node, embedded PostgreSQL with durable commits …");
  Object.assign(figures, await measureLatency({ perSecond: 200, seconds: 15 }));
  print(JSON.stringify(figures));
}
if (flags.has("--quick") && !flags.has("--skip-clone")) {
  print("A clean clone: npm ci, npm start, sign in, configure, schedule a consult, received …");
  Object.assign(figures, await measureFirstDelivery(print));
}
print(JSON.stringify(figures));
