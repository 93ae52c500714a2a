/** What time brings about, over a year, over failures and with several nodes at once; on a real database. */
import type { MembershipFacts } from "@hookwell/sdk";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createTestClinic, TestClinic } from "../../test/clinic.ts";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { isMembership, MembershipStage } from "../../test/memberships.ts";
import { until } from "../../test/until.ts";
import { addPayment } from "../clinic/billing/payments.ts";
import { changeBilling } from "../clinic/billing-transaction.ts";
import { createClinic } from "../clinic/clinics.ts";
import type { DueWork } from "../clinic/due-work.ts";
import { type ChargeRequest, type Charger, practiceCard } from "../clinic/memberships/charger.ts";
import { cancelMembership, changePaymentSource, switchMembership } from "../clinic/memberships/memberships.ts";
import { membershipWork } from "../clinic/memberships/renewals.ts";
import { silentLog } from "../log.ts";
import { Scheduler } from "./scheduler.ts";

let database: TestDatabase;
let stage: MembershipStage;

beforeEach(async () => {
  database = await createTestDatabase();
  stage = new MembershipStage(await createTestClinic(database.pools, { hasAcademy: true }));
});
afterEach(() => database.drop());

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
  return new MembershipStage(new TestClinic({ ...parts(clinic), clinic: made, webhookId: 0 }));
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

describe("a year of months", () => {
  test("is a record a month, each dated its own day with its own number, and one beginning", async () => {
    stage.moveTo("2027-01-31");
    const id = await stage.assign((await stage.plan()).id);
    await stage.liveUntil("2028-01-31");
    const news = await stage.news();
    expect(news.filter(isMembership)).toHaveLength(1);
    const invoices = news.flatMap(({ facts }) => ("invoice" in facts ? [facts.invoice] : []));
    expect(invoices.map(({ invoice_date }) => invoice_date.slice(2))).toEqual([
      ...["27-01-31", "27-02-28", "27-03-31", "27-04-30", "27-05-31", "27-06-30", "27-07-31"],
      ...["27-08-31", "27-09-30", "27-10-31", "27-11-30", "27-12-31", "28-01-31"],
    ]);
    expect(new Set(invoices.map(({ invoice_number }) => invoice_number)).size).toBe(13);
    expect(new Set(invoices.map(({ status }) => status))).toEqual(new Set(["paid"]));
    expect(await stage.view(id)).toMatchObject({ paymentsMade: 13, nextChargeOn: "2028-02-29" });
  });

  test("with a card that is declined for a while is tried again on days 1, 3 and 7, then paid, and nothing is told", async () => {
    const id = await stage.assign((await stage.plan()).id);
    await stage.liveUntil("2026-06-30");
    await useCard(id, "practice_card_declined");
    await stage.news();
    const retries: (string | null)[] = [];
    for (const day of ["2026-07-01", "2026-07-02", "2026-07-03", "2026-07-04"]) {
      await stage.liveUntil(day);
      retries.push((await stage.view(id)).retryOn);
    }
    expect(retries).toEqual(["2026-07-02", "2026-07-04", "2026-07-04", "2026-07-08"]);
    expect(await stage.records()).toEqual(["invoice.created 2026-07-01 draft"]);
    await useCard(id, "practice_card");
    await stage.scheduler().runOnce();
    expect(await stage.records()).toEqual(["invoice.updated 2026-07-01 paid"]);
    await stage.liveUntil("2026-12-31");
    const news = await stage.news();
    expect(news.filter(isMembership)).toEqual([]);
    expect(await stage.view(id)).toMatchObject({ state: "active", paymentsMade: 7, retryOn: null });
  });

  test("with a card that stays declined ends after the last try: cancelled, told once, and no further charge", async () => {
    const id = await stage.assign((await stage.plan()).id);
    await useCard(id, "practice_card_declined");
    await stage.news();
    await stage.liveUntil("2026-07-07");
    expect((await stage.news()).filter(isMembership)).toEqual([]);
    await stage.liveUntil("2026-10-01");
    expect(await stage.told()).toEqual([`membership.cancelled membership:${id}`]);
    expect(await stage.view(id)).toMatchObject({
      ...{ state: "cancelled", cancelReason: "payment_failed", accessUntil: "2026-07-08", retryOn: null },
      lastCharge: { on: "2026-07-01", outcome: "declined" },
    });
    expect(await chargedOn(id)).toEqual(["2026-06-01", "2026-07-01"]);
  });
});

