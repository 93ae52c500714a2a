import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, glob, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openInProcess, type Program, works } from "../../test/embedded.ts";
import { silentLog } from "../log.ts";
import { type EmbeddedDatabase, type EmbeddedOptions, startEmbedded } from "./embedded.ts";

const log = silentLog();
let dataFolder: string;
let open: EmbeddedDatabase[];
let processes: Program[];

/** A database that was made once. Most tests use it one after the other, which is quicker than making one for each. */
let made: string;

beforeAll(async () => {
  made = await newFolder();
  await (await startEmbedded({ dataFolder: made, log })).stop();
});

afterAll(() => rm(made, { recursive: true }));

beforeEach(async () => {
  dataFolder = await newFolder();
  open = [];
  processes = [];
});

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "hookwell-embedded-"));
  await chmod(folder, 0o755);
  return folder;
}

function startProgram(): Program {
  const program = openInProcess(dataFolder);
  processes.push(program);
  return program;
}

async function useMade(): Promise<void> {
  await rm(dataFolder, { recursive: true });
  dataFolder = made;
}

afterEach(async () => {
  for (const program of processes) await program.kill();
  // Whatever a test has left behind is adopted and stopped, so that no server outlives the tests.
  if ((await postmasterPid()) !== undefined && open.length === 0) await start();
  for (const database of open) await database.stop();
  if (dataFolder !== made) await rm(dataFolder, { recursive: true, force: true });
});

async function start(options: Partial<EmbeddedOptions> = {}): Promise<EmbeddedDatabase> {
  const database = await startEmbedded({ dataFolder, log, ...options });
  open.push(database);
  return database;
}

