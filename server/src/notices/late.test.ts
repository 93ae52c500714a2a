/** Changes of upcoming consults that are still undelivered half an hour before the start. */
import { type ConsultFacts, sampleFacts } from "@hookwell/sdk";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestEngine, type TestEngine } from "../../test/engine.ts";
import { createReceiver, type Receiver } from "../../test/receiver.ts";
import { until } from "../../test/until.ts";
import { inClinic } from "../db/pool.ts";
import { createLog, silentLog } from "../log.ts";
import { emit } from "../outbox/emit.ts";
import { LateWatch } from "./late.ts";

let engine: TestEngine;
let receiver: Receiver;
let watch: LateWatch;
let clinicId: number;

beforeAll(async () => {
  engine = await createTestEngine();
  receiver = await createReceiver();
  watch = new LateWatch({ db: engine.dispatch, seal: engine.seal, log: silentLog() });
});
afterAll(async () => {
  await engine.close();
  await receiver.close();
});
beforeEach(async () => {
  await engine.stopDispatchers();
  await engine.owner.query("delete from deliveries");
  await engine.owner.query("delete from late_watches");
  clinicId = await engine.createClinic();
});

type LateEvent = "consult.updated" | "participant.removed" | "participant.added";

/** Facts of a consult that starts so many minutes from now, written with the offset of a zone. */
function consult(event: LateEvent, inMinutes: number, timeZone = "America/Toronto"): ConsultFacts {
  const facts = structuredClone(sampleFacts(event)) as ConsultFacts;
  const start = Temporal.Now.instant().add({ seconds: Math.round(inMinutes * 60) });
  const write = (at: Temporal.Instant) =>
    at.toZonedDateTimeISO(timeZone).toString({ smallestUnit: "second", timeZoneName: "never" });
  facts.consult.start_time = write(start);
  facts.consult.end_time = write(start.add({ minutes: facts.consult.duration }));
  return facts;
}

const webhook = (settings: { enabled?: boolean; url?: string } = {}) =>
  engine.createWebhook(clinicId, { url: receiver.url, ...settings });

/** A minute goes by, and the pass that is due is made; returns how many notices it raised. */
async function minute(by = watch): Promise<number> {
  await engine.owner.query(
    "update late_pass set next_at = now(), mark_at = case when mark_at > '-infinity' then mark_at - interval '1 minute' else mark_at end",
  );
  return (await by.turn()).raised;
}

/**
 * As many minutes as it takes until whatever waits now has been looked at. A pass goes no further than what transactions that
 * run anywhere on the database server may still change, and other tests have theirs.
 */
async function minutes(by = watch): Promise<number> {
  const { rows } = await engine.owner.query("select last_value as id from deliveries_id_seq");
  let raised = 0;
  await until("all that waits has been looked at", async () => {
    raised += await minute(by);
    const { rows: passes } = await engine.owner.query("select safe_id >= $1 as done from late_pass", [rows[0]?.id]);
    return passes[0]?.done;
  });
  return raised;
}

interface LateNotice {
  webhook_id: number;
  cause: string;
  details: { delivery_id: string; event: string; starts_at: string };
}

async function notices(): Promise<LateNotice[]> {
  const { rows } = await engine.owner.query(
    "select webhook_id, cause, details from notices where clinic_id = $1 and kind = 'delivery.late' order by id",
    [clinicId],
  );
  return rows.map((row) => ({ ...row, details: JSON.parse(row.details) }));
}

const watched = async () => (await engine.owner.query("select * from late_watches order by starts_at")).rows;

