import { createSecretKey, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { readsOver } from "../../test/simulation/reads.ts";
import { systemClock } from "../clock.ts";
import { Seal } from "../seal/seal.ts";
import { Targets } from "./targets.ts";

test("a webhook that is deleted between the reading of its settings and of its secrets is one that is gone", async () => {
  const seal = new Seal(createSecretKey(randomBytes(32)));
  const clinic = seal.newDataKey();
  const clinicSeal = await seal.forClinic(
    readsOver(async () => [clinic]),
    1,
  );
  const url = clinicSeal.seal({ column: "webhooks.url", row: 7 }, "https://hooks.example.test/");
  const settings = { version: 1, url, headers: null, include_practitioner: "off", include_patient: "off" };
  const db = readsOver(async (table) => (table === "webhooks" ? [settings] : []));
  expect(await new Targets({ db, seal, clock: systemClock }).get({ clinicId: 1, webhookId: 7 }, 1)).toBeNull();
});
