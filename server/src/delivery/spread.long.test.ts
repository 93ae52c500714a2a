/** 90 webhooks with a backlog, and nodes that come one after the other: even shares, nothing moves more than it must. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestEngine, type TestEngine } from "../../test/engine.ts";
import { type Reception, readLog, reception, violations } from "../../test/history.ts";
import { createReceiver, type Receiver } from "../../test/receiver.ts";
import { until } from "../../test/until.ts";

const WEBHOOKS = 90;
const EVENTS = 200;
const EVEN_WITHIN = 0.2;
const ANSWER_MS = 500;
const GIVE_UP_MS = 120_000;

let engine: TestEngine;
let receiver: Receiver;
let clinicId: number;
let isSlow = true;
const receptions: Reception[] = [];

beforeAll(async () => {
  [engine, receiver] = await Promise.all([createTestEngine(), createReceiver()]);
  clinicId = await engine.createClinic();
  const webhooks = new Map<string, string>();
  for (let n = 0; n < WEBHOOKS; n++) {
    const url = `${receiver.url}/${n}`;
    const { id } = await engine.createWebhook(clinicId, { url, patient: "id", concurrency: 1 });
    webhooks.set(new URL(url).pathname, String(id));
  }
  receiver.answer = (got, response) => {
    receptions.push(reception(webhooks.get(got.path) ?? "", got, 200));
    setTimeout(() => response.writeHead(200).end(), isSlow ? ANSWER_MS : 0);
  };
});
afterAll(async () => {
  await engine.close();
  await receiver.close();
});

async function nodes(): Promise<{ held: number; beats: string }[]> {
  const { rows } = await engine.owner.query<{ held: number; beats: string }>(
    `select (select count(*)::int from runs r where r.owner = n.id) as held, alive_until::text as beats from nodes n order by id`,
  );
  return rows;
}

/** Leases given so far. */
async function leases(): Promise<number> {
  const { rows } = await engine.owner.query<{ n: number }>("select sum(fence)::int as n from runs");
  return rows[0]?.n ?? 0;
}

async function untilEven(count: number): Promise<void> {
  const isEven = (held: number) => Math.abs(held - WEBHOOKS / count) <= (EVEN_WITHIN * WEBHOOKS) / count;
  await until(
    `${count} nodes hold even shares`,
    async () => {
      const held = (await nodes()).map((node) => node.held);
      return held.length === count && held.every(isEven) && held.reduce((a, b) => a + b) === WEBHOOKS;
    },
    GIVE_UP_MS,
  );
}

/** Waits until every node has beaten so many times more. */
async function beats(times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    const before = await nodes();
    await until("every node has beaten", async () =>
      (await nodes()).every((node, at) => node.beats !== before[at]?.beats),
    );
  }
}

async function deliveredPerSecond(): Promise<number> {
  const [before, beganMs] = [receptions.length, performance.now()];
  await beats(1);
  return ((receptions.length - before) * 1000) / (performance.now() - beganMs);
}

test("nodes that come one after the other have even shares, each webhook moves at most once for it, and none is lost", async () => {
  for (let n = 0; n < EVENTS; n++) await engine.emit(clinicId, `consult:${n % 50}`);
  const start = () => engine.startDispatcher({ onGivenUp: () => engine.nudge() });
  await start();
  await untilEven(1);
  const rates = [await deliveredPerSecond()];
  for (const count of [2, 3]) {
    const before = await leases();
    await start();
    await untilEven(count);
    await beats(1);
    const moved = (await leases()) - before;
    expect(moved).toBeGreaterThanOrEqual(Math.floor((WEBHOOKS / count) * (1 - EVEN_WITHIN)));
    expect(moved).toBeLessThanOrEqual(Math.ceil(WEBHOOKS / count) + 1);
    const settled = await leases();
    rates.push(await deliveredPerSecond());
    await beats(1);
    expect(await leases()).toBe(settled); // nothing moves any more
  }
  process.stderr.write(`deliveries/s with 1, 2 and 3 nodes: ${rates.map((rate) => rate.toFixed(0)).join(", ")}\n`);
  isSlow = false;
  await until(
    "all is delivered",
    async () => {
      const { rows } = await engine.owner.query<{ n: number }>("select count(*)::int as n from deliveries");
      return rows[0]?.n === 0;
    },
    GIVE_UP_MS,
  );
  // A sample of the webhooks will do.
  const log = await readLog(engine, clinicId);
  expect(receptions).toHaveLength(EVENTS * WEBHOOKS);
  const sample = new Set([...new Set(receptions.map(({ webhook }) => webhook))].slice(0, 10));
  const ofSample = ({ webhook }: { webhook: string }) => sample.has(webhook);
  const ids = new Set(log.committed.filter(ofSample).map(({ id }) => id));
  const sampled = {
    ...log,
    webhooks: log.webhooks.filter(ofSample),
    committed: log.committed.filter(ofSample),
    attempts: log.attempts.filter(({ id }) => ids.has(id)),
    receptions: receptions.filter(ofSample),
  };
  expect(await violations(sampled)).toEqual([]);
});
