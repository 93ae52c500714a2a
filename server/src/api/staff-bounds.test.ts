/** Staff, and what nobody can do with the access they have: flood others with letters, come back, or stay in for ever. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Answer,
  anyAddress,
  type Caller,
  cookieOf,
  signIn,
  startTestApi,
  TEST_ORIGIN,
  type TestApi,
  type TestClinic,
} from "../../test/api.ts";
import { startTestMail, type TestMail, tokenIn } from "../../test/mail.ts";
import { invite as makeInvitation, renewInvitation } from "../accounts/invitations.ts";
import { TRY_RULES, Tries } from "../accounts/limits.ts";
import { inClinic } from "../db/pool.ts";

let api: TestApi;
let mail: TestMail;
let clinic: TestClinic;
let manager: Caller;
let people = 0;

beforeAll(async () => {
  mail = await startTestMail();
  api = await startTestApi({ mail: mail.sender });
  clinic = await api.newClinic();
  manager = clinic.as.manager;
});
afterAll(async () => {
  await api.close();
  await mail.close();
});

const PASSWORD = "an invented pass phrase";
const newEmail = () => `invited.${++people}@example.test`;
const invite = (email: string, role = "front_desk", caller = manager) =>
  caller("/v1/invitations", { method: "POST", body: { email, role } });
const accept = (body: object, caller: Caller = api.anonymous) =>
  caller("/api/invitations/accept", { method: "POST", remoteAddress: anyAddress(), body });
const staffOf = async (caller: Caller) => (await caller("/v1/staff")).json.data as { user_id: string; email: string }[];
const idOf = async (caller: Caller, email: string) =>
  (await staffOf(caller)).find((one) => one.email === email)?.user_id ?? "nobody";
const query = async (text: string, values: unknown[] = []) => (await api.database.pools.owner.query(text, values)).rows;
const kept = ({ status, json }: Answer) => [status, json?.code];

/** Invites somebody new to a clinic, who accepts. */
async function join(role = "front_desk", caller = manager): Promise<{ email: string; caller: Caller }> {
  const email = newEmail();
  await invite(email, role, caller);
  const [letter] = await mail.lettersTo(email);
  if (letter === undefined) throw new Error("no letter came");
  await accept({ token: tokenIn(letter), name: "Invited Example", password: PASSWORD });
  return { email, caller: await signIn(api.app, { email, password: PASSWORD }) };
}

describe("an invitation's letter", () => {
  it("brings a limited number of letters to one address, whether made anew or sent again", async () => {
    const there = await api.newClinic();
    const email = newEmail();
    const { id } = (await invite(email, "front_desk", there.as.manager)).json;
    const again = () => there.as.manager(`/v1/invitations/${id}/resend`, { method: "POST", body: {} });
    for (let count = 1; count < TRY_RULES.invitation_letter.max; count += 1) expect((await again()).status).toBe(200);
    const refused = await again();
    expect([...kept(refused), refused.json.detail]).toEqual([
      ...[429, "too_many_requests", expect.stringMatching(/ Wait \d+ minutes, then try again\.$/)],
    ]);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    expect((await there.as.manager(`/v1/invitations/${id}`, { method: "DELETE" })).status).toBe(204);
    expect(kept(await invite(email, "front_desk", there.as.manager))).toEqual([429, "too_many_requests"]);
    expect((await invite(newEmail(), "front_desk", there.as.manager)).status).toBe(201);
  });

  it("is one of a limited number of letters of its clinic", async () => {
    const there = await api.newClinic();
    const { id } = (await invite(newEmail(), "front_desk", there.as.manager)).json;
    const tries = new Tries(api.database.pools.auth, api.secret);
    for (let count = 1; count < TRY_RULES.invitation_letters.max; count += 1)
      await tries.take("invitation_letters", String(there.id));
    expect(kept(await invite(newEmail(), "front_desk", there.as.manager))).toEqual([429, "too_many_requests"]);
    const again = await there.as.manager(`/v1/invitations/${id}/resend`, { method: "POST", body: {} });
    expect(kept(again)).toEqual([429, "too_many_requests"]);
  });
});

