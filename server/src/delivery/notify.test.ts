/** Word between processes: it wakes the others and not oneself, comes at most 20 times a second, and survives lost connections. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { until } from "../../test/until.ts";
import { type Clock, fixedClock, systemClock } from "../clock.ts";
import { silentLog } from "../log.ts";
import { Neighbours, type NeighboursOptions } from "./notify.ts";
import { POLL_MS, Poll } from "./wake.ts";

let database: TestDatabase;
let started: Neighbours[];

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(() => {
  started = [];
});
afterEach(async () => {
  await Promise.all(started.map((neighbours) => neighbours.stop()));
});

function start(options: Partial<NeighboursOptions> & { clock?: Clock }): Neighbours {
  const connect = () => database.pools.createClient("neighbours");
  const neighbours = new Neighbours({ connect, clock: systemClock, log: silentLog(), ...options });
  started.push(neighbours);
  neighbours.start();
  return neighbours;
}

/** Somebody who listens, and how often he was woken since he began to. */
async function listener() {
  const heard = { words: 0 };
  let isConnected = false;
  const neighbours = start({
    onWord: () => {
      if (isConnected) heard.words++;
      isConnected = true;
    },
  });
  await until("he listens", () => isConnected);
  return { neighbours, heard };
}

test("wakes those who listen, and not the one who told", async () => {
  const [one, other] = [await listener(), await listener()];
  one.neighbours.tell();
  await until("the other has heard it", () => other.heard.words === 1);
  other.neighbours.tell();
  await until("the one has heard it", () => one.heard.words === 1);
  start({}).tell();
  await until("both have heard the third", () => one.heard.words === 2 && other.heard.words === 2);
});

test("sends the first word at once, and those of the next 50 ms as one", async () => {
  const { heard } = await listener();
  const clock = fixedClock("2026-11-28T12:00:00Z");
  const teller = start({ clock });
  teller.tell();
  await until("the first is heard", () => heard.words === 1);
  for (let n = 0; n < 100; n++) teller.tell();
  clock.advance({ milliseconds: 49 });
  start({}).tell();
  await until("a third party's word is heard, and ours still waits", () => heard.words === 2);
  clock.advance({ milliseconds: 1 });
  await until("the hundred are heard", () => heard.words === 3);
  start({}).tell();
  await until("the last word is heard, and there were no others", () => heard.words === 4);
});

test("does not reach other schemas of the same database, nor other databases", async () => {
  const { heard } = await listener();
  const other = await database.pools.owner.connect();
  await other.query("create schema elsewhere");
  await other.query("set search_path = elsewhere");
  const elsewhere = await other.query<{ channel: string }>(
    "select 'hookwell_due_' || left(md5(current_schema()), 16) as channel",
  );
  await other.query("select pg_notify($1, '')", [elsewhere.rows[0]?.channel]);
  other.release(true);
  start({}).tell();
  await until("a word of this schema is heard", () => heard.words === 1);
});

test("is heard again after the connection was lost, and whoever listens is woken, since words may have been missed", async () => {
  const { heard } = await listener();
  const teller = start({});
  const ofBoth = "where datname = current_database() and application_name = 'hookwell neighbours'";
  const connected = () => database.pools.owner.query(`select from pg_stat_activity ${ofBoth}`);
  await until("both are connected", async () => (await connected()).rowCount === 2);
  await database.pools.owner.query(`select pg_terminate_backend(pid) from pg_stat_activity ${ofBoth}`);
  await until("he is woken without a word", () => heard.words >= 1);
  const before = heard.words;
  teller.tell();
  await until("the word is heard", () => heard.words > before);
});

test("stopping lets a word that waits leave", async () => {
  const { heard } = await listener();
  const teller = start({});
  teller.tell();
  await until("the first is heard", () => heard.words === 1);
  teller.tell();
  await teller.stop();
  await until("the second is heard", () => heard.words === 2);
});

test("polling is soonest after something was found, and falls off to once a second", () => {
  const poll = new Poll();
  expect(poll.after(true)).toBe(8);
  const waits = Array.from({ length: 9 }, () => poll.after(false));
  expect(waits).toEqual([16, 32, 64, 128, 256, 512, 1000, 1000, 1000]);
  expect(waits.at(-1)).toBe(POLL_MS);
  expect(poll.after(true)).toBe(8);
});
