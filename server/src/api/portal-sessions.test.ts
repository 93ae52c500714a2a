/** Patients' accounts on a clinic's portal, kept apart from staff (security, people and tenants). */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { anyAddress, type Caller, callerWith, cookieOf, type TestApi, type TestClinic } from "../../test/api.ts";
import { type TestMail, tokenIn } from "../../test/mail.ts";
import { type OpenPortal, openPortal, PATIENT_PASSWORD, type PortalSteps, portalNameOf } from "../../test/portal.ts";
import { kept } from "../../test/sign-in.ts";
import { until } from "../../test/until.ts";
import { TRY_RULES, Tries } from "../accounts/limits.ts";
import { addPractitioner } from "../clinic/people.ts";
import { addService } from "../clinic/services.ts";
import { inClinic } from "../db/pool.ts";
import { networkOf } from "../egress/addresses.ts";
import { PORTAL_PASSWORDS_PER_MINUTE_MAX } from "./portal-sessions.ts";

let opened: OpenPortal;
let steps: PortalSteps;
let api: TestApi;
let mail: TestMail;
let clinic: TestClinic;
let portal: string;
let email: string;
let people = 0;

beforeAll(async () => {
  opened = await openPortal();
  ({ steps, api, mail, clinic } = opened);
  portal = steps.portal;
});
afterAll(() => opened?.close());
beforeEach(() => {
  people += 1;
  email = `patient.${people}@example.test`;
});

const NEW_PASSWORD = "another invented pass phrase";
const query = async (text: string, values: unknown[] = []) => (await api.database.pools.owner.query(text, values)).rows;
const post = (path: string, body: object, at?: string) => steps.post(path, body, at);
const signUp = (password?: string) => steps.signUp(email, password);
const signIn = (password = PATIENT_PASSWORD, at?: string) => post("session", { email, password }, at);
const own = (caller: Caller, at?: string) => steps.own(caller, at);
const linkOf = (letters: number) => steps.linkOf(email, letters);

/** Signs up and confirms. */
async function patient(): Promise<{ caller: Caller; cookie: string }> {
  const answer = await steps.confirmed(email);
  expect(answer.status).toBe(200);
  return { caller: callerWith(api.app, cookieOf(answer)), cookie: cookieOf(answer) };
}

