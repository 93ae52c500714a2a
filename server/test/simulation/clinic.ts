/**
 * The clinic of a simulated world: it emits in transactions that may stay open for a while, and its managers turn webhooks
 * off and on, give them other addresses, secrets and data, delete them, send deliveries again, ask for recoveries and erase
 * content. It keeps its own book of what it has committed and done; the judge reads that.
 */
import { createSecretKey, randomBytes } from "node:crypto";
import { sampleFacts } from "@hookwell/sdk";
import type { RunKey } from "../../src/delivery/engine-store.ts";
import { deliveryId } from "../../src/outbox/identifiers.ts";
import { type ClinicSeal, Seal } from "../../src/seal/seal.ts";
import { ClinicSide } from "../model/clinic-side.ts";
import type { ModelStore } from "../model/model-store.ts";
import type { Choice, FinishedRow } from "../model/tables.ts";
import type { SimulatedDatabaseClock } from "./database-clock.ts";
import type { WebhookPlan } from "./plan.ts";
import type { SeededRandom } from "./random.ts";
import { readsOver } from "./reads.ts";
import { SimulatedSecrets } from "./secrets.ts";
import type { Timeline } from "./timeline.ts";

export const CLINIC_ID = 1;

/** One event that was committed. */
export interface Committed {
  eventId: string;
  /** the consult's id in its facts, which no other event has */
  number: number;
  subject: string;
  version: number;
  /** of simulated time: when its transaction emitted it, and when that had committed */
  beganMs: number;
  doneMs: number;
  /** the webhooks it is for, and whether they were on */
  expected: { webhookId: number; on: boolean }[];
}

/** A recovery of one webhook, and the webhook-ids of what it took. */
export interface RecoveryAsked {
  webhookId: number;
  atMs: number;
  taken: string[];
  /** webhook-ids of what waited already */
  waiting: ReadonlySet<string>;
  /** events whose content there was */
  kept: ReadonlySet<string>;
}

interface ClinicParts {
  model: ModelStore;
  databaseClock: SimulatedDatabaseClock;
  timeline: Timeline;
  random: SeededRandom;
  seal: Seal;
  clinicSeal: ClinicSeal;
}

export class SimulatedClinic {
  readonly side: ClinicSide;
  readonly seal: Seal;
  readonly webhooks: RunKey[] = [];
  readonly committed: Committed[] = [];
  /** webhook-ids that a manager has sent again, and when, in ms of simulated time */
  readonly resent = new Map<string, number[]>();
  /** events whose transaction was rolled back */
  readonly refused: string[] = [];
  readonly recoveries: RecoveryAsked[] = [];
  /** events whose content somebody has erased, whatever waited, and when, in ms of simulated time */
  readonly erased = new Map<string, number>();
  readonly secrets: SimulatedSecrets;
  readonly #parts: ClinicParts;
  #numbers = 0;

  private constructor(parts: ClinicParts) {
    this.#parts = parts;
    this.seal = parts.seal;
    this.side = new ClinicSide(parts.model);
    this.secrets = new SimulatedSecrets(parts.timeline, parts.databaseClock);
  }

  static async create(parts: Omit<ClinicParts, "seal" | "clinicSeal">): Promise<SimulatedClinic> {
    const seal = new Seal(createSecretKey(randomBytes(32)));
    const row = { id: CLINIC_ID, ...seal.newDataKey() };
    const clinicSeal = await seal.forClinic(
      readsOver(async () => [row]),
      CLINIC_ID,
    );
    return new SimulatedClinic({ ...parts, seal, clinicSeal });
  }

  addWebhook({ concurrency, pacePerSecond, proved }: WebhookPlan): RunKey {
    const key = { clinicId: CLINIC_ID, webhookId: this.webhooks.length + 1 };
    const choice = { practitioner: "off", patient: "id" } as const;
    const host = `receiver-${key.webhookId}.example.test`;
    this.secrets.add(key.webhookId);
    this.side.addWebhook({ ...key, concurrency, pacePerSecond, host, enabled: true, choice }, proved);
    this.webhooks.push(key);
    return key;
  }

