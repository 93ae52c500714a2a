/** Patients' sign-up on the portal: one event, and nothing by which anybody learns who is a patient (contract §1). */
import { randomBytes } from "node:crypto";
import { verifyPassword } from "better-auth/crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Answer, startTestApi, TEST_ORIGIN, type TestApi } from "../../test/api.ts";
import { hashPassword } from "../accounts/passwords.ts";
import { createClinic } from "../clinic/clinics.ts";
import { addPatient } from "../clinic/people.ts";
import { createKysely, inClinic } from "../db/pool.ts";
import type { Database } from "../db/schema.ts";
import { createLog } from "../log.ts";
import { portalRoutesWith, SIGN_UPS_PER_MINUTE_MAX } from "./portal.ts";
import { type App, createServer } from "./server.ts";

let api: TestApi;
let app: App;
let clinicId: number;
let portalName: string;
let hashed: number;
const logged: string[] = [];

beforeAll(async () => {
  const log = createLog({ destination: { write: (line) => void logged.push(line) } });
  api = await startTestApi({ log });
  const hash = (password: string) => {
    hashed += 1;
    return hashPassword(password);
  };
  app = await createServer(api.context, { v1: [], open: [portalRoutesWith({ hash })] });
  await app.ready();
});
afterAll(async () => {
  await app?.close();
  await api.close();
});

beforeEach(async () => {
  ({ id: clinicId, portalName } = await newClinic());
  hashed = 0;
  logged.length = 0;
});

/** Without staff: the portal needs none. */
const newClinic = () => {
  const wanted = { name: "Test Clinic", timeZone: "America/Toronto" };
  return createClinic(createKysely<Database>(api.database.pools.owner), api.context.seal, wanted);
};

const ACCOUNT = { name: "Test Example", email: "Test.Example@example.test", password: "an invented pass phrase" };

interface SignUp {
  readonly body?: unknown;
  readonly address?: string;
  readonly portal?: string;
  readonly headers?: Record<string, string>;
}

/** Each from an address of its own, so that limits do not add up. */
async function signUp({ body = ACCOUNT, address, portal = portalName, headers = {} }: SignUp = {}): Promise<Answer> {
  const answer = await app.inject({
    method: "POST",
    url: `/portal-api/${portal}/accounts`,
    payload: body as object,
    headers,
    remoteAddress: address ?? `10.${[...randomBytes(3)].join(".")}`,
  });
  return { status: answer.statusCode, headers: answer.headers, text: answer.body, json: answer.json() };
}

const rows = async (text: string) => (await api.database.pools.owner.query(text, [clinicId])).rows;
const patients = () => rows("select id, name, email from patients where clinic_id = $1 order by id");
const accounts = () => rows("select patient_id, email_folded, password_hash from portal_accounts where clinic_id = $1");

async function events() {
  const stored = await rows("select id, name, subject, subject_version, facts from events where clinic_id = $1");
  const seal = await api.context.seal.forClinic(createKysely<Database>(api.database.pools.owner), clinicId);
  return stored.map(({ id, name, subject, subject_version, facts }) => ({
    ...{ name, subject, version: subject_version },
    facts: JSON.parse(seal.open({ column: "events.facts", row: id }, facts)),
  }));
}

/** What differs from one answer to the next whatever is asked. */
function comparable({ status, headers, text }: Answer) {
  const { date, "x-request-id": id, "content-security-policy": policy, ...rest } = headers;
  expect([typeof id, typeof policy]).toEqual(["string", "string"]);
  return { status, text, headers: rest };
}

describe("a portal", () => {
  test("tells the clinic's name and language to everybody", async () => {
    const answer = await app.inject({ url: `/portal-api/${portalName}` });
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({ clinic: { name: "Test Clinic", locale: "en" } });
    expect(answer.headers["cache-control"]).toBe("no-store");
  });

  test.each(["no-such-portal", "%00", "Test-Clinic", "'; drop table clinics; --"])(
    "that does not exist is not found: %s",
    async (name) => {
      const path = encodeURIComponent(name).replace("%2500", "%00");
      const [look, sign] = [await app.inject({ url: `/portal-api/${path}` }), await signUp({ portal: path })];
      expect([look.statusCode, look.json().code, sign.status, sign.json.code]).toEqual([
        ...[404, "not_found"],
        ...[404, "not_found"],
      ]);
      expect(hashed).toBe(0);
    },
  );
});

