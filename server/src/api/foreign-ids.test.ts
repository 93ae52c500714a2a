/**
 * Another clinic's ids, in paths and in bodies, on every route of the API's own description: they are answered exactly as
 * ids that nobody has, nothing of the other clinic is told, and nothing of it changes.
 */
import { EMBED_CAPABILITIES } from "@hookwell/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, type Caller, startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";
import { openEmbed } from "../../test/embed.ts";
import { type FilledClinic, fillClinic, type Ids } from "../../test/filled-clinic.ts";

const MARK = "Zqxforeign";
const ABSENT = 8_999_999_999_999;
const ABSENT_TEXT = "0199f000-0000-7000-8000-000000000000-999-0";

// biome-ignore lint/suspicious/noExplicitAny: a description is plain JSON
type Json = any;

interface Route {
  readonly method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  readonly path: string;
  readonly operation: Json;
}

let api: TestApi;
let ours: FilledClinic;
let theirs: FilledClinic;
let us: TestClinic;
let them: TestClinic;
let routes: Route[];

beforeAll(async () => {
  api = await startTestApi();
  them = await api.newClinic();
  us = await api.newClinic();
  theirs = await fillClinic(api, them, { mark: MARK, url: "https://hooks.example.test/in" });
  ours = await fillClinic(api, us, { mark: "Ours", url: "https://hooks.example.test/in" });
  const { paths } = (await api.anonymous("/openapi.json")).json as Json;
  routes = Object.entries<Json>(paths).flatMap(([path, item]) =>
    Object.entries<Json>(item).map(([method, operation]) => ({
      method: method.toUpperCase() as never,
      path,
      operation,
    })),
  );
}, 60_000);
afterAll(() => api.close());

/** The path with the ids of one clinic, the last noun's for `{id}`. @throws where a route has an id that nobody filled in */
function pathWith(path: string, idOf: (name: string) => string | number): string {
  let noun = "";
  return path
    .split("/")
    .map((part) => {
      if (!part.startsWith("{")) {
        noun = part;
        return part;
      }
      const name = part.slice(1, -1);
      return String(idOf(name === "id" ? noun : name));
    })
    .join("/");
}

/** A body that the schema takes as far as it says, with ids of one clinic wherever a field is named like one. */
function sample(schema: Json, idOf: (name: string) => string | number, name = ""): Json {
  if (schema === undefined) return undefined;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  const choice = (schema.anyOf ?? schema.oneOf)?.find(({ type }: Json) => type !== "null");
  if (choice) return sample(choice, idOf, name);
  if (schema.type === "array") return [sample(schema.items, idOf, name.replace(/_ids$/, "_id"))];
  if (schema.type === "object") {
    const wanted = Object.entries<Json>(schema.properties ?? {}).filter(
      ([key]) => schema.required?.includes(key) || /_ids?$/.test(key),
    );
    return Object.fromEntries(wanted.map(([key, inner]) => [key, sample(inner, idOf, key)]));
  }
  if (/_id$/.test(name)) return idOf(name);
  if (schema.type === "boolean") return true;
  if (schema.type === "integer" || schema.type === "number") return Math.max(1, schema.minimum ?? 1);
  return TEXTS[name] ?? "Example";
}

const TEXTS: Readonly<Record<string, string>> = {
  ...{
    start_time: "2031-03-05T09:00",
    starts_at: "2031-03-05T09:00",
    from: "2031-03-05T09:00",
    email: "a@example.test",
  },
  ...{ url: "https://hooks.example.test/in", code: "AAAA-AAAA-AAAA-AAAA", payment_method: "cash" },
};

const absentOf = (name: string) => (name === "deliveries" ? ABSENT_TEXT : ABSENT);
const idsOf = (ids: Ids) => (name: string) => {
  const id = ids[name] ?? ids[name.replace(/^(new|to|from)_/, "")];
  if (id === undefined) throw new Error(`fillClinic makes nothing that could stand for ${name}`);
  return id;
};

