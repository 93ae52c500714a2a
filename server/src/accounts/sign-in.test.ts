/** Forgotten and changed passwords, and how often one may be tried (security, people and tenants). */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callerWith, cookieOf, startTestApi, type TestApi } from "../../test/api.ts";
import { startTestMail, type TestMail, tokenIn } from "../../test/mail.ts";
import { kept, SignInSteps } from "../../test/sign-in.ts";
import { TRY_RULES, Tries } from "./limits.ts";

let api: TestApi;
let mail: TestMail;
let steps: SignInSteps;

beforeAll(async () => {
  mail = await startTestMail();
  api = await startTestApi({ mail: mail.sender });
  steps = new SignInSteps(api);
});
afterAll(async () => {
  await api.close();
  await mail.close();
});

const NEW_PASSWORD = "another invented pass phrase";
const query = async (text: string, values: unknown[] = []) => (await api.database.pools.owner.query(text, values)).rows;

/** As another node would, and without the hashing that each costs. */
async function countTries(email: string, count: number): Promise<void> {
  const other = new Tries(api.database.pools.auth, api.secret);
  for (let tries = 0; tries < count; tries += 1) expect(await other.take("sign_in", email)).toBeNull();
}

describe("signing in", () => {
  it("is limited for each account, known or not, from however many addresses; a letter's link opens it again", async () => {
    const { email, password } = await steps.someone();
    for (const tried of [email, "nobody.at.all@example.test"]) {
      await countTries(tried, TRY_RULES.sign_in.max - 1);
      expect((await steps.post("sign-in/email", { email: tried, password: "" })).status).toBe(401);
      const refused = await steps.post("sign-in/email", { email: ` ${tried.toUpperCase()}`, password });
      expect(kept(refused)).toEqual([429, "too_many_requests"]);
      expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    }
    await steps.post("reset-requests", { email, locale: "en" });
    const [letter] = await mail.lettersTo(email);
    await steps.post("reset-password", { token: tokenIn(letter as never), new_password: NEW_PASSWORD });
    await steps.session({ email, password: NEW_PASSWORD });
  });

  it("that succeeds takes the wrong tries before it away", async () => {
    const login = await steps.someone();
    for (let round = 0; round < 2; round += 1) {
      await countTries(login.email, TRY_RULES.sign_in.max - 2);
      expect((await steps.post("sign-in/email", { ...login, password: "" })).status).toBe(401);
      await steps.session(login);
    }
  });
});

