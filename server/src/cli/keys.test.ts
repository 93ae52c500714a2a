/** `hookwell keys` as an operator runs it, killed at every step on the way. */
import { type ChildProcess, spawn } from "node:child_process";
import { createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { until } from "../../test/until.ts";
import { record } from "../audit/audit.ts";
import { createClinic } from "../clinic/clinics.ts";
import { createKysely, inClinic } from "../db/pool.ts";
import type { Db } from "../db/schema.ts";
import { loadAuthSecret } from "../seal/kept-secrets.ts";
import { Seal } from "../seal/seal.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/hookwell.mjs", import.meta.url));

let database: TestDatabase;
let owner: Db;
let folder: string;
let keyFile: string;
let clinicIds: number[];
let authSecret: string;

beforeAll(async () => {
  database = await createTestDatabase();
  owner = createKysely(database.pools.owner);
  folder = await mkdtemp(join(tmpdir(), "hookwell-keys-"));
  keyFile = join(folder, "keys");
  await writeFile(keyFile, `${randomBytes(32).toString("base64")}\n`, { mode: 0o600 });
  const masterKeys = await keysInFile();
  const seal = new Seal(masterKeys);
  authSecret = await loadAuthSecret({ authSecret: undefined }, { owner, seal, masterKeys });
  clinicIds = [];
  for (const name of ["One", "Two", "Three"]) {
    clinicIds.push((await createClinic(owner, seal, { name: `Clinic ${name}`, timeZone: "UTC" })).id);
  }
});
afterAll(async () => {
  await database.drop();
  await rm(folder, { recursive: true });
});

async function keysInFile(): Promise<KeyObject[]> {
  const lines = (await readFile(keyFile, "utf8")).trim().split("\n");
  return lines.map((line) => createSecretKey(Buffer.from(line, "base64")));
}

function start(command: string[], env: NodeJS.ProcessEnv = { HOOKWELL_MASTER_KEY_FILE: keyFile }): ChildProcess {
  const all = { ...process.env, DATABASE_URL: database.url, HOOKWELL_DATA_FOLDER: folder, ...env };
  return spawn(process.execPath, [PROGRAM, ...command], { env: all, stdio: ["ignore", "pipe", "pipe"] });
}

async function run(command: string[], env?: NodeJS.ProcessEnv): Promise<{ status: number | null; said: string }> {
  const child = start(command, env);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (said += chunk));
  const status = await new Promise<number | null>((done) => child.once("close", done));
  return { status, said };
}

async function expectAllOpens(masterKeys: readonly KeyObject[]): Promise<void> {
  const seal = new Seal(masterKeys);
  await Promise.all(clinicIds.map((id) => seal.forClinic(owner, id)));
  expect(await loadAuthSecret({ authSecret: undefined }, { owner, seal, masterKeys })).toBe(authSecret);
}

/** Kills the command with SIGKILL while it waits for a row that somebody else holds. */
async function killedAt(lock: string, values: unknown[]): Promise<void> {
  const holder = await database.pools.owner.connect();
  try {
    await holder.query("begin");
    await holder.query(lock, values);
    const child = start(["keys", "rotate"]);
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (said += chunk));
    await until("it waits for the row", async () => {
      if (child.exitCode !== null) throw new Error(`it ended before, and said: ${said}`);
      const waiting =
        "select from pg_locks where not granted and pid in (select pid from pg_stat_activity where datname = current_database())";
      // Not by the holder: within a transaction PostgreSQL shows who is connected as it was at the first look.
      return (await database.pools.owner.query(waiting)).rowCount === 1;
    });
    child.kill("SIGKILL");
    await new Promise((done) => child.once("exit", done));
  } finally {
    await holder.query("rollback");
    holder.release();
  }
}

