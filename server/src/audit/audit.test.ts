/** The audit trail: nobody takes anything out of it, and whoever does all the same is found out. */
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { newClinicId } from "../../test/clinic-row.ts";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { createKysely, inClinic } from "../db/pool.ts";
import type { Db } from "../db/schema.ts";
import { type AuditEntry, record } from "./audit.ts";
import { verifyChain } from "./chain.ts";
import { runFrom } from "./origin.ts";
import { listActors, listTrail } from "./trail.ts";

let database: TestDatabase;
let app: Db;
let owner: pg.Pool;
let clinicId: number;

beforeAll(async () => {
  database = await createTestDatabase();
  app = createKysely(database.pools.app);
  owner = database.pools.owner;
});
afterAll(() => database.drop());
beforeEach(async () => {
  clinicId = await newClinicId(owner);
});

const entry = (more: Partial<AuditEntry> = {}): AuditEntry => ({
  ...{ clinicId, actor: "user-1", action: "webhook.changed", target: "webhook:1" },
  ...{ before: { name: "Zoë 🦷" }, after: null, ...more },
});
const write = (more: Partial<AuditEntry> = {}) => inClinic(app, clinicId, (tx) => record(tx, entry(more)));
const verify = (newest?: number) =>
  inClinic(app, clinicId, (tx) => verifyChain(tx, { clinicId, ...(newest !== undefined && { newest }) }));

async function writeMany(count: number): Promise<void> {
  for (let n = 1; n <= count; n += 1) await write({ target: `webhook:${n}` });
}

/** As somebody with all rights would, past the triggers. */
async function tamper(statement: string): Promise<void> {
  await owner.query("alter table audit disable trigger user");
  try {
    await owner.query(statement, [clinicId]);
  } finally {
    await owner.query("alter table audit enable trigger user");
  }
}

describe("an entry", () => {
  test("is numbered per clinic without gaps in the order of the commits, whatever was rolled back in between", async () => {
    await write();
    const lost = inClinic(app, clinicId, async (tx) => {
      await record(tx, entry());
      throw new Error("changed its mind");
    });
    await expect(lost).rejects.toThrow("changed its mind");
    await Promise.all(Array.from({ length: 12 }, () => write()));
    const { rows } = await owner.query("select sequence from audit where clinic_id = $1 order by sequence", [clinicId]);
    expect(rows.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 13 }, (_, n) => n + 1));
    expect(await verify()).toMatchObject({ complete: true, checked: 13 });
  });

  test("says from where it came and under which name, and for the program's own work that it came from nowhere", async () => {
    await runFrom({ address: "203.0.113.7", actorName: "Robin Sample" }, () => write());
    await write();
    const trail = await inClinic(app, clinicId, (tx) =>
      listTrail(tx, { clinicId }, { beforeSequence: null, limit: 5 }),
    );
    expect(trail.map(({ origin, actorName }) => [origin, actorName])).toEqual([
      [null, "Robin Sample"],
      ["203.0.113.7", "Robin Sample"],
    ]);
    expect(await inClinic(app, clinicId, (tx) => listActors(tx, clinicId))).toEqual([
      { actor: "user-1", name: "Robin Sample" },
    ]);
  });

  test.each([
    ["update audit set actor = 'somebody else' where clinic_id = $1"],
    ["delete from audit where clinic_id = $1"],
    ["update audit_heads set sequence = 0 where clinic_id = $1"],
  ])("is closed to the program's role: %s", async (statement) => {
    await write();
    const attempt = database.pools.app.query(statement, [clinicId]);
    await expect(attempt).rejects.toThrow(/permission denied/);
  });

  test.each([
    ["update audit set actor = 'somebody else' where clinic_id = $1"],
    ["update audit set sequence = sequence + 100 where clinic_id = $1"],
    ["delete from audit where clinic_id = $1"],
    ["truncate audit"],
  ])("is closed even to the tables' owner: %s", async (statement) => {
    await write();
    const attempt = owner.query(statement, statement.includes("$1") ? [clinicId] : []);
    await expect(attempt).rejects.toThrow(/append-only/);
  });

  test("cannot bring a number or a hash of its own", async () => {
    const forged = inClinic(app, clinicId, (tx) =>
      tx
        .insertInto("audit")
        .values({ clinic_id: clinicId, actor: "x", action: "x", target: "x", sequence: 7, hash: Buffer.alloc(32) })
        .execute(),
    );
    await expect(forged).rejects.toThrow(/append-only/);
  });
});

