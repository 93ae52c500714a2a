/** POST and GET /v1/events, as other software and a manager call them. */
import { EVENT_NAMES, type Facts, sampleFacts } from "@hookwell/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, type Caller, startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";

let api: TestApi;
let clinic: TestClinic;
let feed: Caller;

beforeAll(async () => {
  api = await startTestApi();
  clinic = await api.newClinic();
  feed = await feedOf(clinic);
});
afterAll(() => api.close());

async function feedOf({ as }: TestClinic): Promise<Caller> {
  const body = { name: "Relay", scopes: ["feed"] };
  const { key } = (await as.manager("/v1/api-keys", { method: "POST", body })).json;
  return (path, call) =>
    api.anonymous(path, { ...call, headers: { authorization: `Bearer ${key}`, ...call?.headers } });
}

const post = (body: unknown, caller = feed) => caller("/v1/events", { method: "POST", body });
const fields = ({ json }: Answer) => (json.errors ?? []).map(({ field }: { field: string }) => field);
const rows = async (text: string) => (await api.database.pools.owner.query(text)).rows;
let lastId = 1_000_000;

/** A consult's event about a record of its own. */
function consultEvent(changed: { key?: string; id?: number; name?: string } = {}) {
  lastId += 1;
  const facts = sampleFacts("participant.added");
  facts.consult.id = changed.id ?? lastId;
  facts.participants = [{ id: 5101, name: changed.name ?? "Sam Sample", email: null }];
  return { key: changed.key ?? `key-${lastId}`, facts };
}

const SUBJECTS: Record<string, string> = {
  invoice: "invoice:88",
  course: "course-access:5",
  webinar: "webinar-access:6",
};

