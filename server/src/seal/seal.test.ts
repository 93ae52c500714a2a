import { createSecretKey, randomBytes } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { createKysely, inClinic } from "../db/pool.ts";
import type { Db } from "../db/schema.ts";
import { type ClinicSeal, type Place, Seal, SealBrokenError } from "./seal.ts";

let database: TestDatabase;
let app: Db;
const masterKey = randomBytes(32);
const seal = new Seal(createSecretKey(masterKey));
let clinicId: number;
let otherClinicId: number;
let ours: ClinicSeal;
let theirs: ClinicSeal;

beforeAll(async () => {
  database = await createTestDatabase();
  app = createKysely(database.pools.app);
  clinicId = await createClinic();
  otherClinicId = await createClinic();
  ours = await sealOf(clinicId);
  theirs = await sealOf(otherClinicId);
});
afterAll(() => database.drop());

async function createClinic(): Promise<number> {
  const { data_key, data_key_id } = seal.newDataKey();
  const { rows } = await database.pools.owner.query<{ id: number }>(
    "insert into clinics (name, time_zone, data_key, data_key_id, inbox_token) values ('Test', 'UTC', $1, $2, $3) returning id",
    [data_key, data_key_id, randomBytes(24).toString("hex")],
  );
  return (rows[0] as { id: number }).id;
}

const sealOf = (id: number, by = seal) => inClinic(app, id, (tx) => by.forClinic(tx, id));
const text = fc.oneof(fc.string({ unit: "binary", maxLength: 300 }), fc.constantFrom("", "{}", "Zoë 🦷\u0000"));
const column = fc.constantFrom<Place["column"]>("events.facts", "attempts.answer", "webhooks.url", "webhooks.headers");
const row = fc.oneof(
  fc.nat(),
  fc.uuid(),
  fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => `${a}/${b}`),
);
const place: fc.Arbitrary<Place> = fc.record({ column, row });

describe("what is sealed", () => {
  test("opens as what it was, in its own clinic, table, column and row", () => {
    fc.assert(
      fc.property(text, place, (plain, at) => {
        expect(ours.open(at, ours.seal(at, plain))).toBe(plain);
      }),
    );
  });

  test("opens in no other place of the clinic", () => {
    fc.assert(
      fc.property(text, place, place, (plain, at, elsewhere) => {
        fc.pre(at.column !== elsewhere.column || String(at.row) !== String(elsewhere.row));
        expect(() => ours.open(elsewhere, ours.seal(at, plain))).toThrow(SealBrokenError);
      }),
    );
  });

  test("opens in no other clinic, at the same place", () => {
    fc.assert(
      fc.property(text, place, (plain, at) => {
        expect(() => theirs.open(at, ours.seal(at, plain))).toThrow(SealBrokenError);
      }),
    );
  });

  test("does not open once a byte of it was changed, cut off or added", () => {
    fc.assert(
      fc.property(text, place, fc.nat(), fc.integer({ min: 1, max: 255 }), (plain, at, where, change) => {
        const sealed = ours.seal(at, plain);
        const index = where % sealed.length;
        const changed = Buffer.from(sealed);
        changed.writeUInt8((changed[index] ?? 0) ^ change, index);
        for (const broken of [changed, sealed.subarray(0, index), Buffer.concat([sealed, Buffer.of(change)])]) {
          expect(() => ours.open(at, broken)).toThrow(SealBrokenError);
        }
      }),
    );
  });

  test("shows nothing of the text and is different each time", () => {
    const at: Place = { column: "events.facts", row: 1 };
    const [first, second] = [ours.seal(at, "Robin Sample"), ours.seal(at, "Robin Sample")];
    expect(first?.equals(second ?? Buffer.alloc(0))).toBe(false);
    expect(first?.includes("Robin")).toBe(false);
    expect(first?.subarray(1, 13).equals(second?.subarray(1, 13) ?? Buffer.alloc(0))).toBe(false); // never a nonce twice
  });

  test("says in its error where it lies and nothing of what it holds", () => {
    const at: Place = { column: "attempts.answer", row: "7/8" };
    expect(() => theirs.open(at, ours.seal(at, "Robin Sample"))).toThrow(
      /^what is sealed in attempts\.answer, row 7\/8, /,
    );
  });
});

describe("a clinic's key", () => {
  const wrapped = async (id: number) => {
    const { rows } = await database.pools.owner.query<{ data_key: Buffer; data_key_id: string }>(
      "select data_key, data_key_id from clinics where id = $1",
      [id],
    );
    return rows[0] as { data_key: Buffer; data_key_id: string };
  };

  test("is the same for whoever has the master key: another process opens what this one sealed", async () => {
    const at: Place = { column: "events.facts", row: "a" };
    const another = new Seal(createSecretKey(masterKey));
    expect((await sealOf(clinicId, another)).open(at, ours.seal(at, "text"))).toBe("text");
  });

  test("is of no use in another clinic's row", async () => {
    const [mine, victim] = [await createClinic(), await createClinic()];
    const { data_key } = await wrapped(mine);
    await database.pools.owner.query("update clinics set data_key = $2 where id = $1", [victim, data_key]);
    await expect(sealOf(victim)).rejects.toThrow(SealBrokenError);
  });

  test("that was wrapped by another master key is refused", async () => {
    const stranger = new Seal(createSecretKey(randomBytes(32)));
    await expect(sealOf(await createClinic(), stranger)).rejects.toThrow(SealBrokenError);
  });

  test("differs between clinics, and its wrapping never holds it in the clear", async () => {
    const [first, second] = [seal.newDataKey(), seal.newDataKey()];
    expect(first.data_key_id).not.toBe(second.data_key_id);
    expect(first.data_key.equals(second.data_key)).toBe(false);
    expect(first.data_key).toHaveLength(1 + 12 + 32 + 16);
  });

  test("of a clinic that does not exist, or that the transaction may not see, is an error", async () => {
    await expect(sealOf(999_999)).rejects.toThrow();
    const hidden = await createClinic();
    await expect(inClinic(app, clinicId, (tx) => seal.forClinic(tx, hidden))).rejects.toThrow();
  });
});

test.each([1, 16, 31, 33, 64])("a master key of %i bytes is refused", (bytes) => {
  expect(() => new Seal(createSecretKey(randomBytes(bytes)))).toThrow(RangeError);
});