describe("a chain", () => {
  test("of a clinic without entries is complete", async () => {
    expect(await verify()).toMatchObject({ complete: true, checked: 0 });
  });

  test.each([
    ["who", "update audit set actor = 'user-2' where clinic_id = $1 and sequence = 3"],
    ["the name", "update audit set actor_name = 'Somebody' where clinic_id = $1 and sequence = 3"],
    ["what", "update audit set action = 'webhook.created' where clinic_id = $1 and sequence = 3"],
    ["on what", "update audit set target = 'webhook:99' where clinic_id = $1 and sequence = 3"],
    ["before", `update audit set before = '{"name":"x"}' where clinic_id = $1 and sequence = 3`],
    ["after", `update audit set after = '{"name":"x"}' where clinic_id = $1 and sequence = 3`],
    ["from where", "update audit set origin = '203.0.113.9' where clinic_id = $1 and sequence = 3"],
    ["when", "update audit set at = at - interval '1 microsecond' where clinic_id = $1 and sequence = 3"],
    ["its hash taken out", "update audit set hash = null where clinic_id = $1 and sequence = 3"],
    ["one taken out", "delete from audit where clinic_id = $1 and sequence = 3"],
    ["the numbers moved up", "update audit set sequence = sequence + 10 where clinic_id = $1 and sequence >= 3"],
  ])("breaks at the entry of which was changed: %s", async (_what, statement) => {
    await writeMany(5);
    expect((await verify()).complete).toBe(true);
    await tamper(statement);
    expect(await verify()).toMatchObject({ complete: false, sequence: 3 });
  });

  test("breaks where the last entries were cut off, or the head was taken back", async () => {
    await writeMany(5);
    await tamper("delete from audit where clinic_id = $1 and sequence > 3");
    expect(await verify()).toMatchObject({ complete: false, sequence: 4 });
    await tamper("update audit_heads set sequence = 2 where clinic_id = $1");
    expect(await verify()).toMatchObject({ complete: false });
  });

  test("is complete while others write: an entry that commits during the check is no break", async () => {
    let isDone = false;
    const writers = Array.from({ length: 4 }, async () => {
      while (!isDone) await write();
    });
    const verdicts = [];
    try {
      for (let n = 0; n < 150; n += 1) verdicts.push(await verify(3));
    } finally {
      isDone = true;
      await Promise.all(writers);
    }
    expect(verdicts.filter(({ complete }) => !complete)).toEqual([]);
    expect(verdicts.at(-1)).not.toEqual(verdicts[0]);
  });

  test("can be checked for its newest entries alone, which finds a break in those", async () => {
    await writeMany(6);
    expect(await verify(3)).toMatchObject({ complete: true, checked: 3 });
    await tamper("update audit set actor = 'user-2' where clinic_id = $1 and sequence = 2");
    expect(await verify(3)).toMatchObject({ complete: true, checked: 3 });
    expect(await verify()).toMatchObject({ complete: false, sequence: 2 });
  });

  test("is each clinic's own: another one's entries are neither seen nor waited for", async () => {
    const other = await newClinicId(owner);
    await writeMany(2);
    await inClinic(app, other, (tx) => record(tx, entry({ clinicId: other })));
    expect(await inClinic(app, other, (tx) => verifyChain(tx, { clinicId: other }))).toMatchObject({ checked: 1 });
    const seen = await inClinic(app, other, (tx) => listTrail(tx, { clinicId }, { beforeSequence: null, limit: 5 }));
    expect(seen).toEqual([]);
  });
});