describe("a patient's account", () => {
  it("opens nothing before its e-mail is confirmed by a letter's link and the password; the link works once", async () => {
    expect((await signUp()).json).toEqual({ status: "received", sends_letters: true });
    const [letter] = await mail.lettersTo(email);
    expect(letter?.text).toContain(`/portal/${portal}/confirm#`);
    const token = tokenIn(letter as never);
    expect(kept(await signIn())).toEqual([401, "sign_in_refused"]);
    expect(kept(await post("confirm", { token, password: "not the right password" }))).toEqual([
      401,
      "sign_in_refused",
    ]);
    expect(kept(await signIn())).toEqual([401, "sign_in_refused"]);
    const confirmed = await post("confirm", { token, password: PATIENT_PASSWORD });
    expect(confirmed.status).toBe(200);
    expect(String(confirmed.headers["set-cookie"])).toMatch(/^hookwell-portal=[\w-]{43}; .*HttpOnly; SameSite=Strict$/);
    expect(kept(await post("confirm", { token, password: PATIENT_PASSWORD }))).toEqual([400, "link_over"]);
    const again = await signIn();
    const page = await own(callerWith(api.app, cookieOf(again)));
    expect(page.json).toEqual({ patient: { name: "Test Example", email }, time_zone: "America/Toronto", consults: [] });
  });

  it("that somebody else began with one's address becomes one's own by a new password, and shuts the other out", async () => {
    await signUp("the stranger's password");
    await signUp(PATIENT_PASSWORD);
    const confirm = await linkOf(2);
    expect(kept(await post("confirm", { token: confirm, password: PATIENT_PASSWORD }))).toEqual([
      401,
      "sign_in_refused",
    ]);
    await post("reset-requests", { email });
    expect((await post("reset", { token: await linkOf(3), password: NEW_PASSWORD })).status).toBe(200);
    expect((await signIn(NEW_PASSWORD)).status).toBe(200);
    expect(kept(await signIn("the stranger's password"))).toEqual([401, "sign_in_refused"]);
    expect(kept(await post("confirm", { token: confirm, password: "the stranger's password" }))).toEqual([
      400,
      "link_over",
    ]);
  });

  it("that exists is told by letter alone to whoever signs up with its address", async () => {
    await patient();
    const first = await post("accounts", { name: "Test Example", email: `new.${email}`, password: PATIENT_PASSWORD });
    const again = await signUp();
    expect([again.status, again.json]).toEqual([first.status, first.json]);
    const [, letter] = await mail.lettersTo(email, 2);
    expect(letter?.headers.get("subject")).toBe("Test Clinic: you have an account already");
  });

  it("has links and sessions that are kept as hashes, and are over after their time", async () => {
    const { caller, cookie } = await patient();
    await post("reset-requests", { email });
    const token = await linkOf(2);
    const rows = JSON.stringify([
      await query("select * from portal_links"),
      await query("select * from portal_sessions"),
    ]);
    for (const word of [token, cookie.split("=")[1]]) expect(rows).not.toContain(word);
    await query("update portal_links set expires_at = now()");
    expect(kept(await post("reset", { token, password: NEW_PASSWORD }))).toEqual([400, "link_over"]);
    expect((await own(caller)).status).toBe(200);
    await query("update portal_sessions set expires_at = now()");
    expect(kept(await own(caller))).toEqual([401, "sign_in_required"]);
  });

  it("gets a new password by a letter's link, once; every session and every other link ends", async () => {
    const { caller } = await patient();
    await post("reset-requests", { email });
    await post("reset-requests", { email });
    const [, one, two] = (await mail.lettersTo(email, 3)).map(tokenIn);
    expect((await post("reset", { token: one, password: "short" })).status).toBe(400);
    expect((await post("reset", { token: one, password: NEW_PASSWORD })).status).toBe(200);
    expect((await own(caller)).status).toBe(401);
    expect(kept(await post("reset", { token: two, password: PATIENT_PASSWORD }))).toEqual([400, "link_over"]);
    expect([(await signIn()).status, (await signIn(NEW_PASSWORD)).status]).toEqual([401, 200]);
  });

  it("is not opened with the old password by somebody whose signing in overlaps with a new one", async () => {
    await patient();
    const owner = await api.database.pools.owner.connect();
    try {
      await owner.query("begin");
      await owner.query(
        "update portal_accounts set password_hash = password_hash || 'x' where clinic_id = $1 and email_folded = $2",
        [...[clinic.id, email]],
      );
      let isOver = false;
      const overlapping = signIn().finally(() => {
        isOver = true;
      });
      const waits = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      await until("it waits for the new password", async () => isOver || (await query(waits)).length > 0);
      await owner.query("commit");
      expect(kept(await overlapping)).toEqual([401, "sign_in_refused"]);
    } finally {
      await owner.query("rollback");
      owner.release();
    }
  });

  it("is answered like none at all for whoever does not know its password", async () => {
    await patient();
    const wrong = await signIn("not the right password");
    const unknown = await post("session", { email: "nobody.at.all@example.test", password: PATIENT_PASSWORD });
    expect([unknown.status, unknown.json]).toEqual([wrong.status, wrong.json]);
    const known = await post("reset-requests", { email });
    const none = await post("reset-requests", { email: "nobody.at.all@example.test" });
    expect([none.status, none.json]).toEqual([known.status, known.json]);
  });

  it("is one clinic's: neither its password nor its session opens another clinic's portal", async () => {
    const { caller } = await patient();
    const other = await portalNameOf(api, (await api.newClinic()).id);
    expect(kept(await signIn(PATIENT_PASSWORD, other))).toEqual([401, "sign_in_refused"]);
    expect(kept(await own(caller, other))).toEqual([401, "sign_in_required"]);
    await post("reset-requests", { email });
    const token = await linkOf(2);
    expect(kept(await post("reset", { token, password: NEW_PASSWORD }, other))).toEqual([400, "link_over"]);
  });

  it("is left by signing out: the old cookie opens nothing", async () => {
    const { caller } = await patient();
    const out = await caller(`/portal-api/${portal}/session`, { method: "DELETE" });
    expect([out.status, String(out.headers["set-cookie"])]).toEqual([204, expect.stringContaining("Max-Age=0")]);
    expect((await own(caller)).status).toBe(401);
  });

  it("shows its person's own consults ahead, and nobody else's", async () => {
    const { caller } = await patient();
    const [{ patient_id: mine }] = await query("select patient_id from portal_accounts where email_folded = $1", [
      email,
    ]);
    const { id: service, practitioner } = await inClinic(api.db, clinic.id, async (tx) => {
      const { id } = await addService(tx, clinic.id, {
        name: "Follow-up",
        kind: "group",
        durationMinutes: 30,
        capacity: 4,
      });
      return {
        id,
        practitioner: await addPractitioner(tx, clinic.id, { name: "Pat Pretend", email: "pat@example.test" }),
      };
    });
    const [{ id: other }] = await query("select id from patients where id <> $1 limit 1", [mine]);
    const book = (start_time: string, patients: number[]) =>
      clinic.as.manager("/v1/consults", {
        method: "POST",
        body: { service_id: service, practitioner_id: practitioner.id, start_time, patient_ids: patients },
      });
    await book("2100-01-05T09:00:00Z", [mine, other]);
    await book("2100-01-06T09:00:00Z", [other]);
    await book("2020-01-06T09:00:00Z", [mine]);
    const { consults } = (await own(caller)).json;
    expect(consults).toEqual([
      { start_time: "2100-01-05T09:00:00Z", duration: 30, service: "Follow-up", practitioner: "Pat Pretend" },
    ]);
  });
});

