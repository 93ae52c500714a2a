/** One clinic's program may send more than the database takes: the others must not notice. */

import { sampleFacts } from "@hookwell/sdk";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Answer, type Caller, startTestApi, type TestApi } from "../../test/api.ts";
import { until } from "../../test/until.ts";

let api: TestApi;
let feed: Caller;
let clinicId: number;

beforeAll(async () => {
  api = await startTestApi();
  const clinic = await api.newClinic();
  clinicId = clinic.id;
  const body = { name: "Relay", scopes: ["feed"] };
  const { key } = (await clinic.as.manager("/v1/api-keys", { method: "POST", body })).json;
  feed = (path, call) =>
    api.anonymous(path, { ...call, headers: { authorization: `Bearer ${key}`, ...call?.headers } });
});
afterAll(() => api.close());

const FLOOD = 200;

function snapshot(): Promise<Answer> {
  const practitioner = { id: 71, name: "Pat Pretend", email: "pat@example.test" };
  const record = {
    service: { id: 12, name: "Massage" },
    start_time: "2026-11-03T09:00",
    duration: 45,
    cancelled: false,
  };
  return feed("/v1/consults/90210", { method: "PUT", body: { ...record, practitioner, participants: [] } });
}

function keyedEvent(n: number): Promise<Answer> {
  const facts = sampleFacts("participant.added");
  facts.consult.id = 90_210;
  facts.participants = [{ id: 5101, name: "Sam Sample", email: null }];
  const headers = { "idempotency-key": `flood-${n}` };
  return feed("/v1/events", { method: "POST", body: { key: `flood-${n}`, facts }, headers });
}

it.each([
  ["snapshots", snapshot, 201],
  ["events with an Idempotency-Key", keyedEvent, 202],
])(
  "%s that all wait take no connection from other clinics, and those beyond the clinic's queue get 429",
  async (_, send, ok) => {
    const other = (await api.newClinic()).as.front_desk;
    expect((await other("/v1/patients")).status).toBe(200);
    const blocker = await api.database.pools.owner.connect();
    await blocker.query("begin");
    // Whoever wants this subject waits for the end of the transaction that took it.
    await blocker.query(
      "insert into subjects values ($1, 'consult:90210', 0) on conflict (clinic_id, subject) do update set version = subjects.version",
      [clinicId],
    );
    let turnedAway = 0;
    const flood = Array.from({ length: FLOOD }, async (_nothing, n) => {
      const answer = await send(n);
      if (answer.status === 429) turnedAway += 1;
      return answer;
    });
    try {
      await until("the surplus was turned away", () => turnedAway === FLOOD - 102);
      expect((await other("/v1/patients")).status).toBe(200);
    } finally {
      await blocker.query("rollback");
      blocker.release();
    }
    const answers = await Promise.all(flood);
    const refused = answers.filter(({ status }) => status === 429);
    expect(
      refused.every(({ headers, json }) => headers["retry-after"] === "1" && json.code === "too_many_requests"),
    ).toBe(true);
    expect(answers.filter(({ status }) => status === ok || status === 200)).toHaveLength(102);
  },
);
