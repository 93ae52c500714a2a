import { createSecretKey, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { systemClock } from "../clock.ts";
import { createKysely, inClinic } from "../db/pool.ts";
import type { Db } from "../db/schema.ts";
import { Seal } from "../seal/seal.ts";
import { clinicOfInbox, type InboxStore, keepMessage, MESSAGES_PER_CLINIC_MAX, readMessages } from "./messages.ts";

let database: TestDatabase;
let db: Db;
let store: InboxStore;
const seal = new Seal(createSecretKey(randomBytes(32)));

beforeAll(async () => {
  database = await createTestDatabase();
  db = createKysely(database.pools.app);
  store = { db, seal, clock: systemClock, secretsOf: async () => [] };
});
afterAll(() => database.drop());

async function newClinic(): Promise<{ id: number; token: string }> {
  const token = randomBytes(24).toString("base64url");
  const { id } = await createKysely(database.pools.owner)
    .insertInto("clinics")
    .values({ name: "Test", time_zone: "America/Toronto", inbox_token: token, ...seal.newDataKey() })
    .returning("id")
    .executeTakeFirstOrThrow();
  return { id, token };
}

const read = (clinicId: number, limit = 10) =>
  inClinic(db, clinicId, async (tx) => readMessages(tx, clinicId, { seal: await seal.forClinic(tx, clinicId), limit }));

describe("the test inbox", () => {
  it("keeps the exact bytes, sealed, for the clinic of the token alone", async () => {
    const clinic = await newClinic();
    const other = await newClinic();
    expect(await clinicOfInbox(db, clinic.token)).toBe(clinic.id);
    expect(await clinicOfInbox(db, "made up")).toBeNull();
    const body = Buffer.from([0x7b, 0xff, 0x00, 0x7d]);
    await keepMessage(store, clinic.id, { headers: { "x-name": "Canary" }, body });
    const [message] = await read(clinic.id);
    expect(message?.body.equals(body)).toBe(true);
    expect(message?.headers).toEqual({ "x-name": "Canary" });
    expect(await read(other.id)).toEqual([]);
    const { rows } = await database.pools.owner.query("select message from inbox_messages");
    expect(rows[0].message.includes(Buffer.from("Canary"))).toBe(false);
  });

  it(`keeps the newest ${MESSAGES_PER_CLINIC_MAX} of a clinic, and drops nobody else's`, async () => {
    const clinic = await newClinic();
    const other = await newClinic();
    const keep = (id: number, n: number) =>
      keepMessage(store, id, { headers: { n: String(n) }, body: Buffer.alloc(0) });
    await keep(other.id, 0);
    const older = "insert into inbox_messages (clinic_id, message) select $1, '' from generate_series(1, $2)";
    await database.pools.owner.query(older, [clinic.id, MESSAGES_PER_CLINIC_MAX]);
    for (let n = 0; n < 3; n++) await keep(clinic.id, n);
    const count = "select count(*)::int as n from inbox_messages where clinic_id = $1";
    expect((await database.pools.owner.query(count, [clinic.id])).rows[0].n).toBe(MESSAGES_PER_CLINIC_MAX);
    expect((await read(clinic.id, 3)).map(({ headers }) => headers.n)).toEqual(["2", "1", "0"]);
    expect(await read(other.id)).toHaveLength(1);
  });
});
