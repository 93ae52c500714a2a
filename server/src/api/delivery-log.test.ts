/** The list of deliveries of a clinic that has very many: whatever it is narrowed by, a page looks at few rows. */
import { CompiledQuery, Kysely, type LogEvent, PostgresDialect } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newClinicId } from "../../test/clinic-row.ts";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { fillDeliveries } from "../../test/many-deliveries.ts";
import { nodesOf, type PlanRow, rowsLookedAt } from "../../test/plan.ts";
import { createKysely, inClinic } from "../db/pool.ts";
import type { Database, Db } from "../db/schema.ts";
import { type DeliveryKey, lowestEventId, uuidv7 } from "../outbox/identifiers.ts";
import { readDeliveries } from "./delivery-log.ts";
import type { DeliveryQuery } from "./delivery-statements.ts";

const DELIVERIES = 100_000;
const DAYS = 20;
const PAGE_ROWS = 50;
/** What a page may look at, in all tables together; whether its events are few costs 2,000, each row its event and webhook. */
const LOOKED_AT_MAX = 80 * PAGE_ROWS;
/** Where few of many fit: 22,200 deliveries are counted and read, and their events looked up. */
const SPARSE_LOOKED_AT_MAX = 90_000;
const DAY_MS = 86_400_000;
const UNTAKEN = 3;

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
  await fillSparse();
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

/** An event that is common, and of which the very first ones alone went to a webhook. */
async function fillSparse(): Promise<void> {
  const { owner } = database.pools;
  const ids = Array.from({ length: 3_000 }, (_, n) => uuidv7(newest - n * 60_000));
  ids.push(...Array.from({ length: UNTAKEN }, (_, n) => uuidv7(newest - DAYS * DAY_MS + n)));
  await owner.query(
    `insert into events (clinic_id, id, name, subject, subject_version, facts)
     select $1, id, 'invoice.updated', 'consult:1', 1, null from unnest($2::uuid[]) id`,
    [clinicId, ids],
  );
  await owner.query(
    `insert into finished_deliveries (clinic_id, event_id, webhook_id, part, participants_per_request,
       choice_practitioner, choice_patient, test, attempt, state, created_at)
     select $1, id, $2, 0, 200, 'off', 'off', false, 1, 'delivered', now() from unnest($3::uuid[]) id`,
    [clinicId, webhooks.busy, ids.slice(-UNTAKEN)],
  );
  await owner.query("analyze events, deliveries, finished_deliveries");
}

