/** What time brings about in memberships: a year of periods, declines, terms, standstills, the calendar's edges. */
import type { MembershipFacts } from "@hookwell/sdk";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { createTestClinic } from "../../../test/clinic.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/database.ts";
import { isMembership, MembershipStage } from "../../../test/memberships.ts";
import { cancelMembership, changePaymentSource, switchMembership } from "./memberships.ts";

let database: TestDatabase;
let stage: MembershipStage;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

beforeEach(async () => {
  stage = new MembershipStage(await createTestClinic(database.pools, { hasAcademy: true }));
});
afterEach(() => stage.close());

const useCard = (id: number, card: "practice_card" | "practice_card_declined") =>
  stage.change((changes) => changePaymentSource(changes, id, card));

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

describe("another way to pay", () => {
  test.each(["at_desk", "practice_card"] as const)(
    "begins the tries anew: %s, then a declined card",
    async (between) => {
      const id = await stage.assign((await stage.plan()).id);
      await useCard(id, "practice_card_declined");
      await stage.liveUntil("2026-07-05");
      await stage.change((changes) => changePaymentSource(changes, id, between));
      stage.moveTo("2026-07-20");
      await useCard(id, "practice_card_declined");
      await stage.news();
      await stage.scheduler().runOnce();
      expect(await stage.view(id)).toMatchObject({ state: "active", retryOn: "2026-07-21" });
      await stage.liveUntil("2026-07-26");
      expect(await stage.told()).toEqual([]);
      await stage.liveUntil("2026-07-27");
      expect(await stage.told()).toEqual([`membership.cancelled membership:${id}`]);
    },
  );
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

describe("dates", () => {
  test.each([
    // the clocks go forward on March 8, and back on November 1
    ["America/Toronto", "2027-03-13T23:59:59-05:00", "2027-03-14T00:00:00-05:00"],
    ["America/Toronto", "2027-11-06T23:59:59-04:00", "2027-11-07T00:00:00-04:00"],
    ["Asia/Kathmandu", "2027-06-30T23:59:59+05:45", "2027-07-01T00:00:00+05:45"],
  ])("begin at midnight in %s, and not a second earlier", async (timeZone, before, on) => {
    const local = new MembershipStage(await createTestClinic(database.pools, { timeZone }));
    onTestFinished(() => local.close());
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

describe("a period that was announced as the last", () => {
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
