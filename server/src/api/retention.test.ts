/** A clinic's own retention: who sets it, within what the operator allows. What it does: delivery/retention.test.ts. */

import { sampleFacts } from "@hookwell/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";

import { inClinic } from "../db/pool.ts";
import { emit } from "../outbox/emit.ts";

let api: TestApi;
let clinic: TestClinic;

beforeAll(async () => {
  api = await startTestApi();
  clinic = await api.newClinic();
});
afterAll(() => api.close());

const change = (body: unknown) => clinic.as.manager("/v1/retention", { method: "PATCH", body });
const audited = async () =>
  (
    await api.database.pools.owner.query(
      "select before, after from audit where clinic_id = $1 and action = 'retention.changed' order by id",
      [clinic.id],
    )
  ).rows;

describe("a clinic's retention", () => {
  test("is the operator's until a manager chooses fewer days, and again once he takes that back; each change is audited", async () => {
    const operators = { days: null, operator_days: 30, kept_days: 30 };
    expect((await clinic.as.manager("/v1/retention")).json).toEqual(operators);
    expect(await change({ days: 0 })).toMatchObject({
      status: 200,
      json: { days: 0, operator_days: 30, kept_days: 0 },
    });
    expect((await clinic.as.manager("/v1/retention")).json).toMatchObject({ days: 0, kept_days: 0 });
    await change({ days: 0 }); // no change
    expect((await change({ days: null })).json).toEqual(operators);
    expect(await audited()).toEqual([
      { before: '{"days":null}', after: '{"days":0}' },
      { before: '{"days":0}', after: '{"days":null}' },
    ]);
  });

  test.each([31, -1, 1.5, "7", undefined])("of %j days is refused by its field, and nothing changes", async (days) => {
    const before = await audited();
    const answer = await change({ days });
    expect(answer).toMatchObject({ status: 400, json: { code: "invalid_request", errors: [{ field: "days" }] } });
    expect((await clinic.as.manager("/v1/retention")).json.days).toBeNull();
    expect(await audited()).toEqual(before);
  });

  test("of one clinic is none of another's", async () => {
    const other = await api.newClinic();
    await change({ days: 3 });
    expect((await other.as.manager("/v1/retention")).json.days).toBeNull();
    await change({ days: null });
  });
});

test("a delivery whose content is gone still shows what became of it, without its body, and cannot be sent again", async () => {
  const { manager } = clinic.as;
  const settings = { url: "https://hooks.example.test/", events: ["consult.updated"] };
  const webhook = (await manager("/v1/webhooks", { method: "POST", body: settings })).json;
  const facts = sampleFacts("consult.updated");
  await inClinic(api.db, clinic.id, (tx) =>
    emit(api.context.outbox, tx, { clinicId: clinic.id, subject: "consult:1", facts }),
  );
  const { owner } = api.database.pools;
  await owner.query(
    `with d as (delete from deliveries where webhook_id = $1 returning *)
     insert into finished_deliveries (clinic_id, event_id, webhook_id, part, participants_per_request, choice_practitioner,
       choice_patient, test, attempt, state, reason, created_at)
     select clinic_id, event_id, webhook_id, part, participants_per_request, choice_practitioner, choice_patient, test, 0,
       'cancelled', 'expired', created_at from d`,
    [webhook.id],
  );
  const [{ id }] = (await manager("/v1/deliveries")).json.data;
  expect((await manager(`/v1/deliveries/${id}`)).json.request.body).toContain("consult.updated");
  await owner.query("update events set facts = null where clinic_id = $1", [clinic.id]);
  expect((await manager(`/v1/deliveries/${id}`)).json).toMatchObject({
    ...{ event: "consult.updated", subject: "consult:1", state: "cancelled", reason: "expired" },
    request: { body: null },
  });
  const again = await manager(`/v1/deliveries/${id}/resend`, { method: "POST" });
  expect(again).toMatchObject({ status: 409, json: { code: "content_gone" } });
});