  /** What the sender reads: the settings and secrets of several webhooks, or the content of one event. */
  read(statement: string, parameters: readonly unknown[]): object[] {
    if (statement === "events") return this.#content(String(parameters[1]));
    if (statement !== "read_targets") throw new Error(`the simulated clinic does not know ${statement}`);
    const [clinicIds, webhookIds] = parameters as [number[], number[]];
    return clinicIds.flatMap((clinicId, at) => this.#target({ clinicId, webhookId: webhookIds[at] ?? 0 }));
  }

  #target(key: RunKey): object[] {
    const { model, clinicSeal, databaseClock } = this.#parts;
    const { version, deleted, choice, host } = model.tables.webhook(key);
    if (deleted) return [];
    const { clinicId: clinic_id, webhookId: id } = key;
    const url = clinicSeal.seal({ column: "webhooks.url", row: id }, `https://${host}/${id}`);
    const { practitioner: include_practitioner, patient: include_patient } = choice;
    const settings = { clinic_id, id, version, url, headers: null, include_practitioner, include_patient };
    return this.secrets.live(id).map(({ id: secret_id, secret, retiresAt }) => ({
      ...{ ...settings, place: "webhook_secrets.secret", secret_id },
      sealed: clinicSeal.seal({ column: "webhook_secrets.secret", row: `${id}/${secret_id}` }, secret),
      lives_ms: retiresAt === Number.POSITIVE_INFINITY ? null : retiresAt - databaseClock.nowMs,
    }));
  }

