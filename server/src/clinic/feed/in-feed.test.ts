import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../test/database.ts";
import { createKysely, createPools } from "../../db/pool.ts";
import { silentLog } from "../../log.ts";
import { inFeed } from "./in-feed.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test("a connection on which a transaction cannot be begun is clean again for the next one", async () => {
  const pools = createPools({ url: database.url, log: silentLog(), appConnectionsMax: 1 });
  const db = createKysely(pools.app);
  try {
    await sql.raw("begin; select set_config('hookwell.clinic_id', '1', true)").execute(db);
    await expect(sql`select 1 / 0`.execute(db)).rejects.toThrow("division by zero");
    await expect(inFeed(db, 1, async () => "done")).rejects.toThrow("current transaction is aborted");
    expect(await inFeed(db, 1, async () => "done")).toBe("done");
  } finally {
    await pools.close();
  }
});
