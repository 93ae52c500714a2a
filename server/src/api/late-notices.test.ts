/** A notice of a late consult goes on telling the truth: what it says follows its delivery, which may arrive after all. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type DeliveriesApi, openDeliveriesApi } from "../../test/deliveries-api.ts";

let desk: DeliveriesApi;
let webhook: number;
let consult: number;

beforeAll(async () => {
  desk = await openDeliveriesApi();
});
afterAll(() => desk.close());
beforeEach(async () => {
  desk.receiver.answer = (_received, response) => response.writeHead(200).end();
  consult = (await desk.schedule()).json.id;
  webhook = (await desk.newWebhook({ events: ["consult.updated"] })).id;
});

/** Moves the consult, which makes a delivery of its own. */
async function change(time: string): Promise<string> {
  const body = { start_time: `2026-11-02T${time}` };
  await desk.manager(`/v1/consults/${consult}`, { method: "PATCH", body });
  const [{ id }] = await desk.list(`webhook_id=${webhook}`);
  return id;
}

async function raise(delivery_id: string): Promise<void> {
  const details = { delivery_id, event: "consult.updated", starts_at: "2026-11-02T14:00:00Z" };
  await desk.api.database.pools.owner.query(
    "insert into notices (clinic_id, kind, webhook_id, cause, details) values ($1, 'delivery.late', $2, $3, $4)",
    [desk.clinic.id, webhook, `delivery.late:${webhook}:consult:${consult}`, JSON.stringify(details)],
  );
}

const newest = async () => (await desk.manager("/v1/notices?limit=1")).json.data[0];
const arrives = (id: string) =>
  desk.deliverUntil("it was delivered", async () => (await desk.detail(id)).state === "delivered");

describe("a notice of a late consult", () => {
  it("says that its delivery waits, and once it has arrived, when that was", async () => {
    const id = await change("10:00");
    await raise(id);
    expect(await newest()).toMatchObject({ delivery_id: id, delivery_state: "waiting", delivered_at: null });
    await arrives(id);
    const told = await newest();
    expect(told.delivery_state).toBe("delivered");
    const { rows } = await desk.api.database.pools.owner.query(
      "select finished_at from finished_deliveries where webhook_id = $1",
      [webhook],
    );
    const finished = rows[0].finished_at as Temporal.Instant;
    expect(Date.parse(told.delivered_at)).toBe(Math.floor(finished.epochMilliseconds / 1_000) * 1_000);
    const read = await desk.post(`/v1/notices/${told.id}/read`, {});
    expect(read.json).toMatchObject({ delivery_state: "delivered", delivered_at: told.delivered_at });
  });

  it("waits as long as a later change of the same consult does, of which there is no notice of its own", async () => {
    const first = await change("10:00");
    await raise(first);
    await arrives(first);
    const second = await change("11:00");
    expect(second).not.toBe(first);
    expect(await newest()).toMatchObject({ delivery_id: first, delivery_state: "waiting", delivered_at: null });
    await arrives(second);
    expect(await newest()).toMatchObject({ delivery_state: "delivered", delivered_at: expect.any(String) });
  });

  it("does not take what was never sent for arrived", async () => {
    const id = await change("10:00");
    await raise(id);
    await desk.manager(`/v1/webhooks/${webhook}`, { method: "DELETE" });
    await desk.deliverUntil("it was cancelled", async () => (await desk.detail(id)).state === "cancelled");
    expect(await newest()).toMatchObject({ delivery_state: "cancelled", delivered_at: null });
  });

  it("knows nothing of a delivery that is no longer kept", async () => {
    const id = await change("10:00");
    await raise(id);
    await arrives(id);
    await desk.api.database.pools.owner.query("delete from finished_deliveries where webhook_id = $1", [webhook]);
    expect(await newest()).toMatchObject({ delivery_id: id, delivery_state: null, delivered_at: null });
  });
});
