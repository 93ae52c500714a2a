/** The demo's clinic, as it stands after a start, and after the next one. */
import { createSecretKey, randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { createAccounts } from "../accounts/accounts.ts";
import { listItems } from "../clinic/academy/items.ts";
import { listGiftCertificates } from "../clinic/credits/gift-certificates.ts";
import { listPackages } from "../clinic/credits/packages.ts";
import { listPatients } from "../clinic/people.ts";
import { fixedClock } from "../clock.ts";
import { createKysely, inClinic } from "../db/pool.ts";
import type { Database } from "../db/schema.ts";
import { silentLog } from "../log.ts";
import { Seal } from "../seal/seal.ts";
import { seedDemo } from "./seed.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test("has people, two packages, two courses and a webinar for sale, and a gift certificate that can be redeemed; a second start adds nothing", async () => {
  const db = createKysely<Database>(database.pools.app);
  const seal = new Seal(createSecretKey(randomBytes(32)));
  const clock = fixedClock("2026-06-01T12:00:00Z");
  const owner = createKysely<Database>(database.pools.owner);
  const secret = randomBytes(32).toString("base64url");
  const publicUrl = "http://localhost:4400";
  const accounts = createAccounts({
    db,
    authPool: database.pools.auth,
    secret,
    publicUrl,
    log: silentLog(),
    mail: null,
  });
  const options = { owner, db, seal, clock, accounts, password: "an invented password", replacePasswords: false };
  for (const start of ["first", "second"]) {
    const { id: clinicId } = await seedDemo(options);
    const seen = await inClinic(db, clinicId, async (tx) => ({
      patients: (await listPatients(tx, { clinicId, limit: 100 })).length,
      packages: (await listPackages(tx, { clinicId, limit: 100 })).map(({ active }) => active),
      courses: (await listItems(tx, { clinicId, type: "course", limit: 100 })).map(({ priceMinor }) => priceMinor),
      webinars: (await listItems(tx, { clinicId, type: "webinar", limit: 100 })).length,
      certificates: (await listGiftCertificates(tx, { clinicId, outbox: { seal, clock } }, { limit: 100 })).map(
        ({ state, remainingMinor, code }) => [state, remainingMinor, code.length],
      ),
    }));
    expect([start, seen]).toEqual([
      start,
      { patients: 6, packages: [true, true], courses: [199_00, 0], webinars: 1, certificates: [["ready", 100_00, 19]] },
    ]);
  }
});
