/** The page hears that something has changed: at once, only of its own clinic, and only for as long as it may. */
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";
import { embedKey, openEmbed, withToken } from "../../test/embed.ts";
import { until } from "../../test/until.ts";
import { systemClock } from "../clock.ts";
import { TOPICS } from "./change-marks.ts";
import { EMBEDDED_ROUTES } from "./embedded-routes.ts";

interface Heard {
  readonly id: string;
  readonly topics: string[];
}

interface Opened {
  readonly status: number;
  readonly heard: Heard[];
  readonly text: () => string;
  readonly hasEnded: () => boolean;
  readonly headers: IncomingMessage["headers"];
  close(): void;
}

let api: TestApi;
let clinic: TestClinic;
let cookie: string;
let port: number;
/** added to the time that has passed */
let monotonicMs = 0;
const open: ClientRequest[] = [];

beforeAll(async () => {
  const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + monotonicMs };
  api = await startTestApi({ clock });
  await api.app.listen({ host: "127.0.0.1", port: 0 });
  port = (api.app.server.address() as AddressInfo).port;
  clinic = await api.newClinic();
  cookie = await newSession();
});
afterEach(() => {
  for (const one of open.splice(0)) one.destroy();
});
afterAll(() => api.close());

async function newSession(): Promise<string> {
  await clinic.as.manager("/v1/me");
  const payload = { email: clinic.emails.manager, password: clinic.password };
  const answer = await api.app.inject({ method: "POST", url: "/api/auth/sign-in/email", payload });
  return answer.cookies.map(({ name, value }) => `${name}=${encodeURIComponent(value)}`).join("; ");
}

/** As the manager of the clinic. */
const watch = (headers: Record<string, string> = {}) => watchAs({ cookie, ...headers });

function watchAs(headers: Record<string, string>): Promise<Opened> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path: "/v1/stream", headers });
    open.push(asked);
    asked.on("error", reject);
    asked.on("response", (answer) => resolve(listen(asked, answer)));
    asked.end();
  });
}

function listen(asked: ClientRequest, answer: IncomingMessage): Opened {
  const heard: Heard[] = [];
  let text = "";
  let ended = false;
  answer.setEncoding("utf8");
  answer.on("data", (chunk: string) => {
    text += chunk;
    heard.splice(0, heard.length, ...[...text.matchAll(EVENT)].map(toHeard));
  });
  answer.on("error", () => {});
  answer.on("close", () => {
    ended = true;
  });
  const { statusCode: status = 0, headers } = answer;
  return { status, headers, heard, text: () => text, hasEnded: () => ended, close: () => asked.destroy() };
}

const EVENT = /id: (\S+)\nevent: changed\ndata: (.*)\n\n/g;
const toHeard = ([, id = "", data = "{}"]: RegExpMatchArray): Heard => ({ id, topics: JSON.parse(data).topics });

async function next(stream: Opened, known: number): Promise<Heard> {
  const heard = await until("something is heard", async () => stream.heard[known]);
  return heard as Heard;
}

const newWebhook = (by: TestClinic) =>
  by.as.manager("/v1/webhooks", {
    method: "POST",
    body: {
      url: "https://receiver.example.test/x",
      events: ["patient_account.created", "participant.added"],
      recipient: RECIPIENT,
    },
  });
const RECIPIENT = { organisation: "Test", country: "CA", purpose: "trying", agreement_on_file: false };

async function book(by: TestClinic): Promise<void> {
  const post = async (path: string, body: object) =>
    (await by.as.manager(`/v1/${path}`, { method: "POST", body })).json.id;
  const patient = await post("patients", { name: "Test Patient", email: null });
  const practitioner_id = await post("practitioners", { name: "Pat Pretend", email: "pat@example.test" });
  const service_id = await post("services", { name: "Service", kind: "one_to_one", duration: 30 });
  await post("consults", { service_id, practitioner_id, start_time: "2026-12-01T09:00", patient_ids: [patient] });
}

describe("a manager's page", () => {
  it("hears at once where things stand, then of each change by its kind, and never what is in it", async () => {
    const stream = await watch();
    expect(stream.headers["content-type"]).toBe("text/event-stream; charset=utf-8");
    expect(stream.headers["cache-control"]).toBe("no-store");
    expect(stream.headers["content-security-policy"]).toContain("default-src 'none'");
    expect((await next(stream, 0)).topics).toEqual(["deliveries", "webhooks", "notices"]);
    await newWebhook(clinic);
    expect((await next(stream, 1)).topics).toContain("webhooks");
    const known = stream.heard.length;
    await book(clinic);
    expect((await next(stream, known)).topics).toContain("deliveries");
    expect(stream.text().replaceAll(EVENT, "")).toMatch(/^retry: \d+\n\n$/);
  });

  it("hears nothing of another clinic", async () => {
    const other = await api.newClinic();
    await newWebhook(other);
    const stream = await watch();
    await next(stream, 0);
    await book(other);
    await api.database.pools.owner.query(
      "insert into notices (clinic_id, kind, cause) values ($1, 'webhook.failing', 'test')",
      [clinic.id],
    );
    expect((await next(stream, 1)).topics).toEqual(["notices"]);
  });

  it("resumes by id: hears first what changed while it was away, and only that", async () => {
    const first = await watch();
    const { id } = await next(first, 0);
    first.close();
    expect((await next(await watch({ "last-event-id": id }), 0)).topics).toEqual([]);
    await book(clinic);
    const resumed = await next(await watch({ "last-event-id": id }), 0);
    expect(resumed.topics).toContain("deliveries");
    expect(resumed.topics).not.toContain("notices");
    expect((await next(await watch({ "last-event-id": "nonsense" }), 0)).topics).toHaveLength(3);
  });
});

