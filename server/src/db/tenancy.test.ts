/** One clinic's rows are closed to every other, by keys and by row-level security: read from the catalogue, table by table. */
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newClinicId } from "../../test/clinic-row.ts";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { createKysely, inClinic } from "./pool.ts";

/** Tables that are no clinic's. A new one belongs here only if no row of it tells anything of a clinic. */
const NO_CLINICS = ["clinics", "hookwell_migrations", "kept_secrets", "late_pass", "nodes"];
/** The operator's own, which may name a clinic or all; no role of the clinics' has any right to them. */
const OPERATORS = ["operator_acts", "sending_pauses"];
/** What is unique over all clinics, because it is looked up before the clinic is known, or drawn at random. */
const UNIQUE_OVER_ALL = [
  ...[
    "api_keys_frame_id_key",
    "api_keys_key_hash_key",
    "embed_sessions_link_hash_key",
    "embed_sessions_token_hash_key",
  ],
  ...["invitations_token_hash_key", "webhooks_keys_token_key"],
];
const ROLES = ["hookwell_app", "hookwell_dispatch", "hookwell_auth"];

interface Table {
  readonly name: string;
  readonly owner: string;
  readonly enabled: boolean;
  readonly forced: boolean;
  readonly is_partition: boolean;
  readonly has_clinic: boolean;
  readonly key: string[] | null;
  /** Roles that have any right to it. */
  readonly open_to: string[];
}

interface Policy {
  readonly table: string;
  readonly roles: string[];
  readonly using: string | null;
  readonly with_check: string | null;
}

let database: TestDatabase;
let tables: Table[];
let policies: Policy[];

beforeAll(async () => {
  database = await createTestDatabase();
  tables = await query<Table>(`
    select c.relname as name, pg_get_userbyid(c.relowner) as owner, c.relrowsecurity as enabled,
      c.relforcerowsecurity as forced, c.relispartition as is_partition,
      exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'clinic_id' and not a.attisdropped) as has_clinic,
      (select array_agg(a.attname::text order by k.place) from pg_constraint p
         cross join lateral unnest(p.conkey) with ordinality as k (number, place)
         join pg_attribute a on a.attrelid = c.oid and a.attnum = k.number
       where p.conrelid = c.oid and p.contype = 'p') as key,
      array(select r from unnest('{${ROLES.join(",")}}'::text[]) r
        where has_table_privilege(r, c.oid, 'select, insert, update, delete, truncate, references, trigger')
          or has_any_column_privilege(r, c.oid, 'select, insert, update, references')) as open_to
    from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by c.relname`);
  policies = await query<Policy>(`
    select tablename as "table", roles::text[] as roles, qual as using, with_check from pg_policies where schemaname = 'public'`);
});
afterAll(() => database.drop());

async function query<Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> {
  return (await database.pools.owner.query<Row>(text, values)).rows;
}

const ofClinics = () => tables.filter(({ name, has_clinic }) => has_clinic && !OPERATORS.includes(name));
const parents = () => ofClinics().filter(({ is_partition }) => !is_partition);

