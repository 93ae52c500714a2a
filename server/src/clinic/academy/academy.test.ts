/** Checkouts and access, up to what the outbox stores of them (contract §1, §2, §7). */
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { TestAcademy } from "../../../test/academy.ts";
import { createTestClinic } from "../../../test/clinic.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/database.ts";
import { briefOf, refusalOf } from "../../../test/refusal.ts";
import type { PatientRow } from "../people.ts";
import { listParticipants } from "./academy-views.ts";
import { removeAccess, withdrawMembershipAccess } from "./access.ts";
import { expireCheckout } from "./checkouts.ts";
import { changeItem, type ItemRow } from "./items.ts";

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

const change = (item: ItemRow, changed: object) =>
  academy.clinic.inTransaction((tx) =>
    changeItem(tx, { clinicId: academy.clinic.id, type: item.type, id: item.id }, changed),
  );

const participants = async ({ type, id }: ItemRow) => {
  const list = { clinicId: academy.clinic.id, type, id, limit: 10 };
  const rows = await academy.clinic.inTransaction((tx) => listParticipants(tx, list));
  return rows.map((row) => [row.patient.id, row.how]);
};

const remove = ({ type, id: itemId }: ItemRow, patientId: number) =>
  academy.clinic.inTransaction((tx) => removeAccess(tx, academy.clinic.id, { type, itemId, patientId }));

const refusedCode = async (work: () => Promise<unknown>) => (await refusalOf(work)).code;

