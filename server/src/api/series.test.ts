/** /v1/series and the other new ways of /v1/consults, up to what arrives at a receiver. */
import type { ConsultBody } from "@hookwell/sdk";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openStage, type Scene, type Stage } from "../../test/event-paths/stage.ts";
import { until } from "../../test/until.ts";

let stage: Stage;
let scene: Scene;
let practitioner: { id: number; name: string; email: string };
let service: { id: number };
let patients: { id: number; name: string; email: string | null }[];

beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

beforeEach(async () => {
  scene = await stage.enter();
  practitioner = await scene.post("/v1/practitioners", { name: "Pat Pretend", email: "pat@example.test" });
  service = await scene.post("/v1/services", { name: "Invented class", kind: "class", duration: 60 });
  patients = [
    await scene.post("/v1/patients", { name: "Sam Sample", email: "sam@example.test" }),
    await scene.post("/v1/patients", { name: "Robin Example", email: null }),
  ];
});

const weekly = (changed: object = {}) =>
  scene.post("/v1/consults", {
    service_id: service.id,
    practitioner_id: practitioner.id,
    start_time: "2026-03-01T18:00",
    repeats: { every: "week", count: 3 },
    patient_ids: [patients[0]?.id],
    ...changed,
  });

/** The bodies that arrived, as (event, start) of each one's participants. */
async function arrived() {
  const bodies = (await scene.arrived()) as ConsultBody[][];
  return bodies.map((body) =>
    body.map(({ event, consult, participant }) => [event, consult.start_time, participant?.id]),
  );
}

describe("a weekly class", () => {
  test("over the start of daylight saving is delivered with its wall time kept, one request for each occurrence", async () => {
    const [a, b] = patients.map(({ id }) => id);
    const first = await weekly();
    expect(first).toMatchObject({ start_time: "2026-03-01T18:00:00-05:00", series_id: first.series.id });
    const [one, two, three] = first.series.consult_ids;
    expect(one).toBe(first.id);
    const times = ["2026-03-01T18:00:00-05:00", "2026-03-08T18:00:00-04:00", "2026-03-15T18:00:00-04:00"];
    expect((await arrived()).toSorted()).toEqual(times.map((time) => [["participant.added", time, a]]));

    const series = `/v1/series/${first.series.id}`;
    const registered = await scene.post(`${series}/participants`, { patient_id: b, from: "2026-03-08" });
    expect(registered.changed_consult_ids).toEqual([two, three]);
    expect((await arrived()).toSorted()).toEqual(times.slice(1).map((time) => [["participant.added", time, b]]));

    await scene.send("PATCH", series, { from: "2026-03-15", start_time: "19:30" });
    const later = "2026-03-15T19:30:00-04:00";
    expect(await arrived()).toEqual([[a, b].map((id) => ["consult.updated", later, id])]);

    await scene.send("DELETE", `${series}/participants/${b}?from=2026-03-09`);
    expect(await arrived()).toEqual([[["participant.removed", later, b]]]);

    const cancelled = await scene.post(`${series}/cancel`, { from: "2026-03-08" });
    expect(cancelled).toEqual({
      id: first.series.id,
      every: "week",
      interval: 1,
      occurrences: [
        { id: one, start_time: times[0], end_time: "2026-03-01T19:00:00-05:00", cancelled: false, patient_ids: [a] },
        { id: two, start_time: times[1], end_time: "2026-03-08T19:00:00-04:00", cancelled: true, patient_ids: [a, b] },
        { id: three, start_time: later, end_time: "2026-03-15T20:30:00-04:00", cancelled: true, patient_ids: [a] },
      ],
      changed_consult_ids: [two, three],
    });
    const { changed_consult_ids: _, ...now } = cancelled;
    expect(await scene.get(series)).toEqual(now);
    const removed = [[a, b].map((id) => ["participant.removed", times[1], id]), [["participant.removed", later, a]]];
    expect((await arrived()).toSorted()).toEqual(removed);
  });

  test("is scheduled once for one Idempotency-Key, and bad rules are refused, naming the field", async () => {
    const call = (repeats: object, key: string) =>
      scene.manager("/v1/consults", {
        method: "POST",
        headers: { "idempotency-key": key },
        body: {
          service_id: service.id,
          practitioner_id: practitioner.id,
          start_time: "2026-03-01T18:00",
          patient_ids: [patients[0]?.id],
          repeats,
        },
      });
    const [one, again] = [await call({ every: "day", count: 2 }, "x"), await call({ every: "day", count: 2 }, "x")];
    expect(again.json).toEqual(one.json);
    expect(await arrived()).toHaveLength(2);
    const wrong: [object, string][] = [
      [{ every: "year", count: 2 }, "repeats.every"],
      [{ every: "week", count: 105 }, "repeats.count"],
      [{ every: "week" }, "repeats"],
      [{ every: "week", until: "2026-02-30" }, "repeats.until"],
      [{ every: "week", count: 2, weekday: 3 }, "repeats.weekday"],
    ];
    for (const [repeats, field] of wrong) {
      const { status, json } = await call(repeats, field);
      expect([status, json.errors[0].field]).toEqual([400, field]);
    }
    expect(await arrived()).toEqual([]);
  });
});