describe("every table of clinics", () => {
  test("is known: whatever has no clinic_id is listed, and there are many that have", () => {
    expect(tables.filter(({ has_clinic }) => !has_clinic).map(({ name }) => name)).toEqual(NO_CLINICS);
    expect(parents().length).toBeGreaterThan(40);
  });

  test("is not the operator's: those are closed to the clinics' role, and to sign-in", () => {
    const operators = tables.filter(({ name }) => OPERATORS.includes(name));
    expect(operators.map(({ name, forced }) => [name, forced])).toEqual(OPERATORS.map((name) => [name, true]));
    expect(operators.flatMap(({ open_to }) => open_to).filter((role) => role !== "hookwell_dispatch")).toEqual([]);
  });

  test("has clinic_id first in its primary key", () => {
    expect(ofClinics().filter(({ key }) => key?.[0] !== "clinic_id")).toEqual([]);
  });

  test("has row-level security, enabled and forced, also against its owner", () => {
    expect(parents().filter(({ enabled, forced }) => !(enabled && forced))).toEqual([]);
    // A partition is reached through its table; nobody but the owner may go around.
    const around = ofClinics().filter(({ is_partition, open_to }) => is_partition && open_to.length > 0);
    expect(around).toEqual([]);
  });

  test("belongs to none of the roles under which the program answers requests and delivers", () => {
    expect(tables.filter(({ owner }) => ROLES.includes(owner))).toEqual([]);
  });

  test("shows to the clinics' role the clinic of the transaction alone, and takes no row of another", () => {
    const open = parents().filter(({ open_to }) => open_to.includes("hookwell_app"));
    expect(open.length).toBeGreaterThan(40);
    for (const { name } of open) {
      const own = policies.filter(({ table, roles }) => table === name && roles.includes("hookwell_app"));
      expect(own, name).not.toEqual([]);
      for (const { using, with_check } of own) {
        for (const rule of [using, with_check].filter((rule) => rule !== null)) {
          // Further conditions may narrow it, but nothing may stand beside it with OR.
          expect(rule, name).toMatch(/^\(+clinic_id = current_clinic\(\)\)/);
          expect(rule.replace(/\(NOT feed_only\) OR /, ""), name).not.toMatch(/ OR /);
        }
      }
    }
  });

  test("has policies for the known roles alone, never for everybody", () => {
    const known = new Set([...ROLES, tables[0]?.owner]);
    expect(policies.filter(({ roles }) => roles.some((role) => !known.has(role)))).toEqual([]);
  });

  test("points to other tables of clinics by clinic_id and id together, and to the clinic by its clinic_id", async () => {
    const keys = await query<{ name: string; from: string; to: string; columns: string[]; targets: string[] }>(`
      select c.conname as name, c.conrelid::regclass::text as "from", c.confrelid::regclass::text as "to",
        array(select a.attname::text from unnest(c.conkey) with ordinality k (n, i) join pg_attribute a
          on a.attrelid = c.conrelid and a.attnum = k.n order by i) as columns,
        array(select a.attname::text from unnest(c.confkey) with ordinality k (n, i) join pg_attribute a
          on a.attrelid = c.confrelid and a.attnum = k.n order by i) as targets
      from pg_constraint c where c.contype = 'f' and c.connamespace = 'public'::regnamespace`);
    expect(keys.length).toBeGreaterThan(40);
    const tenants = new Set(ofClinics().map(({ name }) => name));
    for (const { name, from, to, columns, targets } of keys.filter(({ from }) => tenants.has(from))) {
      const own = columns.indexOf("clinic_id");
      expect(own, name).toBeGreaterThanOrEqual(0);
      expect([name, from, targets[own]]).toEqual([name, from, to === "clinics" ? "id" : "clinic_id"]);
    }
  });

  test("is unique in no other column over all clinics, which would tell one of another's rows", async () => {
    const indexes = await query<{ name: string }>(
      `
      select i.indexrelid::regclass::text as name from pg_index i join pg_class c on c.oid = i.indrelid
      where i.indisunique and c.relnamespace = 'public'::regnamespace and c.relname <> all ($1) and not i.indkey::int2[] @> array[(
        select a.attnum from pg_attribute a where a.attrelid = c.oid and a.attname = 'clinic_id')]
        and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'clinic_id') order by 1`,
      [OPERATORS],
    );
    expect(indexes.map(({ name }) => name)).toEqual(UNIQUE_OVER_ALL);
  });
});

describe("the clinics' role", () => {
  test("sees nothing while no clinic is named, and in one clinic nothing of another, in any table", async () => {
    const ours = await newClinicId(database.pools.owner);
    const theirs = await newClinicId(database.pools.owner);
    await fillEveryTable([ours, theirs]);
    const app = database.pools.app;
    for (const { name } of parents().filter(({ open_to }) => open_to.includes("hookwell_app"))) {
      const [right] = await query<{ may: boolean }>("select has_table_privilege('hookwell_app', $1, 'select') as may", [
        name,
      ]);
      if (!right?.may) continue;
      const count = `select count(*)::int as n from ${name}`;
      expect([name, (await app.query(count)).rows[0].n]).toEqual([name, 0]);
      const seen = await inClinic(createKysely(app), ours, async (tx) => {
        const { rows } = await sql<{ id: number }>`select distinct clinic_id as id from ${sql.table(name)}`.execute(tx);
        return rows.map(({ id }) => id);
      });
      expect([name, seen]).toEqual([name, FILLED.has(name) ? [ours] : []]);
    }
    // So that an empty database does not pass for a closed one.
    expect(FILLED.size).toBeGreaterThanOrEqual(25);
  });

  const FILLED = new Set<string>();

  /** A row for each clinic in every table whose CHECKs take the plainest values; foreign keys and triggers are not asked. */
  async function fillEveryTable(clinics: number[]): Promise<void> {
    const client = await database.pools.owner.connect();
    try {
      await client.query("set session_replication_role = replica");
      for (const { name } of parents()) {
        const insert = await plainInsert(name);
        try {
          for (const id of clinics) await client.query(insert, [id]);
          FILLED.add(name);
        } catch (error) {
          if ((error as { code?: string }).code !== "23514") throw error;
        }
      }
    } finally {
      client.release(true);
    }
  }

  async function plainInsert(table: string): Promise<string> {
    const columns = await query<{ name: string; type: string }>(
      `select column_name as name, data_type as type from information_schema.columns where table_schema = 'public'
         and table_name = $1 and is_nullable = 'NO' and column_default is null and is_identity = 'NO' order by ordinal_position`,
      [table],
    );
    const values = columns.map(({ name, type }) => (name === "clinic_id" ? "$1" : (PLAINEST[type] ?? `a ${type}?`)));
    return `insert into ${table} (${columns.map(({ name }) => name).join(", ")}) values (${values.join(", ")})`;
  }

  const PLAINEST: Readonly<Record<string, string>> = {
    ...{ bigint: "1", integer: "1", smallint: "1", boolean: "false", numeric: "1", uuid: "gen_random_uuid()" },
    ...{ text: "'abc'", bytea: "sha256(random()::text::bytea)", ARRAY: "'{}'" },
    ...{ date: "current_date", "timestamp with time zone": "now()" },
  };
});
