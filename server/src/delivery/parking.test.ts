/** Receivers that fail: when their webhook is parked, probed and turned off, and what its clinic is told (contract §7). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { clinicLog } from "../../test/clinic-log.ts";
import { createTestEngine, type TestEngine, type TestWebhook } from "../../test/engine.ts";
import { createReceiver, type Receiver } from "../../test/receiver.ts";
import { until } from "../../test/until.ts";
import { type Clock, systemClock } from "../clock.ts";
import { inClinic } from "../db/pool.ts";
import { forgetFailures, ring } from "../webhooks/runs.ts";
import { BACK_OFF_MS } from "./health.ts";

let engine: TestEngine;
let receiver: Receiver;
let clinicId: number;
let webhook: TestWebhook;
const log = () => clinicLog(engine.owner, () => clinicId);

beforeAll(async () => {
  engine = await createTestEngine();
});
afterAll(() => engine.close());
beforeEach(async () => {
  receiver = await createReceiver();
  clinicId = await engine.createClinic();
  webhook = await engine.createWebhook(clinicId, { url: receiver.url });
});
afterEach(async () => {
  await engine.stopDispatchers();
  await receiver.close();
});

interface RunRow {
  failures: number;
  parked: boolean;
  probes: number;
  warned: number;
  owner: number | null;
  next_in_s: number;
}

async function run(): Promise<RunRow> {
  const { rows } = await engine.owner.query<RunRow>(
    `select failures, parked_at is not null as parked, probes, warned, owner,
       case when next_at < 'infinity' then extract(epoch from next_at - now())::float8 end as next_in_s
     from runs where clinic_id = $1 and webhook_id = $2`,
    [clinicId, webhook.id],
  );
  return rows[0] as RunRow;
}

async function notices(): Promise<string[]> {
  engine.nudge(); // so that no test waits for the next look of its own accord
  const { rows } = await engine.owner.query("select kind from notices where clinic_id = $1 order by id", [clinicId]);
  return rows.map(({ kind }) => kind as string);
}

const answer = (status: number) => {
  receiver.answer = (_got, response) => response.writeHead(status).end();
};

/** Fails until it is parked: four at once, then one more after a minute and a half. */
async function park(): Promise<void> {
  answer(500);
  for (let n = 1; n <= 4; n++) await engine.emit(clinicId, `consult:${n}`);
  await engine.startDispatcher({ random: () => 0.5 });
  await until("four have failed and it sleeps", async () => {
    const { failures, owner } = await run();
    return failures === 4 && owner === null;
  });
  await engine.passTime("90 seconds");
  await until("it is parked", async () => {
    const { parked, owner } = await run();
    return parked && owner === null;
  });
}

/** The next probe is due now. */
async function probe(): Promise<void> {
  const before = receiver.received.length;
  await engine.passTime(`${Math.ceil((await run()).next_in_s) + 1} seconds`);
  await until("it was probed", () => {
    engine.nudge();
    return receiver.received.length > before;
  });
  await until("it sleeps again", async () => (await run()).owner === null);
}

