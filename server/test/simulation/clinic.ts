/**
 * The clinic of a simulated world: it emits in transactions that may stay open for a while, and its managers turn webhooks
 * off and on, delete them and send deliveries again. It keeps its own book of what it has committed; the judge reads that.
 */
import { createSecretKey, randomBytes } from "node:crypto";
import { generateSecret, sampleFacts } from "@hookwell/sdk";
import type { RunKey } from "../../src/delivery/engine-store.ts";
import { deliveryId } from "../../src/outbox/identifiers.ts";
import { type ClinicSeal, Seal } from "../../src/seal/seal.ts";
import { ClinicSide } from "../model/clinic-side.ts";
import type { ModelStore } from "../model/model-store.ts";
import type { WebhookPlan } from "./plan.ts";
import type { SeededRandom } from "./random.ts";
import { readsOver } from "./reads.ts";
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

interface ClinicParts {
  model: ModelStore;
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
  readonly #parts: ClinicParts;
  /** one for all its webhooks */
  readonly secret: string = generateSecret();
  #numbers = 0;

  private constructor(parts: ClinicParts) {
    this.#parts = parts;
    this.seal = parts.seal;
    this.side = new ClinicSide(parts.model);
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
    const host = hostOf(key);
    this.side.addWebhook({ ...key, concurrency, pacePerSecond, host, enabled: true, choice }, proved);
    this.webhooks.push(key);
    return key;
  }

  /** What the sender reads: the settings and secrets of several webhooks. */
  read(statement: string, parameters: readonly unknown[]): object[] {
    if (statement !== "read_targets") throw new Error(`the simulated clinic does not know ${statement}`);
    const [clinicIds, webhookIds] = parameters as [number[], number[]];
    return clinicIds.flatMap((clinicId, at) => this.#target({ clinicId, webhookId: webhookIds[at] ?? 0 }));
  }

  #target(key: RunKey): object[] {
    const { version, deleted, choice } = this.#parts.model.tables.webhook(key);
    if (deleted) return [];
    const { clinicSeal } = this.#parts;
    const address = `https://${hostOf(key)}/${key.webhookId}`;
    const url = clinicSeal.seal({ column: "webhooks.url", row: key.webhookId }, address);
    const secret = clinicSeal.seal({ column: "webhook_secrets.secret", row: `${key.webhookId}/1` }, this.secret);
    const { practitioner: include_practitioner, patient: include_patient } = choice;
    return [
      {
        ...{
          clinic_id: key.clinicId,
          id: key.webhookId,
          version,
          url,
          headers: null,
          include_practitioner,
          include_patient,
        },
        ...{ place: "webhook_secrets.secret", secret_id: 1, sealed: secret, lives_ms: null },
      },
    ];
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

  delete(key: RunKey): void {
    this.#parts.timeline.trace(`webhook ${key.webhookId} is deleted`);
    this.side.deleteWebhook(key);
  }

  /** A manager sends something again that has ended. */
  resendOne(): void {
    const { model, random, timeline } = this.#parts;
    const ended = [...model.tables.finished.values()].filter((row) => model.tables.isOn(row));
    if (ended.length === 0) return;
    const row = random.pick(ended);
    timeline.trace(`${row.webhookId}/${row.eventId} is sent again`);
    const times = [...(this.resent.get(deliveryId(row)) ?? []), timeline.nowMs];
    this.resent.set(deliveryId(row), times);
    this.side.resend(row, `resend:${timeline.nowMs}:${row.eventId}`);
  }
}

/** Every receiver is a host of its own. */
function hostOf({ webhookId }: RunKey): string {
  return `receiver-${webhookId}.example.test`;
}
