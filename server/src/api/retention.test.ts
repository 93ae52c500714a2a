/** A clinic's own retention: who sets it, within what the operator allows. What it does: delivery/retention.test.ts. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestApi, type TestApi, type TestClinic } from "../../test/api.ts";

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