describe("an embedded page", () => {
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const openPage = async (by = clinic) => {
    const { key, id: keyId } = await embedKey(by);
    return { key, keyId, ...(await openEmbed(api, key, { capabilities: ["view"] })) };
  };

  it("hears of its clinic's changes as a manager's page does, and resumes by id", async () => {
    const other = await api.newClinic();
    const own = await api.newClinic();
    for (const each of [other, own]) await newWebhook(each);
    const { token } = await openPage(own);
    const stream = await watchAs(bearer(token));
    const { id, topics } = await next(stream, 0);
    expect(topics).toEqual(["deliveries", "webhooks", "notices"]);
    await book(other);
    await book(own);
    expect((await next(stream, 1)).topics).toContain("deliveries");
    stream.close();
    const resumed = await next(await watchAs({ ...bearer(token), "last-event-id": id }), 0);
    expect(resumed.topics).toContain("deliveries");
    expect(resumed.topics).not.toContain("notices");
  });

  it("may read whatever it hears of: whoever may open the stream may open the list of each topic", () => {
    const needed = EMBEDDED_ROUTES["GET /v1/stream"];
    expect(needed).toBeDefined();
    expect(TOPICS.map((topic) => EMBEDDED_ROUTES[`GET /v1/${topic}`])).toEqual(TOPICS.map(() => needed));
  });

  it.each([
    [
      "its session is ended by the host",
      async ({ key, id }: { key: string; id: number }) =>
        (await withToken(api, key)(`/v1/embed-sessions/${id}`, { method: "DELETE" })).status,
      204,
    ],
    [
      "its session's time is over",
      async ({ id }: { id: number }) =>
        (await api.database.pools.owner.query("update embed_sessions set expires_at = now() where id = $1", [id]))
          .rowCount,
      1,
    ],
    [
      "the key that made it is revoked",
      async ({ keyId }: { keyId: number }) =>
        (await clinic.as.manager(`/v1/api-keys/${keyId}`, { method: "DELETE" })).status,
      204,
    ],
  ])("hears no more when %s, and its stream ends", async (_why, end, done) => {
    const opened = await openPage();
    const stream = await watchAs(bearer(opened.token));
    await next(stream, 0);
    expect(await end(opened)).toBe(done);
    await until("the stream has ended", async () => stream.hasEnded());
    expect((await watchAs(bearer(opened.token))).status).toBe(401);
  });
});

describe("a stream", () => {
  it("says something from time to time, so that no proxy takes it for dead", async () => {
    const stream = await watch();
    await next(stream, 0);
    monotonicMs += 15_000;
    await until("a comment is heard", async () => stream.text().endsWith("\n\n:\n\n"));
  });

  it("that was given up before it opened is nobody's", async () => {
    for (let at = 0; at < 20; at += 1) {
      const asked = request({ host: "127.0.0.1", port, path: "/v1/stream", headers: { cookie } });
      asked.on("error", () => {});
      asked.end(() => asked.destroy());
    }
    const four = await until("there is room for four", async () => {
      const opened = [await watch(), await watch(), await watch(), await watch()];
      if (opened.every(({ status }) => status === 200)) return opened;
      for (const one of opened) one.close();
      return null;
    });
    expect(four).toHaveLength(4);
  });

  it("ends when the person signs out", async () => {
    const session = await newSession();
    const stream = await watch({ cookie: session });
    await next(stream, 0);
    await api.app.inject({ method: "POST", url: "/api/auth/sign-out", headers: { cookie: session }, payload: {} });
    await until("the stream has ended", async () => stream.hasEnded());
    expect((await watch({ cookie: session })).status).toBe(401);
  });

  it("ends when the person is a manager no longer", async () => {
    const stream = await watch();
    await next(stream, 0);
    const set = (role: string) =>
      api.database.pools.owner.query("update staff set role = $1 where clinic_id = $2 and role = $3", [
        role,
        clinic.id,
        role === "manager" ? "practitioner" : "manager",
      ]);
    await set("practitioner");
    await until("the stream has ended", async () => stream.hasEnded());
    expect((await watch()).status).toBe(403);
    await set("manager");
  });

  it("is refused to a person who has four, until one of them is closed", async () => {
    const four = [await watch(), await watch(), await watch(), await watch()];
    const fifth = await watch();
    expect([fifth.status, fifth.headers["retry-after"]]).toEqual([503, "60"]);
    four[0]?.close();
    await until("there is room again", async () => (await watch()).status === 200);
  });

  it("does not keep the server from closing", async () => {
    const stream = await watch();
    await next(stream, 0);
    await api.app.close();
    await until("the stream has ended", async () => stream.hasEnded());
  });
});
