/** The tables of schema.ts are written by hand: here they are held against the migrated database, column by column. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { silentLog } from "../log.ts";
import { migrate } from "./migrate.ts";

interface Column {
  /** the TypeScript type without what it says of defaults and nulls */
  type: string;
  isNullable: boolean;
  /** may be left out on insertion: a default */
  isGenerated: boolean;
  /** may never be given: an identity */
  isAlwaysGenerated: boolean;
}
type Tables = Record<string, Record<string, Column>>;

/** How a column's SQL type is written in TypeScript; `words` where a CHECK limits a text to a few. */
const TYPES: Record<string, string> = {
  bigint: "number",
  integer: "number",
  smallint: "number",
  boolean: "boolean",
  text: "string",
  uuid: "string",
  bytea: "Buffer",
  date: "string",
  "timestamp with time zone": "Instant",
  ARRAY: "string[]",
};
/** The book of the migrations, and partitions. better-auth's tables live in a schema of their own. */
const NOT_OURS = /^(hookwell_migrations|.*_other|.*_\d{8})$/;

let database: TestDatabase;
let actual: Tables;
const folder = join(import.meta.dirname, "tables");
const declared = Object.assign(
  {},
  ...globSync("*.ts", { cwd: folder }).map((file) => declaredTables(readFileSync(join(folder, file), "utf8"))),
) as Tables;

beforeAll(async () => {
  database = await createTestDatabase();
  actual = await actualTables();
});
afterAll(() => database.drop());

/** Reads an interface of tables as text: tables on one line or over several, one column after another. */
function declaredTables(source: string): Tables {
  const body = /export interface \w+Tables \{\n([\s\S]*?)\n\}/.exec(source)?.[1] ?? "";
  const tables: Tables = {};
  for (const [, table = "", columns = ""] of body.matchAll(/^ {2}(\w+): \{([\s\S]*?)\};?$/gm)) {
    const found = [...columns.matchAll(/(\w+): ([^;\n]+?)(?:;|\n|$| $)/g)];
    tables[table] = Object.fromEntries(found.map(([, name = "", type = ""]) => [name, declaredColumn(type.trim())]));
  }
  return tables;
}

function declaredColumn(text: string): Column {
  const wrapped = /^(Generated|GeneratedAlways)<(.*)>$/.exec(text);
  const inner = wrapped?.[2] ?? text;
  const parts = inner.split("|").map((part) => part.trim());
  return {
    type: parts.filter((part) => part !== "null").join(" | "),
    isNullable: parts.includes("null"),
    isGenerated: wrapped?.[1] === "Generated",
    isAlwaysGenerated: wrapped?.[1] === "GeneratedAlways",
  };
}

async function actualTables(): Promise<Tables> {
  const { rows } = await database.pools.owner.query(
    `select table_name, column_name, data_type, is_nullable = 'YES' as nullable, column_default is not null as has_default,
       is_identity = 'YES' as identity
     from information_schema.columns where table_schema = 'public' order by table_name, ordinal_position`,
  );
  const tables: Tables = {};
  for (const row of rows) {
    if (NOT_OURS.test(row.table_name)) continue;
    tables[row.table_name] ??= {};
    Object.assign(tables[row.table_name] ?? {}, {
      [row.column_name]: {
        type: TYPES[row.data_type] ?? `unknown ${row.data_type}`,
        isNullable: row.nullable,
        isGenerated: row.has_default,
        isAlwaysGenerated: row.identity,
      },
    });
  }
  return tables;
}

/** A few quoted words are a text, and `infinity` may stand beside an instant. */
function widened(type: string): string {
  if (/^"[^"]+"( \| "[^"]+")*$/.test(type)) return "string";
  return type.replace(/ \| "-?infinity"/g, "");
}

describe("schema.ts and the database", () => {
  test("name the same tables", () => {
    expect(Object.keys(declared).length).toBeGreaterThan(10); // the text was understood at all
    expect(Object.keys(declared).sort()).toEqual(Object.keys(actual).sort());
  });

  test.each(Object.keys(declared))("agree about every column of %s: name, type, null, default, identity", (table) => {
    const columns = Object.entries(declared[table] ?? {});
    expect(columns.length).toBeGreaterThan(0);
    const asWritten = Object.fromEntries(
      columns.map(([name, column]) => [name, { ...column, type: widened(column.type) }]),
    );
    expect(asWritten).toEqual(actual[table]);
  });

  test("agree about the words that a column may hold, where a CHECK lists them", async () => {
    const { rows } = await database.pools.owner.query<{ table: string; definition: string }>(
      `select conrelid::regclass::text as "table", pg_get_constraintdef(oid) as definition from pg_constraint
       where contype = 'c' and connamespace = 'public'::regnamespace and cardinality(conkey) = 1`,
    );
    let compared = 0;
    for (const { table, definition } of rows) {
      const listed = /^CHECK \(\((\w+) = (?:ANY \(ARRAY\[(.*)\]\)|('[^']*'::text))\)\)$/.exec(definition);
      const words = [...(listed?.[2] ?? listed?.[3] ?? "").matchAll(/'([^']*)'/g)].map(([, word]) => word);
      const column = declared[table]?.[listed?.[1] ?? ""];
      if (!column || words.length === 0) continue;
      compared++;
      const written = [...column.type.matchAll(/"([^"]*)"/g)].map(([, word]) => word);
      if (column.type !== "string")
        expect([table, listed?.[1], written.sort()]).toEqual([table, listed?.[1], words.sort()]);
    }
    expect(compared).toBeGreaterThan(8);
  });
});

describe("rights", () => {
  test("every function that runs with its owner's rights has a fixed search path, and the caller's own tables last in it", async () => {
    const { rows } = await database.pools.owner.query<{ name: string; settings: string[] | null }>(
      `select oid::regprocedure::text as name, proconfig as settings from pg_proc
       where prosecdef and pronamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)`,
    );
    expect(rows.length).toBeGreaterThan(5);
    const isFixed = (setting: string) => /^search_path=[^,]+, pg_temp$/.test(setting);
    expect(rows.filter(({ settings }) => !settings?.some(isFixed)).map(({ name }) => name)).toEqual([]);
  });

  test("none of the program's roles may make a table of its own, for a session or for good", async () => {
    // A database's own privileges are not copied from the template, so this one is migrated by itself.
    const fresh = await createTestDatabase({ empty: true });
    try {
      await migrate({ owner: fresh.pools.owner, log: silentLog() });
      const { rows } = await fresh.pools.owner.query(
        `select r.rolname as name, has_database_privilege(r.rolname, current_database(), 'temporary') as temporary,
           has_schema_privilege(r.rolname, current_schema(), 'create') as lasting
         from pg_roles r where r.rolname in ('hookwell_app', 'hookwell_dispatch') order by r.rolname`,
      );
      expect(rows).toEqual([
        { name: "hookwell_app", temporary: false, lasting: false },
        { name: "hookwell_dispatch", temporary: false, lasting: false },
      ]);
    } finally {
      await fresh.drop();
    }
  });
});
