/** The loop over failures, over clinics and with several nodes at once; on a real database, with memberships as its work. */
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestClinic, TestClinic } from "../../test/clinic.ts";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { MembershipStage } from "../../test/memberships.ts";
import { until } from "../../test/until.ts";
import { addPayment } from "../clinic/billing/payments.ts";
import { changeBilling } from "../clinic/billing-transaction.ts";
import { createClinic } from "../clinic/clinics.ts";
import { DueRowFailed, type DueWork } from "../clinic/due-work.ts";
import { type ChargeRequest, type Charger, practiceCard } from "../clinic/memberships/charger.ts";
import { changePaymentSource } from "../clinic/memberships/memberships.ts";
import { membershipWork } from "../clinic/memberships/renewals.ts";
import { createLog, silentLog } from "../log.ts";
import { Scheduler } from "./scheduler.ts";

let database: TestDatabase;
let stage: MembershipStage;
let neighbour: MembershipStage | undefined;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

beforeEach(async () => {
  stage = new MembershipStage(await createTestClinic(database.pools, { hasAcademy: true }));
});
afterEach(async () => {
  await stage.close();
  await neighbour?.close();
});

const useCard = (id: number, card: "practice_card" | "practice_card_declined") =>
  stage.change((changes) => changePaymentSource(changes, id, card));

/** Accepts all but those of one membership, for which it throws; remembers what it was asked. */
function brokenFor(membershipId: number) {
  const asked: ChargeRequest[] = [];
  const charger: Charger = {
    async charge(request) {
      asked.push(request);
      if (request.key.startsWith(`${membershipId}-`)) throw new Error("the card machine said something unheard of");
      return practiceCard.charge(request);
    },
  };
  return { charger, asked };
}

/** What a scheduler has besides its work. */
function shared() {
  return { db: stage.clinic.db, outbox: stage.clinic.context.outbox, log: silentLog() };
}

/** Another clinic of the same server, in Tokyo. */
async function secondClinic(): Promise<MembershipStage> {
  const { clinic } = stage;
  const made = await createClinic(clinic.owner, clinic.seal, { name: "Invented Neighbour", timeZone: "Asia/Tokyo" });
  neighbour = new MembershipStage(new TestClinic({ ...parts(clinic), clinic: made, webhookId: 0 }));
  return neighbour;
}

function parts({ db, owner, seal, clock }: TestClinic) {
  return { db, owner, seal, clock };
}

/** The periods that were charged. */
async function chargedOn(id: number): Promise<string[]> {
  const { rows } = await sql<{ due_on: string }>`
    select due_on from membership_charges where membership_id = ${id} order by number`.execute(stage.clinic.owner);
  return rows.map(({ due_on }) => due_on);
}

describe("several nodes", () => {
  test("share the work: each period of each membership is charged once", async () => {
    const { id: planId } = await stage.plan({ recurrenceInterval: "week" });
    const ids: number[] = [];
    for (let at = 0; at < 6; at += 1) ids.push(await stage.assign(planId));
    stage.moveTo("2026-07-27");
    await stage.news();
    await Promise.all(Array.from({ length: 3 }, () => stage.scheduler().runOnce()));
    const invoices = (await stage.news()).flatMap(({ facts }) => ("invoice" in facts ? [facts.invoice] : []));
    expect(invoices).toHaveLength(6 * 8);
    expect(new Set(invoices.map(({ invoice_number }) => invoice_number)).size).toBe(6 * 8);
    for (const id of ids) expect((await stage.view(id)).paymentsMade).toBe(9);
  });

  test("and the desk do not pay one record twice, nor wait for each other in a ring", async () => {
    const { id: planId } = await stage.plan();
    const ids: number[] = [];
    for (let at = 0; at < 8; at += 1) {
      ids.push(await stage.assign(planId, { paymentSource: "practice_card_declined" }));
    }
    for (const id of ids) await useCard(id, "practice_card");
    const records = await Promise.all(ids.map(async (id) => (await stage.view(id)).invoices[0] ?? 0));
    const pay = (record: number) =>
      stage.clinic
        .inTransaction((tx) =>
          changeBilling(tx, stage.clinic.context, (invoices) =>
            addPayment(invoices, record, { method: "cash", totalMinor: 9040 }),
          ),
        )
        .catch((error: { status?: number }) => {
          // The scheduler was first: the record is paid, and a second payment is refused.
          if (error.status === undefined) throw error;
        });
    await Promise.all([stage.scheduler().runOnce(), stage.scheduler().runOnce(), ...records.map(pay)]);
    stage.clinic.clock.advance({ minutes: 1 });
    await stage.scheduler().runOnce();
    const { rows } = await sql<{ paid: number }>`
      select sum(total_minor)::bigint as paid from payments
      where clinic_id = ${stage.clinic.id} group by invoice_id`.execute(stage.clinic.owner);
    expect(rows).toEqual(ids.map(() => ({ paid: 9040 })));
    for (const id of ids) expect(await stage.view(id)).toMatchObject({ state: "active", paymentsMade: 1 });
  });

  test("that die before the commit leave nothing behind, and the next asks the card under the same key", async () => {
    const id = await stage.assign((await stage.plan()).id);
    await stage.news();
    stage.moveTo("2026-07-01");
    const { charger, asked } = brokenFor(id);
    await stage.scheduler({ charger }).runOnce();
    expect(await stage.told()).toEqual([]);
    expect(await chargedOn(id)).toEqual(["2026-06-01"]);
    stage.clinic.clock.advance({ minutes: 1 });
    await stage.scheduler({ charger }).runOnce();
    expect(asked.map(({ key }) => key)).toEqual([`${id}-2-1`, `${id}-2-1`]);
  });
});

