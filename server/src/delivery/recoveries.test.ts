/** Recoveries from outside: what people may do with one, and when it stands still or holds back by itself (contract §7). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestEngine, type TestEngine } from "../../test/engine.ts";
import { TestRecovery } from "../../test/recovery.ts";
import { RECOVERED_WAITING_MAX } from "./recover.ts";

let engine: TestEngine;
let clinic: TestRecovery;

beforeAll(async () => {
  engine = await createTestEngine();
});
afterAll(() => engine.close());
beforeEach(async () => {
  clinic = await TestRecovery.create(engine);
});
afterEach(() => clinic.close());

describe("people", () => {
  test("pause it, resume it and cancel it; what is queued stays queued, and nothing more comes", async () => {
    await clinic.emitWhileOff(50);
    const recovery = await clinic.start({ pacePerSecond: 10 });
    await clinic.worker().runOnce();
    expect(await clinic.look(recovery)).toMatchObject({ state: "running", queued: 10, waiting: 10 });
    expect(await clinic.step(recovery, "pause")).toMatchObject({ state: "paused" });
    await clinic.worker().runOnce();
    expect((await clinic.look(recovery)).queued).toBe(10);
    await expect(clinic.start()).rejects.toMatchObject({ code: "recovery_active" });
    expect(await clinic.step(recovery, "pause")).toMatchObject({ state: "paused" });
    await clinic.step(recovery, "resume");
    await clinic.worker().runOnce();
    expect((await clinic.look(recovery)).queued).toBe(20);
    expect(await clinic.step(recovery, "cancel")).toMatchObject({ state: "cancelled", queued: 20, waiting: 20 });
    await clinic.bringBatchDue();
    await clinic.worker().runOnce();
    expect(await clinic.hot()).toBe(20);
    for (const wanted of ["pause", "resume"] as const)
      await expect(clinic.step(recovery, wanted)).rejects.toMatchObject({ status: 409, code: "recovery_ended" });
    const { rows } = await engine.owner.query("select action, actor from audit where clinic_id = $1 order by id", [
      clinic.clinicId,
    ]);
    expect(rows.map(({ action }) => action)).toEqual([
      ...["recovery.started", "recovery.paused", "recovery.resumed", "recovery.cancelled"],
    ]);
    // Another one goes on where this one stopped.
    expect(await clinic.start()).toMatchObject({ found: 30 });
  });

  test("who start two at the same time get one", async () => {
    await clinic.emitWhileOff(3);
    const asked = await Promise.allSettled(Array.from({ length: 4 }, () => clinic.start()));
    expect(asked.filter((one) => one.status === "fulfilled")).toHaveLength(1);
    for (const one of asked)
      if (one.status === "rejected") expect(one.reason).toMatchObject({ code: "recovery_active" });
  });
});

describe("a recovery by itself", () => {
  test("stands still while its webhook is off or parked, and goes on afterwards", async () => {
    await clinic.emitWhileOff(30);
    const recovery = await clinic.start({ pacePerSecond: 10 });
    await clinic.setOn(false);
    await clinic.worker().runOnce();
    expect(await clinic.look(recovery)).toMatchObject({ state: "running", queued: 0, waitsFor: "webhook_off" });
    await clinic.setOn(true);
    const park = (parked: string) =>
      engine.owner.query(
        `update runs set parked_at = ${parked}, failures = case when ${parked} is null then 0 else 5 end, failing_since = ${parked}
         where clinic_id = $1`,
        [clinic.clinicId],
      );
    await park("now()");
    await clinic.worker().runOnce();
    expect(await clinic.look(recovery)).toMatchObject({ state: "running", queued: 0, waitsFor: "webhook_parked" });
    await park("null::timestamptz");
    await clinic.worker().runOnce();
    expect(await clinic.look(recovery)).toMatchObject({ queued: 10, waitsFor: null });
  });

  test("ends with its webhook", async () => {
    await clinic.emitWhileOff(3);
    const recovery = await clinic.start();
    await engine.owner.query("update webhooks set deleted_at = now() where id = $1", [clinic.webhook.id]);
    await clinic.worker().runOnce();
    const { rows } = await engine.owner.query("select state, queued from recoveries where id = $1", [recovery.id]);
    expect(rows).toEqual([{ state: "cancelled", queued: 0 }]);
  });

  test("keeps to half of the webhook's pace at most, and brings nothing while the last two batches have not been begun", async () => {
    await clinic.emitWhileOff(40);
    await engine.owner.query("update webhooks set pace_per_second = 10 where id = $1", [clinic.webhook.id]);
    const recovery = await clinic.start({ pacePerSecond: 500 });
    expect(recovery.pacePerSecond).toBe(5);
    const queued: number[] = [];
    for (let batch = 0; batch < 4; batch++) {
      await clinic.worker().runOnce();
      queued.push((await clinic.look(recovery)).queued);
      const { rows } = await engine.owner.query(
        "select extract(epoch from next_at - now())::float8 as seconds from recoveries where id = $1",
        [recovery.id],
      );
      expect(rows[0]?.seconds).toBeGreaterThan(0);
      expect(rows[0]?.seconds).toBeLessThanOrEqual(1);
      await clinic.worker().runOnce(); // not due yet
      await clinic.bringBatchDue();
    }
    expect(queued).toEqual([5, 10, 10, 10]);
    await engine.owner.query("update runs set answered_at = null where webhook_id = $1", [clinic.webhook.id]);
    expect((await clinic.look(recovery)).pacePerSecond).toBe(0.5);
  });

  test("is bounded in what waits for its retries", async () => {
    await clinic.emitWhileOff(10);
    const recovery = await clinic.start();
    await engine.owner.query(
      `insert into deliveries (clinic_id, webhook_id, event_id, participants_per_request, order_key, choice_practitioner,
         choice_patient, sequence, attempt, due_at, recovery_id)
       select $1, $2, gen_random_uuid(), 200, 'resend:' || n, 'off', 'off', n, 1, now() + interval '1 hour', 0
       from generate_series(1, $3::int) n`,
      [clinic.clinicId, clinic.webhook.id, RECOVERED_WAITING_MAX - 4],
    );
    await clinic.worker().runOnce();
    expect(await clinic.look(recovery)).toMatchObject({ state: "running", queued: 4 });
    await clinic.bringBatchDue();
    await clinic.worker().runOnce();
    expect((await clinic.look(recovery)).queued).toBe(4);
    await engine.owner.query("delete from deliveries where clinic_id = $1 and recovery_id = 0", [clinic.clinicId]);
    await clinic.bringBatchDue();
    await clinic.worker().runOnce();
    expect(await clinic.look(recovery)).toMatchObject({ state: "done", queued: 10 });
  });
});
