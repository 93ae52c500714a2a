/**
 * A node as it is served, the whole composition, as a process of its own that can be killed; besides, its wall clock can be
 * moved: `process.send({ jumpMs })`. It says `{ ready: true }` when it works.
 */
import { createApp } from "../../server/src/app.ts";
import { type Clock, systemClock } from "../../server/src/clock.ts";
import { readConfig } from "../../server/src/config.ts";
import { createLog } from "../../server/src/log.ts";

let aheadMs = 0;
const clock: Clock = { ...systemClock, now: () => systemClock.now().add({ milliseconds: aheadMs }) };

process.on("message", ({ jumpMs }: { jumpMs: number }) => {
  aheadMs = jumpMs;
});
// Whoever started it is gone: so is its reason to be.
process.once("disconnect", () => process.exit(1));

const log = createLog({ destination: { file: process.argv[2] ?? "node.log" } });
const app = await createApp(readConfig(process.env), { log, clock });
process.once("SIGTERM", () => void app.stop().finally(() => process.exit(0)));
process.send?.({ ready: true });
