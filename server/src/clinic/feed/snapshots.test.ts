import type { InvoiceFacts, MembershipFacts } from "@hookwell/sdk";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestClinic, type TestClinic } from "../../../test/clinic.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/database.ts";
import { givenConsult, givenInvoice, givenMembership, PAT, putInto, ROBIN, SAM } from "../../../test/feed.ts";
import { briefOf, refusalOf } from "../../../test/refusal.ts";

let database: TestDatabase;
let clinic: TestClinic;
let put: ReturnType<typeof putInto>;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  clinic = await createTestClinic(database.pools);
  put = putInto(clinic);
});

/** Event, subject, version and who it is about. */
const brief = async () =>
  (await clinic.news()).map(({ subject, subjectVersion, facts }) => [
    facts.event,
    subject,
    subjectVersion,
    facts.participants.map(({ id }) => id),
  ]);

describe("a consult's snapshots", () => {
  test("make the events of contract §3: new, moved, joined, left, cancelled, restored", async () => {
    const id = { id: 90210 };
    expect(await put.consult(id, givenConsult())).toEqual({
      ...{ id: 90210, events: ["participant.added"], isNew: true, unchanged: false },
    });
    await put.consult(id, givenConsult({ durationMinutes: 60, participants: [SAM, ROBIN] }));
    await put.consult(id, givenConsult({ durationMinutes: 60, participants: [ROBIN] }));
    await put.consult(id, givenConsult({ durationMinutes: 60, cancelled: true, participants: [] }));
    await put.consult(id, givenConsult({ durationMinutes: 60, participants: [ROBIN] }));
    expect(await brief()).toEqual([
      ["participant.added", "consult:90210", 1, [SAM.id]],
      ["consult.updated", "consult:90210", 2, [SAM.id]],
      ["participant.added", "consult:90210", 3, [ROBIN.id]],
      ["participant.removed", "consult:90210", 4, [SAM.id]],
      ["participant.removed", "consult:90210", 5, [ROBIN.id]],
      ["participant.added", "consult:90210", 6, [ROBIN.id]],
    ]);
  });

  test("carry the names of the snapshot, and whoever is gone is called as before", async () => {
    await put.consult({ id: 1 }, givenConsult({ participants: [SAM, ROBIN] }));
    await clinic.news();
    const renamed = { ...ROBIN, name: "Robin II", email: "robin@example.test" };
    expect((await put.consult({ id: 1 }, givenConsult({ participants: [SAM, renamed] }))).events).toEqual([]);
    await put.consult({ id: 1 }, givenConsult({ participants: [SAM] }));
    const [removed] = await clinic.news();
    expect(removed?.facts).toEqual({
      event: "participant.removed",
      consult: {
        ...{ id: 1, start_time: "2026-11-03T09:00:00-05:00", end_time: "2026-11-03T09:45:00-05:00" },
        ...{ duration: 45, cancelled: false },
      },
      service: { id: 12, name: "Physiotherapy follow-up" },
      practitioner: PAT,
      participants: [renamed],
    });
  });

  test("that repeat send nothing, in whatever zone the start is written", async () => {
    await put.consult({ id: 1 }, givenConsult());
    const again = await put.consult({ id: 1 }, givenConsult({ startTime: "2026-11-03T14:00:00Z" }));
    expect(again).toEqual({ id: 1, events: [], isNew: false, unchanged: true });
    expect(await clinic.news()).toHaveLength(1);
  });

  test("with an older version are refused, as is the same version with other content", async () => {
    await put.consult({ id: 1, version: 5 }, givenConsult());
    const other = givenConsult({ durationMinutes: 30 });
    expect((await refusalOf(() => put.consult({ id: 1, version: 4 }, other))).code).toBe("stale_version");
    expect((await refusalOf(() => put.consult({ id: 1, version: 5 }, other))).code).toBe("version_conflict");
    expect(await put.consult({ id: 1, version: 5 }, givenConsult())).toMatchObject({ unchanged: true });
    expect(await put.consult({ id: 1, version: 6 }, other)).toMatchObject({ events: ["consult.updated"] });
    expect(await put.consult({ id: 1 }, givenConsult())).toMatchObject({ events: ["consult.updated"] });
    expect((await refusalOf(() => put.consult({ id: 1, version: 5 }, other))).code).toBe("stale_version");
    expect(await clinic.news()).toHaveLength(3);
  });

  test("that come at once are worked on one after the other, the very first ones too", async () => {
    const lengths = Array.from({ length: 12 }, (_, n) => 30 + n);
    const made = await Promise.all(
      lengths.map((durationMinutes) => put.consult({ id: "first" }, givenConsult({ durationMinutes }))),
    );
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    expect(made.filter(({ isNew }) => isNew)).toHaveLength(1);
    const news = await clinic.news();
    expect(news.map(({ subjectVersion }) => subjectVersion)).toEqual(lengths.map((_, n) => n + 1));
    expect(news.map(({ facts }) => facts.event)).toEqual([
      "participant.added",
      ...lengths.slice(1).map(() => "consult.updated"),
    ]);
  });

  test("name the field that is wrong, and then change nothing", async () => {
    const wrong = (changed: object) => refusalOf(() => put.consult({ id: 1 }, givenConsult(changed)));
    const fields = async (changed: object) => briefOf(await wrong(changed)).fields;
    expect(await fields({ startTime: "tomorrow" })).toEqual(["start_time"]);
    expect(await fields({ durationMinutes: 0 })).toEqual(["duration"]);
    expect(await fields({ participants: [SAM, { ...ROBIN, name: " " }] })).toEqual(["participants.1.name"]);
    expect(await fields({ participants: [SAM, SAM] })).toEqual(["participants.1.id"]);
    expect(await fields({ practitioner: { ...PAT, email: "" } })).toEqual(["practitioner.email"]);
    expect(await fields({ service: { id: "x".repeat(65), name: "A" } })).toEqual(["service.id"]);
    expect(await fields({ service: { id: 0, name: "A" } })).toEqual(["service.id"]);
    expect((await put.consult({ id: 1 }, givenConsult())).isNew).toBe(true);
  });
});

