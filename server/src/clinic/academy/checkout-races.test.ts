/** Checkouts that expire in one transaction while another one wants to go on with them. */
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { TestAcademy } from "../../../test/academy.ts";
import { createTestClinic } from "../../../test/clinic.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/database.ts";
import { refusalOf } from "../../../test/refusal.ts";
import { until } from "../../../test/until.ts";
import type { Tx } from "../../db/schema.ts";
import { silentLog } from "../../log.ts";
import type { PatientRow } from "../people.ts";
import { listParticipants } from "./academy-views.ts";
import { checkoutWork, completeCheckout } from "./checkouts.ts";
import type { ItemRow } from "./items.ts";

let database: TestDatabase;
let academy: TestAcademy;
let patient: PatientRow;
let course: ItemRow;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

beforeEach(async () => {
  academy = new TestAcademy(await createTestClinic(database.pools, { hasAcademy: true }));
  patient = await academy.clinic.patient();
  course = await academy.item();
});

const participants = async ({ type, id }: ItemRow) => {
  const list = { clinicId: academy.clinic.id, type, id, limit: 10 };
  const rows = await academy.clinic.inTransaction((tx) => listParticipants(tx, list));
  return rows.map((row) => [row.patient.id, row.how]);
};

/** Whether somebody waits for a lock in this database. */
const isWaiting = async () => {
  const waiting = sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  return (await waiting.execute(academy.clinic.owner)).rows.length > 0;
};

/** The scheduler's work on checkouts, a day from now. Returns how many it has closed. */
function expiring(tx: Tx): Promise<number> {
  const { context, clock } = academy.clinic;
  return checkoutWork.runDue(
    tx,
    { ...context, log: silentLog(), signal: new AbortController().signal },
    clock.now().add({ hours: 24 }),
    10,
  );
}

const refusedCode = async (work: () => Promise<unknown>) => (await refusalOf(work)).code;

describe("a checkout", () => {
  test("that expires while it is being paid is not paid: whoever asks waits, and hears that it is closed", async () => {
    const { id } = await academy.start(course, patient.id);
    await academy.news();
    let paying: Promise<string> | undefined;
    await academy.clinic.inTransaction(async (tx) => {
      expect(await expiring(tx)).toBe(1);
      paying = refusedCode(() => academy.complete(id));
      await until("the payment waits for the expiry", isWaiting);
    });
    expect(await paying).toBe("checkout_expired");
    expect((await academy.checkout(id)).state).toBe("expired");
    expect(await participants(course)).toEqual([]);
    expect(await academy.news()).toEqual([]);
  });

  test("that is being paid is left alone by the expiry, which goes past it", async () => {
    const { id } = await academy.start(course, patient.id);
    await academy.clinic.inTransaction(async (tx) => {
      await completeCheckout(tx, academy.clinic.context, id);
      expect(await academy.clinic.inTransaction(expiring)).toBe(0);
    });
    expect((await academy.checkout(id)).state).toBe("completed");
    expect(await participants(course)).toEqual([[patient.id, "bought"]]);
  });

  test("that expires while it is opened again gives way to a new session", async () => {
    const { id } = await academy.start(course, patient.id);
    let again: Promise<{ id: number; started: boolean }> | undefined;
    await academy.clinic.inTransaction(async (tx) => {
      expect(await expiring(tx)).toBe(1);
      again = academy.start(course, patient.id);
      await until("the start waits for the expiry", isWaiting);
    });
    expect(await again).toMatchObject({ started: true });
    expect((await again)?.id).not.toBe(id);
  });
});