describe("the first charge", () => {
  test("that is never paid ends the membership without a word, for it never began", async () => {
    const id = await stage.assign((await stage.plan()).id, { paymentSource: "practice_card_declined" });
    await stage.news();
    await stage.liveUntil("2026-07-01");
    expect(await stage.told()).toEqual([]);
    expect(await stage.view(id)).toMatchObject({ state: "cancelled", cancelReason: "payment_failed" });
  });

  test("that is paid at the third try begins the membership then", async () => {
    const id = await stage.assign((await stage.plan()).id, { paymentSource: "practice_card_declined" });
    await stage.liveUntil("2026-06-03");
    await stage.news();
    await useCard(id, "practice_card");
    await stage.scheduler().runOnce();
    const [record] = (await stage.view(id)).invoices;
    expect(await stage.told()).toEqual([`invoice.updated invoice:${record}`, `membership.started membership:${id}`]);
    expect(await stage.view(id)).toMatchObject({ state: "active", nextChargeOn: "2026-07-03" });
  });
});

describe("a fixed term", () => {
  test("ends by itself after its last period, and nobody is told", async () => {
    const id = await stage.assign((await stage.plan({ numberOfPayments: 3, recurrenceInterval: "week" })).id);
    await stage.news();
    await stage.liveUntil("2026-06-21");
    expect(await stage.view(id)).toMatchObject({ state: "active", nextChargeOn: null, paymentsMade: 3 });
    await stage.liveUntil("2026-07-31");
    expect(await stage.view(id)).toMatchObject({ state: "ended", accessUntil: "2026-06-22", paymentsMade: 3 });
    expect((await stage.news()).filter(isMembership)).toEqual([]);
  });
});

describe("a membership that is paid at the desk", () => {
  test("gets its record on the day, unpaid, and waits for nobody", async () => {
    const id = await stage.assign((await stage.plan({ price: 0 })).id, { paymentSource: "at_desk" });
    await sql`update memberships set price_minor = 8000 where id = ${id}`.execute(stage.clinic.owner);
    await stage.news();
    await stage.liveUntil("2026-08-02");
    expect(await stage.records()).toEqual(["invoice.created 2026-07-01 draft", "invoice.created 2026-08-01 draft"]);
    expect(await stage.view(id)).toMatchObject({ state: "active", lastCharge: { outcome: "awaiting" } });
  });
});

