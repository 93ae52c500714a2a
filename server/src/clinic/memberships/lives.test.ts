/** Random lives of memberships, with random days between, against what a receiver may believe and a patient may be charged. */
import type { MembershipFacts } from "@hookwell/sdk";
import fc from "fast-check";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestClinic } from "../../../test/clinic.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/database.ts";
import { isMembership, MembershipStage } from "../../../test/memberships.ts";
import { ProblemError } from "../../errors.ts";
import type { MembershipChanges } from "./membership-changes.ts";
import {
  cancelMembership,
  changePaymentSource,
  markPaid,
  pauseMembership,
  resumeMembership,
  switchMembership,
} from "./memberships.ts";

let database: TestDatabase;
let stage: MembershipStage;
let plans: number[];

beforeAll(async () => {
  database = await createTestDatabase();
  stage = new MembershipStage(await createTestClinic(database.pools, { hasAcademy: true }));
  const monthly = await stage.plan({ recurrenceInterval: "week", creditValue: 5 });
  const library = await stage.plan({ type: "academy_membership", name: "Library", recurrenceInterval: "month" });
  const term = await stage.plan({ name: "Three days", recurrenceInterval: "day", numberOfPayments: 3 });
  plans = [monthly.id, library.id, term.id];
});
afterAll(() => database.drop());

type Act = (changes: MembershipChanges, id: number) => Promise<unknown>;

const ACTS: Readonly<Record<string, Act>> = {
  cancel: (changes, id) => cancelMembership(changes, id, { by: "patient", at: "now" }),
  announce: (changes, id) => cancelMembership(changes, id, { by: "staff", at: "period_end" }),
  resume: resumeMembership,
  pause: pauseMembership,
  accept: (changes, id) => changePaymentSource(changes, id, "practice_card"),
  refuse: (changes, id) => changePaymentSource(changes, id, "practice_card_declined"),
  atDesk: (changes, id) => changePaymentSource(changes, id, "at_desk"),
  markPaid,
};

const step = fc.oneof(
  fc.record({ days: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ act: fc.constantFrom(...Object.keys(ACTS)) }),
  fc.record({ switchTo: fc.nat(2) }),
);
type Step = { readonly days?: number; readonly act?: string; readonly switchTo?: number };

/** A refusal is an answer, too, and has to leave everything as it was. */
async function live(id: number, { days, act, switchTo }: Step): Promise<number> {
  if (days !== undefined) {
    stage.clinic.clock.advance({ days });
    await stage.scheduler().runOnce();
    return id;
  }
  const work = act === undefined ? null : ACTS[act];
  try {
    return await stage.change(async (changes) => {
      if (work == null) return switchMembership(changes, id, plans[switchTo ?? 0] ?? 0);
      await work(changes, id);
      return id;
    });
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return id;
  }
}

/** Started and cancelled take turns, versions rise by one, and what is active was told as started. */
async function checkTold(believed: Map<number, string>): Promise<void> {
  for (const { facts, subject, subjectVersion } of (await stage.news()).filter(isMembership)) {
    const { event, membership } = facts as MembershipFacts;
    expect(subject).toBe(`membership:${membership.id}`);
    expect(event).toBe(subjectVersion % 2 ? "membership.started" : "membership.cancelled");
    believed.set(membership.id, event);
  }
  for (const [id, event] of believed) {
    const { state } = await stage.view(id);
    if (state !== "ended") expect([id, state === "cancelled"]).toEqual([id, event === "membership.cancelled"]);
  }
}

/** No period twice, none after the membership was over, and no record with more than its total. */
async function checkCharges(): Promise<void> {
  const { rows: wrong } = await sql`
    select c.membership_id, c.number from membership_charges c
      join membership_charges d using (clinic_id, membership_id)
      where d.number > c.number and d.due_on <= c.due_on
    union all select id, 0 from memberships where number_of_payments < charges_made
    union all select id, 0 from memberships where due_at is null and state = 'active'
    union all select i.id, 0 from invoices i where i.total_minor < (select coalesce(sum(p.total_minor), 0)
      from payments p where p.clinic_id = i.clinic_id and p.invoice_id = i.id)`.execute(stage.clinic.owner);
  expect(wrong).toEqual([]);
}

test("whatever is done and whatever time passes, receivers are told right and nobody is charged twice", async () => {
  const sources = fc.constantFrom("practice_card", "practice_card_declined", "at_desk");
  await fc.assert(
    fc.asyncProperty(fc.nat(2), sources, fc.array(step, { maxLength: 20 }), async (plan, paymentSource, steps) => {
      const believed = new Map<number, string>();
      let id = await stage.assign(plans[plan] ?? 0, { paymentSource });
      for (const one of steps) id = await live(id, one);
      await checkTold(believed);
      await checkCharges();
      await stage.change((changes) => cancelMembership(changes, id, { by: "staff", at: "now" })).catch(() => {});
      await checkTold(believed);
    }),
    { numRuns: 15 },
  );
});
