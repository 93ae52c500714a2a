/** A rotation of the master key: wherever it is cut off, everything opens, and a second run ends it. */
import { createSecretKey, hkdfSync, type KeyObject, randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { createKysely, inClinic } from "../db/pool.ts";
import type { Db } from "../db/schema.ts";
import { loadAuthSecret } from "./kept-secrets.ts";
import { countWrapped, rewrapAll } from "./rotation.ts";
import { type Place, Seal, SealBrokenError } from "./seal.ts";

const CLINICS = 4;
const PLACE: Place = { column: "events.facts", row: 1 };

let database: TestDatabase;
let owner: Db;
let app: Db;
let oldKey: KeyObject;
let newKey: KeyObject;
let sealed: Map<number, Buffer>;
let authSecret: string;

const newMasterKey = () => createSecretKey(randomBytes(32));

beforeAll(async () => {
  database = await createTestDatabase();
  owner = createKysely(database.pools.owner);
  app = createKysely(database.pools.app);
});
afterAll(() => database.drop());

beforeEach(async () => {
  await database.pools.owner.query("delete from clinics");
  await database.pools.owner.query("delete from kept_secrets");
  [oldKey, newKey] = [newMasterKey(), newMasterKey()];
  const seal = new Seal(oldKey);
  authSecret = await loadAuthSecret({ authSecret: undefined }, { owner, seal, masterKeys: [oldKey] });
  sealed = new Map();
  for (let n = 0; n < CLINICS; n += 1) sealed.set(...(await newClinic(seal)));
});

async function newClinic(seal: Seal): Promise<[number, Buffer]> {
  const row = { name: "Test", time_zone: "UTC", inbox_token: randomBytes(24).toString("hex"), ...seal.newDataKey() };
  const { id } = await owner.insertInto("clinics").values(row).returning("id").executeTakeFirstOrThrow();
  return [id, (await seal.forClinic(owner, id)).seal(PLACE, `facts of clinic ${id}`)];
}

/** Everything that was sealed opens for whoever has these keys, and the sessions' secret is what it was. */
async function expectAllOpens(masterKeys: readonly KeyObject[]): Promise<void> {
  const seal = new Seal(masterKeys);
  for (const [id, bytes] of sealed) {
    const clinic = await inClinic(app, id, (tx) => seal.forClinic(tx, id));
    expect(clinic.open(PLACE, bytes)).toBe(`facts of clinic ${id}`);
  }
  expect(await loadAuthSecret({ authSecret: undefined }, { owner, seal, masterKeys })).toBe(authSecret);
}

/** Goes on until so many steps are done, and then no further, as if the process had been killed. */
async function rotateSteps(steps: number): Promise<number> {
  const rotation = rewrapAll(owner, new Seal([newKey, oldKey]));
  for (let done = 0; done < steps; done += 1) if ((await rotation.next()).done) return done;
  return steps;
}

const rotate = () => rotateSteps(Number.POSITIVE_INFINITY);

describe("a rotation", () => {
  test("leaves nothing that needs the old key, and nothing that does not open", async () => {
    expect(await countWrapped(owner, new Seal([newKey, oldKey]))).toEqual({ all: CLINICS + 1, older: CLINICS + 1 });
    expect(await rotate()).toBe(CLINICS + 1);
    expect(await countWrapped(owner, new Seal([newKey, oldKey]))).toEqual({ all: CLINICS + 1, older: 0 });
    await expectAllOpens([newKey]);
    await expect(expectAllOpens([oldKey])).rejects.toThrow(SealBrokenError);
  });

  test.each(Array.from({ length: CLINICS + 2 }, (_, steps) => steps))(
    "that was cut off after %i steps leaves everything readable, and a second run ends it",
    async (steps) => {
      await rotateSteps(steps);
      await expectAllOpens([newKey, oldKey]);
      expect((await countWrapped(owner, new Seal([newKey, oldKey]))).older).toBe(CLINICS + 1 - steps);
      expect(await rotate()).toBe(CLINICS + 1 - steps);
      await expectAllOpens([newKey]);
    },
  );

  test("may run several times at once", async () => {
    await Promise.all([rotate(), rotate(), rotate()]);
    await expectAllOpens([newKey]);
  });

  test("changes nothing the second time", async () => {
    await rotate();
    expect(await rotate()).toBe(0);
  });

  test("finds what a server that does not know the new key yet has wrapped meanwhile", async () => {
    await rotate();
    sealed.set(...(await newClinic(new Seal(oldKey))));
    await expectAllOpens([newKey, oldKey]);
    expect((await countWrapped(owner, new Seal([newKey, oldKey]))).older).toBe(1);
    expect(await rotate()).toBe(1);
    await expectAllOpens([newKey]);
  });

  test("stops at what none of the keys opens, and changes nothing of that", async () => {
    const [stranger] = await newClinic(new Seal(newMasterKey()));
    await expect(rotate()).rejects.toThrow(SealBrokenError);
    const strangers = () => owner.selectFrom("clinics").select("data_key").where("id", "=", stranger).execute();
    const before = await strangers();
    await expect(rotate()).rejects.toThrow(SealBrokenError);
    expect(await strangers()).toEqual(before);
  });
});

describe("a server that runs meanwhile", () => {
  test("reads the keys again for a clinic that its own do not open, and goes on", async () => {
    let keys: readonly KeyObject[] = [oldKey];
    let reads = 0;
    const readAgain = async () => {
      reads += 1;
      return keys;
    };
    const seal = new Seal(oldKey, { readAgain });
    const [first = 0, second = 0] = sealed.keys();
    await seal.forClinic(owner, first);
    keys = [newKey, oldKey];
    await rotate();
    expect((await seal.forClinic(owner, second)).open(PLACE, sealed.get(second) as Buffer)).toContain("facts");
    expect((await seal.forClinic(owner, first)).open(PLACE, sealed.get(first) as Buffer)).toContain("facts");
    expect(reads).toBe(1);
    // From now on it wraps by the new one.
    expect((await countWrapped(owner, new Seal([newKey, oldKey]))).older).toBe(0);
    sealed.set(...(await newClinic(seal)));
    expect((await countWrapped(owner, new Seal([newKey, oldKey]))).older).toBe(0);
  });
});

describe("the secret that signs sessions", () => {
  let derived: string;
  beforeEach(() => {
    derived = Buffer.from(hkdfSync("sha256", oldKey, Buffer.alloc(0), "hookwell auth secret v1", 32)).toString(
      "base64url",
    );
  });
  const load = (masterKeys: readonly KeyObject[], config: { authSecret: KeyObject | undefined }) =>
    loadAuthSecret(config, { owner, seal: new Seal(masterKeys), masterKeys });

  test("is one for all nodes of a database, and another one in another database, even under the same master key", async () => {
    expect(authSecret).toMatch(/^[A-Za-z0-9_-]{43}$/);
    const all = await Promise.all(Array.from({ length: 4 }, () => load([oldKey], { authSecret: undefined })));
    expect(new Set(all)).toEqual(new Set([authSecret]));
    await database.pools.owner.query("delete from kept_secrets");
    const others = await Promise.all(Array.from({ length: 4 }, () => load([oldKey], { authSecret: undefined })));
    expect(new Set(others).size).toBe(1);
    await database.pools.owner.query("delete from kept_secrets");
    expect([authSecret, ...others]).not.toContain(await load([oldKey], { authSecret: undefined }));
    expect([authSecret, ...others]).not.toContain(derived);
  });

  test("goes on being the one of before it was kept, derived from the oldest key, where people have accounts", async () => {
    await database.pools.owner.query("delete from kept_secrets");
    await database.pools.owner.query(
      `insert into auth."user" (id, name, email, "emailVerified") values ('one', 'One', 'one@example.test', true)`,
    );
    try {
      expect(await load([newKey, oldKey], { authSecret: undefined })).toBe(derived);
    } finally {
      await database.pools.owner.query('delete from auth."user"');
    }
  });

  test("is the configured one where there is one", async () => {
    const configured = { authSecret: createSecretKey(Buffer.from("é".repeat(32), "utf8")) };
    expect(await load([oldKey], configured)).toBe("é".repeat(32));
  });

  test("is closed to the roles of the program", async () => {
    for (const pool of [database.pools.app, database.pools.dispatch, database.pools.auth]) {
      await expect(pool.query("select * from public.kept_secrets")).rejects.toThrow(/permission denied/);
    }
  });
});