describe("a change of a consult", () => {
  test.each(["consult.updated", "participant.removed"] as const)(
    "that is still undelivered half an hour before the start becomes a notice: %s",
    async (event) => {
      const { id } = await webhook();
      const { id: eventId } = await engine.emit(clinicId, "consult:7", consult(event, 29));
      expect(await minutes()).toBe(1);
      const delivery_id = `msg_${eventId.replaceAll("-", "")}_${id}`;
      expect(await notices()).toEqual([
        {
          webhook_id: id,
          cause: `delivery.late:${id}:consult:7`,
          details: expect.objectContaining({ delivery_id, event }),
        },
      ]);
    },
  );

  test("becomes one when its time comes, and not before, in whatever zone its facts were written", async () => {
    await webhook();
    const zones = ["Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati", "America/Toronto", "UTC"];
    for (const [at, zone] of zones.entries())
      await engine.emit(clinicId, `consult:${at}`, consult("consult.updated", 31.5, zone));
    expect(await minutes()).toBe(0);
    const starts = (await watched()).map(({ starts_at }) => starts_at as Temporal.Instant);
    expect(starts).toHaveLength(zones.length);
    // five zones, one instant (to the second or so that the loop took)
    const [first, last] = [starts[0], starts.at(-1)] as [Temporal.Instant, Temporal.Instant];
    expect(last.since(first).total("seconds")).toBeLessThan(20);
    await engine.owner.query("update late_watches set starts_at = starts_at - interval '2 minutes'");
    expect(await minutes()).toBe(zones.length);
  });

  test("is told of once per consult and webhook, however many of its changes are late", async () => {
    const first = await webhook();
    const second = await webhook();
    for (let n = 0; n < 3; n++) await engine.emit(clinicId, "consult:7", consult("consult.updated", 20));
    await engine.emit(clinicId, "consult:8", consult("participant.removed", 20));
    await minutes();
    await engine.emit(clinicId, "consult:7", consult("participant.removed", 20));
    await minutes();
    const causes = (await notices()).map(({ cause }) => cause);
    expect(causes.sort()).toEqual(
      [first.id, second.id].flatMap((id) => [`delivery.late:${id}:consult:7`, `delivery.late:${id}:consult:8`]).sort(),
    );
  });

  test("that arrives in time is no news, though it was watched", async () => {
    await webhook();
    receiver.answer = (_received, response) => response.writeHead(503).end();
    await engine.startDispatcher();
    await engine.emit(clinicId, "consult:7", consult("consult.updated", 40));
    const before = receiver.received.length;
    await until("the first attempt failed", () => receiver.received.length > before);
    await minutes();
    expect(await watched()).toHaveLength(1);
    receiver.answer = (_received, response) => response.writeHead(200).end();
    const hot = async () => (await engine.owner.query("select 1 from deliveries")).rows.length;
    await until("it was delivered", async () => {
      await engine.bringDue();
      return (await hot()) === 0;
    });
    await engine.owner.query("update late_watches set starts_at = starts_at - interval '20 minutes'");
    await minutes();
    expect(await notices()).toEqual([]);
    expect(await watched()).toEqual([]);
  });

  test("is told of as well where its webhook is parked, and where it was turned off while it waited", async () => {
    const parked = await webhook();
    const off = await webhook();
    await engine.emit(clinicId, "consult:7", consult("participant.removed", 25));
    await engine.owner.query(
      "update runs set failures = 5, failing_since = now(), parked_at = now(), next_at = now() + interval '4 hours' where webhook_id = $1",
      [parked.id],
    );
    await engine.owner.query("update webhooks set enabled = false, off_reason = 'failing' where id = $1", [off.id]);
    await minutes();
    expect((await notices()).map(({ webhook_id }) => webhook_id).sort()).toEqual([parked.id, off.id].sort());
  });

  test("is told of late where Hookwell itself was away, but not hours after the consult began", async () => {
    await webhook();
    await engine.emit(clinicId, "consult:1", consult("consult.updated", -20));
    await engine.emit(clinicId, "consult:2", consult("consult.updated", -180));
    await engine.owner.query("update events set occurred_at = occurred_at - interval '1 day' where clinic_id = $1", [
      clinicId,
    ]);
    await minutes();
    expect((await notices()).map(({ cause }) => cause.split(":").at(-1))).toEqual(["1"]);
  });

  test("of a consult that had begun before the change is no news", async () => {
    await webhook();
    await engine.emit(clinicId, "consult:1", consult("consult.updated", -5));
    await minutes();
    expect(await notices()).toEqual([]);
  });
});

describe("what is not watched", () => {
  test("is every other event, and a test", async () => {
    await engine.createWebhook(clinicId, { url: receiver.url, events: ["participant.added", "invoice.created"] });
    await engine.emit(clinicId, "consult:7", consult("participant.added", 20));
    await engine.emit(clinicId, "invoice:7", "invoice.created");
    await webhook();
    await engine.emit(clinicId, "consult:8", consult("consult.updated", 20));
    await engine.owner.query("update deliveries set test = true where order_key = 'consult:8'");
    await minutes();
    expect(await watched()).toEqual([]);
    expect(await notices()).toEqual([]);
  });
});