async function query(url: string, statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  // A server that ends between answer and goodbye says so in an event; whoever waits for the answer has it by then.
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

async function postmasterPid(): Promise<number | undefined> {
  const text = await readFile(join(dataFolder, "postgres", "postmaster.pid"), "utf8").catch(() => undefined);
  return text === undefined ? undefined : Number(text.split("\n")[0]);
}

async function halfMadeExists(): Promise<boolean> {
  for await (const _ of glob(join(dataFolder, "postgres-init-*", "cluster", "PG_VERSION"))) return true;
  return false;
}

const write = "drop table if exists notes; create table notes (text text); insert into notes values ('kept')";
const kept = [{ text: "kept" }];

describe("a start", () => {
  test("on an empty folder makes a database that is private, durable, UTF-8, and reachable from this machine only", async () => {
    const { url, adopted } = await start();
    expect(adopted).toBe(false);
    const settings = await query(
      url,
      `select name, setting from pg_settings where name in ('listen_addresses', 'unix_socket_directories', 'fsync',
       'full_page_writes', 'synchronous_commit', 'data_checksums', 'server_encoding', 'max_locks_per_transaction',
       'TimeZone') order by name collate "C"`,
    );
    expect(
      Object.fromEntries((settings as { name: string; setting: string }[]).map((row) => [row.name, row.setting])),
    ).toEqual({
      TimeZone: "UTC",
      data_checksums: "on",
      fsync: "on",
      full_page_writes: "on",
      listen_addresses: "127.0.0.1",
      max_locks_per_transaction: "256",
      server_encoding: "UTF8",
      synchronous_commit: "on",
      unix_socket_directories: "",
    });
    for (const name of ["postgres-password", "postgres.log"]) {
      expect((await stat(join(dataFolder, name))).mode & 0o777).toBe(0o600);
    }
    expect((await readdir(dataFolder)).sort()).toEqual(["postgres", "postgres-password", "postgres.log"]);
  });

  test("on a folder that root has copied works, whoever owned it", async () => {
    await cp(made, dataFolder, { recursive: true });
    await query((await start()).url, write);
  });

  test("lets nobody in without the password", async () => {
    const url = new URL((await start()).url);
    url.password = "guess";
    await expect(query(url.href, "select 1")).rejects.toThrow(/password authentication failed/);
  });

  test("after a stop finds what was written, and the stop leaves no process behind", async () => {
    const first = await start();
    await query(first.url, write);
    const pid = await postmasterPid();
    await first.stop();
    expect(await works(pid ?? 0)).toBe(false);
    expect(await postmasterPid()).toBeUndefined();
    expect(await query((await start()).url, "select * from notes")).toEqual(kept);
  });

  test("that is killed in the middle of making the database is made good by the next one", async () => {
    const program = startProgram();
    await expect.poll(halfMadeExists, { interval: 5 }).toBe(true);
    await program.kill();
    expect(await readdir(dataFolder)).not.toContain("postgres");
    await query((await start()).url, write);
    await expect
      .poll(async () => (await readdir(dataFolder)).sort())
      .toEqual(["postgres", "postgres-password", "postgres.log"]);
  });

  test("keeps statements and values out of the database's own log", async () => {
    const { url } = await start();
    await expect(query(url, "select 'Quillon Testperson'::int")).rejects.toThrow(/Quillon/);
    await query(url, "create table people (name text unique); insert into people values ('Quillon Testperson')");
    await expect(query(url, "insert into people values ('Quillon Testperson')")).rejects.toThrow(/unique/);
    const text = await readFile(join(dataFolder, "postgres.log"), "utf8");
    expect(text).toContain("ready to accept connections");
    expect(text).not.toContain("Quillon");
  });
});

describe("a folder that is in use", () => {
  beforeEach(useMade);

  test("is refused in one sentence that names folder, holder and remedy, and the holder is not disturbed", async () => {
    const { url } = await start();
    const { error } = await startProgram().next();
    expect(error).toBe(
      `The data folder ${dataFolder} is in use by another Hookwell (process ${process.pid}). ` +
        "Stop that one first, or set HOOKWELL_DATA_FOLDER to another folder.",
    );
    expect(await query(url, "select 1 as one")).toEqual([{ one: 1 }]);
  });

  test("by a PostgreSQL that does not know our password is refused with a remedy", async () => {
    await start();
    const passwordFile = join(dataFolder, "postgres-password");
    const password = await readFile(passwordFile);
    await writeFile(passwordFile, "another\n");
    const { error } = await startProgram().next();
    await writeFile(passwordFile, password);
    expect(error).toMatch(
      /does not let Hookwell in .*stop that program; otherwise restore .*postgres-password from your backup/,
    );
  });
});

test("a folder goes to exactly one of several first starts at once", async () => {
  const said = await Promise.all([startProgram(), startProgram(), startProgram()].map((program) => program.next()));
  expect(said.filter(({ url }) => url !== undefined)).toHaveLength(1);
  expect(said.filter(({ error }) => error?.includes("is in use by another Hookwell"))).toHaveLength(2);
});

describe("after kill -9", () => {
  beforeEach(useMade);

  test.for([
    ["SIGKILL", "of Node"],
    ["SIGINT", "or a Ctrl-C that Node did not heed and that never reaches PostgreSQL"],
  ] as const)("(%s) %s, the orphaned server is adopted with all data, and stopped in the end", async ([signal]) => {
    const program = startProgram();
    const { url } = await program.next();
    await query(url ?? "", write);
    const orphan = (await postmasterPid()) ?? 0;
    await program.kill(signal);
    const database = await start();
    expect(database.adopted).toBe(true);
    expect(await postmasterPid()).toBe(orphan);
    expect(await query(database.url, "select * from notes")).toEqual(kept);
    await database.stop();
    await expect.poll(() => works(orphan)).toBe(false); // its last moments come after its last word
  });

  test("of both, the database recovers with all data", async () => {
    const program = startProgram();
    const { url } = await program.next();
    await query(url ?? "", write);
    process.kill((await postmasterPid()) ?? 0, "SIGKILL");
    await program.kill();
    expect(await postmasterPid()).toBeDefined();
    const database = await start();
    expect(database.adopted).toBe(false);
    expect(await query(database.url, "select * from notes")).toEqual(kept);
  });

  test("a process id that belongs to somebody else by now stops nothing and is not touched", async () => {
    const database = await start();
    await query(database.url, write);
    await database.stop();
    // Under PostgreSQL's own account: it takes no notice of a stranger's process anyway.
    const { uid, gid } = await stat(join(dataFolder, "postgres"));
    const bystander = spawn("sleep", ["1000"], { stdio: "ignore", uid, gid });
    await once(bystander, "spawn");
    const file = join(dataFolder, "postgres", "postmaster.pid");
    await writeFile(
      file,
      `${bystander.pid}\n${join(dataFolder, "postgres")}\n1790000000\n5432\n\n127.0.0.1\n0 0\nready\n`,
    );
    const again = await start();
    expect(await query(again.url, "select * from notes")).toEqual(kept);
    await again.stop();
    expect(await works(bystander.pid ?? 0)).toBe(true);
    bystander.kill("SIGKILL");
  });
});

describe("while in use", () => {
  beforeEach(useMade);

  test("SIGTERM ends the program and its server", async () => {
    const program = startProgram();
    await program.next();
    const pid = (await postmasterPid()) ?? 0;
    const gone = once(program.child, "exit");
    program.child.kill("SIGTERM");
    expect(await program.next()).toEqual({ stopped: true });
    expect(await gone).toEqual([0, null]);
    await expect.poll(() => works(pid)).toBe(false); // its last moments come after its last word
  });

  test("a crashed backend costs the connections, and the folder stays held", async () => {
    const { url } = await start();
    const rows = (await query(url, "select pid from pg_stat_activity where application_name like 'hookwell %'")) as {
      pid: number;
    }[];
    process.kill(rows[0]?.pid ?? 0, "SIGKILL");
    const holders = () =>
      query(url, "select count(*)::int from pg_stat_activity where application_name like 'hookwell %'").catch(
        () => "away",
      );
    await expect.poll(holders, { timeout: 20_000 }).toEqual([{ count: 1 }]);
    await expect.poll(async () => (await startProgram().next()).error).toContain(`process ${process.pid}`);
  });

  test("a server that dies for good is reported once, with the remedy", async () => {
    const lost: string[] = [];
    const database = await start({ onLost: (error) => lost.push(error.message) });
    process.kill((await postmasterPid()) ?? 0, "SIGKILL");
    await expect
      .poll(() => lost, { timeout: 20_000 })
      .toEqual([
        expect.stringMatching(/has gone away while it was in use\. See .*postgres\.log, then start Hookwell again\./),
      ]);
    await database.stop();
  });
});

test("a server that cannot start says why, in its own last words, and what to do", async () => {
  await expect(start({ settings: { shared_buffers: "nonsense" } })).rejects.toThrow(
    /could not start\. The end of .*postgres\.log:\n.*invalid value for parameter "shared_buffers".*\n.*HOOKWELL_DATA_FOLDER/s,
  );
  expect(await postmasterPid()).toBeUndefined();
});

test("a folder named postgres that is not a database is never touched", async () => {
  await mkdir(join(dataFolder, "postgres"));
  await writeFile(join(dataFolder, "postgres", "letter.txt"), "dear diary");
  await expect(start()).rejects.toThrow(/is not a PostgreSQL folder\. Move it away/);
  expect(await readdir(join(dataFolder, "postgres"))).toEqual(["letter.txt"]);
});