/** It does not end, and tells of no other clinic that something has changed there (stream.test.ts). */
const isStream = ({ path }: Route) => path === "/v1/stream";
const isTheirs = ({ path }: Route) => path.startsWith("/v1/");
const bodyOf = ({ operation }: Route, idOf: (name: string) => string | number) =>
  sample(operation.requestBody?.content?.["application/json"]?.schema, idOf);
const hasId = (route: Route) => route.path.includes("{") && !route.path.includes("{kind}");
const namesIds = (route: Route) => hasId(route) || /_id":/.test(JSON.stringify(bodyOf(route, absentOf)) ?? "");

type IdOf = (name: string) => string | number;

/** Ids of one clinic in the path, and of another in the body where that is asked for. */
async function ask(caller: Caller, route: Route, idOf: IdOf, inPath = idOf): Promise<Answer> {
  const body = bodyOf(route, idOf);
  const path = hasId(route) ? pathWith(route.path, inPath) : route.path.replace("{kind}", "patients");
  return caller(path, { method: route.method, ...(body === undefined ? {} : { body }) });
}

/** What does not depend on which id was asked for. */
const told = ({ status, text }: Answer) => ({ status, text: text.replaceAll(/"request_id":"[^"]+"/g, "") });

/** Every row of a clinic, as one hash a table. */
async function stateOf(clinicId: number): Promise<Record<string, string | null>> {
  const { owner } = api.database.pools;
  const { rows } = await owner.query<{ name: string }>(
    "select table_name as name from information_schema.columns where table_schema = 'public' and column_name = 'clinic_id' order by 1",
  );
  const state: Record<string, string | null> = {};
  for (const { name } of rows) {
    const hash = `select md5(string_agg(t::text, ',' order by t::text)) as hash from ${name} t where clinic_id = $1`;
    state[name] = (await owner.query<{ hash: string | null }>(hash, [clinicId])).rows[0]?.hash ?? null;
  }
  return state;
}

function keyCaller(key: string): Caller {
  return (path, call = {}) =>
    api.anonymous(path, { ...call, headers: { ...call.headers, authorization: `Bearer ${key}` } });
}

describe("every route with an id", () => {
  it("finds the object for its own clinic, so that the answers below mean something", async () => {
    const gets = routes.filter((route) => route.method === "GET" && isTheirs(route) && hasId(route));
    expect(gets.length).toBeGreaterThan(15);
    const answers = await Promise.all(gets.map((route) => ask(them.as.manager, route, idsOf(theirs.ids))));
    const pull = gets.map(({ path }, at) => [path, answers[at]?.status] as const);
    expect(pull.filter(([, status]) => status !== 200)).toEqual([]);
  });

  it("answers another clinic's ids as it answers ids that nobody has, tells nothing of them and changes nothing", async () => {
    const before = await stateOf(them.id);
    const asked = routes.filter((route) => isTheirs(route) && namesIds(route));
    expect(asked.length).toBeGreaterThan(80);
    const wrong: unknown[] = [];
    let found = 0;
    for (const route of asked) {
      const absent = await ask(us.as.manager, route, absentOf);
      const foreign = await ask(us.as.manager, route, idsOf(theirs.ids));
      const same = JSON.stringify(told(absent)) === JSON.stringify(told(foreign));
      const isPut = route.method === "PUT"; // the feed's ids are the caller's own: they make something new, each in its clinic
      const fits = isPut ? foreign.status < 500 : same && foreign.status >= 400 && foreign.status < 500;
      if (!fits || foreign.text.includes(MARK)) wrong.push([route.method, route.path, told(absent), told(foreign)]);
      if (foreign.status === 404) found += 1;
    }
    expect(wrong).toEqual([]);
    // Most get as far as looking for the object: a body that is refused first would prove nothing.
    expect(found).toBeGreaterThan(70);
    expect(await stateOf(them.id)).toEqual(before);
  }, 60_000);

  it("takes no id of another clinic in a body either, where the path names an object of one's own", async () => {
    const before = await stateOf(them.id);
    const asked = routes.filter(
      (route) =>
        isTheirs(route) && route.method !== "PUT" && /_ids?":/.test(JSON.stringify(bodyOf(route, absentOf)) ?? ""),
    );
    expect(asked.length).toBeGreaterThan(15);
    const wrong: unknown[] = [];
    for (const route of asked) {
      const absent = await ask(us.as.manager, route, absentOf, idsOf(ours.ids));
      const foreign = await ask(us.as.manager, route, idsOf(theirs.ids), idsOf(ours.ids));
      const fits = JSON.stringify(told(absent)) === JSON.stringify(told(foreign)) && foreign.status >= 400;
      if (!fits || foreign.status >= 500) wrong.push([route.method, route.path, told(absent), told(foreign)]);
    }
    expect(wrong).toEqual([]);
    expect(await stateOf(them.id)).toEqual(before);
  });

  it("is no different for programs: another clinic's keys find nothing and change nothing", async () => {
    const before = await stateOf(them.id);
    const opened = routes.filter((route) => isTheirs(route) && route.operation.security?.some(({ key }: Json) => key));
    expect(opened.length).toBeGreaterThan(4);
    for (const key of [ours.feedKey, ours.pullKey, ours.embedKey]) {
      for (const route of opened) {
        const answer = await ask(keyCaller(key), route, idsOf(theirs.ids));
        expect([route.path, answer.status, answer.text.includes(MARK)]).toEqual([route.path, answer.status, false]);
        expect([route.path, answer.status >= 500]).toEqual([route.path, false]);
      }
    }
    expect(await stateOf(them.id)).toEqual(before);
  });

  it("is no different for embedded pages, whatever they may do", async () => {
    const before = await stateOf(them.id);
    const { call } = await openEmbed(api, ours.embedKey, { capabilities: [...EMBED_CAPABILITIES] });
    const opened = routes.filter(
      (route) => isTheirs(route) && !isStream(route) && route.operation.security?.some((one: Json) => one.embedded),
    );
    expect(opened.length).toBeGreaterThan(20);
    for (const route of opened) {
      const foreign = await ask(call, route, idsOf(theirs.ids));
      const absent = await ask(call, route, absentOf);
      expect([route.path, foreign.text.includes(MARK), foreign.status >= 500]).toEqual([route.path, false, false]);
      if (hasId(route)) expect([route.path, told(foreign)]).toEqual([route.path, told(absent)]);
    }
    expect(await stateOf(them.id)).toEqual(before);
  });

  it("shows no list with anything of another clinic", async () => {
    const isList = ({ method, path }: Route) => method === "GET" && !path.includes("{");
    const lists = routes.filter((route) => isList(route) && isTheirs(route) && !isStream(route));
    expect(lists.length).toBeGreaterThan(15);
    for (const route of lists) {
      const answer = await ask(us.as.manager, route, absentOf);
      expect([route.path, answer.text.includes(MARK)]).toEqual([route.path, false]);
    }
  });
});

describe("a clinic that is named in a request", () => {
  it("is not looked at: the credential's counts", async () => {
    const clinic = { headers: { "x-clinic-id": String(them.id), "clinic-id": String(them.id) } };
    const answer = await us.as.manager("/v1/patients", clinic);
    expect([answer.status, answer.text.includes(MARK)]).toEqual([200, false]);
    const asked = await us.as.manager(`/v1/patients?clinic_id=${them.id}`);
    expect([asked.status, asked.json.errors[0].field]).toEqual([400, "clinic_id"]);
    const body = { name: "Test Patient", email: null, clinic_id: them.id };
    const made = await us.as.manager("/v1/patients", { method: "POST", body });
    expect([made.status, made.json.errors[0].field]).toEqual([400, "clinic_id"]);
  });
});
