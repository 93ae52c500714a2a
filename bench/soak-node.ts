/** The soak's node, a process of its own: it emits at fixed moments, delivers, and does its maintenance, as a server does. */
import { createPools } from "../server/src/db/pool.ts";
import { silentLog } from "../server/src/log.ts";
import { startMaintenance } from "../server/src/maintenance.ts";
import { deliveryId } from "../server/src/outbox/identifiers.ts";
import { createTestEngine } from "../server/test/engine.ts";
import { machineMs } from "./receiver.ts";

const CLINICS = 20;
/** As many as there are, so that the subjects' table reaches its size and stays there. */
const SUBJECTS_PER_CLINIC = 200;
const CONCURRENCY = 16;
const REPORT_EVERY_MS = 200;
/** Beyond that the database is the one that cannot follow, and waiting for it is what the soak should show. */
const EMITS_IN_FLIGHT_MAX = 60;
const LAST_RETRIES_MS = 30_000;

const [url = "", receiverUrl = "", rate = "0"] = process.argv.slice(2);
const log = silentLog();
const pools = createPools({ url, log });
const engine = await createTestEngine({ database: { url, pools, drop: () => pools.close() } });
const webhooks = await Promise.all(
  Array.from({ length: CLINICS }, async () => {
    const clinicId = await engine.createClinic();
    return engine.createWebhook(clinicId, { url: receiverUrl, patient: "all", concurrency: CONCURRENCY });
  }),
);
const maintenance = await startMaintenance({ owner: pools.owner, log, retentionDays: 30 });
await engine.startDispatcher();

let committed: [string, number][] = [];
let inFlight = 0;
let late = 0;
let failed = 0;
let isOver = false;

async function emitOne(n: number): Promise<void> {
  const webhook = webhooks[n % CLINICS] as (typeof webhooks)[number];
  inFlight += 1;
  const subject = `consult:${1 + (Math.floor(n / CLINICS) % SUBJECTS_PER_CLINIC)}`;
  try {
    const { id: eventId } = await engine.emit(webhook.clinicId, subject);
    committed.push([deliveryId({ eventId, webhookId: webhook.id, part: 0 }), machineMs()]);
  } catch {
    failed += 1; // a machine that is too busy for the rate; the figures say so
  }
  inFlight -= 1;
}

const report = () => {
  process.send?.({ committed, late, failed, rss: process.memoryUsage().rss });
  committed = [];
};
const reporting = setInterval(report, REPORT_EVERY_MS);
process.once("message", () => {
  isOver = true;
});
const begun = machineMs();
for (let n = 0; !isOver; n++) {
  const due = begun + (n * 1_000) / Number(rate);
  while (machineMs() < due) await new Promise((fulfil) => setTimeout(fulfil, Math.max(0, due - machineMs())));
  while (inFlight >= EMITS_IN_FLIGHT_MAX) await new Promise((fulfil) => setTimeout(fulfil, 5));
  if (machineMs() > due + 1_000) late += 1;
  void emitOne(n);
}
while (inFlight > 0) await new Promise((fulfil) => setTimeout(fulfil, 5));
// What was refused once comes again after five seconds, and with it what waited behind it.
const giveUpAt = machineMs() + LAST_RETRIES_MS;
while (machineMs() < giveUpAt && (await pools.owner.query("select from deliveries limit 1")).rowCount !== 0) {
  await new Promise((fulfil) => setTimeout(fulfil, 100));
}
report();
clearInterval(reporting);
await maintenance.stop();
await engine.close();
process.disconnect?.();