describe("posting an event", () => {
  it.each(EVENT_NAMES)("takes %s with the facts of the catalogue, and wakes the dispatcher", async (event) => {
    const subject = SUBJECTS[event.split(/[._]/)[0] ?? ""];
    const nudges = api.nudges();
    const answer = await post({ key: `one of each: ${event}`, ...(subject && { subject }), facts: sampleFacts(event) });
    expect(answer.status).toBe(202);
    expect(answer.json).toMatchObject({ duplicate: false, version: expect.any(Number) });
    if (subject) expect(answer.json.subject).toBe(subject);
    expect(api.nudges()).toBeGreaterThan(nudges);
  });

  it("stores it once, however often it is sent: again and at once, with its members in any order", async () => {
    const event = consultEvent();
    const answers = await Promise.all(Array.from({ length: 8 }, () => post(event)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
    expect(answers.filter(({ json }) => !json.duplicate)).toHaveLength(1);
    expect(new Set(answers.map(({ json }) => `${json.id} ${json.version}`)).size).toBe(1);
    const { event: name, ...others } = event.facts;
    const turned = await post({ key: event.key, facts: { ...others, event: name } });
    expect(turned.json).toMatchObject({ duplicate: true, id: answers[0]?.json.id, version: 1 });
    expect(await rows(`select 1 from events where subject = 'consult:${event.facts.consult.id}'`)).toHaveLength(1);
  });

  it("refuses the same key with another event, and stores nothing of the request", async () => {
    const first = consultEvent();
    await post(first);
    const other = consultEvent({ key: first.key });
    const beside = consultEvent();
    const refused = await post({ events: [beside, other] });
    expect([refused.status, refused.json.code, fields(refused)]).toEqual([409, "key_reused", ["events.1.key"]]);
    expect((await post(beside)).json.duplicate).toBe(false);
  });

  it("makes its patients known as ids without a name", async () => {
    const event = consultEvent({ name: "Canary Quillfeather" });
    event.facts.participants[0] = { id: 777_001, name: "Canary Quillfeather", email: "canary@example.test" };
    await post(event);
    expect(await rows("select name, email, feed_only from patients where id = 777001")).toEqual([
      { name: "", email: null, feed_only: true },
    ]);
    expect((await clinic.as.manager("/v1/patients")).json.data).toEqual([]);
  });

  it("needs a subject where the facts name none, of the event's kind, and the same where they do", async () => {
    const wrong = async (event: string, subject?: string) => {
      const answer = await post({ key: crypto.randomUUID(), subject, facts: sampleFacts(event as Facts["event"]) });
      return [answer.status, fields(answer)];
    };
    expect(await wrong("invoice.created")).toEqual([400, ["subject"]]);
    expect(await wrong("invoice.created", "consult:1")).toEqual([400, ["subject"]]);
    expect(await wrong("invoice.created", "invoice:01")).toEqual([400, ["subject"]]);
    expect(await wrong("participant.added", "consult:1")).toEqual([400, ["subject"]]);
    expect(await wrong("participant.added", "consult:90210")).toEqual([202, []]);
  });

  it("names every field that is wrong", async () => {
    const bad = consultEvent();
    const answer = await post({
      events: [
        { ...bad, facts: { ...bad.facts, consult: { ...bad.facts.consult, duration: -1 } } },
        { key: "", facts: {} },
        { ...consultEvent(), extra: 1 },
        7,
      ],
    });
    expect(answer.status).toBe(400);
    expect(fields(answer)).toEqual([
      "events.0.facts.consult.duration",
      "events.1.key",
      "events.2.extra",
      "events.3.key",
    ]);
    expect(answer.text).not.toContain("Sam Sample");
    const twice = await post({ events: [consultEvent({ key: "same" }), consultEvent({ key: "same" })] });
    expect(fields(twice)).toEqual(["events.1.key"]);
    expect((await post({ events: [] })).status).toBe(400);
    expect((await post({ events: Array.from({ length: 1_001 }, () => consultEvent()) })).status).toBe(400);
    expect((await post([])).status).toBe(400);
  });

  it("refuses the academy's events where the clinic has no academy", async () => {
    const plain = await api.newClinic({ hasAcademy: false });
    const facts = sampleFacts("course_participant.added");
    const refused = await post({ key: "k", subject: "course-access:1", facts }, await feedOf(plain));
    expect([refused.status, refused.json.code]).toEqual([409, "no_academy"]);
  });

  it("refuses ids of the clinic's own records, whatever else is in the same moment's group", async () => {
    const staff = clinic.as.front_desk;
    const make = async (path: string, body: object) => (await staff(path, { method: "POST", body })).json;
    const patient = await make("/v1/patients", { name: "Zoé Placeholder" });
    const service = await make("/v1/services", { name: "Massage", kind: "one_to_one", duration: 45 });
    const practitioner = await make("/v1/practitioners", { name: "Pat", email: "pat@example.test" });
    const appointment = { service_id: service.id, practitioner_id: practitioner.id, start_time: "2030-01-07T09:00" };
    const consult = await make("/v1/consults", appointment);
    const own = consultEvent({ id: consult.id });
    const ownPatient = consultEvent();
    ownPatient.facts.participants = [{ id: patient.id, name: "Zoé Placeholder", email: null }];
    const good = Array.from({ length: 6 }, () => consultEvent());
    const answers = await Promise.all([...good.slice(0, 3), own, ownPatient, ...good.slice(3)].map((one) => post(one)));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 409, 409, 202, 202, 202]);
    expect(answers.flatMap(fields)).toEqual(["subject", "facts.participants.0.id"]);
  });

  it("refuses accesses that the clinic's own academy has numbered, each for its type of item", async () => {
    const staff = clinic.as.front_desk;
    const make = async (path: string, body: object) => (await staff(path, { method: "POST", body })).json;
    const patient = await make("/v1/patients", { name: "Robin Example" });
    const item = { name: "Back care", price: 0 };
    const course = (await clinic.as.manager("/v1/courses", { method: "POST", body: item })).json;
    const own = await make(`/v1/courses/${course.id}/participants`, { patient_id: patient.id, how: "granted" });
    const send = (subject: string, event: "course_participant.added" | "webinar_participant.added") =>
      post({ key: subject, subject, facts: sampleFacts(event) });
    const refused = await send(own.subject, "course_participant.added");
    expect([refused.status, refused.json.code, fields(refused)]).toEqual([409, "id_in_use", ["subject"]]);
    const webinar = await send(own.subject.replace("course", "webinar"), "webinar_participant.added");
    expect(webinar.status).toBe(202);
  });

  it("may be made once by an Idempotency-Key, too", async () => {
    const body = consultEvent();
    const headers = { "idempotency-key": crypto.randomUUID() };
    const call = () => feed("/v1/events", { method: "POST", body, headers });
    const first = await call();
    const second = await call();
    expect(second.headers["idempotency-replayed"]).toBe("true");
    expect(second.json).toEqual(first.json);
    expect(first.json.duplicate).toBe(false);
  });
});

