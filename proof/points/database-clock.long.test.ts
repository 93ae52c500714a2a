/** PostgreSQL's own clock, by which the engine leases, waits and retries, jumps under two nodes with requests in flight. */
import { expect, test } from "vitest";
import { injectClock } from "../../server/test/model/database-clock.ts";
import { until } from "../../server/test/until.ts";
import { LIMIT_MS, Rig, SUBJECTS } from "./rig.ts";

const HOUR_MS = 3_600_000;
const NEAR_MS = 600_000;

test("a jump of the database's clock, there and back, loses nothing and doubles only what was in flight", async () => {
  const rig = await Rig.open();
  try {
    const { stage, receiver } = rig;
    const clock = await injectClock(stage.engine.database, null);
    receiver.statusOf = ({ headers }) =>
      headers["webhook-attempt"] === "1" && headers["webhook-subject"] === "consult:2" ? 500 : 200;
    await rig.startNode();
    await rig.startNode();

    let inFlight = 0;
    /** Emits, and moves the clock while the first of each subject is in flight. */
    const jumpTo = async (aheadMs: number) => {
      const { promise, resolve: release } = Promise.withResolvers<void>();
      receiver.holding = promise;
      const before = receiver.lines.length;
      await rig.emitSome();
      await until("one of each subject is in flight", () => receiver.lines.length >= before + SUBJECTS, LIMIT_MS);
      inFlight += await rig.inFlight();
      await clock.advance(aheadMs - clock.aheadMs);
      // The time of this connection does not jump.
      const alive = `select from nodes where abs(extract(epoch from alive_until - now()) * 1000 - $1::float8) < ${NEAR_MS}`;
      const haveHeard = async () => (await stage.engine.owner.query(alive, [aheadMs])).rowCount === 2;
      await until("both nodes have said that they live since", haveHeard, LIMIT_MS);
      release();
    };

    await jumpTo(2 * HOUR_MS);
    await rig.allDelivered();
    await jumpTo(0);
    // What was emitted while the clock was ahead is due when the clock is there again, and so is what a node has in flight that
    // loses its lease in the jump.
    const awake = "select from runs where owner is not null or next_at < now() + interval '1 hour'";
    await until(
      "the webhook sleeps until then",
      async () => (await stage.engine.owner.query(awake)).rowCount === 0,
      LIMIT_MS,
    );
    expect(await stage.unfinished()).toBeGreaterThanOrEqual(2 * SUBJECTS);
    await clock.advance(2 * HOUR_MS);
    await rig.allDelivered();

    // A wait in which the clock jumps ahead is shorter by as much.
    expect((await rig.verdict({ timesMoved: true })).violations).toEqual([]);
    expect(inFlight).toBeGreaterThanOrEqual(2 * SUBJECTS);
    expect(rig.duplicates).toBeLessThanOrEqual(inFlight);
  } finally {
    await rig.close();
  }
});