describe("a checkout", () => {
  test("is told once, when its session is created, without a payment", async () => {
    const webinar = await academy.item({ type: "webinar", name: "Sleep and recovery", startsAt: "2026-07-01T18:00" });
    const { id, started } = await academy.start(webinar, patient.id);
    expect(started).toBe(true);
    const { subject } = await academy.checkout(id);
    expect(await academy.news()).toEqual([
      {
        ...{ subject, subjectVersion: 1, parts: 1 },
        facts: {
          event: "webinar.checkout_process_started",
          resource: { type: "webinar", name: "Sleep and recovery", id: webinar.id },
          additional_data: {},
          client: { id: patient.id, name: "Sam Sample", email: "sam.sample@example.test" },
        },
      },
    ]);
    expect(subject).toMatch(/^webinar-access:\d+$/);
    expect(await academy.start(webinar, patient.id)).toEqual({ id, started: false });
    expect(await academy.news()).toEqual([]);
  });

  test("asked for five times at once is one session and one event", async () => {
    const starts = await Promise.all(Array.from({ length: 5 }, () => academy.start(course, patient.id)));
    expect(new Set(starts.map(({ id }) => id)).size).toBe(1);
    expect(starts.filter(({ started }) => started)).toHaveLength(1);
    expect(await academy.told()).toHaveLength(1);
  });

  test("gives access with the payment of its creation, rounded half up, and makes no invoice", async () => {
    const odd = await academy.item({ price: 10.1, taxRate: 5 });
    const { id } = await academy.start(odd, patient.id);
    const { subject } = await academy.checkout(id);
    await academy.news();
    await change(odd, { price: 1_000, taxRate: 0 });
    await academy.complete(id);
    expect(await academy.news()).toEqual([
      {
        ...{ subject, subjectVersion: 2, parts: 1 },
        facts: {
          event: "course_participant.added",
          resource: { type: "course", name: "Back care at home", id: odd.id },
          additional_data: {},
          payment: { subtotal: 10.1, taxes: 0.51, total: 10.61 },
          client: { id: patient.id, name: "Sam Sample", email: "sam.sample@example.test" },
        },
      },
    ]);
    expect(await participants(odd)).toEqual([[patient.id, "bought"]]);
    await academy.complete(id);
    expect(await academy.news()).toEqual([]);
    const { rows } = await sql`select 1 from invoices where clinic_id = ${academy.clinic.id}`.execute(
      academy.clinic.owner,
    );
    expect(rows).toEqual([]);
  });

  test.each([
    ["jpy", 5000, { subtotal: 5000, taxes: 650, total: 5650 }],
    ["kwd", 1.25, { subtotal: 1.25, taxes: 0.163, total: 1.413 }],
  ])("in %s has that currency's decimals", async (currency, price, payment) => {
    const { id } = await academy.start(await academy.item({ currency, price }), patient.id);
    await academy.complete(id);
    expect((await academy.news()).at(-1)?.facts).toMatchObject({ payment });
  });

  test("completed five times at once gives access once", async () => {
    const { id } = await academy.start(course, patient.id);
    await Promise.all(Array.from({ length: 5 }, () => academy.complete(id)));
    expect((await academy.told()).map((event) => event.split(" ")[0])).toEqual([
      "course.checkout_process_started",
      "course_participant.added",
    ]);
  });

  test("expires 24 hours after it was created, which nobody is told; the next one is a new session", async () => {
    const { id } = await academy.start(course, patient.id);
    await academy.pass({ hours: 23, minutes: 59 });
    expect((await academy.checkout(id)).state).toBe("open");
    await academy.pass({ minutes: 1 });
    expect((await academy.checkout(id)).state).toBe("expired");
    expect(await refusedCode(() => academy.complete(id))).toBe("checkout_expired");
    const next = await academy.start(course, patient.id);
    expect(next.started).toBe(true);
    const { subject } = await academy.checkout(next.id);
    expect(await academy.told()).toEqual([
      `course.checkout_process_started ${subject} 1`,
      `course.checkout_process_started ${subject} 2`,
    ]);
  });

  test("whose time is over counts as expired before the scheduler has looked", async () => {
    const { id } = await academy.start(course, patient.id);
    academy.clinic.clock.advance({ hours: 24 });
    expect(await refusedCode(() => academy.complete(id))).toBe("checkout_expired");
    expect((await academy.start(course, patient.id)).started).toBe(true);
    expect((await academy.checkout(id)).state).toBe("expired");
  });

  test("that staff close is told to nobody; one that was paid is not closed", async () => {
    const expire = (id: number) => academy.clinic.inTransaction((tx) => expireCheckout(tx, academy.clinic.context, id));
    const { id } = await academy.start(course, patient.id);
    await academy.news();
    await expire(id);
    await expire(id);
    expect((await academy.checkout(id)).state).toBe("expired");
    const paid = await academy.start(course, patient.id);
    await academy.complete(paid.id);
    expect(await refusedCode(() => expire(paid.id))).toBe("checkout_completed");
    expect(await academy.told()).toHaveLength(2);
  });

  test("that is open is closed when the patient gains access another way, so that nobody pays for what he has", async () => {
    const { id } = await academy.start(course, patient.id);
    await academy.enrol(course, patient.id);
    expect((await academy.checkout(id)).state).toBe("expired");
    expect(await refusedCode(() => academy.complete(id))).toBe("checkout_expired");
    expect(await refusedCode(() => academy.start(course, patient.id))).toBe("already_participant");
  });

  test("is refused for what is free or not offered, and changes nothing", async () => {
    const free = await academy.item({ price: 0 });
    expect(await refusedCode(() => academy.start(free, patient.id))).toBe("free_item");
    await change(course, { active: false });
    expect(await refusedCode(() => academy.start(course, patient.id))).toBe("item_inactive");
    expect(await refusedCode(() => academy.enrol(course, patient.id))).toBe("item_inactive");
    expect(await academy.news()).toEqual([]);
  });
});