  #content(eventId: string): object[] {
    const event = this.#parts.model.tables.events.get(eventId);
    return event ? [{ ...event, subject_version: event.subjectVersion }] : [];
  }

  /** Emits one to three events in one transaction, and commits it after so many ms. Returns whether it could. */
  emit(subjects: readonly string[], opensForMs: number, committed: () => void): boolean {
    if (subjects.some((subject) => this.side.isLocked(CLINIC_ID, subject))) return false;
    const { timeline, random } = this.#parts;
    const change = this.side.open();
    const events = subjects.map((subject): Committed => {
      const { id: eventId, number, facts } = this.#newFacts();
      const expected = this.#listening();
      const version = change.emit({ clinicId: CLINIC_ID, id: eventId, subject, name: "consult.updated", facts });
      return { eventId, number, subject, version, expected, beganMs: timeline.nowMs, doneMs: timeline.nowMs };
    });
    const isRolledBack = random.chance(0.05);
    const end = () => {
      timeline.trace(
        `${isRolledBack ? "rolled back" : "committed"} ${events.map((e) => `${e.subject} v${e.version}`)}`,
      );
      if (isRolledBack) {
        change.rollback();
        this.refused.push(...events.map(({ eventId }) => eventId));
        return;
      }
      change.commit();
      this.committed.push(...events.map((event) => ({ ...event, doneMs: timeline.nowMs })));
      committed();
    };
    if (opensForMs === 0) end();
    else timeline.after(opensForMs, end);
    return true;
  }

  #newFacts(): { id: string; number: number; facts: Buffer } {
    const number = ++this.#numbers;
    const id = `01980000-0000-7000-8000-${number.toString(16).padStart(12, "0")}`;
    const sample = sampleFacts("consult.updated");
    const text = JSON.stringify({ ...sample, consult: { ...sample.consult, id: number } });
    return { id, number, facts: this.#parts.clinicSeal.seal({ column: "events.facts", row: id }, text) };
  }

  #listening(): Committed["expected"] {
    const { tables } = this.#parts.model;
    return this.webhooks
      .filter((key) => !tables.webhook(key).deleted)
      .map((key) => ({ webhookId: key.webhookId, on: tables.webhook(key).enabled }));
  }

  /** A manager turns a webhook off, or on again. */
  setEnabled(key: RunKey, enabled: boolean): void {
    const webhook = this.#parts.model.tables.webhook(key);
    if (webhook.deleted || webhook.enabled === enabled) return;
    this.#parts.timeline.trace(`webhook ${key.webhookId} is turned ${enabled ? "on" : "off"}`);
    this.side.setEnabled(key, enabled);
  }

  /** A manager gives it another address, which is returned; null where it is gone. */
  move(key: RunKey): string | null {
    const { deleted, version } = this.#parts.model.tables.webhook(key);
    if (deleted) return null;
    const host = `receiver-${key.webhookId}-${version}.example.test`;
    this.#parts.timeline.trace(`webhook ${key.webhookId} goes to ${host}`);
    this.side.move(key, host);
    return host;
  }

  choose(key: RunKey, choice: Choice): void {
    if (this.#parts.model.tables.webhook(key).deleted) return;
    this.#parts.timeline.trace(`webhook ${key.webhookId} sends ${choice.practitioner}, ${choice.patient}`);
    this.side.choose(key, choice);
  }

  /** A manager rotates its secret, or revokes the one before. */
  changeSecrets(key: RunKey, how: "rotate" | "revoke"): void {
    if (this.#parts.model.tables.webhook(key).deleted || !this.secrets[how](key.webhookId)) return;
    this.#parts.timeline.trace(`webhook ${key.webhookId}: ${how}`);
    this.side.secretsChanged(key);
  }

  /** A recovery of all that has not arrived, in one batch; it waits for a webhook that is off or parked, and so is not asked for. */
  recover(key: RunKey): void {
    const { model, timeline } = this.#parts;
    if (!model.tables.isOn(key) || model.tables.run(key).parkedAt !== null) return;
    const { events } = model.tables;
    const waiting = new Set([...model.tables.deliveriesOf(key).values()].map(deliveryId));
    const kept = new Set([...events.values()].filter(({ facts }) => facts).map(({ id }) => id));
    const orderKeyOf = ({ eventId }: FinishedRow) => `recovery:${timeline.nowMs}:${eventId}`;
    const taken = this.side.recover(key, { most: Number.POSITIVE_INFINITY, orderKeyOf }).map(deliveryId);
    timeline.trace(`webhook ${key.webhookId}: ${taken.length} are recovered`);
    this.recoveries.push({ webhookId: key.webhookId, atMs: timeline.nowMs, taken, waiting, kept });
    for (const id of taken) this.resent.set(id, [...(this.resent.get(id) ?? []), timeline.nowMs]);
  }

  /** Somebody erases the content of an event, whatever waits for it. */
  eraseOne(): void {
    const { random, timeline } = this.#parts;
    if (this.committed.length === 0) return;
    const { eventId } = random.pick(this.committed);
    timeline.trace(`${eventId} is erased`);
    this.erased.set(eventId, this.erased.get(eventId) ?? timeline.nowMs);
    this.side.erase(eventId);
  }

  delete(key: RunKey): void {
    this.#parts.timeline.trace(`webhook ${key.webhookId} is deleted`);
    this.side.deleteWebhook(key);
  }

  /** A manager sends something again that has ended. */
  resendOne(): void {
    const { model, random, timeline } = this.#parts;
    const isKept = ({ eventId }: FinishedRow) => model.tables.events.get(eventId)?.facts;
    const ended = [...model.tables.finished.values()].filter((row) => model.tables.isOn(row) && isKept(row));
    if (ended.length === 0) return;
    const row = random.pick(ended);
    timeline.trace(`${row.webhookId}/${row.eventId} is sent again`);
    const times = [...(this.resent.get(deliveryId(row)) ?? []), timeline.nowMs];
    this.resent.set(deliveryId(row), times);
    this.side.resend(row, `resend:${timeline.nowMs}:${row.eventId}`);
  }
}