describe("tries", () => {
  it("are counted for each account, known or not, and refused with the time to wait", async () => {
    await patient();
    for (const tried of [email, "nobody.here@example.test"]) {
      const tries = new Tries(api.database.pools.auth, api.secret);
      const subject = `${clinic.id} ${tried}`;
      for (let count = 0; count < TRY_RULES.portal_sign_in.max; count += 1) await tries.take("portal_sign_in", subject);
      const refused = await post("session", { email: tried.toUpperCase(), password: PATIENT_PASSWORD });
      expect(kept(refused)).toEqual([429, "too_many_requests"]);
      expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    }
  });

  it("are counted for each client address", async () => {
    const from = (address: string) =>
      api.anonymous(`/portal-api/${portal}/session`, { method: "POST", body: {}, remoteAddress: address });
    for (let count = 0; count < PORTAL_PASSWORDS_PER_MINUTE_MAX; count += 1) {
      expect((await from("203.0.113.9")).status).toBe(400);
    }
    expect((await from("203.0.113.9")).status).toBe(429);
    expect((await from("203.0.113.10")).status).toBe(400);
  });

  it.each([
    ["203.0.113.9", "203.0.113.9"],
    ["::ffff:203.0.113.9", "203.0.113.9"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:DB8::6", "2001:db8:0:0"],
    ["::1", "0:0:0:0"],
    ["fe80::1%eth0", "fe80:0:0:0"],
    ["not an address", "not an address"],
  ])("of the client %s are those of %s", (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  it("to sign up of one stranger use up little of the clinic's: neither one e-mail nor one client address closes it", async () => {
    const there = await api.newClinic();
    const at = await portalNameOf(api, there.id);
    const tries = new Tries(api.database.pools.auth, api.secret);
    const signUpOf = (who: string, remoteAddress = anyAddress()) =>
      api.anonymous(`/portal-api/${at}/accounts`, {
        ...{ method: "POST", remoteAddress, body: { name: "Test Example", email: who, password: PATIENT_PASSWORD } },
      });
    for (let count = 0; count < TRY_RULES.portal_letter.max; count += 1)
      await tries.take("portal_letter", `${there.id} ${email}`);
    for (let count = 0; count < TRY_RULES.portal_address.max; count += 1)
      await tries.take("portal_address", networkOf("2001:db8:1:2::1"));
    for (let count = 1; count < TRY_RULES.portal_sign_ups.max; count += 1)
      await tries.take("portal_sign_ups", String(there.id));
    expect(kept(await signUpOf(email))).toEqual([429, "too_many_requests"]);
    expect(kept(await signUpOf(`other.${email}`, "2001:db8:1:2:3::9"))).toEqual([429, "too_many_requests"]);
    expect((await signUpOf(`other.${email}`)).status).toBe(202);
    expect(kept(await signUpOf(`third.${email}`))).toEqual([429, "too_many_requests"]);
  });

  it("to sign up are limited for each clinic, and letters for each address", async () => {
    const tries = new Tries(api.database.pools.auth, api.secret);
    for (let count = 0; count < TRY_RULES.portal_letter.max; count += 1)
      expect((await post("reset-requests", { email })).status).toBe(202);
    expect(kept(await signUp())).toEqual([429, "too_many_requests"]);
    const other = await api.newClinic();
    for (let count = 0; count < TRY_RULES.portal_sign_ups.max; count += 1)
      await tries.take("portal_sign_ups", String(other.id));
    const body = { name: "Test Example", email, password: PATIENT_PASSWORD };
    const refused = await post("accounts", body, await portalNameOf(api, other.id));
    expect(kept(refused)).toEqual([429, "too_many_requests"]);
    expect(await query("select 1 from portal_accounts where clinic_id = $1", [other.id])).toEqual([]);
  });
});