describe("an invoice's snapshots", () => {
  const payment = { id: 9, method: "credit_card", total: 50 };
  const events = async () => (await clinic.news<InvoiceFacts>()).map(({ facts }) => facts);

  test("have their status, sums and balance derived (contract §4)", async () => {
    await put.invoice({ id: 7 }, givenInvoice());
    await put.invoice({ id: 7 }, givenInvoice({ payments: [payment] }));
    await put.invoice({ id: 7 }, givenInvoice({ payments: [payment, { ...payment, id: 10, total: 63 }] }));
    await put.invoice({ id: 7 }, givenInvoice({ payments: [{ ...payment, total: 113, refunded: 113 }] }));
    const shown = (await events()).map(({ event, invoice }) => [
      ...[event, invoice.status, invoice.total, invoice.unpaid_subtotal_balance],
      ...invoice.payments.map(({ status, subtotal, taxes, total }) => [status, subtotal, taxes, total]),
    ]);
    expect(shown).toEqual([
      ["invoice.created", "draft", 113, 100],
      ["invoice.updated", "partially_paid", 113, 55.75, ["paid", 44.25, 5.75, 50]],
      ["invoice.updated", "paid_in_full", 113, 0, ["paid", 44.25, 5.75, 50], ["paid", 55.75, 7.25, 63]],
      ["invoice.updated", "refunded", 113, 100, ["refunded", 100, 13, 113]],
    ]);
  });

  test("send nothing for new names, but for another patient billed", async () => {
    await put.invoice({ id: 7 }, givenInvoice());
    const { events: none } = await put.invoice({ id: 7 }, givenInvoice({ client: { ...SAM, name: "Sam II" } }));
    expect(none).toEqual([]);
    expect((await put.invoice({ id: 7 }, givenInvoice({ client: ROBIN }))).events).toEqual(["invoice.updated"]);
  });

  test("are deleted with their last state, but not while money is attached", async () => {
    await put.invoice({ id: 7 }, givenInvoice({ payments: [payment] }));
    expect((await refusalOf(() => put.invoice({ id: 7 }, null))).code).toBe("invoice_has_money");
    await put.invoice({ id: 7 }, givenInvoice({ payments: [{ ...payment, refunded: 50 }] }));
    expect((await put.invoice({ id: 7 }, null)).events).toEqual(["invoice.deleted"]);
    expect(await put.invoice({ id: 7 }, null)).toMatchObject({ events: [], unchanged: true });
    const last = (await events()).at(-1);
    expect([last?.event, last?.invoice.status]).toEqual(["invoice.deleted", "refunded"]);
    expect((await put.invoice({ id: 7 }, givenInvoice())).events).toEqual(["invoice.created"]);
    expect((await refusalOf(() => put.invoice({ id: 8 }, null))).status).toBe(404);
  });

  test("are refused where they do not add up, naming the field", async () => {
    const line = givenInvoice().lines[0] as ReturnType<typeof givenInvoice>["lines"][number];
    const fields = async (changed: object) =>
      briefOf(await refusalOf(() => put.invoice({ id: 7 }, givenInvoice(changed)))).fields;
    expect(await fields({ lines: [{ ...line, total: 112.99 }] })).toEqual(["line_items.0.total"]);
    expect(await fields({ lines: [{ ...line, taxes: 13.001 }] })).toEqual(["line_items.0.taxes"]);
    expect(await fields({ payments: [{ ...payment, subtotal: 40, taxes: 5 }] })).toEqual(["payments.0.total"]);
    expect(await fields({ payments: [{ ...payment, refunded: 51 }] })).toEqual(["payments.0.refunded"]);
    expect(await fields({ payments: [{ ...payment, draft: true, refunded: 1 }] })).toEqual(["payments.0.refunded"]);
    expect(await fields({ payments: [payment, payment] })).toEqual(["payments.1.id"]);
    expect(await fields({ type: "clinic_package", payments: [{ ...payment, total: 114 }] })).toEqual(["payments"]);
    const largest = [1, 2].map((id) => ({ ...payment, id, total: 9_999_999_999.99 }));
    expect(await fields({ payments: largest })).toEqual(["payments"]);
    expect(await fields({ payments: largest.map((one) => ({ ...one, refunded: one.total })) })).toEqual(["payments"]);
    expect(await fields({ currency: "xyz" })).toEqual(["currency"]);
    expect(await fields({ date: "2026-02-30" })).toEqual(["invoice_date"]);
  });
});

