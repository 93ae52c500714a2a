/** Pull: every number of a webhook is in exactly one page, whatever happens to its delivery meanwhile (contract §7). */
import { CompiledQuery } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestEngine, type TestEngine, type TestWebhook } from "../../test/engine.ts";
import { nodesOf, type PlanRow, rowsLookedAt } from "../../test/plan.ts";
import { createReceiver, type Receiver } from "../../test/receiver.ts";
import { until } from "../../test/until.ts";
import { inClinic } from "../db/pool.ts";
import { ProblemError } from "../errors.ts";
import { PULLED_FACTS_MAX_BYTES, type PulledPage, type PullQuery, readPage } from "./pull.ts";
import { resend } from "./resend.ts";
import { sqlFile } from "./sql-file.ts";

let engine: TestEngine;
let receiver: Receiver;
let clinicId: number;
let webhook: TestWebhook;
/** The subjects about which the receiver answers 500. */
let failing: Set<string>;

beforeAll(async () => {
  engine = await createTestEngine();
});
afterAll(() => engine.close());
beforeEach(async () => {
  receiver = await createReceiver();
  failing = new Set();
  clinicId = await engine.createClinic();
  webhook = await engine.createWebhook(clinicId, { url: receiver.url, patient: "all", concurrency: 32 });
  receiver.answer = ({ headers }, response) =>
    response.writeHead(failing.has(String(headers["webhook-subject"])) ? 500 : 200).end();
});
afterEach(async () => {
  await engine.stopDispatchers();
  await receiver.close();
});

const page = (query: Partial<PullQuery> = {}) =>
  inClinic(engine.app, clinicId, (tx) =>
    readPage(tx, { clinicId, webhookId: webhook.id, after: 0, limit: 100, ...query }),
  );

/** Walks from the first number to the last. */
async function walk(limit: number): Promise<PulledPage[]> {
  const pages: PulledPage[] = [];
  for (let after = 0; ; ) {
    const one = await page({ after, limit });
    pages.push(one);
    expect(one.deliveries.length).toBeLessThanOrEqual(limit);
    if (one.upTo >= one.highest) return pages;
    expect(one.upTo).toBeGreaterThan(after);
    after = one.upTo;
  }
}

const numbersOf = (pages: readonly PulledPage[]) => pages.flatMap((one) => one.deliveries.map((d) => d.sequence));
const upTo = (n: number) => Array.from({ length: n }, (_, at) => at + 1);
const count = async (table: string) =>
  (await engine.owner.query(`select count(*)::int as n from ${table} where clinic_id = $1`, [clinicId])).rows[0]?.n;

async function deliverSome(times: number): Promise<string[]> {
  const events: string[] = [];
  for (let n = 0; n < times; n++) events.push((await engine.emit(clinicId, `consult:${n}`)).id);
  await until("each was tried", async () => {
    const { rows } = await engine.owner.query("select next_sequence from runs where webhook_id = $1", [webhook.id]);
    return rows[0]?.next_sequence === times + 1;
  });
  await until("each was answered", async () => (await count("deliveries")) === failing.size);
  return events;
}

describe("a page", () => {
  test("tells of each number what became of it, delivered or not, with its content as long as that is kept", async () => {
    failing = new Set(["consult:2"]);
    await engine.startDispatcher();
    const events = await deliverSome(4);
    await engine.emit(clinicId, "consult:2"); // behind the one that failed: without a number yet
    await engine.owner.query("delete from events where clinic_id = $1 and id = $2", [clinicId, events[3]]);
    const { deliveries, notKept, upTo: end, highest } = await page();
    expect([notKept, end, highest]).toEqual([[], 4, 4]);
    const byEvent = new Map(deliveries.map((one) => [one.eventId, one]));
    expect(byEvent.get(events[0] ?? "")).toMatchObject({
      ...{ state: "delivered", reason: null, attempts: 1, choice: { patient: "all" } },
      event: { name: "participant.added", subject: "consult:0", subjectVersion: 1 },
    });
    expect(byEvent.get(events[2] ?? "")).toMatchObject({ state: "waiting", attempts: 1, finishedAt: null });
    expect(byEvent.get(events[3] ?? "")).toMatchObject({ state: "delivered", event: null });
  });

  test("misses no number while deliveries are sent again and end again all the time", async () => {
    const total = 60;
    await engine.startDispatcher();
    const events = await deliverSome(total);
    let isOver = false;
    let resent = 0;
    const resending = Array.from({ length: 3 }, async (_, at) => {
      for (let n = at; !isOver; n = (n + 3) % total) {
        const key = { eventId: events[n] ?? "", webhookId: webhook.id, part: 0 };
        try {
          await inClinic(engine.app, clinicId, (tx) => resend(tx, clinicId, key));
          resent++;
          engine.nudge();
        } catch (error) {
          if (!(error instanceof ProblemError && error.code === "still_waiting")) throw error;
        }
      }
    });
    const found: { numbers: number[]; notKept: number; states: string[] }[] = [];
    while (found.length < 12 || resent < total) {
      const pages = await walk(7 + 3 * found.length);
      const notKept = pages.flatMap((one) => one.notKept).length;
      found.push({
        numbers: numbersOf(pages),
        notKept,
        states: pages.flatMap((p) => p.deliveries.map((d) => d.state)),
      });
    }
    isOver = true;
    await Promise.all(resending);
    for (const { numbers, notKept } of found) expect([numbers, notKept]).toEqual([upTo(total), 0]);
    // It was not all at rest: some were met on their way.
    expect(found.some(({ states }) => states.some((state) => state !== "delivered"))).toBe(true);
  });

  test("names the numbers of which nothing is kept, and goes past them in one step", async () => {
    failing = new Set(["consult:11"]);
    await engine.startDispatcher();
    await deliverSome(12);
    const lose = (from: number, to: number) =>
      engine.owner.query("delete from finished_deliveries where clinic_id = $1 and sequence between $2 and $3", [
        ...[clinicId, from, to],
      ]);
    const { rows } = await engine.owner.query("select sequence from deliveries where clinic_id = $1", [clinicId]);
    const waiting = rows[0]?.sequence as number;
    await lose(1, 12);
    expect(await page({ limit: 2 })).toMatchObject(
      waiting > 2 ? { deliveries: [], notKept: [{ from: 1, to: waiting - 1 }], upTo: waiting - 1 } : {},
    );
    expect(numbersOf(await walk(2))).toEqual([waiting]);
    const lost = (await walk(5)).flatMap((one) => one.notKept.flatMap(({ from, to }) => upTo(to).slice(from - 1)));
    expect([...lost, waiting].toSorted((a, b) => a - b)).toEqual(upTo(12));
    await engine.owner.query("delete from deliveries where clinic_id = $1", [clinicId]);
    expect(await page({ limit: 2 })).toEqual({ deliveries: [], notKept: [{ from: 1, to: 12 }], upTo: 12, highest: 12 });
  });

  test("ends where its bytes do, with one delivery at least", async () => {
    await engine.startDispatcher();
    await deliverSome(5);
    const one = await page({ factsMaxBytes: 1 });
    expect([numbersOf([one]), one.upTo, one.highest]).toEqual([[1], 1, 5]);
    const bytes = one.deliveries[0]?.event?.facts?.length ?? 0;
    const two = await page({ after: 1, factsMaxBytes: bytes + 1 });
    expect([numbersOf([two]), two.upTo]).toEqual([[2, 3], 3]);
  });

  test("is empty after the last number, beyond it, and for a webhook that has sent nothing", async () => {
    expect(await page()).toEqual({ deliveries: [], notKept: [], upTo: 0, highest: 0 });
    await engine.startDispatcher();
    await deliverSome(2);
    expect(await page({ after: 2 })).toEqual({ deliveries: [], notKept: [], upTo: 2, highest: 2 });
    expect(await page({ after: 9 })).toEqual({ deliveries: [], notKept: [], upTo: 9, highest: 2 });
  });
});

