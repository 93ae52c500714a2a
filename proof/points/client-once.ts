/**
 * One command of the clinic, as a process that can be killed within it: an event is emitted, or a secret is rotated. What was
 * accepted is said on the standard output, and only after the commit has returned.
 */
import { createSecretKey } from "node:crypto";
import { sampleFacts } from "@hookwell/sdk";
import { systemClock } from "../../server/src/clock.ts";
import { createKysely, createPools, inClinic } from "../../server/src/db/pool.ts";
import { silentLog } from "../../server/src/log.ts";
import { emit } from "../../server/src/outbox/emit.ts";
import { Seal } from "../../server/src/seal/seal.ts";
import { rotateSecret, type WebhooksContext } from "../../server/src/webhooks/webhooks.ts";

export interface OneCommand {
  do: "emit" | "rotate";
  databaseUrl: string;
  /** base64 */
  masterKey: string;
  clinicId: number;
  webhookId: number;
}

const command = JSON.parse(process.argv[2] ?? "{}") as OneCommand;
const { clinicId } = command;
const pools = createPools({ url: command.databaseUrl, log: silentLog() });
const seal = new Seal(createSecretKey(Buffer.from(command.masterKey, "base64")));

await inClinic(createKysely(pools.app), clinicId, async (tx) => {
  if (command.do === "emit") {
    const event = { clinicId, subject: "consult:1", facts: sampleFacts("consult.updated") };
    await emit({ seal, clock: systemClock }, tx, event);
    return;
  }
  const checkAddress = (text: string) => ({ ok: true as const, url: new URL(text) });
  const context: WebhooksContext = { seal, clinicId, actor: "a test", checkAddress };
  await rotateSecret(tx, context, command.webhookId);
});
process.stdout.write("accepted\n");
await pools.close();
