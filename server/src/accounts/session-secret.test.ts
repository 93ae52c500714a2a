/** A new secret for sessions: all end, nobody loses a second step, and what the old secret signs opens nothing. */
import { createSecretKey, hkdfSync, type KeyObject } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callerWith, cookieOf, startTestApi, type TestApi } from "../../test/api.ts";
import { SignInSteps } from "../../test/sign-in.ts";
import { codeOf } from "../../test/totp.ts";
import { OPEN_ROUTES, V1_ROUTES } from "../api/routes.ts";
import { createServer } from "../api/server.ts";
import { rotateKeys } from "../cli/keys.ts";
import { type Config, readConfig } from "../config.ts";
import { createKysely } from "../db/pool.ts";
import { loadAuthSecret } from "../seal/kept-secrets.ts";
import { Seal } from "../seal/seal.ts";
import { createAccounts } from "./accounts.ts";

let old: TestApi;
let masterKeys: KeyObject[];
let oldSecret: string;
const said: string[] = [];

/** A database of before 28 November: it had users when its secret was derived from its first master key. */
beforeAll(async () => {
  const derived = (key: KeyObject) =>
    Buffer.from(hkdfSync("sha256", key, Buffer.alloc(0), "hookwell auth secret v1", 32)).toString("base64url");
  const first = createSecretKey(Buffer.alloc(32, 7));
  oldSecret = derived(first);
  old = await startTestApi({ secret: oldSecret, masterKey: first });
  masterKeys = [createSecretKey(Buffer.alloc(32, 8)), first];
});
afterAll(() => old.close());

const query = async (text: string, values: unknown[] = []) => (await old.database.pools.owner.query(text, values)).rows;

function config(env: NodeJS.ProcessEnv = {}): Config {
  const keys = masterKeys.map((key) => key.export().toString("base64")).join(" ");
  return readConfig({ DATABASE_URL: old.database.url, HOOKWELL_MASTER_KEY: keys, ...env });
}

const secretNow = () => {
  const owner = createKysely(old.database.pools.owner);
  return loadAuthSecret({ authSecret: undefined }, { owner, seal: new Seal(masterKeys), masterKeys });
};
const rotate = (sessions: boolean, env: NodeJS.ProcessEnv = {}) =>
  rotateKeys(config(env), (line) => said.push(line), { sessions });

describe("hookwell keys rotate", () => {
  it("leaves the secret what it was, unless it is told to make it anew", async () => {
    await old.newClinic();
    expect(await secretNow()).toBe(oldSecret);
    await rotate(false);
    expect(await secretNow()).toBe(oldSecret);
  });

  it("with --sessions makes one by chance: sessions end, links and trusted devices too, second factors go on", async () => {
    const steps = new SignInSteps(old);
    const login = await steps.enrolled();
    const trusted = cookieOf(
      await steps.post(
        "two-factor/verify-totp",
        { code: codeOf(login.uri), trust_device: true },
        await steps.half(login),
      ),
    );
    expect((await callerWith(old.app, trusted)("/v1/me")).status).toBe(200);

    await rotate(true);
    expect(said.at(-2)).toMatch(/new one: [1-9]\d* sessions have ended, and everybody signs in again\.$/);
    expect(await query('select 1 from auth."session"')).toEqual([]);
    expect(await query('select 1 from auth."verification"')).toEqual([]);
    const secret = await secretNow();
    expect(secret).not.toBe(oldSecret);
    expect((await login.caller("/v1/me")).status).toBe(401);

    const { database, context } = old;
    const parts = { db: old.db, authPool: database.pools.auth, log: context.log, mail: null };
    const accounts = createAccounts({ ...parts, secret, publicUrl: context.publicUrl });
    const app = await createServer({ ...context, accounts }, { v1: V1_ROUTES, open: OPEN_ROUTES });
    const later = new SignInSteps({ ...old, app, anonymous: callerWith(app, "") });
    const half = await later.half(login, trusted);
    const done = await later.post("two-factor/verify-totp", { code: codeOf(login.uri, 1) }, half);
    expect(done.status).toBe(200);
    const backup = await later.post(
      "two-factor/verify-backup-code",
      { code: login.backup[0] },
      await later.half(login),
    );
    expect(backup.status).toBe(200);
    await app.close();
  });

  it("refuses where the secret is the operator's own setting, before anything is changed", async () => {
    const before = await secretNow();
    const own = { HOOKWELL_AUTH_SECRET: "a secret of the operator's own, long enough" };
    await expect(rotate(true, own)).rejects.toThrow(/HOOKWELL_AUTH_SECRET is set/);
    expect(await secretNow()).toBe(before);
  });
});
