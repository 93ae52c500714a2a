/**
 * kill -9 of the server at random moments under load, again and again: everything that was accepted arrives, in order per
 * consult, with sequence numbers without a gap; what arrives twice has an attempt beside it whose outcome is not known.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createReceiver, type Receiver } from "../server/test/receiver.ts";
import { until } from "../server/test/until.ts";
import { type ApiClient, oneToOne, signIn } from "./client.ts";
import { startPrepared } from "./prepared.ts";
import type { DemoServer } from "./server.ts";

const KILLS = 12;
const WRITERS = 4;

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

test("nothing accepted is lost over many kills", async () => {
  let api = await signIn(server);
  await api.post("/webhooks", {
    url: receiver.url,
    events: ["participant.added", "consult.updated"],
    pace_per_second: 1000,
    concurrency: 16,
  });
  receiver.answer = (_got, response) => setTimeout(() => response.writeHead(200).end("ok"), Math.random() * 20);
  /** Accepted changes per consult: the schedule itself and each change after it. */
  const accepted = new Map<number, number>();
  for (let round = 0; round < KILLS; round++) {
    const enough = accepted.size + 1 + Math.floor(Math.random() * 15);
    let stopped = false;
    const writers = Array.from({ length: WRITERS }, (_, n) =>
      write(api, { accepted, seed: round * WRITERS + n, stopped: () => stopped }),
    );
    await until("some changes were accepted", () => accepted.size >= enough);
    await server.kill();
    stopped = true;
    await Promise.all(writers);
    await server.start();
    api = await signIn(server);
  }
  expect(accepted.size).toBeGreaterThan(KILLS);
  await until("everything accepted has arrived", () => missing(accepted).length === 0);
  await until(
    "nothing waits",
    async () => (await api.get<{ data: unknown[] }>("/deliveries?state=waiting")).data.length === 0,
  );
  expectOrder();
  await expectExplainedDuplicates(api);
  expectNoGap();
});

interface Writing {
  accepted: Map<number, number>;
  seed: number;
  stopped: () => boolean;
}

/** Schedules consults and moves them until the server is gone; counts only what was answered. */
async function write(api: ApiClient, { accepted, seed, stopped }: Writing): Promise<void> {
  const who = await oneToOne(api).catch(() => null);
  for (let n = 0; !stopped() && who !== null; n++) {
    const start = `2031-01-${String((n % 28) + 1).padStart(2, "0")}T${String(8 + (seed % 10)).padStart(2, "0")}:00`;
    try {
      const consult = await api.post<{ id: number }>("/consults", { ...who, start_time: start });
      accepted.set(consult.id, 1);
      for (let moves = 1; moves <= 2; moves++) {
        await api.patch(`/consults/${consult.id}`, { duration: 30 + moves });
        accepted.set(consult.id, 1 + moves);
      }
    } catch {
      return; // the server was killed: what was not answered may or may not have been accepted
    }
  }
}

/** The versions of a consult in the order in which they first arrived. */
function versionsOf(subject: string): number[] {
  const versions = receiver.received
    .filter((got) => got.headers["webhook-subject"] === subject)
    .map((got) => Number(got.headers["webhook-subject-version"]));
  return [...new Set(versions)];
}

function missing(accepted: Map<number, number>): number[] {
  return [...accepted].filter(([id, changes]) => versionsOf(`consult:${id}`).length < changes).map(([id]) => id);
}

function expectOrder(): void {
  for (const subject of new Set(receiver.received.map((got) => String(got.headers["webhook-subject"])))) {
    const versions = versionsOf(subject);
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
  }
}

/** At least once: a second arrival is allowed only where the log owns up to an attempt of unknown outcome. */
async function expectExplainedDuplicates(api: ApiClient): Promise<void> {
  const byId = Map.groupBy(receiver.received, (got) => String(got.headers["webhook-id"]));
  for (const [id, arrivals] of byId) {
    if (arrivals.length === 1) continue;
    const { attempts } = await api.get<{ attempts: { outcome: string }[] }>(`/deliveries/${id}`);
    const unknown = attempts.filter((attempt) => attempt.outcome === "unknown").length;
    expect(unknown).toBeGreaterThanOrEqual(arrivals.length - 1);
    expect(new Set(arrivals.map((got) => got.body)).size).toBe(1);
  }
}

function expectNoGap(): void {
  const sequences = [...new Set(receiver.received.map((got) => Number(got.headers["webhook-sequence"])))].sort(
    (a, b) => a - b,
  );
  expect(sequences).toEqual(Array.from({ length: sequences.length }, (_, at) => at + 1));
}