describe("a pass", () => {
  test("opens what is sealed once, and goes on from where the last one was", async () => {
    const { id } = await webhook();
    for (let n = 0; n < 5; n++) await engine.emit(clinicId, `consult:${n}`, consult("consult.updated", 300));
    await minutes();
    expect(await watched()).toHaveLength(5);
    // were one opened again now, it would fail and be told of
    await engine.owner.query("update events set facts = '\\x00' where clinic_id = $1", [clinicId]);
    const lines: string[] = [];
    const log = createLog({ destination: { write: (line) => void lines.push(line) } });
    await minutes(new LateWatch({ db: engine.dispatch, seal: engine.seal, log }));
    expect(lines).toEqual([]);
    const { rows } = await engine.owner.query("select seen_id from late_scans where webhook_id = $1", [id]);
    const newest = await engine.owner.query("select max(id) as id from deliveries where webhook_id = $1", [id]);
    expect(rows[0]?.seen_id).toBe(newest.rows[0]?.id);
  });

  test("passes by facts that do not open, says so without quoting them, and watches the others", async () => {
    await webhook();
    const broken = await engine.emit(clinicId, "consult:1", consult("consult.updated", 20));
    await engine.emit(clinicId, "consult:2", consult("consult.updated", 20));
    await engine.owner.query("update events set facts = '\\x00' where id = $1", [broken.id]);
    const lines: string[] = [];
    const log = createLog({ destination: { write: (line) => void lines.push(line) } });
    await minutes(new LateWatch({ db: engine.dispatch, seal: engine.seal, log }));
    expect((await notices()).map(({ cause }) => cause.split(":").at(-1))).toEqual(["2"]);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { event: "notices.facts_unreadable", event_id: broken.id },
    ]);
  });

  test("is made by one of several nodes", async () => {
    await engine.owner.query("update late_pass set next_at = now()");
    const workers = Array.from(
      { length: 4 },
      () => new LateWatch({ db: engine.dispatch, seal: engine.seal, log: silentLog() }),
    );
    await webhook();
    await engine.emit(clinicId, "consult:1", consult("consult.updated", 20));
    await Promise.all(workers.map((worker) => worker.turn()));
    const { rows } = await engine.owner.query("select next_at > now() + interval '30 seconds' as taken from late_pass");
    expect(rows).toEqual([{ taken: true }]);
    expect(await Promise.all(workers.map((worker) => worker.turn()))).toEqual(
      workers.map(() => ({ looked: 0, raised: 0, hadEnough: false })),
    );
  });

  test("looks at a limited number of rows, in turns over the webhooks, and the next goes on until all are seen", async () => {
    const [first, second] = [await webhook(), await webhook()];
    await engine.emit(clinicId, "consult:1", consult("consult.updated", 300));
    // Two thousand more of the same event, as its parts.
    await engine.owner.query(
      `insert into deliveries (clinic_id, webhook_id, event_id, part, participants_per_request, order_key, choice_practitioner, choice_patient)
       select clinic_id, webhook_id, event_id, n, participants_per_request, order_key, choice_practitioner, choice_patient
       from deliveries, generate_series(1, 2000) n where webhook_id = $1`,
      [first.id],
    );
    await engine.emit(clinicId, "consult:2", consult("consult.updated", 300));
    const looked: number[] = [];
    await until("all were seen", async () => {
      await engine.owner.query(
        "update late_pass set next_at = now(), mark_at = case when mark_at > '-infinity' then mark_at - interval '1 minute' else mark_at end",
      );
      const { looked: rows } = await watch.turn();
      if (rows > 0) looked.push(rows);
      return looked.reduce((sum, rows) => sum + rows, 0) >= 2004;
    });
    expect(Math.max(...looked)).toBeLessThanOrEqual(1_250);
    expect(looked.length).toBeGreaterThan(1);
    const of = async (id: number) =>
      (await engine.owner.query("select count(*)::int as n from late_watches where webhook_id = $1", [id])).rows[0].n;
    expect([await of(first.id), await of(second.id)]).toEqual([2002, 2]);
  });

  test("passes over no delivery whose transaction commits after later ones were looked at", async () => {
    const { id } = await webhook();
    const { app, seal, clock } = engine;
    const drawn = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const slow = inClinic(app, clinicId, async (tx) => {
      await emit({ seal, clock }, tx, { clinicId, subject: "consult:1", facts: consult("consult.updated", 20) });
      drawn.resolve();
      await goOn.promise;
    });
    await drawn.promise;
    await engine.emit(clinicId, "consult:2", consult("consult.updated", 20));
    for (let n = 0; n < 4; n++) await minute();
    goOn.resolve();
    await slow;
    const { rows } = await engine.owner.query("select order_key from deliveries where webhook_id = $1 order by id", [
      id,
    ]);
    expect(rows.map(({ order_key }) => order_key)).toEqual(["consult:1", "consult:2"]);
    await minutes();
    expect((await notices()).map(({ cause }) => cause.split(":").at(-1)).sort()).toEqual(["1", "2"]);
  });
});