describe("a node that is killed while it charges", () => {
  test("has charged nothing; whoever is next charges once", async () => {
    const id = await stage.assign((await stage.plan()).id);
    await stage.news();
    stage.moveTo("2026-07-01");
    let isFirst = true;
    const charger: Charger = {
      async charge(request) {
        if (isFirst) await killWhoeverWorks();
        isFirst = false;
        return practiceCard.charge(request);
      },
    };
    await stage.scheduler({ charger }).runOnce();
    expect(await stage.told()).toEqual([]);
    stage.clinic.clock.advance({ minutes: 1 });
    await stage.scheduler({ charger }).runOnce();
    expect(await stage.records()).toEqual(["invoice.created 2026-07-01 paid"]);
    expect(await stage.view(id)).toMatchObject({ paymentsMade: 2 });
  });
});

/** Ends the connections that are within a transaction, as the death of their process would. */
async function killWhoeverWorks(): Promise<void> {
  await database.pools.owner.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and state = 'idle in transaction'`,
  );
}

describe("a row that fails", () => {
  test("holds up no other, and is tried again later each time", async () => {
    const { id: planId } = await stage.plan();
    const broken = await stage.assign(planId);
    const sound = await stage.assign(planId);
    stage.moveTo("2026-07-01");
    const { charger, asked } = brokenFor(broken);
    const scheduler = stage.scheduler({ charger });
    const triesOf = () => asked.filter(({ key }) => key.startsWith(`${broken}-`)).length;
    const tries: number[] = [];
    for (let minute = 0; minute < 16; minute += 1) {
      await scheduler.runOnce();
      tries.push(triesOf());
      stage.clinic.clock.advance({ minutes: 1 });
    }
    expect(await stage.view(sound)).toMatchObject({ paymentsMade: 2 });
    expect(tries).toEqual([1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5]);
    await stage.scheduler().runOnce();
    stage.clinic.clock.advance({ hours: 1 });
    await stage.scheduler().runOnce();
    expect(await stage.view(broken)).toMatchObject({ paymentsMade: 2 });
  });
});

describe("the scheduler", () => {
  test("goes by the database's clock, wakes the dispatcher, and stops when it is told to", async () => {
    const id = await stage.assign((await stage.plan({ recurrenceInterval: "week" })).id);
    // The process's clock stands in June 2026 all the while.
    await sql`update memberships set due_at = now() - interval '1 second', next_period = 1,
      next_period_on = (now() at time zone 'America/Toronto')::date,
      anchor_on = (now() at time zone 'America/Toronto')::date - 7 where id = ${id}`.execute(stage.clinic.owner);
    const nudged: number[] = [];
    const scheduler = new Scheduler({
      ...shared(),
      works: [membershipWork(practiceCard)],
      nudge: (clinicId) => nudged.push(clinicId),
    });
    scheduler.start();
    await until("the dispatcher is woken for that clinic", () => nudged.length > 0);
    await scheduler.stop();
    expect(new Set(nudged)).toEqual(new Set([stage.clinic.id]));
    expect(await stage.view(id)).toMatchObject({ paymentsMade: 2 });
    const { rows } = await sql`select last_charge.due_on = (now() at time zone 'America/Toronto')::date as today
      from membership_charges last_charge where membership_id = ${id} and number = 2`.execute(stage.clinic.owner);
    expect(rows).toEqual([{ today: true }]);
  });

  test("looks after all clinics, each in its own transactions and by its own calendar", async () => {
    const other = await secondClinic();
    const ids = [await stage.assign((await stage.plan()).id), await other.assign((await other.plan()).id)];
    stage.clinic.clock.advance(stage.clinic.clock.now().until("2026-06-30T15:00:00Z")); // July in Tokyo
    await stage.scheduler().runOnce();
    expect(await stage.view(ids[0] ?? 0)).toMatchObject({ paymentsMade: 1 });
    expect(await other.view(ids[1] ?? 0)).toMatchObject({ paymentsMade: 2, lastCharge: { on: "2026-07-01" } });
  });

  test("tells work that takes long of a stop; what gave up has not failed, is not logged, and is due as before", async () => {
    const id = await stage.assign((await stage.plan()).id);
    stage.moveTo("2026-07-02");
    let begun = 0;
    const long: DueWork = {
      name: "memberships",
      async runDue(tx, { signal, clinicId }) {
        await sql`update memberships set due_at = null where clinic_id = ${clinicId}`.execute(tx);
        begun += 1;
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        throw new DueRowFailed(id, signal.reason);
      },
      postpone: () => Promise.reject(new Error("nothing is to be put off")),
    };
    const lines: string[] = [];
    const log = createLog({ level: "debug", destination: { write: (line: string) => lines.push(line) } });
    const scheduler = new Scheduler({
      ...{ ...shared(), log, works: [long], nudge: () => {} },
      now: async () => stage.clinic.clock.now(),
    });
    scheduler.start();
    await until("the work has begun", () => begun);
    await scheduler.stop();
    expect(lines).toEqual([]);
    await stage.scheduler().runOnce();
    expect(await stage.view(id)).toMatchObject({ paymentsMade: 2 });
  });

  test("asks for more clinics than rest, so that those that rest leave no other without its turn", async () => {
    const { rows: clinics } = await sql<{ id: number }>`
      insert into clinics (name, time_zone, data_key, data_key_id, inbox_token)
      select 'Invented', 'UTC', '', gen_random_uuid(), gen_random_uuid()::text from generate_series(1, 130)
      returning id`.execute(stage.clinic.owner);
    const ids = clinics.map(({ id }) => id);
    const resting = new Set(ids.slice(0, 110));
    await sql`insert into imports (clinic_id, kind, state, file, lines, due_at, created_by)
      select id, 'patients', 'checking', '', 1, timestamptz '2020-01-01' + make_interval(secs => id), 'somebody'
      from unnest(${ids}::bigint[]) id`.execute(stage.clinic.owner);
    const asked = new Set<number>();
    const broken: DueWork = {
      name: "imports",
      async runDue(_, { clinicId }) {
        asked.add(clinicId);
        if (resting.has(clinicId)) throw new Error("nothing works here");
        return 0;
      },
    };
    const scheduler = new Scheduler({
      ...{ ...shared(), works: [broken], nudge: () => {} },
      now: async () => stage.clinic.clock.now(),
    });
    for (let turns = 0; turns < 3; turns += 1) await scheduler.runOnce();
    expect(ids.filter((id) => !asked.has(id))).toEqual([]);
  });

  test("lets work that fails as a whole rest in that clinic alone, longer each time", async () => {
    const other = await secondClinic();
    await stage.assign((await stage.plan()).id);
    await other.assign((await other.plan()).id);
    stage.moveTo("2026-07-02");
    const asked: number[] = [];
    const broken: DueWork = {
      name: "memberships",
      async runDue(_, { clinicId }) {
        asked.push(clinicId);
        if (clinicId === stage.clinic.id) throw new Error("nothing works here");
        return 0;
      },
    };
    const scheduler = new Scheduler({
      ...{ ...shared(), works: [broken], nudge: () => {} },
      now: async () => stage.clinic.clock.now(),
    });
    const timesAsked: number[] = [];
    for (let second = 0; second < 8; second += 1) {
      await scheduler.runOnce();
      timesAsked.push(asked.filter((clinicId) => clinicId === stage.clinic.id).length);
      stage.clinic.clock.advance({ seconds: 1 });
    }
    expect(timesAsked).toEqual([1, 2, 2, 3, 3, 3, 3, 4]);
    expect(asked.filter((clinicId) => clinicId === other.clinic.id)).toHaveLength(8);
  });
});
