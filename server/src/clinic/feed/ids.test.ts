import { Kysely, PostgresDialect } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestClinic, type TestClinic } from "../../../test/clinic.ts";
import { createTestDatabase, type TestDatabase } from "../../../test/database.ts";
import type { Database } from "../../db/schema.ts";
import { keepIntegers, resolveIds, type WantedId } from "./ids.ts";
import { inFeed } from "./in-feed.ts";

let database: TestDatabase;
let clinic: TestClinic;
let statements = 0;
let db: Kysely<Database>;

beforeAll(async () => {
  database = await createTestDatabase();
  clinic = await createTestClinic(database.pools);
  const log = () => {
    statements += 1;
  };
  db = new Kysely<Database>({ dialect: new PostgresDialect({ pool: database.pools.app }), log });
});
afterAll(() => database.drop());

const HIGH = 2 ** 52 + 1_000_000;
const wanted = (count: number): WantedId[] =>
  Array.from({ length: count }, (_, n) => [
    { kind: "patient" as const, id: `${count}:${n}`, field: "participants" },
    { kind: "patient" as const, id: HIGH + count * 1_000 + n, field: "participants" },
  ]).flat();

async function statementsOf(work: (tx: Parameters<typeof resolveIds>[0]) => Promise<unknown>): Promise<number> {
  statements = 0;
  await inFeed(db, clinic.id, work);
  return statements;
}

test("texts and high integers in any number are allotted, and kept, in the same few statements", async () => {
  const few = await statementsOf((tx) => resolveIds(tx, clinic.id, wanted(2)));
  expect(await statementsOf((tx) => resolveIds(tx, clinic.id, wanted(300)))).toBe(few);
  const keep = (count: number) =>
    statementsOf((tx) =>
      keepIntegers(
        tx,
        clinic.id,
        Array.from({ length: count }, (_, n) => ({ kind: "consult", id: HIGH + (n % 200) })),
      ),
    );
  expect(await keep(300)).toBe(await keep(2));
});

test("every one of them gets an integer of its own, and the same one the next time", async () => {
  const read = () =>
    inFeed(db, clinic.id, async (tx) => {
      const ids = await resolveIds(tx, clinic.id, wanted(200));
      return wanted(200).map(({ kind, id }) => ids(kind, id));
    });
  const first = await read();
  expect(new Set(first).size).toBe(400);
  expect(await read()).toEqual(first);
});
