/**
 * The engine's statements go row by row through indexes that lead there, whatever PostgreSQL believes of the tables' sizes.
 * Where several indexes cost the same by what it believes, it takes any of them, and keeps it while the tables grow: a
 * look-up then reads all that waits for a webhook or a clinic.
 */
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { nodesOf, type PlanNode, type PlanRow } from "../../test/plan.ts";
import { STATEMENTS } from "./store.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const CLINICS = 20;
const WEBHOOKS_OF_EACH = 20;
const FEW = 40;
const MANY = 20_000;

/** Rows of the engine's three tables; foreign keys and triggers left aside, since nothing but the plans is looked at. */
async function fill(rows: number): Promise<void> {
  const keys = `select n % ${CLINICS} as clinic_id, n % ${CLINICS * WEBHOOKS_OF_EACH} as webhook_id, n from generate_series(1, ${rows}) n`;
  const owner = await database.pools.owner.connect();
  try {
    await owner.query("set session_replication_role = replica");
    await owner.query(
      `insert into deliveries (clinic_id, webhook_id, event_id, participants_per_request, order_key, choice_practitioner, choice_patient)
       select clinic_id, webhook_id, gen_random_uuid(), 200, 'consult:' || n / 2, 'off', 'off' from (${keys}) k`,
    );
    await owner.query(`insert into bells (clinic_id, webhook_id) select clinic_id, webhook_id from (${keys}) k`);
    await owner.query(
      `insert into runs (clinic_id, webhook_id) select clinic_id, webhook_id from (${keys}) k
       where n <= ${CLINICS * WEBHOOKS_OF_EACH} on conflict do nothing`,
    );
  } finally {
    await owner.query("reset session_replication_role");
    owner.release();
  }
}

const onTables = (what: string) => database.pools.owner.query(what);
const empty = () => onTables("truncate deliveries, bells, runs");
const one = () => fill(1);
const few = () => fill(FEW);
const many = () => fill(MANY);
const finish = () => onTables("with ended as (delete from deliveries) delete from bells");
const analyze = () => onTables("analyze deliveries, bells, runs");

/** What the tables have been through, and what was known of them when the plans were made. */
const PASTS: Record<string, readonly (() => Promise<unknown>)[]> = {
  "empty, and never looked at": [empty],
  "a few rows, never looked at": [empty, few],
  "a few rows, looked at": [empty, few, analyze],
  "looked at while there were a few, and grown since": [empty, few, analyze, many],
  "looked at while there was one, and grown since": [empty, one, analyze, many],
  "emptied, looked at, and filled again": [empty, many, finish, analyze, many],
  "many rows, looked at": [empty, many, analyze],
  "what many rows have left behind, looked at": [empty, many, finish, few, analyze],
};

type Name = keyof typeof STATEMENTS;

async function planOf(client: pg.PoolClient, name: Name): Promise<PlanNode[]> {
  const text = STATEMENTS[name];
  const parameters = Math.max(0, ...[...text.matchAll(/\$(\d+)/g)].map(([, n]) => Number(n)));
  await client.query(`prepare looked_at as ${text}`);
  try {
    const nulls = parameters === 0 ? "" : `(${Array<string>(parameters).fill("null").join(", ")})`;
    const { rows } = await client.query<PlanRow>(`explain (format json) execute looked_at ${nulls}`);
    return nodesOf(rows);
  } finally {
    await client.query("deallocate looked_at");
  }
}

const isBitmap = (node: PlanNode) => /Bitmap/.test(node["Node Type"]);
const isScan = (node: PlanNode) => /Scan/.test(node["Node Type"]) && node["Relation Name"] !== undefined;

/** By which columns each index has to be entered. */
const KEYS: Record<string, readonly string[]> = {
  deliveries_pkey: ["clinic_id =", "webhook_id ="],
  deliveries_by_event: ["clinic_id =", "event_id =", "webhook_id ="],
  deliveries_tests: ["created_at <"],
  deliveries_by_order_key: ["order_key =", "webhook_id ="],
  bells_pkey: ["clinic_id", "webhook_id"],
  runs_pkey: ["clinic_id =", "webhook_id ="],
  runs_due_healthy: ["next_at <="],
  runs_due_suspect: ["next_at <="],
};

const LOOKING_UP: readonly Name[] = [
  ...(["take", "refill", "settle", "unbegin", "release", "warn", "turn_off"] as const),
  ...(["end_lost_tests", "sweep", "rest", "reap"] as const),
];
/** They look at everything, once. */
const GO_THROUGH: readonly Name[] = ["sweep", "rest", "reap"];

function detoursOf(name: Name, plan: readonly PlanNode[]): string[] {
  return plan
    .filter((node) => isScan(node) || isBitmap(node))
    .flatMap((scan) => {
      const { "Relation Name": table, "Index Name": index, "Index Cond": condition = "" } = scan;
      const told = `${name}: ${scan["Node Type"]} of ${table} by ${index}: ${condition}`;
      if (!isBitmap(scan) && !["deliveries", "runs", "bells"].includes(table ?? "")) return [];
      if (condition === "" && GO_THROUGH.includes(name) && scan["Parent Relationship"] !== "Inner") return [];
      const isEntered = KEYS[index ?? ""]?.every((key) => condition.includes(key));
      return isEntered && !isBitmap(scan) ? [] : [told];
    });
}

describe("with tables of", () => {
  test.each(Object.entries(PASTS))("%s, every look-up leads to its row", async (_past, steps) => {
    for (const step of steps) await step();
    const client = await database.pools.engine.connect();
    try {
      const detours: string[] = [];
      for (const name of LOOKING_UP) detours.push(...detoursOf(name, await planOf(client, name)));
      expect(detours).toEqual([]);
    } finally {
      client.release();
    }
  });
});
