/** What managers do between attempts, by the product's own functions, and written down for the judge. */
import type { SignatureVersion } from "@hookwell/sdk";
import { inClinic } from "../../server/src/db/pool.ts";
import { resend } from "../../server/src/delivery/resend.ts";
import { eraseContent } from "../../server/src/delivery/retention.ts";
import { ProblemError } from "../../server/src/errors.ts";
import { silentLog } from "../../server/src/log.ts";
import { deliveryId } from "../../server/src/outbox/identifiers.ts";
import {
  changeWebhook,
  getPublicKeys,
  revokePreviousSecret,
  rotateSecret,
} from "../../server/src/webhooks/webhooks.ts";
import type { TestWebhook } from "../../server/test/engine.ts";
import { nowMs } from "../crash/chance.ts";
import type { Stage } from "./stage.ts";

/** A new secret; the old one is taken away at once. */
export async function replaceSecret(stage: Stage, webhook: TestWebhook): Promise<void> {
  const beganMs = nowMs();
  const { secret } = await stage.managed(async (tx, context) => {
    const rotated = await rotateSecret(tx, context, webhook.id);
    await revokePreviousSecret(tx, context, webhook.id);
    return rotated;
  });
  const doneMs = nowMs();
  const first = { name: "first", secret: webhook.secret, beganMs: 0, fromMs: 0 };
  stage.secret(webhook.id, { ...first, untilMs: beganMs, endedMs: doneMs });
  stage.secret(webhook.id, { name: "second", secret, beganMs, fromMs: doneMs });
}

/** Turns signatures by a key pair on, or off again. */
export async function signByKeyPair(stage: Stage, { id }: TestWebhook, isOn: boolean): Promise<void> {
  const beganMs = nowMs();
  const signatures: SignatureVersion[] = isOn ? ["v1", "v1a"] : ["v1"];
  const keys = await stage.managed(async (tx, context) => {
    await changeWebhook(tx, context, { id, change: { signatures } });
    return (await getPublicKeys(tx, context, id)).keys;
  });
  const doneMs = nowMs();
  const [known] = stage.record.secrets.filter(({ webhook, name }) => webhook === String(id) && name === "key pair");
  if (known) stage.secret(id, { ...known, untilMs: beganMs, endedMs: doneMs });
  for (const { publicKey } of keys) {
    stage.secret(id, { name: "key pair", secret: publicKey, beganMs, fromMs: doneMs });
  }
}

/** Whatever has ended is sent again by a manager, where that is not refused. */
export async function resendAll(stage: Stage): Promise<void> {
  const { engine, clinicId, parts } = stage;
  const { rows } = await engine.owner.query<{ eventId: string; webhookId: number; part: number }>(
    `select event_id as "eventId", webhook_id as "webhookId", part from finished_deliveries order by event_id`,
  );
  for (const key of rows) {
    const fromMs = nowMs();
    const isRefused = await inClinic(parts.app ?? engine.app, clinicId, (tx) => resend(tx, clinicId, key)).then(
      () => false,
      (error: unknown) => {
        if (error instanceof ProblemError) return true;
        throw error;
      },
    );
    if (!isRefused) stage.record.add({ kind: "change", what: "resent", of: deliveryId(key), fromMs, untilMs: nowMs() });
  }
  engine.nudge();
}

/** The clinic keeps nothing of what it has sent any more: the content of all that has ended is erased. */
export async function eraseSent(stage: Stage): Promise<void> {
  const { owner } = stage.engine;
  const fromMs = nowMs();
  await eraseContent({ owner, log: silentLog(), days: 0 });
  const untilMs = nowMs();
  const { rows } = await owner.query<{ of: string }>("select subject as of from events where facts is null");
  for (const { of } of rows) stage.record.add({ kind: "change", what: "erased", of, fromMs, untilMs });
}
