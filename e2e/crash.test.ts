/**
 * kill -9 of the server between sending and settling: after a restart the delivery is sent again under the same webhook-id,
 * and the log says of the first attempt that its outcome is not known.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createReceiver, type Receiver } from "../server/test/receiver.ts";
import { until } from "../server/test/until.ts";
import { oneToOne, signIn } from "./client.ts";
import { startPrepared } from "./prepared.ts";
import type { DemoServer } from "./server.ts";

let server: DemoServer;
let receiver: Receiver;

beforeAll(async () => {
  [server, receiver] = await Promise.all([
    startPrepared({ env: { HOOKWELL_ALLOW_LOOPBACK: "true" } }),
    createReceiver(),
  ]);
});
afterAll(async () => {
  await server?.close();
  await receiver?.close();
});

test("a delivery that was on its way when the server was killed is sent again under the same id, and the log says so", async () => {
  const before = await signIn(server);
  await before.post("/webhooks", { url: receiver.url, events: ["participant.added"] });
  receiver.answer = () => {}; // the request has arrived, the answer never comes
  await before.post("/consults", { ...(await oneToOne(before)), start_time: "2030-01-07T09:00" });
  const first = await until("the first attempt arrives", () => receiver.received[0]);
  await server.kill();

  receiver.answer = (_got, response) => response.writeHead(200).end("ok");
  await server.start();
  const again = await until("it arrives again", () => receiver.received[1]);
  expect(again.headers["webhook-id"]).toBe(first.headers["webhook-id"]);
  expect(again.headers["webhook-sequence"]).toBe(first.headers["webhook-sequence"]);
  expect(again.body).toBe(first.body);
  expect([first.headers["webhook-attempt"], again.headers["webhook-attempt"]]).toEqual(["1", "2"]);

  const after = await signIn(server);
  const delivery = await until("it is settled", async () => {
    const found = await after.get<Delivery>(`/deliveries/${first.headers["webhook-id"]}`);
    return found.state === "delivered" ? found : null;
  });
  expect(delivery.attempts).toMatchObject([
    { attempt: 1, outcome: "unknown", status: null },
    { attempt: 2, outcome: "answered", status: 200 },
  ]);
  expect(receiver.received).toHaveLength(2);
});

interface Delivery {
  state: string;
  attempts: { attempt: number; outcome: string; status: number | null }[];
}