describe("numbers that are no longer kept", () => {
  const WAITING = 20_000;
  /** Numbers 1 to 1,000 are gone, 1,001 was delivered a week ago; then thousands came to wait, each with a number. */
  beforeEach(async () => {
    await engine.owner.query(
      `insert into deliveries (clinic_id, webhook_id, event_id, participants_per_request, order_key, choice_practitioner,
         choice_patient, attempt, sequence, due_at)
       select $1, $2, (left(instant_bound(now() - interval '1 hour')::text, 24) || lpad(to_hex(n), 12, '0'))::uuid, 200,
         'consult:' || n, 'off', 'off', 1, 1001 + n, now() + interval '1 hour'
       from generate_series(1, $3::int) n`,
      [clinicId, webhook.id, WAITING],
    );
    await finish(1001, "7 days");
    await engine.owner.query("update runs set next_sequence = $2 where webhook_id = $1", [webhook.id, 1002 + WAITING]);
    await engine.owner.query("analyze deliveries");
  });
  afterEach(() => engine.owner.query("delete from deliveries where clinic_id = $1", [clinicId]));

  const finish = (sequence: number, ago: string) =>
    engine.owner.query(
      `insert into finished_deliveries (clinic_id, event_id, webhook_id, part, participants_per_request,
         choice_practitioner, choice_patient, test, sequence, attempt, state, created_at, finished_at)
       values ($1, instant_bound(now() - $4::interval), $2, 0, 200, 'off', 'off', false, $3, 1, 'delivered', now(), now() - $4::interval)`,
      [clinicId, webhook.id, sequence, ago],
    );

  /** Rows that the statement has looked at in the hot table, thrown away or not. */
  async function hotRowsLookedAt(after: number): Promise<number> {
    const values = [clinicId, webhook.id, after, 100, PULLED_FACTS_MAX_BYTES];
    const { rows } = await inClinic(engine.app, clinicId, (tx) =>
      tx.executeQuery<PlanRow>(CompiledQuery.raw(`explain (analyze, format json) ${sqlFile("pull")}`, values)),
    );
    return rowsLookedAt(nodesOf(rows).filter((node) => node["Relation Name"] === "deliveries"));
  }

  test("are told without looking at whatever waits", async () => {
    expect(await page()).toMatchObject({ deliveries: [], notKept: [{ from: 1, to: 1000 }], upTo: 1000 });
    expect(await hotRowsLookedAt(0)).toBeLessThan(10);
    expect(await hotRowsLookedAt(1001)).toBeLessThanOrEqual(2 * 100); // those that are found, and no more
  });

  test("do not hide an old one among them that waits still", async () => {
    await engine.owner.query(
      `insert into deliveries (clinic_id, webhook_id, event_id, participants_per_request, order_key, choice_practitioner,
         choice_patient, attempt, sequence) values ($1, $2, instant_bound(now() - interval '8 days'), 200, 'old', 'off', 'off', 1, 150)`,
      [clinicId, webhook.id],
    );
    const first = await page();
    expect([first.upTo, numbersOf([first])]).toEqual([149, []]);
    expect(numbersOf([await page({ after: 149 })])).toEqual([150]);
    expect(await hotRowsLookedAt(0)).toBeLessThan(10);
  });
});
