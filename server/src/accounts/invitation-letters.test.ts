/** A letter whose process was killed while it sent it is sent once more, and no more; both links open. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { watchedLog } from "../../test/canary/watch.ts";
import { createTestClinic } from "../../test/clinic.ts";
import { createTestDatabase, type TestDatabase } from "../../test/database.ts";
import { startTestMail, type TestMail, tokenIn } from "../../test/mail.ts";
import { until } from "../../test/until.ts";
import { createKysely, inClinic } from "../db/pool.ts";
import type { Db } from "../db/schema.ts";
import { postInvitation, postStrandedLetters, watchStrandedLetters } from "./invitation-letters.ts";
import { findInvitation, invite, LETTER_STRANDED_SECONDS, OPERATOR } from "./invitations.ts";
import { Post } from "./post.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/hookwell.mjs", import.meta.url));
const publicUrl = "https://hooks.example.test";

let database: TestDatabase;
let mail: TestMail;
let db: Db;
let post: Post;
let clinicId: number;
let people = 0;

beforeAll(async () => {
  [database, mail] = await Promise.all([createTestDatabase(), startTestMail()]);
  db = createKysely(database.pools.app);
  post = new Post(mail.sender, watchedLog());
  clinicId = (await createTestClinic(database.pools)).id;
});
beforeEach(async () => {
  await query("delete from invitations");
});
afterAll(async () => {
  await post.close();
  await mail.close();
  await database.drop();
});

const query = async (text: string, values: unknown[] = []) => (await database.pools.owner.query(text, values)).rows;
const letterOf = async (email: string) =>
  (await query("select letter from invitations where email = $1", [email]))[0]?.letter;
const pass = (seconds: number) =>
  query("update invitations set letter_since = letter_since - make_interval(secs => $1)", [seconds]);
const again = () => postStrandedLetters({ db, post, publicUrl });

/** An invitation whose letter nobody sends, as after a kill -9 behind the commit. */
async function stranded(): Promise<{ email: string; token: string }> {
  const email = `stranded.${++people}@example.test`;
  const wanted = { clinicId, actor: OPERATOR, email, role: "manager", hasMail: true } as const;
  const { token } = await inClinic(db, clinicId, (tx) => invite(tx, wanted));
  return { email, token };
}

describe("a letter that is on its way for too long", () => {
  it("is sent once more after ten minutes, by one node; the first link goes on working beside the second", async () => {
    const { email, token } = await stranded();
    await pass(LETTER_STRANDED_SECONDS - 60);
    expect(await again()).toBe(0);
    await pass(120);
    expect((await Promise.all([again(), again(), again()])).reduce((sum, one) => sum + one, 0)).toBe(1);
    const [letter] = await mail.lettersTo(email);
    if (letter === undefined) throw new Error("no letter came");
    await until("it is noted", async () => (await letterOf(email)) === "sent");
    const second = tokenIn(letter);
    expect(second).not.toBe(token);
    for (const one of [token, second]) expect((await findInvitation(db, one)).email).toBe(email);
    await pass(10 * LETTER_STRANDED_SECONDS);
    expect(await again()).toBe(0);
  });

  it("is sent no third time: it has failed, and the manager sees so", async () => {
    const { email } = await stranded();
    await pass(LETTER_STRANDED_SECONDS + 1);
    const dying = new Post({ send: () => new Promise(() => {}) }, watchedLog());
    expect(await postStrandedLetters({ db, post: dying, publicUrl })).toBe(1);
    await pass(LETTER_STRANDED_SECONDS + 1);
    expect(await again()).toBe(0);
    expect(await letterOf(email)).toBe("failed");
    expect(mail.smtp.mails.filter(({ to }) => to.includes(email))).toEqual([]);
  });

  it("that arrives late after all counts as sent, whatever became of the second one", async () => {
    const { email, token } = await stranded();
    await pass(LETTER_STRANDED_SECONDS + 1);
    const dying = new Post({ send: () => new Promise(() => {}) }, watchedLog());
    expect(await postStrandedLetters({ db, post: dying, publicUrl })).toBe(1);
    postInvitation({ db, post, publicUrl }, { clinicId, token });
    await until("it is noted", async () => (await letterOf(email)) === "sent");
  });

  it("is taken up at the start of a server, where there is a mail server at all", async () => {
    const { email } = await stranded();
    await pass(LETTER_STRANDED_SECONDS + 1);
    await watchStrandedLetters({ db, post: new Post(null, watchedLog()), publicUrl }, watchedLog())();
    expect(await letterOf(email)).toBe("waiting");
    const stop = watchStrandedLetters({ db, post, publicUrl }, watchedLog());
    await mail.lettersTo(email);
    await stop();
  });

  it("because its process was killed with kill -9 while it sent", async () => {
    const held = createServer(() => {});
    await new Promise<void>((fulfil) => held.listen(0, "127.0.0.1", fulfil));
    const { port } = held.address() as AddressInfo;
    const folder = await mkdtemp(join(tmpdir(), "hookwell-letters-"));
    const env = {
      ...{ ...process.env, HOOKWELL_DATA_FOLDER: folder },
      HOOKWELL_MASTER_KEY: randomBytes(32).toString("base64"),
      ...{ HOOKWELL_SMTP_URL: `smtp://127.0.0.1:${port}`, HOOKWELL_MAIL_FROM: "hooks@example.test" },
    };
    // The command makes a clinic under a key of its own, so the database is one without clinics.
    const other = await createTestDatabase();
    try {
      const email = "killed@example.test";
      const asked = ["clinic", "create", "--name", "Invented", "--time-zone", "America/Toronto", "--manager", email];
      const child = spawn(process.execPath, [PROGRAM, ...asked], { env: { ...env, DATABASE_URL: other.url } });
      const connected = new Promise<void>((fulfil) => held.once("connection", () => fulfil()));
      const ended = new Promise<void>((fulfil) => child.once("exit", () => fulfil()));
      await connected;
      child.kill("SIGKILL");
      await ended;
      const { owner } = other.pools;
      expect((await owner.query("select letter from invitations")).rows).toEqual([{ letter: "waiting" }]);
      await owner.query("update invitations set letter_since = now() - interval '11 minutes'");
      expect(await postStrandedLetters({ db: createKysely(other.pools.app), post, publicUrl })).toBe(1);
      expect(await mail.lettersTo(email)).toHaveLength(1);
    } finally {
      held.close();
      await other.drop();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
