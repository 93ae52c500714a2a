/** The list of deliveries of a clinic that has very many: whatever it is narrowed by, a page looks at few rows. */
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newClinicId } from "../../test/clinic-row.ts";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { fillDeliveries } from "../../test/many-deliveries.ts";
import { createKysely, inClinic } from "../db/pool.ts";
import type { Db } from "../db/schema.ts";
import { lowestEventId } from "../outbox/identifiers.ts";
import { type DeliveryQuery, deliveriesStatement, isOfFewEvents, readDeliveries } from "./delivery-log.ts";

const DELIVERIES = 100_000;
const DAYS = 20;
const PAGE_ROWS = 50;
/** What one statement may look at, in all tables together; each row that is shown has its event and its webhook. */
const LOOKED_AT_MAX = 40 * PAGE_ROWS;
/** There is no index for what nearly all are: days in which nothing was delivered are read through. */
const DELIVERED_LOOKED_AT_MAX = 2 * (100_000 / DAYS);
const DAY_MS = 86_400_000;

let database: TestDatabase;
let db: Db;
let clinicId: number;
let newest: number;
const webhooks = { busy: 0, quiet: 0 };

beforeAll(async () => {
  database = await createTestDatabase();
  db = createKysely(database.pools.app);
  clinicId = await newClinicId(database.pools.owner);
  webhooks.busy = await newWebhook("busy");
  webhooks.quiet = await newWebhook("quiet");
  // To the end of a day: of one that has just begun there is so little that reading all of it is rightly cheaper.
  newest = Math.floor(Date.now() / DAY_MS) * DAY_MS - 1;
  await fillDeliveries(database.pools.owner, { clinicId, ...webhooks, count: DELIVERIES, days: DAYS, newest });
}, 120_000);
afterAll(() => database.drop());

async function newWebhook(name: string): Promise<number> {
  const { rows } = await database.pools.owner.query<{ id: number }>(
    `insert into webhooks (clinic_id, name, url, url_host, events, enabled)
     values ($1, $2, '', 'example.test', '{participant.added}', true) returning id`,
    [clinicId, name],
  );
  return Number(rows[0]?.id);
}

interface PlanNode {
  "Node Type": string;
  "Actual Rows": number;
  "Actual Loops": number;
  "Rows Removed by Filter"?: number;
  "Rows Removed by Index Recheck"?: number;
  Plans?: PlanNode[];
}

/** Rows that the statement has read from tables and indexes, thrown away or not. */
async function lookedAt(query: DeliveryQuery): Promise<number> {
  return inClinic(db, clinicId, async (tx) => {
    const statement = deliveriesStatement(query, { byEvents: await isOfFewEvents(tx, query) });
    const explain = sql<{
      "QUERY PLAN": { Plan: PlanNode }[];
    }>`explain (analyze, timing off, format json) ${statement}`;
    const root = (await explain.execute(tx)).rows[0]?.["QUERY PLAN"][0]?.Plan;
    if (root === undefined) throw new Error("there is no plan");
    return scanned(root);
  });
}

function scanned(node: PlanNode): number {
  const perLoop =
    node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0) + (node["Rows Removed by Index Recheck"] ?? 0);
  const own = node["Node Type"].includes("Scan") ? perLoop * node["Actual Loops"] : 0;
  return (node.Plans ?? []).reduce((sum, child) => sum + scanned(child), own);
}

const day = (ago: number) => lowestEventId(newest - ago * DAY_MS);

/** Each filter of the list, and those that are used together. */
const FILTERS: Record<string, () => Partial<DeliveryQuery>> = {
  none: () => ({}),
  "the busy webhook": () => ({ webhookId: webhooks.busy }),
  "the quiet webhook": () => ({ webhookId: webhooks.quiet }),
  "a common event": () => ({ event: "participant.added" }),
  "a rare event": () => ({ event: "invoice.created" }),
  "what it is about": () => ({ subject: "consult:12000" }),
  delivered: () => ({ state: "delivered" }),
  waiting: () => ({ state: "waiting" }),
  failed: () => ({ state: "failed" }),
  "a day": () => ({ from: day(9), until: day(8) }),
  "an event's id": () => ({ eventId: lowestEventId(newest) }),
  "failed, one webhook": () => ({ state: "failed", webhookId: webhooks.busy }),
  "waiting, one webhook": () => ({ state: "waiting", webhookId: webhooks.quiet }),
  "failed, a common event": () => ({ state: "failed", event: "participant.added" }),
  "failed, a rare event": () => ({ state: "failed", event: "invoice.created" }),
  "a rare event on one webhook": () => ({ event: "invoice.created", webhookId: webhooks.busy }),
  "a rare event in some days": () => ({ event: "invoice.created", from: day(9), until: day(2) }),
};

describe(`among ${DELIVERIES} deliveries`, () => {
  test.each(Object.entries(FILTERS))("a page by %s looks at few rows", async (name, filter) => {
    const atMost = name === "delivered" ? DELIVERED_LOOKED_AT_MAX : LOOKED_AT_MAX;
    expect(await lookedAt({ clinicId, limit: PAGE_ROWS + 1, ...filter() })).toBeLessThan(atMost);
  });

  test.each(["none", "the busy webhook", "a common event", "failed"])(
    "so does a page by %s from far down",
    async (name) => {
      const query = { clinicId, limit: PAGE_ROWS + 1, ...FILTERS[name]?.() };
      const [row] = await inClinic(db, clinicId, (tx) => readDeliveries(tx, { ...query, until: day(15), limit: 1 }));
      expect(row).toBeDefined();
      expect(await lookedAt({ ...query, after: row })).toBeLessThan(LOOKED_AT_MAX);
    },
  );

  test("a day shows what happened in it, the first and the last included", async () => {
    const read = (filter: Partial<DeliveryQuery>) =>
      inClinic(db, clinicId, (tx) => readDeliveries(tx, { clinicId, limit: DELIVERIES, ...filter }));
    const ids = (await read({ from: day(9), until: day(8) })).map(({ eventId }) => eventId);
    expect(ids).toHaveLength(DELIVERIES / DAYS);
    expect(ids.every((id) => id >= day(9) && id < day(8))).toBe(true);
  });

  test("a page of what waits behind very many of one subject looks at few rows, and each names the first", async () => {
    const webhookId = await newWebhook("one subject");
    await database.pools.owner.query(
      `insert into deliveries (clinic_id, webhook_id, event_id, participants_per_request, order_key, choice_practitioner, choice_patient)
       select $1, $2, id, 200, 'consult:1', 'off', 'off' from (select id from events order by id limit 20000) e`,
      [clinicId, webhookId],
    );
    await database.pools.owner.query("analyze deliveries");
    const query: DeliveryQuery = { clinicId, webhookId, state: "waiting", limit: PAGE_ROWS + 1 };
    expect(await lookedAt(query)).toBeLessThan(LOOKED_AT_MAX);
    const page = await inClinic(db, clinicId, (tx) => readDeliveries(tx, query));
    const { rows } = await database.pools.owner.query<{ event_id: string }>(
      "select event_id from deliveries where webhook_id = $1 order by id limit 1",
      [webhookId],
    );
    const first = { eventId: rows[0]?.event_id, webhookId, part: 0 };
    expect(page.map(({ waiting }) => waiting)).toEqual(page.map(() => ({ for: "earlier", earlier: first })));
  });
});