describe("a membership's snapshots", () => {
  const story = async (...states: Parameters<typeof givenMembership>[0][]) => {
    for (const state of states) await put.membership({ id: "m" }, givenMembership(state));
    return (await clinic.news<MembershipFacts>()).map(({ facts }) => [facts.event, facts.membership.membership_id]);
  };

  test("start once it is active, tell a cancellation once, and its undoing", async () => {
    const states = ["pending", "active", "paused", "active", "cancelled", "cancelled", "active", "ended"] as const;
    expect(await story(...states.map((state) => ({ state })))).toEqual([
      ["membership.started", 44],
      ["membership.cancelled", 44],
      ["membership.started", 44],
    ]);
  });

  test("tell a switch of plans as the end of the old and the start of the new", async () => {
    expect(await story({}, { plan: { id: 45, name: "Yearly plan" } })).toEqual([
      ["membership.started", 44],
      ["membership.cancelled", 44],
      ["membership.started", 45],
    ]);
  });
});

describe("at rest", () => {
  test("no name, no e-mail and no text that was an id stands in plain", async () => {
    const canary = { id: "canary-id@example.test", name: "Canary Quillfeather", email: "canary@example.test" };
    await put.consult({ id: "canary-consult" }, givenConsult({ participants: [canary] }));
    const rows = await Promise.all(
      ["feed_snapshots", "feed_ids", "patients", "events", "subjects"].map(async (table) =>
        JSON.stringify((await database.pools.owner.query(`select t::text from ${table} t`)).rows),
      ),
    );
    expect(rows.join()).toContain("consult:4503599627370");
    expect(rows.join()).not.toMatch(/canary|Quillfeather/i);
    // bytea is shown as hex
    expect(rows.join()).not.toContain(Buffer.from("Canary").toString("hex"));
  });
});
