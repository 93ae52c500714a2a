import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestClinic } from "../../test/clinic.ts";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { refusalOf } from "../../test/refusal.ts";
import { createClinic, getClinic, type NewClinic } from "./clinics.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const create = (changed: Partial<NewClinic> = {}) => createTestClinic(database.pools, changed);

describe("a new clinic", () => {
  test("has its settings, a sealing key of its own and an inbox token of 192 bits", async () => {
    const [one, two] = [await create({ locale: "fr-CA", currency: "jpy", hasAcademy: true }), await create()];
    expect(await one.inTransaction((tx) => getClinic(tx, one.id))).toEqual({
      id: one.id,
      name: "Invented Clinic",
      timeZone: "America/Toronto",
      currency: "jpy",
      locale: "fr-CA",
      hasAcademy: true,
      portalName: one.clinic.portalName,
    });
    const rows = await one.owner
      .selectFrom("clinics")
      .select(["inbox_token", "data_key"])
      .where("id", "in", [one.id, two.id])
      .execute();
    expect(new Set(rows.map(({ inbox_token }) => inbox_token)).size).toBe(2);
    for (const { inbox_token } of rows) expect(Buffer.from(inbox_token, "base64url")).toHaveLength(24);
    const place = { column: "events.facts", row: "1" } as const;
    const sealed = (await one.seal.forClinic(one.owner, one.id)).seal(place, "a fact");
    expect((await one.seal.forClinic(one.owner, one.id)).open(place, sealed)).toBe("a fact");
    const other = await two.seal.forClinic(two.owner, two.id);
    expect(() => other.open(place, sealed)).toThrow("does not open");
  });

  test("gets a portal name from its own, with a number while that is taken", async () => {
    const names = [];
    for (const name of ["Zoé's Clinic & Spa", "Zoe s clinic  spa", "Zoé's Clinic & Spa", "治", "x"]) {
      names.push((await create({ name })).clinic.portalName);
    }
    expect(names).toEqual(["zoe-s-clinic-spa", "zoe-s-clinic-spa-2", "zoe-s-clinic-spa-3", "clinic", "clinic-x"]);
    const [long, again] = [await create({ name: "a".repeat(200) }), await create({ name: "a".repeat(200) })];
    expect([long.clinic.portalName, again.clinic.portalName]).toEqual(["a".repeat(50), `${"a".repeat(50)}-2`]);
  });

  test("keeps the zone's name as it was given, in its usual spelling", async () => {
    expect((await create({ timeZone: "asia/kathmandu" })).clinic.timeZone).toBe("Asia/Kathmandu");
  });

  test.each([
    ["time_zone", { timeZone: "Nowhere/Invented" }],
    ["time_zone", { timeZone: "+05:45" }],
    ["time_zone", { timeZone: "" }],
    ["currency", { currency: "CAD" }],
    ["currency", { currency: "xyzw" }],
    ["name", { name: " " }],
  ])("is refused for its %s: %j", async (field, changed) => {
    const refusal = await refusalOf(() => create(changed));
    expect(refusal.fields).toMatchObject([{ field }]);
  });

  test("can be made by the owner only", async () => {
    const { db, seal } = await create();

    const planting = createClinic(db, seal, { name: "Planted", timeZone: "UTC" });
    await expect(planting).rejects.toThrow("permission denied");
  });
});

test("a transaction of one clinic does not know another", async () => {
  const [one, two] = [await create(), await create()];
  await expect(one.inTransaction((tx) => getClinic(tx, two.id))).rejects.toThrow("does not exist");
});
