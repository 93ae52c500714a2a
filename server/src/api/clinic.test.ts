/** The clinic's routes, as the browser calls them. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Answer, type Caller, startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";
import { createKysely } from "../db/pool.ts";

let api: TestApi;
let clinic: TestClinic;
let stranger: TestClinic;
let staff: Caller;

beforeAll(async () => {
  api = await startTestApi();
  clinic = await api.newClinic();
  stranger = await api.newClinic({ timeZone: "Asia/Kathmandu" });
  staff = clinic.as.front_desk;
});
afterAll(() => api.close());

const post = (path: string, body: unknown, caller = staff) => caller(path, { method: "POST", body });
const patch = (path: string, body: unknown) => staff(path, { method: "PATCH", body });

async function created(path: string, body: unknown, caller = staff) {
  const answer = await post(path, body, caller);
  if (answer.status !== 201) throw new Error(`${path} answered ${answer.status}: ${answer.text}`);
  return answer.json;
}

/** Status, code and fields of a refusal. */
function refusal({ status, json }: Answer) {
  return { status, code: json.code, fields: (json.errors ?? []).map(({ field }: { field: string }) => field) };
}

const newPatient = (name = "Sam Sample") => created("/v1/patients", { name, email: null });
const newPractitioner = () => created("/v1/practitioners", { name: "Pat Pretend", email: "pat@example.test" });
const newClass = (changed: object = {}) =>
  created("/v1/services", { name: "Invented class", kind: "class", duration: 60, capacity: 12, ...changed });

describe("people and services", () => {
  test("are added, listed and renamed by any of the staff", async () => {
    const patient = await created("/v1/patients", { name: " Zoé Placeholder ", email: "" });
    expect(patient).toEqual({ id: patient.id, name: "Zoé Placeholder", email: null });
    const practitioner = await created(
      "/v1/practitioners",
      { name: "Pat", email: "pat@example.test" },
      clinic.as.practitioner,
    );
    const service = await created(
      "/v1/services",
      { name: "Massage", kind: "one_to_one", duration: 45 },
      clinic.as.manager,
    );
    expect(service).toEqual({ id: service.id, name: "Massage", kind: "one_to_one", duration: 45, capacity: null });

    const renamed = await patch(`/v1/patients/${patient.id}`, { email: "zoe@example.test" });
    expect(renamed).toMatchObject({ status: 200, json: { ...patient, email: "zoe@example.test" } });
    expect((await patch(`/v1/practitioners/${practitioner.id}`, { name: "Pat II" })).json.name).toBe("Pat II");
    expect((await patch(`/v1/services/${service.id}`, { name: "Massage II" })).json.name).toBe("Massage II");

    expect((await staff(`/v1/patients/${patient.id}`)).json).toEqual(renamed.json);
    expect((await staff("/v1/patients?q=zoe")).json).toEqual({ data: [renamed.json], next_cursor: null });
    expect((await staff("/v1/practitioners")).json.data).toContainEqual({ ...practitioner, name: "Pat II" });
    expect((await staff("/v1/services")).json.data).toContainEqual({ ...service, name: "Massage II" });
  });

  test("come in pages that meet without a gap", async () => {
    const own = await api.newClinic();
    const caller = own.as.manager;
    for (const name of ["Dan", "ann", "Émile", "bob", "Cyd"]) await created("/v1/patients", { name }, caller);
    const names: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const answer: Answer = await caller(`/v1/patients?limit=2${cursor && `&cursor=${cursor}`}`);
      names.push(...answer.json.data.map(({ name }: { name: string }) => name));
      cursor = answer.json.next_cursor;
    }
    expect(names).toEqual(["ann", "bob", "Cyd", "Dan", "Émile"]);
    for (const list of ["patients", "practitioners", "services"]) {
      expect(refusal(await caller(`/v1/${list}?cursor=nonsense`))).toMatchObject({ status: 400, fields: ["cursor"] });
      expect(refusal(await caller(`/v1/${list}?limit=101`))).toMatchObject({ status: 400, fields: ["limit"] });
    }
  });

  test.each([
    ["/v1/patients", { name: "", email: null }, "name"],
    ["/v1/patients", { name: "Sam", email: "sam" }, "email"],
    ["/v1/patients", { name: "Sam", e_mail: null }, "e_mail"],
    ["/v1/patients", { name: 7 }, "name"],
    ["/v1/practitioners", { name: "Pat" }, "email"],
    ["/v1/practitioners", { name: "Pat", email: " " }, "email"],
    ["/v1/services", { name: "Yoga", kind: "retreat", duration: 60 }, "kind"],
    ["/v1/services", { name: "Yoga", kind: "class", duration: 0 }, "duration"],
    ["/v1/services", { name: "Yoga", kind: "one_to_one", duration: 30, capacity: 2 }, "capacity"],
  ])("%s refuses %j, naming the field", async (path, body, field) => {
    expect(refusal(await post(path, body))).toEqual({ status: 400, code: "invalid_request", fields: [field] });
  });
});