describe("with nothing selected about persons", () => {
  test("another practitioner is still an update, of one alike object for each participant", async () => {
    const [a, b] = patients.map(({ id }) => id);
    const other = await scene.post("/v1/practitioners", { name: "Stevie Stand-In", email: "stevie@example.test" });
    const consult = await weekly({ repeats: undefined, patient_ids: [a, b] });
    await scene.arrived();
    const path = `/bare/${scene.clinicId}`;
    const url = new URL(path, stage.receiver.url).href;
    await scene.post("/v1/webhooks", { name: "Bare", url, events: ["consult.updated"] });
    await scene.send("PATCH", `/v1/consults/${consult.id}`, { practitioner_id: other.id });
    const { body } = await until("it has arrived", async () => {
      await scene.arrived();
      return stage.receiver.received.find((received) => received.path === path);
    });
    const objects: Record<string, unknown>[] = JSON.parse(body);
    expect(objects).toHaveLength(2);
    expect(objects[0]).toEqual(objects[1]);
    expect(Object.keys(objects[0] ?? {})).toEqual(["event", "consult", "service"]);
    expect(objects[0]).toMatchObject({ event: "consult.updated", consult: { id: consult.id } });
  });
});

describe("another patient on a one-to-one consult", () => {
  test("arrives as removed(A), then added(B), each with that patient alone", async () => {
    const massage = await scene.post("/v1/services", { name: "Massage", kind: "one_to_one", duration: 45 });
    const [a, b] = patients;
    const consult = await weekly({ repeats: undefined, service_id: massage.id });
    await scene.arrived();
    const changed = await scene.send("PATCH", `/v1/consults/${consult.id}`, { patient_id: b?.id });
    expect(changed.participants).toEqual([{ patient: b, status: "booked", arrival: "expected" }]);
    expect(await scene.arrived()).toMatchObject([
      [{ event: "participant.removed", participant: a, consult: { id: consult.id, cancelled: false } }],
      [{ event: "participant.added", participant: b, consult: { id: consult.id, cancelled: false } }],
    ]);
    const late = { arrival: "late_cancel" };
    const gone = await scene.send("PATCH", `/v1/consults/${consult.id}/participants/${b?.id}`, late);
    expect(gone).toMatchObject({ cancelled: true, participants: [{ arrival: "late_cancel" }] });
    expect(await scene.arrived()).toMatchObject([
      [{ event: "participant.removed", participant: b, consult: { cancelled: true } }],
    ]);
  });
});

test("a service's length and places are changed without a word to anybody", async () => {
  await weekly();
  await scene.arrived();
  const changed = await scene.send("PATCH", `/v1/services/${service.id}`, { duration: 30, capacity: 8 });
  expect(changed).toMatchObject({ name: "Invented class", duration: 30, capacity: 8 });
  expect(await scene.arrived()).toEqual([]);
  const consult = await weekly({ repeats: undefined });
  expect(consult.duration).toBe(30);
});

test("a series of another clinic, and ids that cannot be, answer 404 everywhere", async () => {
  const { series } = await weekly();
  const stranger = await stage.enter();
  for (const id of [series.id, "0", "abc"]) {
    const path = `/v1/series/${id}`;
    const answers = [
      stranger.manager(path),
      stranger.manager(path, { method: "PATCH", body: { duration: 5 } }),
      stranger.manager(`${path}/cancel`, { method: "POST", body: {} }),
      stranger.manager(`${path}/participants`, { method: "POST", body: { patient_id: 1 } }),
      stranger.manager(`${path}/participants/1`, { method: "DELETE" }),
    ];
    for (const answer of answers) expect((await answer).status).toBe(404);
  }
  const { occurrences } = await scene.get(`/v1/series/${series.id}`);
  expect(occurrences.map(({ cancelled }: { cancelled: boolean }) => cancelled)).toEqual([false, false, false]);
});
