/** The operator makes a clinic and its first manager from the command line, and sees nothing of what they do. */
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/hookwell.mjs", import.meta.url));
let database: TestDatabase;
const env: NodeJS.ProcessEnv = { ...process.env };

beforeAll(async () => {
  database = await createTestDatabase();
  Object.assign(env, {
    ...{ DATABASE_URL: database.url, HOOKWELL_PUBLIC_URL: "https://hooks.example.test" },
    HOOKWELL_MASTER_KEY: randomBytes(32).toString("base64"),
  });
});
afterAll(() => database.drop());

function run(changes: NodeJS.ProcessEnv, ...words: string[]) {
  const options = { env: { ...env, ...changes }, timeout: 30_000 };
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...words], options);
  return { status, said: stdout.toString(), wrong: stderr.toString() };
}

const create = (manager: string, zone = "America/Toronto", changes = {}) =>
  run(changes, "clinic", "create", "--name", "Test Clinic", "--time-zone", zone, "--manager", manager);
const query = async (text: string) => (await database.pools.owner.query(text)).rows;

it("makes the clinic and hands out a link that is kept as a hash, on record as the operator's", async () => {
  const { status, said, wrong } = create("first.manager@example.test");
  expect([status, wrong]).toEqual([0, ""]);
  const [, id, token] =
    /^Clinic (\d+) is made\.\n.*\nhttps:\/\/hooks\.example\.test\/invitation#([\w-]{43})\n$/.exec(said) ?? [];
  expect(token).toBeDefined();
  const [invitation] = await query("select * from invitations");
  expect(invitation).toMatchObject({ clinic_id: Number(id), email: "first.manager@example.test", role: "manager" });
  expect(JSON.stringify([invitation, await query("select * from audit")])).not.toContain(token);
  expect(await query("select actor, action from audit")).toEqual([{ actor: "operator", action: "invitation.created" }]);
  expect(await query("select 1 from staff")).toEqual([]);
  expect(await query("select action, clinic_id, user_id, came_from from operator_acts")).toEqual([
    { action: "clinic.created", clinic_id: Number(id), user_id: null, came_from: "command line" },
    { action: "clinic.manager_invited", clinic_id: Number(id), user_id: null, came_from: "command line" },
  ]);
});

it("invites another manager to a clinic, with the reason in the operator's book and no other clinic's staff in the way", async () => {
  const [, id = ""] = /^Clinic (\d+) is made\./.exec(create("third.manager@example.test").said) ?? [];
  const manager = ["--clinic", id, "--manager", "fourth.manager@example.test"];
  const invited = run({}, "clinic", "invite-manager", ...manager, "--reason", " the last one has left ");
  expect(invited).toMatchObject({ status: 0, wrong: "" });
  const [act] = await query("select action, clinic_id, reason from operator_acts order by id desc limit 1");
  expect(act).toEqual({ action: "clinic.manager_invited", clinic_id: Number(id), reason: "the last one has left" });
  const refused = run({}, "clinic", "invite-manager", ...manager);
  expect(refused).toMatchObject({ status: 1, wrong: expect.stringContaining("is invited already") });
  expect(run({}, "clinic", "invite-manager", ...manager, "--reason", " ").wrong).toMatch(/^reason: Say why/);
  const count = "select count(*)::int as n from operator_acts where clinic_id = ";
  expect(await query(`${count}${id}`)).toEqual([{ n: 3 }]);
});

it("says what is wrong in one sentence, and makes no clinic then", async () => {
  const before = await query("select id from clinics");
  expect(create("second@example.test", "Toronto")).toEqual({
    status: 1,
    said: "",
    wrong: expect.stringMatching(/^time_zone: .+\n$/),
  });
  const foreign = create("second@example.test", "America/Toronto", {
    HOOKWELL_MASTER_KEY: randomBytes(32).toString("base64"),
  });
  expect(foreign).toMatchObject({ status: 1, wrong: expect.stringContaining("master key") });
  expect(run({}, "clinic", "invite-manager", "--clinic", "999999", "--manager", "second@example.test").status).toBe(1);
  expect(await query("select id from clinics")).toEqual(before);
});

it("makes no clinic where the manager's address is none", async () => {
  const before = await query("select id from clinics");
  expect(create("nobody")).toMatchObject({ status: 1, wrong: expect.stringMatching(/^email: .+\n$/) });
  expect(await query("select id from clinics")).toEqual(before);
});
