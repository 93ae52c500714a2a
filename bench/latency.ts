/**
 * From commit to receipt: events are emitted at fixed moments, whatever the earlier ones do (open loop), and each is timed
 * from the moment its transaction was committed to the moment the receiver had it. A bare signed POST at the same rate to the
 * same receiver, before and after, shows what the machine itself can do.
 */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent } from "undici";
import { startEmbedded } from "../server/src/db/embedded.ts";
import { migrate } from "../server/src/db/migrate.ts";
import { createPools } from "../server/src/db/pool.ts";
import { silentLog } from "../server/src/log.ts";
import { createTestEngine, type TestEngine } from "../server/test/engine.ts";
import { allArrived, type Load, openLoop, type Percentiles, percentiles } from "./open-loop.ts";
import { type BenchReceiver, machineMs, startReceiver } from "./receiver.ts";

export interface LatencyFigures {
  commit_to_receipt_ms: Percentiles;
  bare_post_ms: Percentiles;
}

/** Runs the measurement on a PostgreSQL of its own with durable commits. */
export async function measureLatency(options: Load): Promise<LatencyFigures> {
  const dataFolder = await mkdtemp(join(tmpdir(), "hookwell-bench-"));
  await chmod(dataFolder, 0o711); // root runs PostgreSQL as another user, which must be able to pass through
  const log = silentLog();
  const server = await startEmbedded({ dataFolder, log });
  const pools = createPools({ url: server.url, log });
  const receiver = await startReceiver();
  try {
    await migrate({ owner: pools.owner, log });
    const database = { url: server.url, pools, drop: () => pools.close() };
    const engine = await createTestEngine({ database });
    try {
      return await measure(engine, receiver, options);
    } finally {
      await engine.close();
    }
  } finally {
    receiver.close();
    await server.stop();
    await rm(dataFolder, { recursive: true, force: true });
  }
}

async function measure(engine: TestEngine, receiver: BenchReceiver, options: Load): Promise<LatencyFigures> {
  const clinicId = await engine.createClinic();
  for (let n = 0; n < 10; n++) await engine.createWebhook(clinicId, { url: receiver.url, events: [], concurrency: 64 });
  const webhook = await engine.createWebhook(clinicId, { url: receiver.url, patient: "all", concurrency: 64 });
  await engine.startDispatcher();
  const emitted = async (prefix: string, load: Load) => {
    const committed = new Map<string, number>();
    await openLoop(load, async (n) => {
      const subject = `consult:${prefix}${n}`;
      await engine.emit(clinicId, subject);
      committed.set(subject, machineMs());
    });
    return percentiles(await allArrived(receiver, committed));
  };
  await emitted("1000", { perSecond: 50, seconds: 2 }); // connections, prepared statements, compiled code
  const bare = await barePosts(receiver, options);
  const figures = await emitted("2000", options);
  if (webhook.id < 1) throw new Error("no webhook was made");
  return { commit_to_receipt_ms: figures, bare_post_ms: bare };
}

/** Signs nothing and waits for no database: from sent to received. */
export async function barePosts(receiver: BenchReceiver, options: Load): Promise<Percentiles> {
  const agent = new Agent({ connections: 64 });
  const url = new URL(receiver.url);
  const sent = new Map<string, number>();
  const body = JSON.stringify({ filler: "x".repeat(400) });
  await openLoop(options, async (n) => {
    const subject = `bare:${n}`;
    sent.set(subject, machineMs());
    const headers = { "content-type": "application/json", "webhook-subject": subject };
    const response = await agent.request({ origin: url.origin, path: url.pathname, method: "POST", headers, body });
    await response.body.dump();
  });
  await agent.close();
  return percentiles(await allArrived(receiver, sent));
}
