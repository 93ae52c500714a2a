import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { silentLog } from "../log.ts";
import { migrate } from "./migrate.ts";
import { createPools } from "./pool.ts";

const log = silentLog();
let database: TestDatabase;
let folder: string;

beforeEach(async () => {
  database = await createTestDatabase({ empty: true });
  folder = await mkdtemp(join(tmpdir(), "hookwell-migrations-"));
  await write("0001_first.sql", "create table notes (id int primary key);");
});

afterEach(async () => {
  await database.drop();
  await rm(folder, { recursive: true });
});

const write = (name: string, text: string) => writeFile(join(folder, name), text);
const run = () => migrate({ owner: database.pools.owner, log, folder });

async function rowsOf(statement: string): Promise<unknown[]> {
  return (await database.pools.owner.query(statement)).rows;
}

describe("migrations", () => {
  test("run once each, in the order of their numbers", async () => {
    await write("0002_second.sql", "insert into notes values (2); insert into notes values (3);");
    expect(await run()).toEqual({ applied: ["0001_first.sql", "0002_second.sql"], unknown: [] });
    expect(await run()).toEqual({ applied: [], unknown: [] });
    expect(await rowsOf("select id from notes order by id")).toEqual([{ id: 2 }, { id: 3 }]);
  });

  test("that were changed after they had run are refused by name, and nothing else runs", async () => {
    await run();
    await write("0001_first.sql", "create table notes (id bigint primary key);");
    await write("0002_second.sql", "insert into notes values (2);");
    await expect(run()).rejects.toThrow(/0001_first\.sql was changed after it had run.*into a new one/);
    expect(await rowsOf("select id from notes")).toEqual([]);
  });

  test("are not changed by another kind of line ends", async () => {
    await write("0001_first.sql", "create table notes (\n id int primary key);\n");
    await run();
    await write("0001_first.sql", "create table notes (\r\n id int primary key);\r\n");
    expect(await run()).toEqual({ applied: [], unknown: [] });
  });

  test("that fail change nothing, and name the file and PostgreSQL's reason", async () => {
    await run();
    await write("0002_second.sql", "insert into notes values (2); insert into nowhere values (1);");
    await expect(run()).rejects.toThrow(/0002_second\.sql failed and changed nothing: .*"nowhere" does not exist/);
    expect(await rowsOf("select id from notes")).toEqual([]);
    expect(await rowsOf("select name from hookwell_migrations")).toEqual([{ name: "0001_first.sql" }]);
    await write("0002_second.sql", "insert into notes values (2);");
    expect((await run()).applied).toEqual(["0002_second.sql"]);
  });

  test("of nodes that start together run once, and every node ends well", async () => {
    await write("0002_second.sql", "insert into notes select coalesce(max(id), 0) + 1 from notes;");
    const nodes = Array.from({ length: 4 }, () => createPools({ url: database.url, log }));
    const results = await Promise.all(nodes.map(({ owner }) => migrate({ owner, log, folder })));
    await Promise.all(nodes.map((node) => node.close()));
    expect(results.flatMap(({ applied }) => applied).sort()).toEqual(["0001_first.sql", "0002_second.sql"]);
    expect(await rowsOf("select id from notes")).toEqual([{ id: 1 }]);
  });

  test("with a number below one that has run are refused", async () => {
    await write("0003_third.sql", "select 1;");
    await run();
    await write("0002_late.sql", "select 1;");
    await expect(run()).rejects.toThrow(/0002_late\.sql comes before 0003_third\.sql/);
  });

  test("with the same number are refused", async () => {
    await write("0001_other.sql", "select 1;");
    await expect(run()).rejects.toThrow(/0001_first\.sql and 0001_other\.sql have the same number/);
  });

  test("that end their transaction themselves are refused, since a crash could then leave half of one", async () => {
    await write("0002_second.sql", "insert into notes values (1);\ncommit;\ninsert into notes values (1);");
    await expect(run()).rejects.toThrow(/0002_second\.sql begins or ends a transaction/);
  });

  test("of a newer program are reported and left alone, so that a rolling upgrade can roll back", async () => {
    await write("0002_second.sql", "select 1;");
    await run();
    await rm(join(folder, "0002_second.sql"));
    expect(await run()).toEqual({ applied: [], unknown: ["0002_second.sql"] });
  });

  test("leave nothing of their session behind on the owner's connections", async () => {
    await write("0002_second.sql", "set search_path = pg_catalog;");
    await expect(run()).rejects.toThrow(/0002_second/);
    expect(await rowsOf("show search_path")).toEqual([{ search_path: '"$user", public' }]);
    const held = `select 1 as held from pg_locks l join pg_database d on d.oid = l.database
      where l.locktype = 'advisory' and d.datname = current_database()`;
    // The server takes note of the closed connection a moment later.
    await expect.poll(() => rowsOf(held)).toEqual([]);
  });
});