describe("a manager who is one no more", () => {
  it.each([
    ["removed", { method: "DELETE" }],
    ["given another role", { method: "PATCH", body: { role: "front_desk" } }],
  ] as const)(
    "because he was %s has no invitation left that he made; each is on record as withdrawn",
    async (_how, call) => {
      const there = await api.newClinic();
      const leaver = await join("manager", there.as.manager);
      const id = await idOf(there.as.manager, leaver.email);
      const mine = newEmail();
      const others = newEmail();
      const { id: invitation } = (await invite(mine, "manager", leaver.caller)).json;
      await invite(others, "front_desk", there.as.manager);
      const token = tokenIn((await mail.lettersTo(mine))[0] as never);
      expect((await there.as.manager(`/v1/staff/${id}`, call)).status).toBe(204);
      expect(kept(await accept({ token, name: "Back Again", password: PASSWORD }))).toEqual([404, "link_over"]);
      const left = (await there.as.manager("/v1/invitations")).json.data.map((one: { email: string }) => one.email);
      expect(left).toEqual([others]);
      const [entry] = await query("select actor, action from audit where target = $1 order by id desc limit 1", [
        `invitation:${invitation}`,
      ]);
      const actor = await idOf(there.as.manager, there.emails.manager);
      expect(entry).toEqual({ actor, action: "invitation.withdrawn" });
    },
  );

  it("does not keep a link that he had sent again either, whoever made it", async () => {
    const there = await api.newClinic();
    const leaver = await join("manager", there.as.manager);
    const { id } = (await invite(newEmail(), "manager", there.as.manager)).json;
    expect((await leaver.caller(`/v1/invitations/${id}/resend`, { method: "POST", body: {} })).status).toBe(200);
    const leaverId = await idOf(there.as.manager, leaver.email);
    expect((await there.as.manager(`/v1/staff/${leaverId}`, { method: "DELETE" })).status).toBe(204);
    expect((await there.as.manager("/v1/invitations")).json.data).toEqual([]);
  });
});

describe("an invitation by somebody who was a manager when the request came in", () => {
  it("is neither made nor sent again", async () => {
    const there = await api.newClinic();
    const { id } = (await invite(newEmail(), "manager", there.as.manager)).json;
    await there.as.front_desk("/v1/me");
    const actor = await idOf(there.as.manager, there.emails.front_desk);
    const late = { clinicId: there.id, actor, hasMail: true };
    const making = inClinic(api.db, there.id, (tx) =>
      makeInvitation(tx, { ...late, email: newEmail(), role: "manager" }),
    );
    await expect(making).rejects.toMatchObject({ status: 403, code: "manager_only" });
    const renewing = inClinic(api.db, there.id, (tx) => renewInvitation(tx, { ...late, id }, true));
    await expect(renewing).rejects.toMatchObject({ status: 403, code: "manager_only" });
  });
});

describe("a person of two clinics", () => {
  it("goes over to the other by a new session; the old one opens nothing, and a third clinic is not found", async () => {
    const { email } = await join("manager");
    const other = await api.newClinic();
    await query("insert into staff (clinic_id, user_id, role) values ($1, $2, 'front_desk')", [
      ...[other.id, await idOf(manager, email)],
    ]);
    const before = await signIn(api.app, { email, password: PASSWORD });
    expect((await before("/v1/me")).json.clinic.id).toBe(clinic.id);
    const go = (clinicId: number) =>
      before("/api/auth/switch-clinic", {
        method: "POST",
        body: { clinic_id: clinicId },
        headers: { origin: TEST_ORIGIN },
      });
    const third = await api.newClinic();
    expect(kept(await go(third.id))).toEqual([404, "not_found"]);
    expect(kept(await go(999_999))).toEqual([404, "not_found"]);
    const went = await go(other.id);
    expect(went.status).toBe(200);
    const cookie = String(went.headers["set-cookie"]).split(";")[0] ?? "";
    const me = await api.anonymous("/v1/me", { headers: { cookie } });
    expect(me.json).toMatchObject({ role: "front_desk", clinic: { id: other.id } });
    expect((await before("/v1/me")).status).toBe(401);
    // The role is that of the clinic one is in: a manager there is none here.
    expect((await api.anonymous("/v1/staff", { headers: { cookie } })).status).toBe(403);
  });

  it("stays signed in no longer by going over, and gets no new session for the clinic that is open already", async () => {
    const { email, caller } = await join("manager");
    const id = await idOf(manager, email);
    const other = await api.newClinic();
    await query("insert into staff (clinic_id, user_id, role) values ($1, $2, 'front_desk')", [other.id, id]);
    await query(
      `update auth.session set "expiresAt" = date_trunc('second', now()) + interval '1 hour' where "userId" = $1`,
      [id],
    );
    const sessions = () =>
      query(`select token, "expiresAt" from auth.session where "userId" = $1 order by token`, [id]);
    const before = await sessions();
    const go = (clinicId: number) =>
      caller("/api/auth/switch-clinic", {
        method: "POST",
        body: { clinic_id: clinicId },
        headers: { origin: TEST_ORIGIN },
      });
    const stayed = await go(clinic.id);
    expect([stayed.status, cookieOf(stayed), await sessions()]).toEqual([204, "", before]);
    expect((await go(other.id)).status).toBe(200);
    const after = await sessions();
    expect(after).toHaveLength(1);
    expect([after[0].expiresAt, after[0].token === before[0].token]).toEqual([before[0].expiresAt, false]);
  });
});
