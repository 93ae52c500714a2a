/** The routes of courses, webinars, participants and checkouts, as the browser calls them. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Answer, type Caller, startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";

let api: TestApi;
let clinic: TestClinic;
let stranger: TestClinic;
let manager: Caller;
let desk: Caller;
let patient: { id: number; name: string; email: string | null };

beforeAll(async () => {
  api = await startTestApi();
  clinic = await api.newClinic();
  stranger = await api.newClinic({ hasAcademy: false });
  manager = clinic.as.manager;
  desk = clinic.as.front_desk;
  patient = await newPatient();
});
afterAll(() => api.close());

const post = (caller: Caller, path: string, body: unknown = {}) => caller(path, { method: "POST", body });

async function created(caller: Caller, path: string, body: unknown) {
  const answer = await post(caller, path, body);
  if (answer.status !== 201) throw new Error(`${path} answered ${answer.status}: ${answer.text}`);
  return answer.json;
}

const newPatient = () => created(desk, "/v1/patients", { name: "Sam Sample", email: null });

const newCourse = (changed: object = {}) =>
  created(manager, "/v1/courses", { name: "Back care at home", price: 199, tax_rate: 13, ...changed });

const checkout = (id: number, patientId = patient.id, type = "course") =>
  post(desk, "/v1/checkouts", { resource: { type, id }, patient_id: patientId });

/** Status, code and fields of a refusal. */
function refusal({ status, json }: Answer) {
  return { status, code: json.code, fields: (json.errors ?? []).map(({ field }: { field: string }) => field) };
}

describe("courses and webinars", () => {
  test("are made, changed and listed by their kind, in major units and the clinic's time", async () => {
    const webinar = await created(manager, "/v1/webinars", {
      ...{ name: " Sleep and recovery ", price: 25.5, starts_at: "2031-03-04T18:00", currency: "usd" },
    });
    expect(webinar).toEqual({
      ...{ id: webinar.id, type: "webinar", name: "Sleep and recovery", price: 25.5, tax_rate: 0, currency: "usd" },
      ...{ starts_at: "2031-03-04T18:00:00-05:00", active: true, participants: 0 },
    });
    const change = { name: "Sleep well", price: 30, tax_rate: 9.975, active: false };
    const changed = await manager(`/v1/webinars/${webinar.id}`, {
      method: "PATCH",
      body: { ...change, starts_at: null },
    });
    expect(changed).toMatchObject({ status: 200, json: { ...webinar, ...change, starts_at: null } });
    const course = await newCourse();
    expect(course).toMatchObject({ type: "course", currency: "cad", starts_at: null });
    expect((await desk("/v1/webinars")).json).toEqual({ data: [changed.json], next_cursor: null });
    const first = await desk("/v1/courses?limit=1");
    await newCourse({ name: "Second course" });
    expect(first.json.data).toHaveLength(1);
    const pages = await desk("/v1/courses?limit=1");
    const rest = await desk(`/v1/courses?limit=100&cursor=${pages.json.next_cursor}`);
    const ids = [...pages.json.data, ...rest.json.data].map(({ id }: { id: number }) => id);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    expect(ids).toContain(course.id);
    expect(ids).not.toContain(webinar.id);
  });

  test.each([
    ["missing name", { price: 1 }, ["name"]],
    ["a field nobody knows", { name: "X", price: 1, colour: "red" }, ["colour"]],
    ["too many decimals", { name: "X", price: 1.005 }, ["price"]],
    ["a price as text", { name: "X", price: "1" }, ["price"]],
    ["a course with a time", { name: "X", price: 1, starts_at: "2031-03-04T18:00" }, ["starts_at"]],
  ])("are refused for %s", async (_, body, fields) => {
    expect(refusal(await post(manager, "/v1/courses", body))).toEqual({
      ...{ status: 400, code: "invalid_request", fields },
    });
  });

  test("of the other kind, or of another clinic, are not found", async () => {
    const { id } = await newCourse();
    const neighbour = (await api.newClinic()).as.manager;
    for (const [caller, path] of [
      [manager, `/v1/webinars/${id}`],
      [neighbour, `/v1/courses/${id}`],
    ] as const) {
      expect((await caller(path, { method: "PATCH", body: { price: 1 } })).status).toBe(404);
      expect((await caller(`${path}/participants`)).status).toBe(404);
      const body = { patient_id: patient.id, how: "granted" };
      expect((await post(caller, `${path}/participants`, body)).status).toBe(404);
      expect((await caller(`${path}/participants/${patient.id}`, { method: "DELETE" })).status).toBe(404);
    }
    expect(refusal(await checkout(id, patient.id, "webinar"))).toEqual({
      ...{ status: 404, code: "not_found", fields: ["resource.id"] },
    });
  });
});

describe("participants", () => {
  test("are let in with 201, again with 200, listed with the way they came, and removed", async () => {
    const { id } = await newCourse();
    const enrol = (how: string, patientId = patient.id) =>
      post(desk, `/v1/courses/${id}/participants`, { patient_id: patientId, how });
    expect(refusal(await enrol("free"))).toEqual({ status: 409, code: "not_free", fields: ["how"] });
    expect(refusal(await enrol("stolen"))).toMatchObject({ status: 400, fields: ["how"] });
    expect(refusal(await enrol("granted", 999_999))).toMatchObject({ status: 404, fields: ["patient_id"] });
    const added = await enrol("granted");
    expect(added).toMatchObject({
      ...{ status: 201, json: { patient, how: "granted", subject: expect.stringMatching(/^course-access:\d+$/) } },
    });
    expect(await enrol("granted")).toMatchObject({ status: 200, json: added.json });
    const path = `/v1/courses/${id}/participants`;
    expect((await desk(path)).json).toEqual({ data: [added.json], next_cursor: null });
    const counted = (await desk("/v1/courses?limit=100")).json.data.find((one: { id: number }) => one.id === id);
    expect(counted.participants).toBe(1);
    expect((await desk(`${path}/${patient.id}`, { method: "DELETE" })).status).toBe(204);
    expect((await desk(path)).json.data).toEqual([]);
    expect((await desk(`${path}/${patient.id}`, { method: "DELETE" })).status).toBe(404);
  });
});