describe("a forgotten password", () => {
  const reset = (token: string, new_password = NEW_PASSWORD) => steps.post("reset-password", { token, new_password });

  it("is replaced by a letter's link, once; every session ends, and the person is told", async () => {
    const login = await steps.someone();
    const open = await steps.session(login);
    const asked = await steps.post("reset-requests", { email: login.email, locale: "fr-CA" });
    expect([asked.status, asked.json]).toEqual([202, { status: "received", sends_letters: true }]);
    const [letter] = await mail.lettersTo(login.email);
    if (letter === undefined) throw new Error("no letter came");
    expect(letter.headers.get("subject")).toBe("Choisissez un nouveau mot de passe Hookwell");
    const token = tokenIn(letter);
    expect(JSON.stringify(await query("select * from auth.verification"))).not.toContain(token);
    const short = await reset(token, "short");
    expect([short.status, short.json.errors[0].field]).toEqual([400, "new_password"]);
    expect((await open("/v1/me")).status).toBe(200);
    expect((await reset(token)).status).toBe(200);
    expect((await open("/v1/me")).status).toBe(401);
    expect(kept(await reset(token))).toEqual([400, "link_over"]);
    expect(kept(await steps.post("sign-in/email", login))).toEqual([401, "sign_in_refused"]);
    await steps.session({ ...login, password: NEW_PASSWORD });
    const [, told] = await mail.lettersTo(login.email, 2);
    expect(told?.headers.get("subject")).toBe("Your Hookwell password was changed");
  });

  it("has links that are over after their time, and with the first that is used", async () => {
    const { email } = await steps.someone();
    await steps.post("reset-requests", { email, locale: "en" });
    await steps.post("reset-requests", { email, locale: "en" });
    const [one, two] = (await mail.lettersTo(email, 2)).map(tokenIn);
    const of = 'where "value" = (select id from auth."user" where email = $1)';
    const times = await query(
      `select "expiresAt" - now() <= interval '30 minutes' as short from auth.verification ${of}`,
      [email],
    );
    expect(times).toEqual([{ short: true }, { short: true }]);
    expect((await reset(one ?? "")).status).toBe(200);
    expect(kept(await reset(two ?? ""))).toEqual([400, "link_over"]);
    await steps.post("reset-requests", { email, locale: "en" });
    const last = tokenIn((await mail.lettersTo(email, 4)).at(-1) as never);
    await query(`update auth.verification set "expiresAt" = now() ${of}`, [email]);
    expect(kept(await reset(last))).toEqual([400, "link_over"]);
  });

  it("is answered alike for an address that nobody has: same words, same statements before the answer, and no letter", async () => {
    const { email } = await steps.someone();
    const known = await steps.post("reset-requests", { email, locale: "en" });
    const unknown = await steps.post("reset-requests", { email: "nobody.here@example.test", locale: "en" });
    expect([unknown.status, unknown.json]).toEqual([known.status, known.json]);
    await mail.lettersTo(email);
    expect(mail.smtp.mails.filter(({ to }) => to.includes("nobody.here@example.test"))).toEqual([]);
  });

  it("brings a limited number of letters for each address, known or not", async () => {
    const { email } = await steps.someone();
    for (const asked of [email, "nobody.else@example.test"]) {
      for (let tries = 0; tries < TRY_RULES.reset_letter.max; tries += 1) {
        expect((await steps.post("reset-requests", { email: asked, locale: "en" })).status).toBe(202);
      }
      const refused = await steps.post("reset-requests", { email: asked.toUpperCase(), locale: "en" });
      expect(kept(refused)).toEqual([429, "too_many_requests"]);
      expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    }
  });

  it("does not leave the second step out", async () => {
    const login = await steps.enrolled();
    await steps.post("reset-requests", { email: login.email, locale: "en" });
    expect((await reset(tokenIn((await mail.lettersTo(login.email))[0] as never))).status).toBe(200);
    await steps.half({ email: login.email, password: NEW_PASSWORD });
  });
});

describe("one's own password", () => {
  it("is changed with the old one; the other sessions end, and this one goes on in the same clinic under a new id", async () => {
    const login = await steps.someone();
    const [here, there] = [await steps.session(login), await steps.session(login)];
    const change = (current_password: string, caller = here) =>
      steps.post("change-password", { current_password, new_password: NEW_PASSWORD }, caller);
    const wrong = await change("not the right password");
    expect([wrong.status, wrong.json.errors[0].field]).toEqual([400, "current_password"]);
    expect((await change(login.password, api.anonymous)).status).toBe(401);
    const changed = await change(login.password);
    expect(changed.status).toBe(200);
    for (const old of [here, there]) expect((await old("/v1/me")).status).toBe(401);
    expect((await callerWith(api.app, cookieOf(changed))("/v1/me")).status).toBe(200);
    expect((await steps.post("sign-in/email", login)).status).toBe(401);
  });
});

describe("every address that changes something", () => {
  it.each([
    ...["sign-in/email", "sign-out", "change-password", "reset-password", "reset-requests", "switch-clinic"],
    ...["two-factor/enable", "two-factor/verify-totp", "two-factor/verify-backup-code", "two-factor/disable"],
    "two-factor/generate-backup-codes",
  ])("refuses another site's page: %s", async (path) => {
    for (const site of ["cross-site", "same-site"]) {
      const call = { method: "POST", body: {}, headers: { "sec-fetch-site": site } } as const;
      expect(kept(await api.anonymous(`/api/auth/${path}`, call))).toEqual([403, "other_site"]);
    }
  });
});
