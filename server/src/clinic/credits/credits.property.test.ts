/** Whatever is done in whatever order, a credit and the payments that came from it tell the same story. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestClinic } from "../../../test/clinic.ts";
import { cash, TestCredits } from "../../../test/credits.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/database.ts";
import { ProblemError } from "../../errors.ts";
import type { InvoiceChanges } from "../billing/invoice-changes.ts";
import {
  addPayment,
  changePayment,
  deductCredits,
  deletePayment,
  refundPayment,
  transferPayment,
} from "../billing/payments.ts";

const RUNS = 12;
const ACTIONS_MAX = 12;

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** A clinic with one package of 500.00 for 600.00 and two invoices of one patient. */
async function stage() {
  const credits = new TestCredits(await createTestClinic(database.pools));
  const { id: clientId } = await credits.clinic.patient();
  const { creditId, invoiceId: recordId } = await credits.package(clientId);
  const invoices = [await credits.invoice(clientId, 400_00), await credits.invoice(clientId, 400_00)] as const;
  return { credits, creditId, recordId, invoices };
}
type Stage = Awaited<ReturnType<typeof stage>>;

interface Action {
  readonly what: (typeof WHAT)[number];
  /** Which of the invoices, and which of the payments there are, counted round. */
  readonly at: number;
  readonly totalMinor: number;
}
const WHAT = [
  "pay",
  "deduct",
  "edit",
  "delete",
  "refund",
  "transfer",
  "refund record",
  "pay record",
  "unpay record",
] as const;

const ACTION: fc.Arbitrary<Action> = fc.record({
  what: fc.constantFrom(...WHAT),
  at: fc.nat({ max: 3 }),
  totalMinor: fc.integer({ min: 1, max: 400_00 }),
});

/** Does it, or is refused; anything else that is thrown is a bug. */
async function act(at: Stage, action: Action): Promise<void> {
  try {
    await perform(at, action);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
  }
}

async function perform(at: Stage, action: Action): Promise<void> {
  const { credits, creditId, recordId } = at;
  const ofRecord = action.what.endsWith("record");
  const known = ofRecord ? await payments("invoice_id = $1", recordId) : await payments("credit_id = $1", creditId);
  const picked = known[action.at];
  await credits.change(async (changes) => {
    if (picked === undefined) await add(changes, at, action);
    else await touch(changes, at, { ...action, picked });
  });
}

/** A new payment, also where there is none yet to act on. */
async function add(changes: InvoiceChanges, { creditId, recordId, invoices }: Stage, { what, at, totalMinor }: Action) {
  const invoiceId = invoices[at % 2 === 0 ? 0 : 1];
  if (what.endsWith("record")) await addPayment(changes, recordId, cash(totalMinor));
  else if (what === "deduct") await deductCredits(changes, invoiceId);
  else await addPayment(changes, invoiceId, { method: "package", totalMinor, creditId });
}

async function touch(changes: InvoiceChanges, stage: Stage, action: Action & { picked: number }): Promise<void> {
  const { what, at, totalMinor, picked } = action;
  if (what === "edit") return changePayment(changes, picked, { totalMinor });
  if (what === "delete" || what === "unpay record") return deletePayment(changes, picked);
  if (what === "refund" || what === "refund record") return refundPayment(changes, picked, { totalMinor });
  if (what !== "transfer") return add(changes, stage, action);
  return transferPayment(changes, picked, { toInvoiceId: stage.invoices[at % 2 === 0 ? 1 : 0], totalMinor });
}

async function payments(where: string, id: number): Promise<number[]> {
  const { rows } = await database.pools.owner.query(`select id from payments where ${where} order by id`, [id]);
  return rows.map((row) => row.id);
}

/** What the rows say: the credit's own, and what its payments and its record's add up to. */
async function books({ creditId, recordId }: Stage) {
  const { rows } = await database.pools.owner.query(
    `with net as (
       select p.invoice_id, p.credit_id, p.total_minor as paid,
         coalesce((select sum(r.total_minor) from refunds r where r.payment_id = p.id), 0) as back
       from payments p where p.credit_id = $1 or p.invoice_id = $2)
     select entitled_minor as entitled, drawn_minor as drawn,
       (select coalesce(sum(paid - back), 0)::bigint from net where credit_id = $1) as used,
       (select coalesce(sum(paid), 0)::bigint from net where invoice_id = $2) as paid,
       (select coalesce(sum(back), 0)::bigint from net where invoice_id = $2) as back
     from credits where id = $1`,
    [creditId, recordId],
  );
  return rows[0] as Record<"entitled" | "drawn" | "used" | "paid" | "back", number>;
}

test("drawn is what its payments hold, opened is what its record's money pays for, and no event is about a credit", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(ACTION, { minLength: 4, maxLength: ACTIONS_MAX }), async (actions) => {
      const at = await stage();
      for (const action of actions) {
        await at.credits.news();
        await act(at, action);
        const { entitled, drawn, used, paid, back } = await books(at);
        expect(drawn).toBe(used);
        expect(drawn).toBeLessThanOrEqual(entitled);
        const net = paid - back;
        const opened = net >= 500_00 ? 600_00 : paid < 500_00 ? 0 : Math.floor((600_00 * net) / 500_00);
        expect(entitled).toBe(opened);
        const told = await at.credits.news();
        const ofRecord = told.filter(({ subject }) => subject === `invoice:${at.recordId}`);
        expect(ofRecord.length).toBeLessThanOrEqual(action.what.endsWith("record") ? 1 : 0);
      }
    }),
    { numRuns: RUNS },
  );
});
