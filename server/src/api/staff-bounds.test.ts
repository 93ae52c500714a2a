/** Staff, and what nobody can do with the access they have: flood others with letters, come back, or stay in for ever. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Caller, cookieOf, signIn, TEST_ORIGIN, type TestApi, type TestClinic } from "../../test/api.ts";
import { type TestMail, tokenIn } from "../../test/mail.ts";
import { kept } from "../../test/sign-in.ts";
import { idOf, JOINED_PASSWORD, StaffSteps } from "../../test/staff.ts";
import { invite as makeInvitation, renewInvitation } from "../accounts/invitations.ts";
import { TRY_RULES, Tries } from "../accounts/limits.ts";
import { inClinic } from "../db/pool.ts";

let staff: StaffSteps;
let api: TestApi;
let mail: TestMail;
let clinic: TestClinic;
let manager: Caller;

beforeAll(async () => {
  staff = await StaffSteps.open();
  ({ api, mail, clinic } = staff);
  manager = clinic.as.manager;
});
afterAll(() => staff?.close());

const query = async (text: string, values: unknown[] = []) => (await api.database.pools.owner.query(text, values)).rows;

describe("an invitation's letter", () => {
  it("brings a limited number of letters to one address, whether made anew or sent again", async () => {
    const there = await api.newClinic();
    const email = staff.newEmail();
    const { id } = (await staff.invite(email, "front_desk", there.as.manager)).json;
    const again = () => there.as.manager(`/v1/invitations/${id}/resend`, { method: "POST", body: {} });
    for (let count = 1; count < TRY_RULES.invitation_letter.max; count += 1) expect((await again()).status).toBe(200);
    const refused = await again();
    expect([...kept(refused), refused.json.detail]).toEqual([
      ...[429, "too_many_requests", expect.stringMatching(/ Wait \d+ minutes, then try again\.$/)],
    ]);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    expect((await there.as.manager(`/v1/invitations/${id}`, { method: "DELETE" })).status).toBe(204);
    expect(kept(await staff.invite(email, "front_desk", there.as.manager))).toEqual([429, "too_many_requests"]);
    expect((await staff.invite(staff.newEmail(), "front_desk", there.as.manager)).status).toBe(201);
  });

  it("is one of a limited number of letters of its clinic", async () => {
    const there = await api.newClinic();
    const { id } = (await staff.invite(staff.newEmail(), "front_desk", there.as.manager)).json;
    const tries = new Tries(api.database.pools.auth, api.secret);
    for (let count = 1; count < TRY_RULES.invitation_letters.max; count += 1)
      await tries.take("invitation_letters", String(there.id));
    expect(kept(await staff.invite(staff.newEmail(), "front_desk", there.as.manager))).toEqual([
      429,
      "too_many_requests",
    ]);
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
      const leaver = await staff.join("manager", there.as.manager);
      const id = await idOf(there.as.manager, leaver.email);
      const mine = staff.newEmail();
      const others = staff.newEmail();
      const { id: invitation } = (await staff.invite(mine, "manager", leaver.caller)).json;
      await staff.invite(others, "front_desk", there.as.manager);
      const token = tokenIn((await mail.lettersTo(mine))[0] as never);
      expect((await there.as.manager(`/v1/staff/${id}`, call)).status).toBe(204);
      expect(kept(await staff.accept({ token, name: "Back Again", password: JOINED_PASSWORD }))).toEqual([
        404,
        "link_over",
      ]);
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
    const leaver = await staff.join("manager", there.as.manager);
    const { id } = (await staff.invite(staff.newEmail(), "manager", there.as.manager)).json;
    expect((await leaver.caller(`/v1/invitations/${id}/resend`, { method: "POST", body: {} })).status).toBe(200);
    const leaverId = await idOf(there.as.manager, leaver.email);
    expect((await there.as.manager(`/v1/staff/${leaverId}`, { method: "DELETE" })).status).toBe(204);
    expect((await there.as.manager("/v1/invitations")).json.data).toEqual([]);
  });
});

describe("an invitation by somebody who was a manager when the request came in", () => {
  it("is neither made nor sent again", async () => {
    const there = await api.newClinic();
    const { id } = (await staff.invite(staff.newEmail(), "manager", there.as.manager)).json;
    await there.as.front_desk("/v1/me");
    const actor = await idOf(there.as.manager, there.emails.front_desk);
    const late = { clinicId: there.id, actor, hasMail: true };
    const making = inClinic(api.db, there.id, (tx) =>
      makeInvitation(tx, { ...late, email: staff.newEmail(), role: "manager" }),
    );
    await expect(making).rejects.toMatchObject({ status: 403, code: "manager_only" });
    const renewing = inClinic(api.db, there.id, (tx) => renewInvitation(tx, { ...late, id }, true));
    await expect(renewing).rejects.toMatchObject({ status: 403, code: "manager_only" });
  });
});

describe("a person of two clinics", () => {
  it("goes over to the other by a new session; the old one opens nothing, and a third clinic is not found", async () => {
    const { email } = await staff.join("manager");
    const other = await api.newClinic();
    await query("insert into staff (clinic_id, user_id, role) values ($1, $2, 'front_desk')", [
      ...[other.id, await idOf(manager, email)],
    ]);
    const before = await signIn(api.app, { email, password: JOINED_PASSWORD });
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
    const { email, caller } = await staff.join("manager");
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
