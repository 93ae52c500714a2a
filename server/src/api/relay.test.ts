/** The outbox and the relay of docs/feed.md, run as they are: a program of its own, its own database, real HTTP. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { sampleFacts } from "@hookwell/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { until } from "../../test/until.ts";

const FEED = join(import.meta.dirname, "../../../docs/feed");
let api: TestApi;
let clinic: TestClinic;
/** The other software's own. */
let vendor: TestDatabase;
let environment: NodeJS.ProcessEnv;
const relays: ChildProcess[] = [];

beforeAll(async () => {
  api = await startTestApi();
  clinic = await api.newClinic();
  await api.app.listen({ host: "127.0.0.1", port: 0 });
  vendor = await createTestDatabase({ empty: true });
  await vendor.pools.owner.query(await readFile(join(FEED, "outbox.sql"), "utf8"));
  const body = { name: "Relay", scopes: ["feed"] };
  const { key } = (await clinic.as.manager("/v1/api-keys", { method: "POST", body })).json;
  const { port } = api.app.server.address() as AddressInfo;
  environment = {
    ...process.env,
    OUTBOX_DATABASE_URL: vendor.url,
    HOOKWELL_URL: `http://127.0.0.1:${port}`,
    HOOKWELL_API_KEY: key,
  };
});
afterAll(async () => {
  for (const relay of relays) await kill(relay);
  await vendor.drop();
  await api.close();
});

function startRelay(): ChildProcess {
  const relay = spawn(process.execPath, [join(FEED, "relay.mjs")], { env: environment, stdio: "ignore" });
  relays.push(relay);
  return relay;
}

async function kill(relay: ChildProcess): Promise<void> {
  if (relay.exitCode !== null || relay.signalCode !== null) return;
  const ended = once(relay, "exit");
  relay.kill("SIGKILL");
  await ended;
}

const write = (facts: object, subject: string | null = null) =>
  vendor.pools.owner.query("insert into hookwell_outbox (subject, facts) values ($1, $2)", [subject, facts]);
const unsent = async () =>
  (await vendor.pools.owner.query("select 1 from hookwell_outbox where sent_at is null and refused is null")).rows
    .length;
const stored = async () =>
  (
    await api.database.pools.owner.query<{ subject: string; subject_version: number }>(
      "select subject, subject_version from events where clinic_id = $1 order by subject, subject_version",
      [clinic.id],
    )
  ).rows;

function added(id: number) {
  const facts = sampleFacts("participant.added");
  return { ...facts, consult: { ...facts.consult, id } };
}

describe("the relay", () => {
  it("sends what the outbox holds, in order, and what is written while it runs", async () => {
    const relay = startRelay();
    for (let n = 0; n < 3; n += 1) await write(added(1_000));
    await write(sampleFacts("invoice.created"), "invoice:88");
    await until("all of it is sent", async () => (await unsent()) === 0);
    expect((await stored()).map(({ subject, subject_version }) => `${subject} ${subject_version}`)).toEqual([
      "consult:1000 1",
      "consult:1000 2",
      "consult:1000 3",
      "invoice:88 1",
    ]);
    await kill(relay);
  });

  it("that is killed between posting and marking sends the same again, and nothing is stored twice", async () => {
    for (let id = 2_000; id < 2_150; id += 1) await write(added(id));
    const locking = await vendor.pools.owner.connect();
    await locking.query("begin");
    await locking.query("lock table hookwell_outbox in share mode"); // rows can be read, none can be marked
    const relay = startRelay();
    await until("the first batch is stored", async () => (await stored()).length === 4 + 100);
    const marking = "from pg_stat_activity where datname = current_database() and wait_event = 'relation'";
    const isMarking = async () => (await vendor.pools.owner.query(`select 1 ${marking}`)).rows.length > 0;
    await until("it is about to mark them", isMarking);
    await kill(relay);
    // The statement that it had sent must not be carried out after its death.
    await locking.query(`select pg_terminate_backend(pid) ${marking}`);
    await until("it will not mark them", async () => !(await isMarking()));
    await locking.query("rollback");
    locking.release();
    expect(await unsent()).toBe(150);
    const another = startRelay();
    await until("all of it is sent", async () => (await unsent()) === 0);
    expect(await stored()).toHaveLength(4 + 150);
    await kill(another);
  });

  it("puts aside what is refused, with the reason, and sends the rest", async () => {
    await write(added(3_000));
    await write({ ...added(3_001), service: { id: 0, name: "Massage" } });
    await write(added(3_002));
    startRelay();
    await until("all of it is sent", async () => (await unsent()) === 0);
    const { rows } = await vendor.pools.owner.query(
      "select facts, refused from hookwell_outbox where refused is not null",
    );
    expect(rows).toHaveLength(1);
    expect([rows[0].facts.consult.id, rows[0].refused]).toEqual([3_001, expect.stringContaining("facts.service.id")]);
    const subjects = (await stored()).map(({ subject }) => subject);
    expect(subjects).toEqual(expect.arrayContaining(["consult:3000", "consult:3002"]));
    expect(subjects).not.toContain("consult:3001");
  });
});