describe("keys rotate", () => {
  test("that is killed at any step leaves everything readable with the file as it stands; the last run ends it", async () => {
    const [oldKey] = await keysInFile();
    for (const id of clinicIds) {
      await killedAt("select from clinics where id = $1 for update", [id]);
      await expectAllOpens(await keysInFile());
    }
    await killedAt("select from kept_secrets for update", []);
    const keys = await keysInFile();
    await expectAllOpens(keys);
    expect(keys.at(-1)?.equals(oldKey as KeyObject)).toBe(true);
    // One rotation, however often it was begun.
    expect(keys).toHaveLength(2);

    // A server that does not know the new key yet makes a clinic.
    const late = await createClinic(owner, new Seal([oldKey as KeyObject]), { name: "Clinic Late", timeZone: "UTC" });
    clinicIds.push(late.id);
    const refused = await run(["keys", "retire"]);
    expect(refused).toMatchObject({ status: 1, said: expect.stringMatching(/still need an old master key/) });
    const last = await run(["keys", "rotate"]);
    expect(last).toMatchObject({ status: 0, said: expect.stringMatching(/all 5 are under the newest master key/) });
    await expectAllOpens(keys.slice(0, 1));

    expect(await run(["keys", "retire"])).toMatchObject({
      status: 0,
      said: expect.stringMatching(/^1 old master key/),
    });
    expect(await keysInFile()).toHaveLength(1);
    await expectAllOpens(await keysInFile());
    expect((await readdir(folder)).sort()).toEqual(["keys"]);
  }, 60_000);

  test("at the same time as another one destroys no key: everything opens with what the file holds", async () => {
    const holder = await database.pools.owner.connect();
    try {
      await holder.query("begin");
      await holder.query("lock table kept_secrets in access exclusive mode");
      const both = [run(["keys", "rotate"]), run(["keys", "rotate"])];
      await until("each waits for the table, or for the other", async () => {
        const waiting =
          "select from pg_locks where not granted and pid in (select pid from pg_stat_activity where datname = current_database())";
        return (await database.pools.owner.query(waiting)).rowCount === 2;
      });
      await holder.query("rollback");
      const ended = await Promise.all(both);
      expect(ended.map(({ status, said }) => (status === 0 ? 0 : said))).toEqual([0, 0]);
    } finally {
      holder.release(true);
    }
    await expectAllOpens(await keysInFile());
    expect(await keysInFile()).toHaveLength(2);
    expect(await run(["keys", "retire"])).toMatchObject({ status: 0 });
    await expectAllOpens(await keysInFile());
  }, 60_000);

  test("says what to do where the environment holds one key only, and changes nothing", async () => {
    const [key] = await keysInFile();
    const one = (key as KeyObject).export().toString("base64");
    const env = { HOOKWELL_MASTER_KEY: one, HOOKWELL_MASTER_KEY_FILE: "" };
    const { status, said } = await run(["keys", "rotate"], env);
    expect([status, said]).toEqual([1, expect.stringMatching(/Put a new one in front of it/)]);
    expect(said).not.toContain(one);
    const two = { ...env, HOOKWELL_MASTER_KEY: `${randomBytes(32).toString("base64")} ${one}` };
    expect(await run(["keys", "rotate"], two)).toMatchObject({ status: 0, said: expect.stringMatching(/all 5 are/) });
    expect(await run(["keys", "rotate"])).toMatchObject({ status: 1, said: expect.stringMatching(/do not open all/) });
  }, 60_000);
});

describe("audit verify", () => {
  test("says that a clinic's trail is complete, or where it breaks, and ends with 1", async () => {
    const [clinicId = 0, other = 0] = clinicIds;
    const app = createKysely(database.pools.app);
    const entry = { clinicId, actor: "u", action: "webhook.created", target: "webhook:1", before: null, after: null };
    for (let n = 0; n < 3; n += 1) await inClinic(app, clinicId, (tx) => record(tx, entry as never));
    const whole = await run(["audit", "verify"]);
    expect([whole.status, whole.said]).toEqual([
      0,
      expect.stringContaining(`clinic ${clinicId}: complete, 3 entries, the last one's hash `),
    ]);
    await database.pools.owner.query("alter table audit disable trigger user");
    await database.pools.owner.query("delete from audit where clinic_id = $1 and sequence = 2", [clinicId]);
    const broken = await run(["audit", "verify"]);
    expect(broken).toMatchObject({
      status: 1,
      said: expect.stringContaining(`clinic ${clinicId}: broken at entry 2;`),
    });
    expect(await run(["audit", "verify", "--clinic", String(other)])).toMatchObject({ status: 0 });
  }, 60_000);
});