describe("signing up", () => {
  test("makes a patient, an account with a hashed password, and one event, and wakes the dispatcher", async () => {
    const before = api.nudges();
    const answer = await signUp();
    expect([answer.status, answer.json]).toEqual([202, { status: "received", sends_letters: false }]);
    expect(api.nudges()).toBe(before + 1);
    const [patient] = await patients();
    expect(patient).toMatchObject({ name: "Test Example", email: "Test.Example@example.test" });
    expect(await events()).toEqual([
      {
        ...{ name: "patient_account.created", subject: `patient:${patient.id}`, version: 1 },
        facts: { event: "patient_account.created", client: patient },
      },
    ]);
    const [account] = await accounts();
    expect(account).toMatchObject({ patient_id: patient.id, email_folded: "test.example@example.test" });
    expect(await verifyPassword({ hash: account.password_hash, password: ACCOUNT.password })).toBe(true);
    expect(await verifyPassword({ hash: account.password_hash, password: "another pass phrase" })).toBe(false);
  });

  test("with an e-mail that has an account answers and works the same, and changes nothing", async () => {
    const first = await signUp();
    const before = [await patients(), await accounts(), await events()];
    const again = { name: "Somebody Else", email: "test.EXAMPLE@example.test", password: "quite another pass phrase" };
    const second = await signUp({ body: again });
    expect(comparable(second)).toEqual(comparable(first));
    expect(hashed).toBe(2);
    expect([await patients(), await accounts(), await events()]).toEqual(before);
  });

  test("five times at once is one account and one event", async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => signUp()));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202]);
    expect([await patients(), await accounts(), await events()].map(({ length }) => length)).toEqual([1, 1, 1]);
  });

  test("never leads into the record that staff keep under the same e-mail", async () => {
    const kept = await inClinic(api.db, clinicId, (tx) => addPatient(tx, clinicId, ACCOUNT));
    await signUp();
    const [account] = await accounts();
    expect(account.patient_id).not.toBe(kept.id);
    expect(await patients()).toHaveLength(2);
  });

  test("is of one clinic: the same e-mail has an account in each", async () => {
    await signUp();
    const other = await newClinic();
    await signUp({ portal: other.portalName });
    expect(await accounts()).toHaveLength(1);
    clinicId = other.id;
    expect([await accounts(), await events()].map(({ length }) => length)).toEqual([1, 1]);
  });

  test("neither needs nor uses a session, and makes no staff", async () => {
    await signUp({ headers: { cookie: "hookwell.session_token=made.up" } });
    expect(await accounts()).toHaveLength(1);
    expect(await rows("select 1 from staff where clinic_id = $1")).toEqual([]);
    const attempt = { email: ACCOUNT.email, password: ACCOUNT.password };
    expect((await api.anonymous("/api/auth/sign-in/email", { method: "POST", body: attempt })).status).toBe(401);
  });

  test.each([
    ["no name", { name: " " }, "name"],
    ["no e-mail", { email: "" }, "email"],
    ["no address", { email: "not an address" }, "email"],
    ["a long e-mail", { email: `${"a".repeat(250)}@example.test` }, "email"],
    ["a line break in the name", { name: "Test\nExample" }, "name"],
    ["a short password", { password: "short" }, "password"],
    ["a long password", { password: "a".repeat(129) }, "password"],
    ["a field nobody knows", { role: "manager" }, "role"],
    ["a password that is no text", { password: 123456789012 }, "password"],
  ])("is refused for %s, and changes nothing", async (_, changed, field) => {
    const answer = await signUp({ body: { ...ACCOUNT, ...changed } });
    expect([answer.status, answer.json.errors[0].field]).toEqual([400, field]);
    expect([await patients(), await accounts(), await events()]).toEqual([[], [], []]);
  });

  test("is refused for an e-mail that is too long only once it is written out, and changes nothing", async () => {
    const answer = await signUp({ body: { ...ACCOUNT, email: `${"\uFDFA".repeat(100)}@example.test` } });
    expect(answer).toMatchObject({ status: 400, json: { errors: [{ field: "email", code: "too_long" }] } });
    expect(hashed).toBe(0);
    expect([await patients(), await accounts(), await events()]).toEqual([[], [], []]);
  });

  test("is refused to a page of another site", async () => {
    const cross = { origin: "https://elsewhere.example.test", "sec-fetch-site": "cross-site" };
    expect(await signUp({ headers: cross })).toMatchObject({ status: 403, json: { code: "other_site" } });
    const own = { origin: TEST_ORIGIN, "sec-fetch-site": "same-origin" };
    expect((await signUp({ headers: own })).status).toBe(202);
    expect(await accounts()).toHaveLength(1);
  });

  test("is limited in number for each client address, whatever it says of itself", async () => {
    const from = (address: string, said: string) => signUp({ address, body: {}, headers: { "x-forwarded-for": said } });
    for (let tries = 0; tries < SIGN_UPS_PER_MINUTE_MAX; tries += 1) {
      expect((await from("203.0.113.9", `198.51.100.${tries}`)).status).toBe(400);
    }
    const refused = await from("203.0.113.9", "198.51.100.77");
    expect([refused.status, refused.json.code]).toEqual([429, "too_many_requests"]);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    expect((await from("203.0.113.10", "198.51.100.1")).status).toBe(400);
    expect(hashed).toBe(0);
  });

  test("is limited for a whole network of IPv6, of which a visitor can choose any address", async () => {
    for (let tries = 0; tries < SIGN_UPS_PER_MINUTE_MAX; tries += 1) {
      expect((await signUp({ address: `2001:db8:1:2::${tries}`, body: {} })).status).toBe(400);
    }
    expect((await signUp({ address: "2001:db8:1:2:a:b:c:d", body: {} })).status).toBe(429);
    expect((await signUp({ address: "2001:db8:1:3::1", body: {} })).status).toBe(400);
  });

  test("leaves no name, e-mail or password in the log", async () => {
    await signUp();
    await signUp();
    await signUp({ body: { ...ACCOUNT, password: "short" } });
    const text = logged.join("");
    expect(text).toContain("POST /portal-api/:portal_name/accounts");
    for (const word of ["Test Example", "example@", "Example@", "pass phrase", portalName]) {
      expect(text).not.toContain(word);
    }
  });
});