describe("after a standstill", () => {
  test("each missed period is charged by itself, dated its own day", async () => {
    stage.moveTo("2027-01-31");
    const id = await stage.assign((await stage.plan()).id);
    await stage.news();
    stage.moveTo("2027-05-01");
    await stage.scheduler().runOnce();
    const dates = ["2027-02-28", "2027-03-31", "2027-04-30"];
    expect(await stage.records()).toEqual(dates.map((date) => `invoice.created ${date} paid`));
    expect(await stage.view(id)).toMatchObject({ nextChargeOn: "2027-05-31" });
  });

  test("of months, a daily membership is charged for its last 31 days and no more", async () => {
    const id = await stage.assign((await stage.plan({ recurrenceInterval: "day" })).id);
    stage.moveTo("2026-12-31");
    await stage.scheduler().runOnce();
    const [, first, ...rest] = await chargedOn(id);
    expect([first, rest.at(-1), rest.length]).toEqual(["2026-12-01", "2026-12-31", 30]);
  });

  test("a decline holds up the periods behind it until it is paid", async () => {
    const id = await stage.assign((await stage.plan({ recurrenceInterval: "day" })).id);
    await useCard(id, "practice_card_declined");
    await stage.liveUntil("2026-06-04");
    expect(await chargedOn(id)).toEqual(["2026-06-01", "2026-06-02"]);
    await useCard(id, "practice_card");
    await stage.scheduler().runOnce();
    expect(await chargedOn(id)).toEqual(["2026-06-01", "2026-06-02", "2026-06-03", "2026-06-04"]);
  });
});

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
      select sum(total_minor)::bigint as paid from payments group by invoice_id`.execute(stage.clinic.owner);
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

describe("dates", () => {
  test.each([
    // the clocks go forward on March 8, and back on November 1
    ["America/Toronto", "2027-03-13T23:59:59-05:00", "2027-03-14T00:00:00-05:00"],
    ["America/Toronto", "2027-11-06T23:59:59-04:00", "2027-11-07T00:00:00-04:00"],
    ["Asia/Kathmandu", "2027-06-30T23:59:59+05:45", "2027-07-01T00:00:00+05:45"],
  ])("begin at midnight in %s, and not a second earlier", async (timeZone, before, on) => {
    const local = new MembershipStage(await createTestClinic(database.pools, { timeZone }));
    const first = Temporal.PlainDate.from(on.slice(0, 10)).subtract({ days: 1 });
    local.moveTo(first.toString());
    const id = await local.assign((await local.plan({ recurrenceInterval: "day" })).id);
    const { clock } = local.clinic;
    clock.advance(clock.now().until(Temporal.Instant.from(before)));
    expect(await local.scheduler().runOnce()).toBe(0);
    clock.advance(clock.now().until(Temporal.Instant.from(on)));
    expect(await local.scheduler().runOnce()).toBe(1);
    expect((await local.view(id)).lastCharge).toEqual({ on: on.slice(0, 10), outcome: "paid" });
  });
});

describe("the scheduler", () => {
  test("goes by the database's clock, wakes the dispatcher, and stops when it is told to", async () => {
    const id = await stage.assign((await stage.plan({ recurrenceInterval: "week" })).id);
    // The process's clock stands in June 2026 all the while.
    await sql`update memberships set due_at = now() - interval '1 second', next_period = 1,
      next_period_on = (now() at time zone 'America/Toronto')::date,
      anchor_on = (now() at time zone 'America/Toronto')::date - 7`.execute(stage.clinic.owner);
    let nudges = 0;
    const scheduler = new Scheduler({
      ...shared(),
      works: [membershipWork(practiceCard)],
      nudge: () => {
        nudges += 1;
      },
    });
    scheduler.start();
    await until("the dispatcher is woken", () => nudges);
    await scheduler.stop();
    expect(await stage.view(id)).toMatchObject({ paymentsMade: 2 });
    const { rows } = await sql`select last_charge.due_on = (now() at time zone 'America/Toronto')::date as today
      from membership_charges last_charge where number = 2`.execute(stage.clinic.owner);
    expect(rows).toEqual([{ today: true }]);
  });

  test("looks after all clinics, each in its own transactions and by its own calendar", async () => {
    const neighbour = await secondClinic();
    const ids = [await stage.assign((await stage.plan()).id), await neighbour.assign((await neighbour.plan()).id)];
    stage.clinic.clock.advance(stage.clinic.clock.now().until("2026-06-30T15:00:00Z")); // July in Tokyo
    await stage.scheduler().runOnce();
    expect(await stage.view(ids[0] ?? 0)).toMatchObject({ paymentsMade: 1 });
    expect(await neighbour.view(ids[1] ?? 0)).toMatchObject({ paymentsMade: 2, lastCharge: { on: "2026-07-01" } });
  });

  test("lets work that fails as a whole rest in that clinic alone, longer each time", async () => {
    const neighbour = await secondClinic();
    await stage.assign((await stage.plan()).id);
    await neighbour.assign((await neighbour.plan()).id);
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
    expect(asked.filter((clinicId) => clinicId === neighbour.clinic.id)).toHaveLength(8);
  });

  test("ends a cancelled membership's access and tells nobody; a switch before that is told in order", async () => {
    const id = await stage.assign((await stage.plan()).id);
    const other = await stage.plan({ name: "Weekly visits", recurrenceInterval: "week" });
    const newId = await stage.change((changes) => switchMembership(changes, id, other.id));
    await stage.change((changes) => cancelMembership(changes, newId, { by: "staff", at: "period_end" }));
    const facts = (await stage.news()).filter(isMembership).map((one) => one.facts as MembershipFacts);
    expect(facts.map(({ event, membership }) => [event, membership.id])).toEqual([
      ["membership.started", id],
      ["membership.cancelled", id],
      ["membership.started", newId],
      ["membership.cancelled", newId],
    ]);
    await stage.liveUntil("2026-06-30");
    expect((await stage.news()).filter(isMembership)).toEqual([]);
  });
});
