/** However many keys a clinic has, all of it together leaves the others room. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestApi, type TestApi } from "../../test/api.ts";

const KEYS = 12;
const REQUESTS_OF_A_KEY = 590;
const CLINIC_MAX = 6_000;

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

it("a clinic gets 429 with Retry-After beyond 6,000 requests a minute, though none of its keys asks too much; others get none", async () => {
  const { manager } = (await api.newClinic()).as;
  const other = (await api.newClinic()).as.front_desk;
  const post = async (path: string, body: object) => (await manager(path, { method: "POST", body })).json;
  const webhook = await post("/v1/webhooks", { url: "https://hooks.example.test/in", events: ["consult.updated"] });
  const path = `/v1/webhooks/${webhook.id}/deliveries?limit=0`;
  let refused = 0;
  for (let n = 0; n < KEYS; n += 1) {
    const { key } = await post("/v1/api-keys", {
      name: `Pull ${n}`,
      scopes: ["deliveries:pull"],
      webhook_id: webhook.id,
    });
    const call = () => api.anonymous(path, { headers: { authorization: `Bearer ${key}` } });
    const answers = await Promise.all(Array.from({ length: REQUESTS_OF_A_KEY }, call));
    const turnedAway = answers.filter(({ status }) => status === 429);
    for (const answer of turnedAway) expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
    refused += turnedAway.length;
    if (refused > 0) break;
  }
  expect(refused).toBeGreaterThan(0);
  expect(KEYS * REQUESTS_OF_A_KEY).toBeGreaterThan(CLINIC_MAX);
  expect((await other("/v1/event-types")).status).toBe(200);
}, 120_000);