describe("a receiver that fails", () => {
  test("for a minute is parked: nothing more is sent to it, and what it has failed stands in the log", async () => {
    await park();
    const sent = receiver.received.length;
    expect(sent).toBeGreaterThanOrEqual(5);
    expect(await notices()).toEqual(["webhook.failing"]);
    await engine.emit(clinicId, "consult:9");
    const other = await createReceiver();
    const otherClinic = await engine.createClinic();
    await engine.createWebhook(otherClinic, { url: other.url });
    await engine.emit(otherClinic, "consult:1");
    await until("others are served", () => other.received.length === 1);
    await other.close();
    expect(receiver.received).toHaveLength(sent);
    expect(Math.round((await run()).next_in_s / 60)).toBe(5);
  });

  describe("again and again", () => {
    /** Stands still but for what is added: nothing is due before. */
    let nowMs = 0;
    const clock: Clock = { ...systemClock, monotonicMs: () => nowMs };
    const pass = (ms: number) => {
      nowMs += ms;
      engine.nudge();
    };
    /** Of 20 subjects as many have failed as it began at once, while nobody knew. */
    const failSome = async (): Promise<number> => {
      answer(500);
      for (let n = 1; n <= 20; n++) await engine.emit(clinicId, `consult:${n}`);
      await engine.startDispatcher({ clock });
      const failed = await until("five or more have failed, and nothing is under way", async () => {
        const { rows } = await engine.owner.query("select from deliveries where begun_at is not null");
        const { failures } = await run();
        return failures >= 5 && rows.length === 0 ? failures : null;
      });
      expect(failed).toBeLessThan(20);
      return failed;
    };

    test("is tried once in 5 s: what waits is not tried in vain, and follows when it is back", async () => {
      const failed = await failSome();
      const other = await createReceiver();
      await engine.createWebhook(clinicId, { url: other.url });
      for (let n = 21; n <= 40; n++) await engine.emit(clinicId, `consult:${n}`);
      await until("others are served", () => {
        pass(100); // at their pace
        return other.received.length === 20;
      });
      await other.close();
      expect(receiver.received).toHaveLength(failed);
      pass(BACK_OFF_MS);
      await until("it is tried again", async () => (await run()).failures === failed + 1);
      expect(receiver.received).toHaveLength(failed + 1);
      answer(204);
      pass(BACK_OFF_MS);
      const firstAttempts = () => receiver.received.filter(({ headers }) => headers["webhook-attempt"] === "1");
      await until("it has got what was not tried in vain", () => {
        pass(100);
        return firstAttempts().length === 40;
      });
    });

    test("is tried at once when a manager has mended its webhook", async () => {
      const failed = await failSome();
      answer(204);
      await mend();
      await until("it is tried again", () => {
        engine.nudge();
        return receiver.received.length > failed;
      });
    });
  });

  test("hears of no bell while it is parked, and of everything once it is back", async () => {
    await park();
    for (let n = 20; n < 40; n++) await engine.emit(clinicId, `consult:${n}`);
    await engine.store.reap(); // which silences the bells of parked webhooks
    const { rows } = await engine.owner.query("select count(*)::int as n from bells where webhook_id = $1", [
      webhook.id,
    ]);
    expect(rows[0].n).toBe(0);
    answer(200);
    await engine.passTime("10 minutes");
    await until("all has arrived", async () => {
      await engine.bringDue();
      return (await log().finished()).length === 24;
    });
    expect(await run()).toMatchObject({ parked: false, failures: 0, warned: 0 });
    expect(await notices()).toEqual(["webhook.failing", "webhook.recovered"]);
  });

  test("is probed with one request at a time, and the subjects take turns", async () => {
    await park();
    const before = receiver.received.length;
    for (let n = 0; n < 3; n++) await probe();
    const probes = receiver.received.slice(before);
    expect(probes).toHaveLength(3);
    expect(new Set(probes.map((got) => got.headers["webhook-subject"])).size).toBe(3);
    expect(await run()).toMatchObject({ parked: true, probes: 3 });
    expect(receiver.openMost).toBeLessThanOrEqual(8);
  });

  test("for a day and for four is told again; after five its webhook is off, and what waits is kept", async () => {
    await park();
    await engine.passTime("24 hours");
    await until("it was told of a day", async () => (await notices()).length === 2);
    await until("it sleeps", async () => (await run()).owner === null);
    await engine.passTime("72 hours");
    await until("it was warned", async () => (await notices()).length === 3);
    await until("it sleeps", async () => (await run()).owner === null);
    await engine.passTime("24 hours");
    await until("it is off", async () => (await notices()).length === 4);
    expect(await notices()).toEqual([
      ...["webhook.failing", "webhook.still_failing", "webhook.off_soon", "webhook.turned_off"],
    ]);
    const { rows } = await engine.owner.query("select enabled, off_reason from webhooks where id = $1", [webhook.id]);
    expect(rows).toEqual([{ enabled: false, off_reason: "failing" }]);
    const { rows: waiting } = await engine.owner.query("select * from deliveries where webhook_id = $1", [webhook.id]);
    expect(waiting).toHaveLength(4);
    const sent = receiver.received.length;
    await engine.passTime("10 days");
    await engine.store.reap();
    expect(receiver.received).toHaveLength(sent);
  });

  test("with the content of single deliveries only is never parked", async () => {
    receiver.answer = (got, response) =>
      response.writeHead(got.headers["webhook-subject"] === "consult:1" ? 422 : 200).end();
    await engine.startDispatcher({ random: () => 0.5 });
    await engine.emit(clinicId, "consult:1");
    for (let n = 0; n < 6; n++) {
      await engine.passTime("6 hours");
      await engine.emit(clinicId, `consult:${10 + n}`);
    }
    await until("the others have arrived", async () => (await log().finished()).length === 6);
    expect(await run()).toMatchObject({ parked: false, failures: 0 });
    expect(await notices()).toEqual([]);
  });

  test("that says 410 is told of with the turning off, once", async () => {
    answer(410);
    for (let n = 1; n <= 4; n++) await engine.emit(clinicId, `consult:${n}`);
    await engine.startDispatcher();
    await until("it is off", async () => (await notices()).length > 0);
    await until("all are settled", async () => (await log().attempts()).length === receiver.received.length);
    expect(await notices()).toEqual(["webhook.gone"]);
  });
});