describe("access", () => {
  test.each(["free", "granted"] as const)("that is %s is told with zeros, and once", async (how) => {
    const item = await academy.item({ type: "webinar", price: how === "free" ? 0 : 40 });
    const { placeId, added } = await academy.enrol(item, patient.id, how);
    expect(added).toBe(true);
    expect(await academy.news()).toMatchObject([
      {
        subject: `webinar-access:${placeId}`,
        facts: { event: "webinar_participant.added", payment: { subtotal: 0, taxes: 0, total: 0 } },
      },
    ]);
    expect(await academy.enrol(item, patient.id, "granted")).toEqual({ placeId, added: false });
    expect(await academy.news()).toEqual([]);
    expect(await participants(item)).toEqual([[patient.id, how]]);
  });

  test("is free only where the price is zero", async () => {
    expect(briefOf(await refusalOf(() => academy.enrol(course, patient.id, "free")))).toEqual({
      ...{ status: 409, code: "not_free", fields: ["how"] },
    });
  });

  test("gained several ways at once is told once, and its versions rise in the order of the commits", async () => {
    const { id } = await academy.start(course, patient.id);
    await academy.news();
    const ways = await Promise.allSettled([
      academy.complete(id),
      academy.enrol(course, patient.id),
      academy.grant(course, patient.id, "membership"),
      academy.enrol(course, patient.id),
    ]);
    // The sale alone may be refused: somebody was quicker, and the session is closed.
    expect(ways.slice(1).map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "fulfilled"]);
    const { subject } = await academy.checkout(id);
    expect(await academy.told()).toEqual([`course_participant.added ${subject} 2`]);
  });

  test("through a membership ends with it, silently, unless the patient has it in his own right, too", async () => {
    const key = { itemId: course.id, patientId: patient.id };
    const withdraw = () =>
      academy.clinic.inTransaction((tx) => withdrawMembershipAccess(tx, academy.clinic.context, key));
    await academy.grant(course, patient.id, "membership");
    expect(await participants(course)).toEqual([[patient.id, "membership"]]);
    expect(await refusedCode(() => remove(course, patient.id))).toBe("through_membership");
    await withdraw();
    expect(await participants(course)).toEqual([]);
    await academy.grant(course, patient.id, "membership");
    await academy.enrol(course, patient.id);
    await withdraw();
    await withdraw();
    expect(await participants(course)).toEqual([[patient.id, "granted"]]);
    expect((await academy.told()).map((event) => event.replace(/ .* /, " "))).toEqual([
      "course_participant.added 1",
      "course_participant.added 2",
    ]);
  });

  test("that is taken away is told to nobody; gained again, it is told again about the same subject", async () => {
    const { placeId } = await academy.enrol(course, patient.id);
    await remove(course, patient.id);
    expect(briefOf(await refusalOf(() => remove(course, patient.id)))).toMatchObject({ status: 404 });
    await academy.enrol(course, patient.id);
    expect(await academy.told()).toEqual([
      `course_participant.added course-access:${placeId} 1`,
      `course_participant.added course-access:${placeId} 2`,
    ]);
  });

  test("never has a subject that other software's events have taken", async () => {
    const { placeId } = await academy.enrol(course, patient.id);
    const other = await academy.clinic.patient("Test Example", null);
    await sql`insert into subjects (clinic_id, subject, version)
      values (${academy.clinic.id}, ${`course-access:${placeId + 1}`}, 7)`.execute(academy.clinic.owner);
    expect((await academy.enrol(course, other.id)).placeId).toBe(placeId + 2);
    expect((await academy.told()).at(-1)).toBe(`course_participant.added course-access:${placeId + 2} 1`);
  });
});

describe("courses and webinars", () => {
  test("tell nothing when they change, and later events carry the new name", async () => {
    const { id } = await academy.start(course, patient.id);
    await academy.news();
    await change(course, { name: "Back care for all", price: 5 });
    expect(await academy.news()).toEqual([]);
    await academy.complete(id);
    expect((await academy.news())[0]?.facts.resource.name).toBe("Back care for all");
  });

  test.each([
    [{ name: " " }, ["name"]],
    [{ price: -1 }, ["price"]],
    [{ price: 10.001 }, ["price"]],
    [{ taxRate: 101 }, ["tax_rate"]],
    [{ currency: "xyz" }, ["currency"]],
    [{ startsAt: "2026-07-01T18:00" }, ["starts_at"]],
    [{ type: "webinar", startsAt: "tomorrow" }, ["starts_at"]],
  ] as const)("are refused for %j", async (changed, fields) => {
    expect(briefOf(await refusalOf(() => academy.item(changed)))).toEqual({
      ...{ status: 400, code: "invalid_request", fields },
    });
  });

  test("need the academy, whichever way is tried", async () => {
    const { owner, id } = academy.clinic;
    const checkout = await academy.start(course, patient.id);
    await sql`update clinics set has_academy = false where id = ${id}`.execute(owner);
    for (const work of [
      () => academy.item(),
      () => change(course, { price: 1 }),
      () => academy.start(course, patient.id),
      () => academy.complete(checkout.id),
      () => academy.enrol(course, patient.id),
      () => academy.grant(course, patient.id, "membership"),
      () => remove(course, patient.id),
    ]) {
      expect(briefOf(await refusalOf(work))).toMatchObject({ status: 409, code: "no_academy" });
    }
  });
});
