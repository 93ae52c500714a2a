/**
 * The property of the permuted tests: several nodes, some of which are lost, and several emitters on PostgreSQL; every
 * statement and every commit is a step that fast-check's scheduler puts anywhere.
 */
import fc from "fast-check";
import { expect } from "vitest";
import { DeliveryStore } from "../../src/delivery/store.ts";
import type { TestEngine } from "../engine.ts";
import { type NodePlan, Stage, SteppedNode, type StoreOver } from "./permuted.ts";

const WEBHOOKS = 2;
const TURNS_TO_DRAIN = 60;

const nodePlan: fc.Arbitrary<NodePlan> = fc.record({
  turns: fc.integer({ min: 2, max: 5 }),
  isLostAt: fc.constantFrom(-1, -1, 0, 1, 2),
  settlesLate: fc.boolean(),
  fails: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
});
const emitting = fc.array(fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 2 }), {
  minLength: 1,
  maxLength: 3,
});
/** Subjects in one order, so that two emitters never wait for each other in a ring. */
const subjectsOf = (numbers: readonly number[]) => numbers.toSorted().map((n) => `consult:${n}`);

/** For fc.assert or fc.check: no attempt is begun twice, order is kept, no wake-up is lost, no number is left out. */
export function anyOrder(engine: TestEngine, storeOver: StoreOver = (pool) => new DeliveryStore(pool)) {
  const nodes = fc.array(nodePlan, { minLength: 2, maxLength: 3 });
  const emitters = fc.array(emitting, { minLength: 1, maxLength: 3 });
  return fc.asyncProperty(fc.scheduler(), nodes, emitters, async (scheduler, plans, batchesOf) => {
    const stage = new Stage(engine, await emptyClinic(engine), { scheduler, storeOver });
    const working = plans.map((plan, at) => stage.act(() => new SteppedNode(stage, `node ${at}`, plan).work()));
    const writing = batchesOf.map((batches, at) =>
      stage.act(async () => {
        for (const batch of batches) await stage.emit(`emitter ${at}`, subjectsOf(batch));
      }),
    );
    await allEnded([stage.play(), ...working, ...writing]);
    expect(await engine.store.sweep(), "webhooks that sleep although something waits for them").toBe(0);
    await drain(stage);
    judgeClaims(stage);
    await judgeNumbers(engine, batchesOf.flat(2).length);
  });
}

/** Whoever fails, the others play on to their end, so that the next run finds no transaction open. */
async function allEnded(acting: readonly Promise<void>[]): Promise<void> {
  for (const ended of await Promise.allSettled(acting)) if (ended.status === "rejected") throw ended.reason;
}

async function emptyClinic(engine: TestEngine): Promise<number> {
  for (const table of ["bells", "deliveries", "runs", "nodes", "attempts", "finished_deliveries", "events"])
    await engine.owner.query(`delete from ${table}`);
  const clinicId = await engine.createClinic();
  for (let n = 0; n < WEBHOOKS; n++) await engine.createWebhook(clinicId, { url: "https://receiver.example.test/" });
  return clinicId;
}

/** One more node delivers what is left. */
async function drain(stage: Stage): Promise<void> {
  const plan = { turns: TURNS_TO_DRAIN, isLostAt: -1, settlesLate: false, fails: [false] };
  await allEnded([stage.act(() => new SteppedNode(stage, "last", plan).work()), stage.play()]);
  expect((await stage.engine.owner.query("select id from deliveries")).rows).toEqual([]);
}

function judgeClaims({ claims }: Stage): void {
  const attempts = claims.map(({ begun }) => `${begun.webhookId}/${begun.eventId}#${begun.attempt}`);
  expect(new Set(attempts).size, "attempts that were begun twice").toBe(attempts.length);
  expect(
    claims.filter(({ isBeside }) => isBeside).map(({ begun }) => begun.orderKey),
    "begun while under way",
  ).toEqual([]);
  const bySubject = Map.groupBy(claims, ({ begun }) => `${begun.webhookId} ${begun.event?.subject}`);
  for (const [subject, ofSubject] of bySubject) {
    const versions = ofSubject.map(({ begun }) => begun.event?.subjectVersion ?? 0);
    expect(versions, subject).toEqual(versions.toSorted((a, b) => a - b));
  }
}

async function judgeNumbers({ owner }: TestEngine, emitted: number): Promise<void> {
  const { rows } = await owner.query<{ numbers: number[] }>(
    "select array_agg(sequence order by sequence) as numbers from finished_deliveries group by webhook_id",
  );
  const all = Array.from({ length: emitted }, (_, at) => at + 1);
  expect(rows.map(({ numbers }) => numbers)).toEqual(Array.from({ length: WEBHOOKS }, () => all));
}
