/** Staff: who is asked to a clinic, who comes, and that it never loses its last manager (security, people and tenants). */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  anyAddress,
  type Caller,
  signIn,
  startTestApi,
  TEST_ORIGIN,
  type TestApi,
  type TestClinic,
} from "../../test/api.ts";
import { type TestMail, tokenIn } from "../../test/mail.ts";
import { kept } from "../../test/sign-in.ts";
import { idOf, JOINED_PASSWORD, StaffSteps } from "../../test/staff.ts";
import { until } from "../../test/until.ts";

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

const look = (token: string, caller: Caller = api.anonymous) =>
  caller("/api/invitations/look", { method: "POST", remoteAddress: anyAddress(), body: { token } });
const query = async (text: string, values: unknown[] = []) => (await api.database.pools.owner.query(text, values)).rows;

describe("an invitation", () => {
  it("goes out by letter, and makes whoever follows its link staff with the role that was given, once", async () => {
    const email = staff.newEmail();
    const made = await staff.invite(email.toUpperCase(), "practitioner");
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({ email, role: "practitioner", letter: "waiting", is_over: false });
    expect(made.json.link).toBeUndefined();
    const [letter] = await mail.lettersTo(email);
    if (letter === undefined) throw new Error("no letter came");
    expect(letter.text).toContain(`${TEST_ORIGIN}/invitation#`);
    // Not "a manager of": a clinic's first manager is asked by nobody of the clinic.
    expect(letter.text).toMatch(/^Test Clinic gives you access to its Hookwell, as practitioner\.$/m);
    const token = tokenIn(letter);
    expect((await look(token)).json).toMatchObject({
      email,
      role: "practitioner",
      has_account: false,
      signed_in_as: null,
    });
    const accepted = await staff.accept({ token, name: "Invited Example", password: JOINED_PASSWORD });
    expect(accepted.json).toEqual({ clinic_id: clinic.id, is_new: true });
    const invited = await signIn(api.app, { email, password: JOINED_PASSWORD });
    expect((await invited("/v1/me")).json).toMatchObject({ role: "practitioner", clinic: { id: clinic.id } });
    expect(kept(await staff.accept({ token, name: "Somebody Else", password: JOINED_PASSWORD }))).toEqual([
      404,
      "link_over",
    ]);
    expect(kept(await look(token))).toEqual([404, "link_over"]);
  });

  it("is kept as a hash: neither the table, nor the audit, nor an answer holds what opens it", async () => {
    const email = staff.newEmail();
    const made = await staff.invite(email);
    const token = tokenIn((await mail.lettersTo(email))[0] as never);
    await until(
      "the letter is noted as sent",
      async () => (await query("select letter from invitations where email = $1", [email]))[0]?.letter === "sent",
    );
    const rows = await Promise.all([query("select * from invitations"), query("select * from audit")]);
    expect(JSON.stringify([rows, made.json, (await manager("/v1/invitations")).json])).not.toContain(token);
  });

  it("opens nothing after its time, after it was withdrawn, or after it was sent again", async () => {
    const email = staff.newEmail();
    const { id } = (await staff.invite(email)).json;
    const first = tokenIn((await mail.lettersTo(email))[0] as never);
    expect((await manager(`/v1/invitations/${id}/resend`, { method: "POST", body: {} })).status).toBe(200);
    const second = tokenIn((await mail.lettersTo(email, 2))[1] as never);
    expect(kept(await look(first))).toEqual([404, "link_over"]);
    expect((await look(second)).status).toBe(200);
    await query("update invitations set expires_at = now() where id = $1", [id]);
    expect(kept(await staff.accept({ token: second, name: "Late", password: JOINED_PASSWORD }))).toEqual([
      404,
      "link_over",
    ]);
    await query("update invitations set expires_at = now() + interval '1 day' where id = $1", [id]);
    expect((await manager(`/v1/invitations/${id}`, { method: "DELETE" })).status).toBe(204);
    expect(kept(await staff.accept({ token: second, name: "Late", password: JOINED_PASSWORD }))).toEqual([
      404,
      "link_over",
    ]);
  });

  it("opened five times at once makes one person, with one password", async () => {
    const email = staff.newEmail();
    await staff.invite(email);
    const token = tokenIn((await mail.lettersTo(email))[0] as never);
    const answers = await Promise.all(
      Array.from({ length: 5 }, (_, one) =>
        staff.accept({ token, name: "Once", password: `${JOINED_PASSWORD} ${one}` }),
      ),
    );
    const won = answers.flatMap(({ status }, one) => (status === 200 ? [one] : []));
    expect(won).toHaveLength(1);
    await signIn(api.app, { email, password: `${JOINED_PASSWORD} ${won[0]}` });
    const accounts = await query(
      `select 1 from auth.account a join auth."user" u on u.id = a."userId" where u.email = $1`,
      [email],
    );
    expect(accounts).toHaveLength(1);
  });

  it("is accepted by a known person only after signing in, and never by another one", async () => {
    const { email, caller } = await staff.join();
    const other = await api.newClinic();
    await staff.invite(email, "manager", other.as.manager);
    const token = tokenIn((await mail.lettersTo(email, 2))[1] as never);
    expect((await look(token)).json.has_account).toBe(true);
    expect(kept(await staff.accept({ token, name: "Thief", password: JOINED_PASSWORD }))).toEqual([
      401,
      "sign_in_required",
    ]);
    expect(kept(await staff.accept({ token }, manager))).toEqual([403, "other_person"]);
    expect((await staff.accept({ token }, caller)).json).toEqual({ clinic_id: other.id, is_new: false });
    const me = (await caller("/v1/me")).json;
    expect([me.clinic.id, me.clinics.length]).toEqual([clinic.id, 2]);
  });

  it("followed by somebody who works there by then changes no role, and nobody is said to have joined", async () => {
    const { email, caller } = await staff.join("practitioner");
    const there = await api.newClinic();
    await staff.invite(email, "manager", there.as.manager);
    const token = tokenIn((await mail.lettersTo(email, 2))[1] as never);
    const id = await idOf(manager, email);
    await query("insert into staff (clinic_id, user_id, role) values ($1, $2, 'front_desk')", [there.id, id]);
    expect((await staff.accept({ token }, caller)).status).toBe(200);
    expect(await query("select role from staff where clinic_id = $1 and user_id = $2", [there.id, id])).toEqual([
      { role: "front_desk" },
    ]);
    const joined = "select 1 from audit where clinic_id = $1 and action = 'staff.joined'";
    expect(await query(joined, [there.id])).toEqual([]);
  });

  it("is refused for somebody who is staff or invited already, and for what is no address; the words name the remedy", async () => {
    const email = staff.newEmail();
    await staff.invite(email);
    expect(kept(await staff.invite(email))).toEqual([409, "already_invited"]);
    expect(kept(await staff.invite(clinic.emails.manager))).toEqual([409, "already_staff"]);
    const bad = await staff.invite("nobody");
    expect([bad.status, bad.json.errors[0]]).toMatchObject([400, { field: "email", code: "not_an_email" }]);
    expect((await staff.invite(staff.newEmail(), "owner")).status).toBe(400);
    const weak = await staff.accept({
      token: tokenIn((await mail.lettersTo(email))[0] as never),
      name: "A",
      password: "short",
    });
    expect([weak.status, weak.json.errors[0].field]).toEqual([400, "password"]);
  });

  it("belongs to its clinic: another clinic's manager neither sees, sends nor withdraws it", async () => {
    const { id } = (await staff.invite(staff.newEmail())).json;
    const stranger = (await api.newClinic()).as.manager;
    expect((await stranger("/v1/invitations")).json.data).toEqual([]);
    expect((await stranger(`/v1/invitations/${id}/resend`, { method: "POST", body: {} })).status).toBe(404);
    expect((await stranger(`/v1/invitations/${id}`, { method: "DELETE" })).status).toBe(404);
  });

  it("whose letter does not arrive says so in the list", async () => {
    mail.smtp.answer = (command) => (command.startsWith("RCPT") ? "550 no such box" : null);
    try {
      const { id } = (await staff.invite(staff.newEmail())).json;
      await until("the list says so", async () => {
        const { data } = (await manager("/v1/invitations")).json;
        return data.find((one: { id: number }) => one.id === id).letter === "failed";
      });
    } finally {
      mail.smtp.answer = () => null;
    }
  });

  it("is handed over as a link, this once, where no mail server is set up", async () => {
    const quiet = await startTestApi();
    try {
      const { as } = await quiet.newClinic();
      const call = {
        method: "POST",
        body: { email: staff.newEmail(), role: "manager" },
        headers: { "idempotency-key": "one" },
      } as const;
      const { json } = await as.manager("/v1/invitations", call);
      expect(json).toMatchObject({ letter: "none" });
      expect(json.link).toMatch(/\/invitation#[A-Za-z0-9_-]{43}$/);
      expect((await as.manager("/v1/invitations", call)).json.link).toBeUndefined();
      expect((await as.manager("/v1/invitations")).json.sends_letters).toBe(false);
    } finally {
      await quiet.close();
    }
  });
});

describe("a member of staff", () => {
  it("who gets another role is signed out of this clinic with the change, and begins anew with the new role", async () => {
    const { email, caller } = await staff.join("manager");
    expect((await caller("/v1/staff")).status).toBe(200);
    const id = await idOf(manager, email);
    expect((await manager(`/v1/staff/${id}`, { method: "PATCH", body: { role: "practitioner" } })).status).toBe(204);
    expect((await caller("/v1/me")).status).toBe(401);
    const again = await signIn(api.app, { email, password: JOINED_PASSWORD });
    expect((await again("/v1/me")).json.role).toBe("practitioner");
    expect(kept(await again("/v1/staff"))).toEqual([403, "manager_only"]);
  });

  it("who is removed has lost the clinic with the very next request, and keeps the account", async () => {
    const { email, caller } = await staff.join();
    const id = await idOf(manager, email);
    expect((await manager(`/v1/staff/${id}`, { method: "DELETE" })).status).toBe(204);
    expect((await caller("/v1/me")).status).toBe(401);
    const again = await signIn(api.app, { email, password: JOINED_PASSWORD });
    expect((await again("/v1/me")).status).toBe(401);
    expect(kept(await manager(`/v1/staff/${id}`, { method: "DELETE" }))).toEqual([404, "not_found"]);
  });

  it("of another clinic is not found", async () => {
    const other = await api.newClinic();
    const id = await idOf(other.as.manager, other.emails.manager);
    for (const call of [{ method: "DELETE" }, { method: "PATCH", body: { role: "manager" } }] as const) {
      expect((await manager(`/v1/staff/${id}`, call)).status).toBe(404);
    }
    expect((await other.as.manager("/v1/me")).status).toBe(200);
  });

  it("is on record: who invited, who joined, who changed and removed whom", async () => {
    const { email } = await staff.join();
    const id = await idOf(manager, email);
    await manager(`/v1/staff/${id}`, { method: "PATCH", body: { role: "manager" } });
    await manager(`/v1/staff/${id}`, { method: "DELETE" });
    const rows = await query("select actor, action, before, after from audit where target = $1 order by id", [
      `staff:${id}`,
    ]);
    expect(rows.map(({ action }) => action)).toEqual(["staff.joined", "staff.role_changed", "staff.removed"]);
    expect(rows[0].actor).toBe(id);
    expect([rows[1].before, rows[1].after].map((text) => JSON.parse(text))).toEqual([
      { role: "front_desk" },
      { role: "manager" },
    ]);
    expect(rows[1].actor).toBe(await idOf(manager, clinic.emails.manager));
  });
});

describe("the last manager", () => {
  it("can neither be removed nor demoted, by himself or by anybody", async () => {
    const alone = await api.newClinic();
    const id = await idOf(alone.as.manager, alone.emails.manager);
    const demote = await alone.as.manager(`/v1/staff/${id}`, { method: "PATCH", body: { role: "front_desk" } });
    expect(kept(demote)).toEqual([409, "last_manager"]);
    expect(kept(await alone.as.manager(`/v1/staff/${id}`, { method: "DELETE" }))).toEqual([409, "last_manager"]);
    expect((await alone.as.manager("/v1/me")).json.role).toBe("manager");
  });

  it("stays when two managers demote each other at the same moment", async () => {
    const pair = await api.newClinic();
    const one = pair.as.manager;
    const { email, caller: two } = await staff.join("manager", one);
    const ids = await Promise.all([idOf(one, email), idOf(one, pair.emails.manager)]);
    const answers = await Promise.all([
      one(`/v1/staff/${ids[0]}`, { method: "PATCH", body: { role: "front_desk" } }),
      two(`/v1/staff/${ids[1]}`, { method: "PATCH", body: { role: "front_desk" } }),
    ]);
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
    const managers = await query("select 1 from staff where clinic_id = $1 and role = 'manager'", [pair.id]);
    expect(managers).toHaveLength(1);
  });
});