describe("posting many events", () => {
  it("stores up to 1,000 in the order given, and answers in that order", async () => {
    const events = Array.from({ length: 1_000 }, (_, n) => consultEvent({ id: 2_000_000 + (n % 10) }));
    const answer = await post({ events });
    expect(answer.status).toBe(202);
    const versions = answer.json.events.map(({ version }: { version: number }) => version);
    expect(versions).toEqual(events.map((_, n) => Math.floor(n / 10) + 1));
    const again = await post({ events });
    expect(again.json.events.every(({ duplicate }: { duplicate: boolean }) => duplicate)).toBe(true);
  });

  it("takes 8 MiB of them, and no byte more", async () => {
    const many = (participants: number) => ({
      events: Array.from({ length: 100 }, () => {
        const event = consultEvent();
        event.facts.participants = Array.from({ length: participants }, (_, n) => {
          return { id: 9_000_000 + n, name: `Sam ${"x".repeat(180)}`, email: null };
        });
        return event;
      }),
    });
    const fits = many(340);
    expect(JSON.stringify(fits).length).toBeLessThan(8 * 1024 * 1024);
    expect((await post(fits)).status).toBe(202);
    const refused = await post(many(400));
    expect([refused.status, refused.json.code]).toEqual([413, "too_large"]);
  });

  it("is as strict about JSON as everywhere: no key twice, none of __proto__", async () => {
    const raw = async (payload: string) => {
      const headers = { "content-type": "application/json" };
      const { authorization } = (await keyHeaders()) as { authorization: string };
      const answer = await api.app.inject({
        ...{ method: "POST", url: "/v1/events", payload, headers: { ...headers, authorization } },
      });
      return answer.json().code;
    };
    expect(await raw('{"key":"a","\\u006bey":"b","facts":{}}')).toBe("invalid_json");
    expect(await raw('{"key":"a","facts":{"__proto__":{}}}')).toBe("invalid_json");
    expect(await raw('{"key":"a:{\\"b\\":[","facts":{}}')).toBe("invalid_request");
  });
});

async function keyHeaders() {
  const body = { name: "Raw", scopes: ["feed"] };
  const { key } = (await clinic.as.manager("/v1/api-keys", { method: "POST", body })).json;
  return { authorization: `Bearer ${key}` };
}

describe("the list of events", () => {
  it("shows a manager what is stored, newest first and page by page, without what is in it", async () => {
    const own = await api.newClinic();
    const caller = await feedOf(own);
    const sent: string[] = [];
    for (let n = 0; n < 5; n += 1) sent.unshift((await post(consultEvent(), caller)).json.id);
    const shown: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const query: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const { json, text } = await own.as.manager(`/v1/events?limit=2${query}`);
      expect(text).not.toContain("Sam");
      for (const event of json.data) {
        expect(Object.keys(event)).toEqual(["id", "name", "subject", "version", "occurred_at"]);
        shown.push(event.id);
      }
      cursor = json.next_cursor;
    }
    expect(shown).toHaveLength(5);
    expect(new Set(shown)).toEqual(new Set(sent));
    expect((await own.as.front_desk("/v1/events")).status).toBe(403);
  });
});
