/** Courses and webinars through a membership: gained, kept, lost (contract §1). */
import type { AccessFacts } from "@hookwell/sdk";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestClinic } from "../../../test/clinic.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/database.ts";
import { MembershipStage } from "../../../test/memberships.ts";
import { briefOf, refusalOf } from "../../../test/refusal.ts";
import { enrol } from "../academy/access.ts";
import { addItem } from "../academy/items.ts";
import { lockPlace } from "../academy/places.ts";
import { cancelMembership, resumeMembership, switchMembership } from "./memberships.ts";
import { changePlan } from "./plans.ts";

let database: TestDatabase;
let stage: MembershipStage;
let course: number;
let webinar: number;
let patient: number;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

beforeEach(async () => {
  stage = new MembershipStage(await createTestClinic(database.pools, { hasAcademy: true }));
  course = await item("course");
  webinar = await item("webinar");
  patient = (await stage.clinic.patient()).id;
});
afterEach(() => stage.close());

const item = (type: "course" | "webinar") =>
  stage.clinic.inTransaction(async (tx) => {
    const { id } = await addItem(tx, stage.clinic.id, { type, name: `Invented ${type}`, price: 40 });
    return id;
  });
const library = (itemIds: readonly number[]) =>
  stage.plan({ type: "academy_membership", name: "Movement library", itemIds });
const setItems = (id: number, itemIds: readonly number[]) =>
  stage.clinic.inTransaction((tx) => changePlan(tx, stage.clinic.context, { id, change: { itemIds } }));
const cancel = (id: number, at: "now" | "period_end") =>
  stage.change((changes) => cancelMembership(changes, id, { by: "staff", at }));

/** Whether the patient is a participant. */
const isIn = (itemId: number, patientId = patient) =>
  stage.clinic.inTransaction(async (tx) => {
    const place = await lockPlace(tx, stage.clinic.id, { itemId, patientId });
    return place !== undefined && place.participantSince !== null;
  });
/** The names of the events since the last call. */
const told = async () => (await stage.news()).map(({ facts }) => (facts as { event: string }).event);

describe("a membership that begins", () => {
  test("opens all items of its plan, each told once and with nothing paid", async () => {
    await stage.assign((await library([webinar, course])).id, { clientId: patient });
    const news = await stage.news();
    expect(news.map(({ facts }) => (facts as AccessFacts<"course">).event)).toEqual([
      ...["membership.started", "course_participant.added", "webinar_participant.added"],
    ]);
    expect(news[1]?.facts).toMatchObject({
      resource: { type: "course", id: course },
      payment: { subtotal: 0, taxes: 0, total: 0 },
      client: { id: patient },
    });
  });

  test("opens nothing before it is paid", async () => {
    await stage.assign((await library([course])).id, { clientId: patient, paymentSource: "at_desk" });
    expect([await told(), await isIn(course)]).toEqual([[], false]);
  });

  test("tells nothing of an item that the patient has already", async () => {
    const wanted = { type: "course", itemId: course, patientId: patient, how: "granted" } as const;
    await stage.clinic.inTransaction((tx) => enrol(tx, stage.clinic.context, wanted));
    await stage.news();
    const id = await stage.assign((await library([course])).id, { clientId: patient });
    expect(await told()).toEqual(["membership.started"]);
    await cancel(id, "now");
    expect([await told(), await isIn(course)]).toEqual([["membership.cancelled"], true]);
  });
});

describe("a cancelled membership", () => {
  test("keeps its items open until what was paid for is over, and closes them without a word", async () => {
    const id = await stage.assign((await library([course])).id, { clientId: patient });
    await cancel(id, "period_end");
    await stage.news();
    await stage.liveUntil("2026-06-30");
    expect(await isIn(course)).toBe(true);
    await stage.liveUntil("2026-07-01");
    expect([await told(), await isIn(course)]).toEqual([[], false]);
  });

  test("that ended at once and is taken up again opens them again, and that is told", async () => {
    const id = await stage.assign((await library([course])).id, { clientId: patient });
    await cancel(id, "now");
    expect(await isIn(course)).toBe(false);
    await stage.news();
    await stage.change((changes) => resumeMembership(changes, id));
    expect(await told()).toEqual(["membership.started", "course_participant.added"]);
  });

  test("does not close what another membership of the patient opens", async () => {
    const ids = [await library([course, webinar]), await library([course])];
    const [first] = [await stage.assign(ids[0]?.id ?? 0, { clientId: patient })];
    await stage.assign(ids[1]?.id ?? 0, { clientId: patient });
    await cancel(first, "now");
    expect([await isIn(course), await isIn(webinar)]).toEqual([true, false]);
  });
});

describe("a switch", () => {
  test("tells of what is new alone, and closes what the new plan does not open", async () => {
    const extra = await item("course");
    const [old, next] = [await library([course, webinar]), await library([course, extra])];
    const id = await stage.assign(old.id, { clientId: patient });
    await stage.news();
    await stage.change((changes) => switchMembership(changes, id, next.id));
    expect(await told()).toEqual(["membership.cancelled", "membership.started", "course_participant.added"]);
    expect([await isIn(course), await isIn(webinar), await isIn(extra)]).toEqual([true, false, true]);
  });
});

describe("a plan whose items change", () => {
  test("opens what is added and closes what is taken off, for its members alone", async () => {
    const plan = await library([course]);
    const [member, other] = [patient, await stage.clinic.patient()];
    await stage.assign(plan.id, { clientId: member });
    await stage.assign(plan.id, { clientId: other.id, paymentSource: "at_desk" });
    await stage.news();
    await setItems(plan.id, [webinar]);
    expect(await told()).toEqual(["webinar_participant.added"]);
    expect([await isIn(course), await isIn(webinar), await isIn(webinar, other.id)]).toEqual([false, true, false]);
  });

  test("misses nobody whose membership begins at the same moment", async () => {
    const plan = await library([]);
    const patients = await stage.clinic.patients(8);
    await Promise.all([
      ...patients.map((clientId) => stage.assign(plan.id, { clientId })),
      setItems(plan.id, [course, webinar]),
    ]);
    for (const clientId of patients) {
      expect([await isIn(course, clientId), await isIn(webinar, clientId)]).toEqual([true, true]);
    }
  });

  test("for too many members at once is refused as a whole", async () => {
    const plan = await library([]);
    const items: number[] = [];
    for (let at = 0; at < 84; at += 1) items.push(await item("course"));
    for (const clientId of await stage.clinic.patients(6)) await stage.assign(plan.id, { clientId });
    const refused = await refusalOf(() => setItems(plan.id, items));
    expect(briefOf(refused)).toEqual({ status: 409, code: "too_many_places", fields: ["item_ids"] });
    expect(await isIn(items[0] ?? 0)).toBe(false);
  });
});
