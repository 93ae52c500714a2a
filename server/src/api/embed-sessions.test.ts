/** Embedded pages: a link opens once, a token is short-lived and its host's to end. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Caller, startTestApi, TEST_ORIGIN, type TestApi, type TestClinic } from "../../test/api.ts";
import { askForEmbed, type EmbedKey, embedKey, follow, openEmbed, withToken } from "../../test/embed.ts";
import { EMBED_SESSIONS_PER_CLINIC_MAX } from "../accounts/embed-sessions.ts";

let api: TestApi;
let clinic: TestClinic;
let manager: Caller;
let key: EmbedKey;

beforeAll(async () => {
  api = await startTestApi();
  clinic = await api.newClinic();
  manager = clinic.as.manager;
  key = await embedKey(clinic);
});
afterAll(() => api.close());

const ask = (changes: object = {}) => askForEmbed(api, key.key, changes);
const query = (text: string, values: unknown[] = []) => api.database.pools.owner.query(text, values);
const wrongFields = async (changes: object) =>
  (await ask(changes)).json.errors?.map(({ field }: { field: string }) => field) ?? [];

describe("a link", () => {
  it("leads to the frame of its key and carries its secret behind the #, which no server is sent", async () => {
    const { status, json } = await ask();
    expect(status).toBe(201);
    expect(json.link).toMatch(new RegExp(`^${TEST_ORIGIN}/embed/[A-Za-z0-9_-]{22}#hel_[A-Za-z0-9_-]{49}$`));
    const again = (await ask()).json.link as string;
    expect(again.split("#")[0]).toBe(json.link.split("#")[0]);
    expect(again).not.toBe(json.link);
  });

  it("opens once; a second time it is refused in plain words, and what came of the first is closed", async () => {
    const { link } = (await ask()).json;
    const first = await follow(api, link);
    expect([first.status, first.headers["cache-control"]]).toEqual([200, "no-store"]);
    const page = withToken(api, first.json.token);
    expect((await page("/v1/webhooks")).status).toBe(200);
    const second = await follow(api, link);
    expect([second.status, second.json.code]).toEqual([410, "link_used"]);
    expect(second.json.detail).toContain("was used before");
    expect((await page("/v1/webhooks")).json.code).toBe("embed_session_ended");
  });

  it("opens once, too, when it is followed many times at the same moment", async () => {
    const { link } = (await ask()).json;
    const answers = await Promise.all(Array.from({ length: 6 }, () => follow(api, link)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it("is too old after a minute, and unknown where it was cut or never made", async () => {
    const { id, link, link_expires_at } = (await ask()).json;
    const livesMs = Temporal.Instant.from(link_expires_at).epochMilliseconds - Date.now();
    expect(livesMs).toBeLessThanOrEqual(61_000);
    await query("update embed_sessions set link_expires_at = now() - interval '1 second' where id = $1", [id]);
    expect((await follow(api, link)).json.code).toBe("link_expired");
    expect((await follow(api, link.slice(0, -1))).json.code).toBe("link_unknown");
    expect((await follow(api, `${TEST_ORIGIN}/embed/x#hel_${"A".repeat(49)}`)).json.code).toBe("link_unknown");
  });

  it("is kept as its hash alone, and so is what it is exchanged for", async () => {
    const { link } = (await ask()).json;
    const { token } = (await follow(api, link)).json;
    expect(token).toMatch(/^hes_[A-Za-z0-9_-]{49}$/);
    const { rows } = await query("select s::text as row from embed_sessions s union all select a::text from audit a");
    const secrets = [token.slice(4, 40), link.split("#hel_")[1].slice(0, 36)];
    const hidden = secrets.flatMap((secret) => [secret, Buffer.from(secret).toString("hex")]);
    for (const { row } of rows) for (const secret of hidden) expect(row).not.toContain(secret);
  });
});

describe("the token of an embedded page", () => {
  it("is no link, and a link is no token", async () => {
    const { link } = (await ask()).json;
    expect((await withToken(api, new URL(link).hash.slice(1))("/v1/me")).status).toBe(401);
    const { token } = await openEmbed(api, key.key, { capabilities: ["view"] });
    expect((await follow(api, `${TEST_ORIGIN}/embed/x#${token}`)).status).toBe(404);
  });

  it("says who it is and what it may do, whatever session the browser has besides", async () => {
    const { call } = await openEmbed(api, key.key, { capabilities: ["view", "manage"] });
    const { json } = await call("/v1/me");
    expect(json).toMatchObject({
      user: { id: `embed:${key.id}:u-4711`, name: "Robin Example", email: "" },
      role: "embedded",
      embedded: { capabilities: ["view", "manage"], host_user_id: "u-4711" },
      clinics: [],
    });
    expect((await manager("/v1/me")).json.embedded).toBeNull();
  });

  it("lives as long as its host asked, an hour at most, and not a moment longer", async () => {
    const made = (await ask({ lifetime_seconds: 120 })).json;
    const { token, lifetime_seconds } = (await follow(api, made.link)).json;
    expect(lifetime_seconds).toBe(120);
    const { rows } = await query(
      "select extract(epoch from expires_at - now()) as s from embed_sessions where id = $1",
      [made.id],
    );
    expect(Number(rows[0].s)).toBeGreaterThan(60);
    expect(Number(rows[0].s)).toBeLessThanOrEqual(120);
    await query("update embed_sessions set expires_at = now() where id = $1", [made.id]);
    expect((await withToken(api, token)("/v1/me")).json.code).toBe("embed_session_ended");
  });

  it("ends with its API key at the next request, and a link of that key opens nothing more", async () => {
    const other = await embedKey(clinic);
    const { call } = await openEmbed(api, other.key, { capabilities: ["view"] });
    const { link } = (await askForEmbed(api, other.key)).json;
    expect((await call("/v1/me")).status).toBe(200);
    await manager(`/v1/api-keys/${other.id}`, { method: "DELETE" });
    expect((await call("/v1/me")).status).toBe(401);
    expect((await follow(api, link)).json.code).toBe("link_expired");
  });

  it("ends when its host says so, by the key it came of and by no other", async () => {
    const other = await embedKey(clinic);
    const page = await openEmbed(api, key.key, { capabilities: ["view"] });
    const end = (bearer: string) => withToken(api, bearer)(`/v1/embed-sessions/${page.id}`, { method: "DELETE" });
    expect((await end(other.key)).status).toBe(404);
    expect((await page.call("/v1/me")).status).toBe(200);
    expect((await end(key.key)).status).toBe(204);
    expect((await page.call("/v1/me")).status).toBe(401);
    expect((await end(key.key)).status).toBe(404);
  });
});

describe("a session", () => {
  it("is refused with the field that is wrong, and nothing is made", async () => {
    const before = await query("select count(*)::int as n from embed_sessions");
    expect(await wrongFields({ capabilities: [] })).toEqual(["capabilities"]);
    expect(await wrongFields({ capabilities: ["manage"] })).toEqual(["capabilities"]);
    expect(await wrongFields({ capabilities: ["view", "new-secret"] })).toEqual(["capabilities"]);
    expect(await wrongFields({ capabilities: ["view", "everything"] })).toEqual(["capabilities.1"]);
    expect(await wrongFields({ user: { id: "u 1", name: "Robin Example" } })).toEqual(["user.id"]);
    expect(await wrongFields({ user: { id: "x".repeat(129), name: "Robin Example" } })).toEqual(["user.id"]);
    expect(await wrongFields({ user: { id: "u-1", name: "  " } })).toEqual(["user.name"]);
    expect(await wrongFields({ user: { id: "u-1", name: "x".repeat(101) } })).toEqual(["user.name"]);
    expect(await wrongFields({ user: { id: "u-1", name: "a\u0007b" } })).toEqual(["user.name"]);
    expect(await wrongFields({ lifetime_seconds: 3_601 })).toEqual(["lifetime_seconds"]);
    expect(await wrongFields({ lifetime_seconds: 59 })).toEqual(["lifetime_seconds"]);
    expect(await wrongFields({ language: "de" })).toEqual(["language"]);
    expect(await wrongFields({ theme: { accent: "red; } body { display: none" } })).toEqual(["theme.accent"]);
    expect(await wrongFields({ theme: { radius: "12px" } })).toEqual(["theme.radius"]);
    expect(await wrongFields({ theme: { css: "x" } })).toEqual(["theme.css"]);
    expect((await query("select count(*)::int as n from embed_sessions")).rows).toEqual(before.rows);
  });

  it("is told its language and look with the token; the clinic's language where none was chosen", async () => {
    const theme = { color_scheme: "dark", accent: "#7A1FA2", radius: "none", font_size: "large" };
    const opened = (await follow(api, (await ask({ language: "fr-CA", theme })).json.link)).json;
    expect([opened.language, opened.theme]).toEqual(["fr-CA", { ...theme, accent: "#7a1fa2" }]);
    const plain = (await follow(api, (await ask()).json.link)).json;
    expect([plain.language, plain.theme]).toEqual(["en", {}]);
  });

  it("shows its link once: the same Idempotency-Key brings the answer without it", async () => {
    const headers = { authorization: `Bearer ${key.key}`, "idempotency-key": "one-session" };
    const body = { capabilities: ["view"], user: { id: "u-1", name: "Robin Example" } };
    const [first, second] = [
      await api.anonymous("/v1/embed-sessions", { method: "POST", body, headers }),
      await api.anonymous("/v1/embed-sessions", { method: "POST", body, headers }),
    ];
    expect([second.json.id, first.json.link === undefined, second.json.link]).toEqual([
      first.json.id,
      false,
      undefined,
    ]);
  });

  it("is one of a limited number that are open at once", async () => {
    const busy = await api.newClinic();
    const own = await embedKey(busy);
    await query(
      `insert into embed_sessions (clinic_id, api_key_id, capabilities, host_user_id, host_user_name, language,
         lifetime_seconds, link_hash, link_expires_at)
       select $1, $2, '{view}', 'u', 'U', 'en', 60, sha256(n::text::bytea), now() + interval '1 hour'
       from generate_series(1, $3) n`,
      [busy.id, own.id, EMBED_SESSIONS_PER_CLINIC_MAX],
    );
    expect((await askForEmbed(api, own.key)).json.code).toBe("too_many_embed_sessions");
    expect((await ask()).status).toBe(201);
  });
});

describe("a key that makes embedded pages", () => {
  const make = (embed_origins: unknown, scopes = ["embed"]) =>
    manager("/v1/api-keys", { method: "POST", body: { name: "Suite", scopes, embed_origins } });

  it.each([
    "http://clinic.example.test",
    "https://clinic.example.test/path",
    "https://user@clinic.example.test",
    "https://*.example.test",
    "https://clinic.example.test;script-src",
    "https://clinic.example.test https://other.example.test",
    "https://clinic.example.test?x",
    "javascript:alert(1)",
    "*",
    "null",
    "http://localhost:3000",
  ])("takes no %s for an origin", async (origin) => {
    const { status, json } = await make(["https://fine.example.test", origin]);
    expect([status, json.errors?.[0]?.field]).toEqual([400, "embed_origins.1"]);
  });

  it("names one to ten origins, each as a browser writes it; another key names none", async () => {
    expect((await make(null)).json.errors[0].field).toBe("embed_origins");
    expect((await make([])).json.errors[0].field).toBe("embed_origins");
    expect((await make(Array.from({ length: 11 }, (_, n) => `https://s${n}.example.test`))).status).toBe(400);
    expect((await make(["https://a.example.test"], ["feed"])).json.errors[0].field).toBe("embed_origins");
    const { json } = await make([
      "https://Clinic.Example.test:443/",
      "https://clinic.example.test",
      "https://b.test:8443",
    ]);
    expect(json.embed_origins).toEqual(["https://clinic.example.test", "https://b.test:8443"]);
  });
});