describe("consults", () => {
  let practitioner: { id: number; name: string };
  let service: { id: number; name: string; kind: string };
  let patients: { id: number; name: string; email: null }[];

  beforeEach(async () => {
    practitioner = await newPractitioner();
    service = await newClass();
    patients = [await newPatient("Sam Sample"), await newPatient("Robin Example"), await newPatient("Max Invented")];
  });

  const base = (changed: object = {}) => ({
    service_id: service.id,
    practitioner_id: practitioner.id,
    start_time: "2026-11-01T00:30",
    ...changed,
  });

  test("are scheduled, changed, cancelled and restored, and each answer shows them as they stand", async () => {
    const [a, b, c] = patients;
    const body = base({
      duration: 120,
      patient_ids: [a?.id, b?.id],
      participants: [{ patient_id: c?.id, status: "held" }],
    });
    const consult = await created("/v1/consults", body);
    expect(consult).toEqual({
      id: consult.id,
      service: { id: service.id, name: service.name, kind: "class" },
      practitioner: { id: practitioner.id, name: practitioner.name },
      start_time: "2026-11-01T00:30:00-04:00",
      end_time: "2026-11-01T01:30:00-05:00",
      duration: 120,
      cancelled: false,
      cancelled_at: null,
      room: null,
      notes: null,
      series_id: null,
      participants: [
        { patient: a, status: "booked", arrival: "expected" },
        { patient: b, status: "booked", arrival: "expected" },
        { patient: c, status: "held", arrival: "expected" },
      ],
    });
    const path = `/v1/consults/${consult.id}`;
    expect((await staff(path)).json).toEqual(consult);

    const moved = await patch(path, { start_time: "2026-11-02T09:00:00Z", room: "Studio" });
    expect(moved.json).toEqual({
      ...consult,
      start_time: "2026-11-02T04:00:00-05:00",
      end_time: "2026-11-02T06:00:00-05:00",
      room: "Studio",
    });
    const cancelled = await post(`${path}/cancel`, {});
    expect(cancelled).toMatchObject({ status: 200, json: { cancelled: true, participants: moved.json.participants } });
    expect(cancelled.json.cancelled_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d-0[45]:00$/);
    expect((await post(`${path}/cancel`, {})).json).toEqual(cancelled.json);
    expect((await post(`${path}/restore`, undefined)).json).toEqual(moved.json);
  });

  test("take participants in, change their places, let them go and move them", async () => {
    const [a, b] = patients;
    const from = await created("/v1/consults", base());
    const to = await created("/v1/consults", base());
    const participants = `/v1/consults/${from.id}/participants`;
    expect((await post(participants, { patient_id: a?.id })).json.participants).toMatchObject([{ status: "booked" }]);
    await created(participants, { patient_id: b?.id, status: "wait_listed" });
    const arrived = await patch(`${participants}/${a?.id}`, { arrival: "arrived" });
    expect(arrived.json.participants).toMatchObject([{ arrival: "arrived" }, { status: "wait_listed" }]);
    await patch(`${participants}/${b?.id}`, { status: "booked" });
    const moved = await post(`${participants}/${a?.id}/move`, { to_consult_id: to.id });
    expect(moved).toMatchObject({ status: 200, json: { from: { id: from.id }, to: { id: to.id } } });
    expect(moved.json.to.participants).toEqual([{ patient: a, status: "booked", arrival: "expected" }]);
    const left = await staff(`${participants}/${b?.id}`, { method: "DELETE" });
    expect(left).toMatchObject({ status: 200, json: { participants: [] } });
  });

  test("are listed for one patient: those in which the patient has a place", async () => {
    const { id } = await newPatient("Only Sample");
    const own = await created("/v1/consults", base({ patient_ids: [id, patients[0]?.id] }));
    await created("/v1/consults", base({ patient_ids: [patients[0]?.id] }));
    const day = own.start_time.slice(0, 10);
    const next = Temporal.PlainDate.from(day).add({ days: 1 });
    expect((await staff(`/v1/consults?from=${day}&to=${next}&patient_id=${id}`)).json.data).toEqual([own]);
    expect((await staff(`/v1/consults?from=${day}&to=${next}&patient_id=x`)).status).toBe(404);
  });

  test("are listed by the clinic's own days, in the order of their start, page by page", async () => {
    const own = await api.newClinic({ timeZone: "Asia/Kathmandu" });
    const caller = own.as.manager;
    const { id: service_id } = await created("/v1/services", { name: "Yoga", kind: "class", duration: 30 }, caller);
    const { id: practitioner_id } = await created(
      "/v1/practitioners",
      { name: "Pat", email: "p@example.test" },
      caller,
    );
    const at = (start_time: string) => created("/v1/consults", { service_id, practitioner_id, start_time }, caller);
    await at("2026-06-09T00:00");
    const late = await at("2026-06-08T23:59");
    const same = await at("2026-06-08T23:59");
    const first = await at("2026-06-08T00:00");
    await at("2026-06-07T23:59");
    const days = "/v1/consults?from=2026-06-08&to=2026-06-09";
    expect((await caller(days)).json).toEqual({ data: [first, late, same], next_cursor: null });
    const page = await caller(`${days}&limit=2`);
    expect(page.json.data).toEqual([first, late]);
    const next = await caller(`${days}&limit=2&cursor=${page.json.next_cursor}`);
    expect(next.json).toEqual({ data: [same], next_cursor: null });
  });

  test("are listed for at most 62 days, forwards", async () => {
    expect((await staff("/v1/consults?from=2026-01-01&to=2026-03-04")).status).toBe(200);
    for (const to of ["2026-03-05", "2026-01-01", "2025-12-31", "soon"]) {
      const answer = refusal(await staff(`/v1/consults?from=2026-01-01&to=${to}`));
      expect(answer).toEqual({ status: 400, code: "invalid_request", fields: ["to"] });
    }
    expect(refusal(await staff("/v1/consults?to=2026-01-02"))).toMatchObject({ status: 400, fields: ["from"] });
  });

  test("store their event with the change, once for one Idempotency-Key, and wake the dispatcher", async () => {
    const headers = { "idempotency-key": "one-consult" };
    const body = base({ patient_ids: [patients[0]?.id] });
    const before = api.nudges();
    const first = await staff("/v1/consults", { method: "POST", body, headers });
    const again = await staff("/v1/consults", { method: "POST", body, headers });
    expect(again).toMatchObject({ status: 201, json: first.json });
    expect(api.nudges()).toBeGreaterThan(before);
    const events = await createKysely(api.database.pools.owner)
      .selectFrom("events")
      .select(["name", "subject_version"])
      .where("clinic_id", "=", clinic.id)
      .where("subject", "=", `consult:${first.json.id}`)
      .execute();
    expect(events).toEqual([{ name: "participant.added", subject_version: 1 }]);
  });

  test("refuse bad input, naming the field, and change nothing", async () => {
    const { id: foreign } = await created("/v1/patients", { name: "Sam Sample" }, stranger.as.manager);
    const own = patients[0]?.id;
    const consult = await created("/v1/consults", base({ patient_ids: [own] }));
    const path = `/v1/consults/${consult.id}`;
    const many = Array.from({ length: 1_001 }, (_, at) => at + 1);
    const refused: [Promise<Answer>, object][] = [
      [post("/v1/consults", base({ duration: -30 })), { status: 400, fields: ["duration"] }],
      [post("/v1/consults", base({ end_time: "2026-11-01T00:00" })), { status: 400, fields: ["end_time"] }],
      [post("/v1/consults", base({ start_time: "2026-13-01T00:00" })), { status: 400, fields: ["start_time"] }],
      [post("/v1/consults", base({ patient_ids: [own, foreign] })), { status: 404, fields: ["patient_ids.1"] }],
      [post("/v1/consults", base({ patient_ids: ["5"] })), { status: 400, fields: ["patient_ids.0"] }],
      [post("/v1/consults", base({ patient_ids: [2 ** 53] })), { status: 400, fields: ["patient_ids.0"] }],
      [post("/v1/consults", base({ patient_ids: many })), { status: 400, fields: ["patient_ids"] }],
      [post("/v1/consults", base({ service_id: 2 ** 53 - 1 })), { status: 404, fields: ["service_id"] }],
      [post(`${path}/participants`, { patient_id: foreign }), { status: 404, fields: ["patient_id"] }],
      [post(`${path}/participants`, { patient_id: own }), { status: 409, code: "already_in_consult" }],
      [post(`${path}/cancel`, { reason: "rain" }), { status: 400, fields: ["reason"] }],
      [patch(path, { cancelled: true }), { status: 400, fields: ["cancelled"] }],
      [patch(`${path}/participants/${own}`, { status: "gone" }), { status: 400, fields: ["status"] }],
    ];
    for (const [answer, expected] of refused) expect(refusal(await answer)).toMatchObject(expected);
    expect((await staff(path)).json).toEqual(consult);
  });

  test("name what is wrong with a field in a word for programs, and what to send instead", async () => {
    const wordOf = async (body: object) => (await post("/v1/consults", base(body))).json.errors[0];
    expect(await wordOf({ duration: 0 })).toMatchObject({ field: "duration", code: "duration_range" });
    expect(await wordOf({ start_time: "" })).toMatchObject({ field: "start_time", code: "missing" });
    expect(await wordOf({ start_time: "tomorrow" })).toMatchObject({ code: "not_a_time" });
    expect(await wordOf({ end_time: "2026-11-01T09:45" })).toMatchObject({
      field: "end_time",
      code: "unknown_field",
      message: expect.stringContaining("Send duration, in minutes, instead."),
    });
    expect(await wordOf({ service_id: undefined })).toMatchObject({ field: "service_id", code: "missing" });
    expect(await wordOf({ service_id: 2 ** 53 - 1 })).toMatchObject({ field: "service_id", code: "not_found" });
    expect(await wordOf({ start_time: 9 })).toMatchObject({ code: "wrong_type" });
    expect(await wordOf({ start_time: "9".repeat(65) })).toMatchObject({ code: "too_long" });
    expect(await wordOf({ participants: [{ patient_id: 0, status: "x" }] })).toMatchObject({ code: "too_small" });
  });

  test("of another clinic, and ids that cannot be, answer 404 everywhere", async () => {
    const consult = await created("/v1/consults", base({ patient_ids: [patients[0]?.id] }));
    const patientId = patients[0]?.id;
    for (const id of [consult.id, "0", "abc", "99999999999999999999"]) {
      const path = `/v1/consults/${id}`;
      const answers = [
        stranger.as.manager(path),
        stranger.as.manager(path, { method: "PATCH", body: { notes: "Hello" } }),
        post(`${path}/cancel`, {}, stranger.as.manager),
        post(`${path}/restore`, {}, stranger.as.manager),
        post(`${path}/participants`, { patient_id: 1 }, stranger.as.manager),
        post(`${path}/participants/${patientId}/move`, { to_consult_id: 1 }, stranger.as.manager),
        stranger.as.manager(`${path}/participants/${patientId}`, { method: "PATCH", body: {} }),
        stranger.as.manager(`${path}/participants/${patientId}`, { method: "DELETE" }),
      ];
      for (const answer of answers) expect(refusal(await answer)).toMatchObject({ status: 404, code: "not_found" });
    }
    expect((await staff(`/v1/consults/${consult.id}`)).json).toEqual(consult);
  });
});

test("nobody who is not signed in sees anything of a clinic", async () => {
  for (const path of ["/v1/patients", "/v1/practitioners", "/v1/services", "/v1/consults", "/v1/consults/1"]) {
    expect(refusal(await api.anonymous(path))).toMatchObject({ status: 401, code: "sign_in_required" });
  }
});