describe("checkouts", () => {
  test("are started with 201, reloaded with 200, completed and listed, and wake the dispatcher", async () => {
    const course = await newCourse();
    const before = api.nudges();
    const started = await checkout(course.id);
    expect(api.nudges()).toBeGreaterThan(before);
    const { id, expires_at, created_at, subject } = started.json;
    expect(started).toMatchObject({ status: 201 });
    expect(started.json).toEqual({
      ...{ id, state: "open", resource: { type: "course", id: course.id, name: "Back care at home" } },
      ...{ client: patient, subtotal: 199, taxes: 25.87, total: 224.87, currency: "cad" },
      ...{ expires_at, created_at, subject },
    });
    expect(Temporal.Instant.from(created_at).until(expires_at).total("hours")).toBe(24);
    expect(await checkout(course.id)).toMatchObject({ status: 200, json: started.json });
    const completed = await post(desk, `/v1/checkouts/${id}/complete`);
    expect(completed).toMatchObject({ status: 200, json: { ...started.json, state: "completed" } });
    expect((await desk(`/v1/checkouts/${id}`)).json).toEqual(completed.json);
    const found = await desk(`/v1/checkouts?state=completed&patient_id=${patient.id}&limit=100`);
    expect(found.json.data).toContainEqual(completed.json);
    expect((await desk(`/v1/checkouts?state=open&patient_id=${patient.id}`)).json.data).toEqual([]);
    expect(refusal(await post(desk, `/v1/checkouts/${id}/expire`))).toMatchObject({ code: "checkout_completed" });
    expect(refusal(await checkout(course.id))).toMatchObject({ status: 409, code: "already_participant" });
  });

  test("are found by the newest first, page by page", async () => {
    const own = await newPatient();
    const ids = [];
    for (const name of ["One", "Two", "Three"])
      ids.push((await checkout((await newCourse({ name })).id, own.id)).json.id);
    const first = (await desk(`/v1/checkouts?patient_id=${own.id}&limit=2`)).json;
    const second = (await desk(`/v1/checkouts?patient_id=${own.id}&limit=2&cursor=${first.next_cursor}`)).json;
    expect([...first.data, ...second.data].map(({ id }: { id: number }) => id)).toEqual(ids.toReversed());
    expect(second.next_cursor).toBeNull();
  });

  test("asked for twice with one Idempotency-Key are one answer", async () => {
    const { id } = await newCourse();
    const body = { resource: { type: "course", id }, patient_id: patient.id };
    const call = { method: "POST", body, headers: { "idempotency-key": "checkout-1" } } as const;
    const [first, second] = [await desk("/v1/checkouts", call), await desk("/v1/checkouts", call)];
    expect([first.status, second.status, second.headers["idempotency-replayed"]]).toEqual([201, 201, "true"]);
    expect(second.json).toEqual(first.json);
  });

  test("are refused with words for the remedy", async () => {
    const free = await newCourse({ price: 0 });
    expect(refusal(await checkout(free.id))).toMatchObject({ status: 409, code: "free_item" });
    const { id } = await newCourse();
    const { json } = await checkout(id);
    expect((await post(desk, `/v1/checkouts/${json.id}/expire`)).json.state).toBe("expired");
    expect(refusal(await post(desk, `/v1/checkouts/${json.id}/complete`))).toMatchObject({ code: "checkout_expired" });
    expect(refusal(await checkout(id, 999_999))).toMatchObject({ status: 404, fields: ["patient_id"] });
    expect(refusal(await post(desk, "/v1/checkouts", { resource: { type: "film", id }, patient_id: 1 }))).toMatchObject(
      {
        ...{ status: 400, fields: ["resource.type"] },
      },
    );
  });

  test("of another clinic are not found", async () => {
    const { id } = (await checkout((await newCourse()).id)).json;
    const neighbour = (await api.newClinic()).as.front_desk;
    expect((await neighbour(`/v1/checkouts/${id}`)).status).toBe(404);
    for (const end of ["complete", "expire"]) {
      expect((await post(neighbour, `/v1/checkouts/${id}/${end}`)).status).toBe(404);
    }
    expect((await neighbour("/v1/checkouts")).json.data).toEqual([]);
  });
});

test("without the academy every route says so", async () => {
  const caller = stranger.as.manager;
  const item = { name: "X", price: 1 };
  const answers = [
    ...(await Promise.all(["/v1/courses", "/v1/webinars", "/v1/checkouts", "/v1/checkouts/1"].map((to) => caller(to)))),
    await caller("/v1/courses/1/participants"),
    await post(caller, "/v1/courses", item),
    await caller("/v1/webinars/1", { method: "PATCH", body: item }),
    await post(caller, "/v1/webinars/1/participants", { patient_id: 1, how: "granted" }),
    await caller("/v1/courses/1/participants/1", { method: "DELETE" }),
    await post(caller, "/v1/checkouts", { resource: { type: "course", id: 1 }, patient_id: 1 }),
    await post(caller, "/v1/checkouts/1/complete"),
    await post(caller, "/v1/checkouts/1/expire"),
  ];
  for (const answer of answers) expect(refusal(answer)).toMatchObject({ status: 409, code: "no_academy" });
});
