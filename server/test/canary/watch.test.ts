/** The watch over all suites finds what is planted: a name that is logged, one that is stored unsealed, a secret anywhere. */
import { generateSecret } from "@hookwell/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { logEvent } from "../../src/log.ts";
import { createTestClinic, type TestClinic } from "../clinic.ts";
import { createTestDatabase, type TestDatabase } from "../database.ts";
import { hear, noteSecrets, refuseCanaries, searchForCanaries, watchedLog } from "./watch.ts";

const NAME = "Zqxcanary Plantée";
let database: TestDatabase;
let clinic: TestClinic;
let patientId: number;

beforeAll(async () => {
  database = await createTestDatabase();
  clinic = await createTestClinic(database.pools);
  ({ id: patientId } = await clinic.patient(NAME, "zqxcanary.planted@example.test"));
});
afterAll(() => database.drop());

const notice = (details: string) =>
  database.pools.owner.query(
    `insert into notices (clinic_id, kind, webhook_id, cause, details) values ($1, 'webhook.failing', $2, $3, $4)`,
    [clinic.id, clinic.webhookId, `planted ${details.length}`, details],
  );

describe("the watch over all suites", () => {
  it("finds nothing where a name stands in the clinic's own records alone", async () => {
    expect(await searchForCanaries(database.url)).toEqual([]);
  });

  it("finds a patient's name in a line of the log, and in a refusal", async () => {
    const log = watchedLog();
    logEvent(log, "delivery.attempted", { reason: `could not send to ${NAME.toUpperCase()}` });
    logEvent(log, "delivery.attempted", { reason: "harmless" });
    hear("refusal of GET /v1/patients", JSON.stringify({ title: "no zqxcanary.planted@example.test here" }));
    expect(await searchForCanaries(database.url)).toEqual([
      { place: "log", kind: "name", canary: NAME.toUpperCase() },
      { place: "refusal of GET /v1/patients", kind: "name", canary: "zqxcanary.planted@example.test" },
    ]);
  });

  it("finds a name that is stored unsealed: as text, in JSON, in bytes, and of the SDK's samples, too", async () => {
    await notice(JSON.stringify({ name: NAME }));
    await notice(JSON.stringify({ person: "Sam Sample" }));
    await database.pools.owner.query("update webhooks set url = $1", [
      Buffer.from(`https://hooks.example.test/${NAME}`),
    ]);
    await database.pools.owner.query("update patients set name_folded = 'somebody else' where id = $1", [patientId]);
    expect((await searchForCanaries(database.url)).map(({ place }) => place).sort()).toEqual([
      "notices.details",
      "webhooks.url",
    ]);
    await database.pools.owner.query("update webhooks set url = ''");
    await database.pools.owner.query("delete from notices");
  });

  it("finds a name in whichever of a table's many rows it is", async () => {
    await database.pools.owner.query(
      `insert into notices (clinic_id, kind, webhook_id, cause, details)
       select $1, 'webhook.failing', $2, 'many ' || n, case when n = 7500 then $3::jsonb else '{}' end from generate_series(1, 8000) n`,
      [clinic.id, clinic.webhookId, JSON.stringify({ name: NAME })],
    );
    expect(await searchForCanaries(database.url)).toEqual([{ place: "notices.details", kind: "name", canary: NAME }]);
    await database.pools.owner.query("delete from notices");
  });

  it("finds a secret that the API showed, wherever it stands, and fails the suite with the place", async () => {
    const secret = generateSecret();
    noteSecrets({ webhook: { secret } });
    await database.pools.owner.query("update patients set name = $1 where id = $2", [secret, patientId]);
    await expect(refuseCanaries(database.url)).rejects.toThrow(/patients\.name: the secret/);
    await database.pools.owner.query("update patients set name = $1 where id = $2", [NAME, patientId]);
    await expect(refuseCanaries(database.url)).resolves.toBeUndefined();
  });
});