/** Rows that a page has read from tables and indexes, thrown away or not, in all its statements together. */
async function lookedAt(query: DeliveryQuery): Promise<number> {
  const statements: CompiledQuery[] = [];
  const log = ({ query }: LogEvent) => void statements.push(query);
  const watched = new Kysely<Database>({ dialect: new PostgresDialect({ pool: database.pools.app }), log });
  await inClinic(watched, clinicId, (tx) => readDeliveries(tx, query));
  return inClinic(db, clinicId, async (tx) => {
    let rows = 0;
    for (const { sql: text, parameters } of statements.filter(({ sql: text }) => / from events | from \(/.test(text))) {
      const explain = CompiledQuery.raw(`explain (analyze, timing off, format json) ${text}`, [...parameters]);
      const nodes = nodesOf((await tx.executeQuery<PlanRow>(explain)).rows);
      rows += rowsLookedAt(nodes.filter((node) => /(?<!Subquery )Scan/.test(node["Node Type"])));
    }
    return rows;
  });
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
  test.each(Object.entries(FILTERS))("a page by %s looks at few rows", async (_name, filter) => {
    expect(await lookedAt({ clinicId, limit: PAGE_ROWS + 1, ...filter() })).toBeLessThan(LOOKED_AT_MAX);
  });

  test.each(["none", "the busy webhook", "a common event", "failed"])(
    "so does a page by %s from far down",
    async (name) => {
      const query = { clinicId, limit: PAGE_ROWS + 1, ...FILTERS[name]?.() };
      const page = await inClinic(db, clinicId, (tx) => readDeliveries(tx, { ...query, until: day(15), limit: 1 }));
      const [row] = page.rows;
      expect(row).toBeDefined();
      expect(await lookedAt({ ...query, after: row })).toBeLessThan(LOOKED_AT_MAX);
    },
  );

  test("a page by a common event that the webhook does not take is cut short, and reading on finds what there is", async () => {
    const query = { clinicId, limit: PAGE_ROWS + 1, event: "invoice.updated" as const, webhookId: webhooks.busy };
    let after: DeliveryKey | undefined;
    for (let page = 1; ; page++) {
      const { rows, readTo } = await inClinic(db, clinicId, (tx) => readDeliveries(tx, { ...query, after }));
      expect(await lookedAt({ ...query, after })).toBeLessThan(SPARSE_LOOKED_AT_MAX);
      expect(rows).toHaveLength(readTo === null ? UNTAKEN : 0);
      if (readTo === null) return expect(page).toBeGreaterThan(1);
      after = readTo;
    }
  });

  test("a day shows what happened in it, the first and the last included", async () => {
    const read = (filter: Partial<DeliveryQuery>) =>
      inClinic(db, clinicId, (tx) => readDeliveries(tx, { clinicId, limit: DELIVERIES, ...filter }));
    const ids = (await read({ from: day(9), until: day(8) })).rows.map(({ eventId }) => eventId);
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
    const { rows: page } = await inClinic(db, clinicId, (tx) => readDeliveries(tx, query));
    const { rows } = await database.pools.owner.query<{ event_id: string }>(
      "select event_id from deliveries where webhook_id = $1 order by id limit 1",
      [webhookId],
    );
    const first = { eventId: rows[0]?.event_id, webhookId, part: 0 };
    expect(page.map(({ wait }) => wait?.waiting)).toEqual(page.map(() => ({ for: "earlier", earlier: first })));
  });

  test("a page of what waits for a receiver that is parked looks at few rows, and the one that is tried next is named", async () => {
    const { owner } = database.pools;
    const webhookId = await newWebhook("parked");
    await owner.query(
      `insert into deliveries (clinic_id, webhook_id, event_id, participants_per_request, order_key, choice_practitioner, choice_patient)
       select $1, $2, id, 200, 'consult:' || row_number() over (order by id), 'off', 'off'
       from (select id from events order by id limit 20000) e`,
      [clinicId, webhookId],
    );
    const probeAt = "date_trunc('second', now()) + interval '1 hour'";
    const { rows } = await owner.query(
      `insert into runs (clinic_id, webhook_id, failures, failing_since, parked_at, next_at)
       values ($1, $2, 5, now(), now(), ${probeAt}) returning next_at`,
      [clinicId, webhookId],
    );
    const probed = `select id from deliveries where webhook_id = $1 order by id offset 7 limit 1`;
    const { rows: first } = await owner.query<{ event_id: string }>(
      `update deliveries set due_at = due_at - interval '1 minute' where id = (${probed}) returning event_id`,
      [webhookId],
    );
    await owner.query("analyze deliveries");
    const query: DeliveryQuery = { clinicId, webhookId, state: "waiting", limit: PAGE_ROWS + 1 };
    expect(await lookedAt(query)).toBeLessThan(LOOKED_AT_MAX);
    const read = (eventId?: string) =>
      inClinic(db, clinicId, (tx) => readDeliveries(tx, { ...query, ...(eventId !== undefined && { eventId }) }));
    const others = (await read()).rows.map(({ wait }) => [wait?.waiting.for, wait?.nextAttemptAt]);
    expect(others).toEqual(others.map(() => ["receiver", null]));
    const [next] = (await read(first[0]?.event_id)).rows;
    expect([next?.wait?.waiting.for, next?.wait?.nextAttemptAt]).toEqual(["receiver", rows[0]?.next_at]);
  });
});
