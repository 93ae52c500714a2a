/**
 * The engine's statements on PostgreSQL in permuted order: several nodes, some of which are lost, and several emitters, every
 * statement and every commit a step that fast-check's scheduler puts anywhere.
 */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestEngine, type TestEngine } from "../../test/engine.ts";
import { type NodePlan, Stage, SteppedNode } from "../../test/model/permuted.ts";

const RUNS = 12;
const LIMIT_MS = 300_000;
let engine: TestEngine;

beforeAll(async () => {
  engine = await createTestEngine();
});
afterAll(() => engine.close());

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

test(
  "in whatever order statements and commits come, no attempt is begun twice, order is kept, no wake-up is lost, no number is left out",
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(nodePlan, { minLength: 2, maxLength: 3 }),
        fc.array(emitting, { minLength: 1, maxLength: 3 }),
        async (scheduler, nodes, emitters) => {
          for (const table of ["bells", "deliveries", "runs", "nodes", "attempts", "finished_deliveries", "events"])
            await engine.owner.query(`delete from ${table}`);
          const clinicId = await engine.createClinic();
          for (let n = 0; n < 2; n++) await engine.createWebhook(clinicId, { url: "https://receiver.example.test/" });
          const stage = new Stage(engine, clinicId, scheduler);
          const actors = [
            ...nodes.map((plan, at) => stage.act(() => new SteppedNode(stage, `node ${at}`, plan).work())),
            ...emitters.map((batches, at) =>
              stage.act(async () => {
                for (const batch of batches) await stage.emit(`emitter ${at}`, subjectsOf(batch));
              }),
            ),
          ];
          await Promise.all([stage.play(), ...actors]);
          await judge(stage, emitters.flat(2).length);
        },
      ),
      { numRuns: RUNS },
    );
  },
  LIMIT_MS,
);

async function judge(stage: Stage, emitted: number): Promise<void> {
  expect(await engine.store.sweep(), "webhooks that sleep although something waits for them").toBe(0);
  const last = new SteppedNode(stage, "last", { turns: 60, isLostAt: -1, settlesLate: false, fails: [false] });
  await Promise.all([stage.act(() => last.work()), stage.play()]);
  const { rows: left } = await engine.owner.query("select id from deliveries");
  expect(left).toEqual([]);

  const attempts = stage.claims.map(({ begun }) => `${begun.webhookId}/${begun.eventId}#${begun.attempt}`);
  expect(new Set(attempts).size, "attempts that were begun twice").toBe(attempts.length);
  for (const [subject, claims] of Map.groupBy(
    stage.claims,
    ({ begun }) => `${begun.webhookId} ${begun.event.subject}`,
  )) {
    const versions = claims.map(({ begun }) => begun.event.subjectVersion);
    expect(versions, subject).toEqual(versions.toSorted((a, b) => a - b));
  }
  const { rows } = await engine.owner.query<{ numbers: number[] }>(
    "select array_agg(sequence order by sequence) as numbers from finished_deliveries group by webhook_id",
  );
  const all = Array.from({ length: emitted }, (_, at) => at + 1);
  expect(rows.map(({ numbers }) => numbers)).toEqual([all, all]);
}
