/** The operator helps people who cannot sign in any more, and leaves a record of it that their clinics see. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { callerWith, cookieOf, startTestApi, type TestApi } from "../../test/api.ts";
import { startTestMail } from "../../test/mail.ts";
import { SignInSteps } from "../../test/sign-in.ts";
import { codeOf } from "../../test/totp.ts";
import { readConfig } from "../config.ts";
import { resetLinkCommand, secondFactorCommand } from "./account.ts";

let api: TestApi;
let steps: SignInSteps;
let printed = "";
beforeAll(async () => {
  api = await startTestApi();
  steps = new SignInSteps(api);
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += text;
    return true;
  });
});
afterEach(() => {
  printed = "";
});
afterAll(async () => {
  vi.restoreAllMocks();
  await api.close();
});

const read = (env: NodeJS.ProcessEnv = {}) =>
  readConfig({
    ...env,
    ...{ DATABASE_URL: api.database.url, HOOKWELL_PUBLIC_URL: "https://hooks.example.test" },
    HOOKWELL_MASTER_KEY: api.masterKey.export().toString("base64"),
  });
const resetLink = (...words: string[]) => resetLinkCommand(() => read()).parseAsync(words, { from: "user" });
const remove = (...words: string[]) =>
  secondFactorCommand(() => read()).parseAsync(["remove", ...words], { from: "user" });
const query = async (text: string, values: unknown[] = []) => (await api.database.pools.owner.query(text, values)).rows;
const idOf = async (email: string) => (await query('select id from auth."user" where email = $1', [email]))[0].id;

/** What the operator's book and the clinics' histories say of a person. */
async function recordOf(userId: string) {
  const acts = await query("select action, reason, came_from from operator_acts where user_id = $1 order by id", [
    userId,
  ]);
  const target = `staff:${userId}`;
  const audit = await query(
    "select clinic_id, actor, action from audit where target = $1 and actor = 'operator' order by clinic_id, id",
    [target],
  );
  return { acts, audit };
}

/** Somebody who belongs to two clinics. */
async function inTwoClinics(email: string): Promise<{ userId: string; clinicIds: number[] }> {
  const userId = await idOf(email);
  const { id: other } = await api.newClinic();
  await query("insert into staff (clinic_id, user_id, role) values ($1, $2, 'front_desk')", [other, userId]);
  const rows = await query("select clinic_id from staff where user_id = $1 order by clinic_id", [userId]);
  return { userId, clinicIds: rows.map(({ clinic_id }) => clinic_id) };
}

describe("hookwell reset-link", () => {
  it("makes a link for who has an account, on record with the operator and in each clinic of the person", async () => {
    const { email } = await steps.someone();
    const { userId, clinicIds } = await inTwoClinics(email);
    await resetLink("--email", email.toUpperCase());
    const [, token = ""] = /https:\/\/hooks\.example\.test\/reset-password#([\w-]{43})\n$/.exec(printed) ?? [];
    expect(token).not.toBe("");
    const links = await query('select identifier from auth."verification" where value = $1', [userId]);
    expect(links).toHaveLength(1);
    expect(links[0].identifier).not.toContain(token);
    expect(clinicIds).toHaveLength(2);
    expect(await recordOf(userId)).toEqual({
      acts: [{ action: "staff.reset_link_made", reason: "forgotten password", came_from: "command line" }],
      audit: clinicIds.map((clinic_id) => ({ clinic_id, actor: "operator", action: "staff.reset_link_made" })),
    });
  });

  it("makes none for anybody else, and writes nothing down", async () => {
    const before = await query("select id from operator_acts");
    await expect(resetLink("--email", "nobody@example.test")).rejects.toThrow("The account was not found");
    expect(printed).toBe("");
    expect(await query("select id from operator_acts")).toEqual(before);
  });
});

describe("hookwell second-factor remove", () => {
  it("opens the account to its password alone, ends sessions and trusted devices, and is on record", async () => {
    const login = await steps.enrolled();
    const { userId, clinicIds } = await inTwoClinics(login.email);
    const code = { code: codeOf(login.uri), trust_device: true };
    const trusted = cookieOf(await steps.post("two-factor/verify-totp", code, await steps.half(login)));
    expect((await callerWith(api.app, trusted)("/v1/me")).status).toBe(200);

    await remove("--email", login.email, "--reason", " lost the phone; called back ");
    expect(printed).toMatch(/^The second step is off/);
    expect((await login.caller("/v1/me")).status).toBe(401);
    expect((await callerWith(api.app, trusted)("/v1/me")).status).toBe(401);
    expect(await query('select id from auth."verification" where value = $1', [userId])).toEqual([]);
    expect(await query('select id from auth."twoFactor" where "userId" = $1', [userId])).toEqual([]);
    const caller = await steps.session(login);
    expect((await caller("/v1/me")).json.second_factor).toBe(false);
    const action = "staff.second_factor_removed";
    expect(await recordOf(userId)).toEqual({
      acts: [{ action, reason: "lost the phone; called back", came_from: "command line" }],
      audit: clinicIds.map((clinic_id) => ({ clinic_id, actor: "operator", action })),
    });
  });

  it("is told to the person by a letter, in the language of the first clinic; without a mail server the operator is told to", async () => {
    const mail = await startTestMail();
    const removeBy = (email: string, env: NodeJS.ProcessEnv) =>
      secondFactorCommand(() => read(env)).parseAsync(["remove", "--email", email, "--reason", "lost"], {
        from: "user",
      });
    const env = { HOOKWELL_SMTP_URL: mail.smtp.url, HOOKWELL_MAIL_FROM: "hooks@example.test" };
    const [english, french, untold] = [await steps.enrolled(), await steps.enrolled(), await steps.enrolled()];
    const ofClinic = "select clinic_id from staff where user_id = $1";
    await query(`update clinics set locale = 'fr-CA' where id in (${ofClinic})`, [await idOf(french.email)]);
    await removeBy(english.email, env);
    const [letter] = await mail.lettersTo(english.email);
    expect(letter?.text).toContain("The operator of this Hookwell turned off the second step of your sign-in");
    expect(letter?.text).toContain("https://hooks.example.test/sign-in");
    expect(printed).toContain(`An e-mail to ${english.email} says so.`);
    await removeBy(french.email, env);
    expect((await mail.lettersTo(french.email))[0]?.text).toContain("a désactivé la deuxième étape");
    await removeBy(untold.email, {});
    expect(printed).toContain(`tell ${untold.email} yourself`);
    await mail.close();
    await removeBy((await steps.enrolled()).email, env);
    expect(printed).toContain("The mail server did not take the e-mail (unreachable)");
  });

  it("changes and writes down nothing without a reason, a second step or an account", async () => {
    const { email } = await steps.someone();
    await expect(remove("--email", email, "--reason", "  ")).rejects.toThrow(/^reason: Say why/);
    await expect(remove("--email", email, "--reason", "x".repeat(501))).rejects.toThrow(/^reason: At most 500/);
    await expect(remove("--email", email, "--reason", "lost")).rejects.toThrow("has no second step");
    await expect(remove("--email", "nobody@example.test", "--reason", "lost")).rejects.toThrow("was not found");
    expect(await recordOf(await idOf(email))).toEqual({ acts: [], audit: [] });
  });
});
