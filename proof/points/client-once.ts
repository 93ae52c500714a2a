/**
 * One command, as a process that can be killed within it: an event is emitted, a secret is rotated, what has been delivered is
 * sent again; or a node that has the database to itself begins. What was accepted is said on the standard output, and only
 * after the commit has returned.
 */
import { createSecretKey } from "node:crypto";
import { sampleFacts } from "@hookwell/sdk";
import { systemClock } from "../../server/src/clock.ts";
import { createKysely, createPools, inClinic } from "../../server/src/db/pool.ts";
import type { Tx } from "../../server/src/db/schema.ts";
import { resend } from "../../server/src/delivery/resend.ts";
import { DeliveryStore } from "../../server/src/delivery/store.ts";
import { silentLog } from "../../server/src/log.ts";
import { emit } from "../../server/src/outbox/emit.ts";
import { Seal } from "../../server/src/seal/seal.ts";
import { rotateSecret, type WebhooksContext } from "../../server/src/webhooks/webhooks.ts";

export interface OneCommand {
  do: "emit" | "rotate" | "resend" | "take over";
  databaseUrl: string;
  /** base64 */
  masterKey: string;
  clinicId: number;
  webhookId: number;
}

const LEASE_MS = 30_000;
const command = JSON.parse(process.argv[2] ?? "{}") as OneCommand;
const { clinicId, webhookId } = command;
const pools = createPools({ url: command.databaseUrl, log: silentLog() });
const seal = new Seal(createSecretKey(Buffer.from(command.masterKey, "base64")));

const COMMANDS: Readonly<Record<Exclude<OneCommand["do"], "take over">, (tx: Tx) => Promise<unknown>>> = {
  emit: (tx) =>
    emit({ seal, clock: systemClock }, tx, { clinicId, subject: "consult:1", facts: sampleFacts("consult.updated") }),
  rotate(tx) {
    const checkAddress = (text: string) => ({ ok: true as const, url: new URL(text) });
    const context: WebhooksContext = { seal, clinicId, actor: "a test", checkAddress };
    return rotateSecret(tx, context, webhookId);
  },
  async resend(tx) {
    const { event_id: eventId } = await tx
      .selectFrom("finished_deliveries")
      .select("event_id")
      .executeTakeFirstOrThrow();
    await resend(tx, clinicId, { eventId, webhookId, part: 0 });
  },
};

if (command.do === "take over") {
  const store = new DeliveryStore(pools.engine);
  await store.retireAllOthers(await store.register("alone", LEASE_MS));
} else await inClinic(createKysely(pools.app), clinicId, COMMANDS[command.do]);
process.stdout.write("accepted\n");
await pools.close();
