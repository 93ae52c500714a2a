/**
 * A server that was killed, as kill -9 does, while a delivery and a test were under way, and was started again: what came of
 * the two is not known. The delivery was sent again; the test was not, and has been ended.
 */
import { vi } from "vitest";
import { startEmbedded } from "../server/src/db/embedded.ts";
import { createPools } from "../server/src/db/pool.ts";
import { silentLog } from "../server/src/log.ts";
import { createReceiver, type Receiver } from "../server/test/receiver.ts";
import { until } from "../server/test/until.ts";
import { type ApiClient, oneToOne, signIn } from "./client.ts";
import { startPrepared } from "./prepared.ts";
import type { DemoServer } from "./server.ts";

const ARRIVAL_TIMEOUT_MS = 60_000;
/** Of a beat of the engine and more: tests that were lost are ended with the first one. */
const ENDED_TIMEOUT_MS = 60_000;
const LOOK_EVERY_MS = 500;

export interface Interrupted {
  readonly server: DemoServer;
  /** The `webhook-id` of each. */
  readonly delivery: string;
  readonly test: string;
  close(): Promise<void>;
}

/** Returns once the delivery has arrived a second time and the test is given up. Throws where the test was sent again. */
export async function openInterrupted(): Promise<Interrupted> {
  const receiver = await createReceiver();
  const server = await startPrepared({ env: { HOOKWELL_ALLOW_LOOPBACK: "true" } });
  const close = async () => {
    await server.close();
    await receiver.close();
  };
  try {
    return { server, close, ...(await interrupt(server, receiver)) };
  } catch (error) {
    await close();
    throw error;
  }
}

async function interrupt(server: DemoServer, receiver: Receiver): Promise<{ delivery: string; test: string }> {
  receiver.answer = () => {}; // the requests have arrived, the answers never come
  const { lost } = await sendBoth(await signIn(server), receiver);
  const [test = "", delivery = ""] = ["true", undefined].map((mark) => idOf(receiver, mark));
  await server.kill();
  await lost;
  receiver.answer = (_received, response) => response.writeHead(200).end("ok");
  await passAMinuteOfTests(server.dataFolder);
  await server.start();
  const after = await signIn(server);
  await ended(after, test);
  await ended(after, delivery);
  const sent = (id: string) => receiver.received.filter(({ headers }) => headers["webhook-id"] === id).length;
  if (sent(test) !== 1 || sent(delivery) !== 2) throw new Error(`sent ${sent(test)} and ${sent(delivery)} times`);
  return { delivery, test };
}

/** Returns once both have arrived, with what settles when the one who sent the test is told that the server is gone. */
async function sendBoth(api: ApiClient, receiver: Receiver): Promise<{ lost: Promise<void> }> {
  const { id } = await api.post<{ id: number }>("/webhooks", { url: receiver.url, events: ["participant.added"] });
  const answered = api.post(`/webhooks/${id}/test`, { event: "participant.added" });
  const lost = answered.then(
    () => Promise.reject(new Error("the test was answered although its server was killed")),
    () => {},
  );
  await api.post("/consults", { ...(await oneToOne(api)), start_time: "2030-01-07T09:00" });
  await until("both are under way", () => receiver.received.length === 2, ARRIVAL_TIMEOUT_MS);
  return { lost };
}

function idOf({ received }: Receiver, mark: string | undefined): string {
  const found = received.find(({ headers }) => headers["webhook-test"] === mark)?.headers["webhook-id"];
  if (typeof found !== "string") throw new Error("it did not arrive");
  return found;
}

/** The database goes by its own clock, so a minute passes by what it holds being moved into the past. */
async function passAMinuteOfTests(dataFolder: string): Promise<void> {
  const log = silentLog();
  const database = await startEmbedded({ dataFolder, log });
  const pools = createPools({ url: database.url, log });
  const { rowCount } = await pools.owner.query(
    "update deliveries set created_at = created_at - interval '1 minute' where test",
  );
  await pools.close();
  await database.stop();
  if (rowCount !== 1) throw new Error(`${rowCount} tests were under way`);
}

async function ended(api: ApiClient, id: string): Promise<void> {
  const look = async () => {
    const { state } = await api.get<{ state: string }>(`/deliveries/${id}`);
    if (state !== "delivered" && state !== "given_up") throw new Error(`it is ${state}`);
  };
  await vi.waitFor(look, { timeout: ENDED_TIMEOUT_MS, interval: LOOK_EVERY_MS });
}
