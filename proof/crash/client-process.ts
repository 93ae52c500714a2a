/**
 * The clinic's software, as a process of its own: it changes consults and emits through the real outbox, and now and then a
 * manager changes a webhook. It writes down what was accepted, and only after the commit has returned; a line is on the disk
 * before it counts.
 */
import { createSecretKey } from "node:crypto";
import { fsyncSync, openSync, writeSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { EVENT_NAMES, type Facts, sampleFacts } from "@hookwell/sdk";
import { systemClock } from "../../server/src/clock.ts";
import { createKysely, createPools, inClinic } from "../../server/src/db/pool.ts";
import { createEgress } from "../../server/src/egress/client.ts";
import { silentLog } from "../../server/src/log.ts";
import { emit } from "../../server/src/outbox/emit.ts";
import { Seal } from "../../server/src/seal/seal.ts";
import { liveSecrets } from "../../server/src/webhooks/secrets.ts";
import { changeWebhook, rotateSecret, type WebhooksContext } from "../../server/src/webhooks/webhooks.ts";
import type { WebhookVersion } from "../history/history.ts";
import type { ClientLine } from "../history/reading.ts";
import { generator, nowMs } from "./chance.ts";

export interface ClientOrders {
  databaseUrl: string;
  masterKey: string;
  logFile: string;
  perSecond: number;
  subjects: number;
  seed: number;
  webhooks: ClientWebhook[];
}

/** A webhook as it is at the beginning. */
export interface ClientWebhook {
  settings: Omit<WebhookVersion, "fromMs" | "untilMs">;
  secrets: string[];
  /** a manager turns it off and on */
  toggles: boolean;
}

const WRITERS = 6;
const MANAGER_EVERY_MS = 1_500;
const RETRY_AFTER_MS = 100;
const ROLLED_BACK = 0.03;
const NAMES = EVENT_NAMES.filter((name) => name.startsWith("participant.") || name.startsWith("consult."));

const orders = JSON.parse(process.argv[2] ?? "{}") as ClientOrders;
const random = generator(orders.seed);
const pools = createPools({ url: orders.databaseUrl, log: silentLog() });
const db = createKysely(pools.app);
const seal = new Seal(createSecretKey(Buffer.from(orders.masterKey, "base64")));
const egress = createEgress({
  rules: { allowLoopback: true, inboxUrlPrefix: null },
  monotonicMs: systemClock.monotonicMs,
});
const file = openSync(orders.logFile, "a");
const clinics = [...new Set(orders.webhooks.map(({ settings }) => Number(settings.clinic)))];
let isStopping = false;

function write(line: ClientLine): void {
  writeSync(file, `${JSON.stringify(line)}\n`);
  fsyncSync(file);
}

function pick<Item>(items: readonly Item[]): Item {
  return items[Math.floor(random() * items.length)] as Item;
}

class RolledBack extends Error {}

async function change(): Promise<void> {
  const clinicId = pick(clinics);
  const subject = `consult:${1 + Math.floor(random() * orders.subjects)}`;
  const facts: Facts = sampleFacts(pick(NAMES));
  const rollsBack = random() < ROLLED_BACK;
  const beganMs = nowMs();
  let event = "";
  try {
    const { id, subjectVersion: version } = await inClinic(db, clinicId, async (tx) => {
      const emitted = await emit({ seal, clock: systemClock }, tx, { clinicId, subject, facts });
      event = emitted.id.replaceAll("-", "");
      if (rollsBack) throw new RolledBack();
      return emitted;
    });
    const participants = "participants" in facts ? facts.participants.length : 1;
    const what = { event: id.replaceAll("-", ""), name: facts.event, subject, version, participants };
    write({ kind: "accepted", clinic: String(clinicId), ...what, beganMs, doneMs: nowMs() });
  } catch (error) {
    if (error instanceof RolledBack) write({ kind: "refused", event });
    // Otherwise nobody knows: the database may have committed and its answer got lost. Nothing is promised to anybody.
    else await pause(RETRY_AFTER_MS);
  }
}

/** One manager's change of one webhook: more or less data, off or on, a new secret. */
async function manage(webhook: ClientWebhook): Promise<void> {
  const { settings, toggles } = webhook;
  if (random() < 0.1) await rotate(webhook);
  else if (toggles) await configure(webhook, { enabled: !settings.enabled });
  else await configure(webhook, { patient: pick(["off", "id", "all"] as const) });
}

const contextOf = ({ settings }: ClientWebhook): WebhooksContext => ({
  seal,
  clinicId: Number(settings.clinic),
  actor: "a test",
  checkAddress: (text) => egress.check(text),
});

async function configure(webhook: ClientWebhook, changes: Partial<ClientWebhook["settings"]>): Promise<void> {
  const { settings } = webhook;
  const context = contextOf(webhook);
  const { enabled, patient, practitioner } = { ...settings, ...changes };
  const beganMs = nowMs();
  // Written down as possible before it is tried: when its answer is lost, both are possible.
  write({ kind: "configured", ...settings, enabled, patient, beganMs, doneMs: Number.MAX_SAFE_INTEGER });
  const change = { enabled, include: { practitioner, patient } };
  await inClinic(db, context.clinicId, (tx) => changeWebhook(tx, context, { id: Number(settings.webhook), change }));
  Object.assign(settings, changes);
  write({ kind: "configured", ...settings, beganMs: nowMs(), doneMs: nowMs() });
}

/** When the answer is lost, the secrets are looked up as soon as that is possible: a new one may be among them. */
async function rotate(of: ClientWebhook): Promise<void> {
  const { webhook } = of.settings;
  const { secrets } = of;
  const context = contextOf(of);
  const beganMs = nowMs();
  const live = () =>
    inClinic(db, context.clinicId, async (tx) => {
      const store = { tx, clinicId: context.clinicId, seal: await seal.forClinic(tx, context.clinicId) };
      return liveSecrets(store, Number(webhook));
    });
  const rotated = await inClinic(db, context.clinicId, (tx) => rotateSecret(tx, context, Number(webhook))).catch(
    () => null,
  );
  let found = rotated && [rotated.secret];
  while (!found) found = await live().catch(() => pause(RETRY_AFTER_MS, null));
  for (const secret of found.filter((one) => !secrets.includes(one))) {
    secrets.push(secret);
    const name = `no ${secrets.length}`;
    write({ kind: "secret", webhook, name, secret, beganMs, fromMs: nowMs(), untilMs: null, endedMs: null });
  }
}

async function manageForEver(): Promise<void> {
  while (!isStopping) {
    await pause(MANAGER_EVERY_MS * (0.5 + random()));
    const webhook = pick(orders.webhooks);
    await manage(webhook).catch(() => {}); // refused (a rotation runs), or its answer is lost: see above
  }
  // Everything that waits shall be delivered at last; a change whose answer is lost is made again.
  for (const webhook of orders.webhooks.filter(({ toggles }) => toggles)) {
    while (
      !(await configure(webhook, { enabled: true }).then(
        () => true,
        () => false,
      ))
    )
      await pause(RETRY_AFTER_MS);
  }
}

async function writeForEver(): Promise<void> {
  const pauseMs = (1_000 * WRITERS) / orders.perSecond;
  while (!isStopping) {
    const beganMs = performance.now();
    await change();
    await pause(Math.max(0, pauseMs - (performance.now() - beganMs)));
  }
}

for (const { settings, secrets } of orders.webhooks) {
  const { webhook } = settings;
  write({ kind: "configured", ...settings, beganMs: 0, doneMs: 0 });
  for (const secret of secrets) {
    write({ kind: "secret", webhook, name: "no 1", secret, beganMs: 0, fromMs: 0, untilMs: null, endedMs: null });
  }
}
process.once("SIGTERM", () => {
  isStopping = true;
});
process.once("disconnect", () => process.exit(1));
process.send?.({ ready: true });
await Promise.all([manageForEver(), ...Array.from({ length: WRITERS }, writeForEver)]);
await pools.close();
await egress.close();
process.exit(0);