test("a webhook that is mended while its probe is under way does not wait for the next probe", async () => {
  await park();
  await engine.emit(clinicId, "consult:50");
  const held: (() => void)[] = [];
  receiver.answer = (_got, response) => void held.push(() => response.writeHead(500).end());
  await engine.passTime("10 minutes");
  await until("its probe is under way", () => held.length === 1);
  await mend();
  await until("its bell was heard", async () => {
    engine.nudge();
    return (await engine.owner.query("select from bells where webhook_id = $1", [webhook.id])).rows.length === 0;
  });
  answer(200);
  for (const answerNow of held) answerNow();
  await until("what waited has arrived", () =>
    receiver.received.some((got) => got.headers["webhook-subject"] === "consult:50"),
  );
});

/** As a manager who has changed the headers. */
async function mend(): Promise<void> {
  await engine.owner.query("update webhooks set version = version + 1, updated_at = now() where id = $1", [webhook.id]);
  await inClinic(engine.app, clinicId, async (tx) => {
    const store = { tx, clinicId, seal: await engine.seal.forClinic(tx, clinicId) };
    await forgetFailures(store, webhook.id);
    await ring(store, webhook.id);
  });
}

describe("what a manager changes while a receiver asks for time", () => {
  test("holds for what was begun before: turned off, nothing more leaves, and what waits is kept", async () => {
    receiver.answer = (_got, response) => response.writeHead(429, { "retry-after": "3" }).end();
    await engine.startDispatcher({ random: () => 0.5 });
    await engine.emit(clinicId, "consult:1");
    await until("it has said so and sleeps", async () => {
      const { failures, owner } = await run();
      return failures === 1 && owner === null;
    });
    await engine.emit(clinicId, "consult:2"); // begun by a TAKE that knows nothing of the wish
    await until("it was begun", async () => {
      engine.nudge();
      return (await run()).owner !== null;
    });
    await engine.owner.query(
      "update webhooks set enabled = false, off_reason = 'you', version = version + 1, updated_at = now() where id = $1",
      [webhook.id],
    );
    receiver.answer = (_got, response) => response.writeHead(200).end();
    await until("the wish is over and it was given back", async () => {
      engine.nudge();
      return (await run()).owner === null;
    });
    expect(receiver.received).toHaveLength(1);
    const { rows } = await engine.owner.query(
      "select attempt, begun_at from deliveries where webhook_id = $1 order by id",
      [webhook.id],
    );
    expect(rows).toMatchObject([{ attempt: 1 }, { attempt: 0, begun_at: null }]);
  });

  test("is not turned off by a 410 that the old address gave", async () => {
    const held: (() => void)[] = [];
    receiver.answer = (got, response) => {
      const isOld = got.headers["webhook-subject"] === "consult:1";
      held.push(() => response.writeHead(isOld ? 410 : 200).end());
    };
    await engine.startDispatcher();
    await engine.emit(clinicId, "consult:1");
    await until("it is on its way", () => held.length === 1);
    await engine.owner.query("update webhooks set version = version + 1, updated_at = now() where id = $1", [
      webhook.id,
    ]);
    await engine.emit(clinicId, "consult:2"); // a scan sees the new version while the old answer is awaited
    await until("such a scan has begun it", async () => {
      engine.nudge();
      const { rows } = await engine.owner.query(
        "select from deliveries where webhook_id = $1 and order_key = 'consult:2' and attempt > 0",
        [webhook.id],
      );
      return rows.length === 1;
    });
    receiver.answer = (_got, response) => response.writeHead(200).end();
    for (const answerNow of held) answerNow();
    await until("the second has arrived", async () => (await log().finished()).length === 1);
    const { rows } = await engine.owner.query("select enabled from webhooks where id = $1", [webhook.id]);
    expect(rows).toEqual([{ enabled: true }]);
    expect(await notices()).toEqual([]);
  });
});
