/**
 * The model of what the clinic's side does to the engine's tables: emitting, turning off and on, deleting, sending again.
 *
 * A change is a transaction: what it emits has its ids and versions at once, and is seen by nobody before it commits, which
 * may be later than others that began after it. A subject's version is counted under a lock that it holds till its end.
 */
import type { RunKey } from "../../src/delivery/engine-store.ts";
import type { ModelStore } from "./model-store.ts";
import {
  type DeliveryName,
  type DeliveryRow,
  deliveryName,
  type EventRow,
  HEALTHY_RUN,
  nameOf,
  type WebhookRow,
} from "./tables.ts";

export interface NewEvent {
  clinicId: number;
  id: string;
  subject: string;
  name: string;
  facts: Buffer;
}

export class ClinicSide {
  readonly #store: ModelStore;
  readonly #locked = new Map<string, Change>();

  constructor(store: ModelStore) {
    this.#store = store;
  }

  /** A webhook that listens to everything of its clinic. */
  addWebhook(webhook: Omit<WebhookRow, "version" | "deleted" | "updatedAt" | "offReason">, proved = true): void {
    const { clinicId, webhookId } = webhook;
    const { tables, nowMs } = this.#store;
    const row = {
      ...webhook,
      version: 1,
      deleted: false,
      updatedAt: nowMs(),
      offReason: webhook.enabled ? null : "you",
    };
    tables.webhooks.set(nameOf(webhook), row);
    tables.runs.set(nameOf(webhook), {
      ...{ clinicId, webhookId, fence: 0, owner: null, nextAt: Number.POSITIVE_INFINITY, nextSequence: 1 },
      ...{ answeredAt: proved ? nowMs() : null, lastDeliveredAt: null, lastFailedAt: null, recoveredAt: null },
      ...{ yieldedBy: null, yieldedAt: null },
      ...HEALTHY_RUN,
    });
  }

  /** Whether an open change holds the subject, so that another would wait for it. */
  isLocked(clinicId: number, subject: string): boolean {
    return this.#locked.has(`${clinicId}/${subject}`);
  }

  open(): Change {
    return new Change(this.#store, this.#locked);
  }

  /** One event in a transaction of its own. Returns the subject's version. */
  emit(event: NewEvent): number {
    const change = this.open();
    const version = change.emit(event);
    change.commit();
    return version;
  }

  /** A manager turns a webhook off, or on again: then it rings, for what has waited. */
  setEnabled(key: RunKey, enabled: boolean): void {
    const webhook = this.#store.tables.webhook(key);
    const { nowMs, tables } = this.#store;
    const changed = { ...webhook, enabled, offReason: enabled ? null : "you", version: webhook.version + 1 };
    tables.webhooks.set(nameOf(key), { ...changed, updatedAt: nowMs() });
    if (!enabled) return;
    // Something was mended: its failures count from the start, and what has waited goes out at a rising rate.
    const { failures, parkedAt, recoveredAt } = tables.run(key);
    const hasFailed = failures > 0 || parkedAt !== null;
    tables.changeRun(key, { ...HEALTHY_RUN, recoveredAt: hasFailed ? nowMs() : recoveredAt });
    this.ring(key);
  }

  ring({ clinicId, webhookId }: RunKey): void {
    const { next, tables } = this.#store;
    const id = next.bell++;
    tables.bells.set(id, { clinicId, webhookId, id, statement: next.statement++ });
  }

  /** What waits is dropped and kept as cancelled; what is on its way ends by itself. */
  deleteWebhook(key: RunKey): void {
    const { tables, nowMs } = this.#store;
    const webhook = tables.webhook(key);
    tables.webhooks.set(nameOf(key), { ...webhook, deleted: true, version: webhook.version + 1, updatedAt: nowMs() });
    for (const row of tables.deliveriesOf(key).values()) {
      if (row.begunAt === null) tables.finish(row, { state: "cancelled", reason: "deleted", at: nowMs() });
    }
  }

  /** Takes back what a deletion left behind because it was on its way; maintenance does so a minute later. */
  clearDeleted(key: RunKey): void {
    const { tables, nowMs } = this.#store;
    if (!tables.webhook(key).deleted) return;
    for (const row of tables.deliveriesOf(key).values()) {
      if (row.begunAt !== null) tables.noteUnknown(row, row.begunAt);
      tables.finish(row, { state: "cancelled", reason: "deleted", at: nowMs() });
    }
  }

  /** The same delivery and number once more: one new schedule, outside the order. Null where it cannot be sent again. */
  resend(name: DeliveryName, orderKey: string): number | null {
    const { tables, nowMs, next } = this.#store;
    const finished = tables.finished.get(deliveryName(name));
    if (!finished || !tables.isOn(name)) return null;
    tables.finished.delete(deliveryName(name));
    const { clinicId, webhookId, eventId, part, choice, sequence, attempt } = finished;
    const id = next.delivery++;
    const unbegun = { scheduleStart: attempt, dueAt: nowMs(), begunAt: null, fence: null };
    tables.putDelivery({ clinicId, webhookId, id, eventId, part, orderKey, choice, sequence, attempt, ...unbegun });
    this.ring(name);
    return id;
  }
}

/** One open transaction of the clinic's side. */
export class Change {
  readonly #store: ModelStore;
  readonly #locked: Map<string, Change>;
  readonly #versions = new Map<string, number>();
  readonly #effects: (() => void)[] = [];

  constructor(store: ModelStore, locked: Map<string, Change>) {
    this.#store = store;
    this.#locked = locked;
  }

  /** Returns the subject's new version; the webhooks that listen are those that are there now. */
  emit(event: NewEvent): number {
    const { tables, next } = this.#store;
    const subjectKey = `${event.clinicId}/${event.subject}`;
    const holder = this.#locked.get(subjectKey);
    if (holder !== undefined && holder !== this) throw new Error(`${subjectKey} is locked by another change`);
    this.#locked.set(subjectKey, this);
    const version = (this.#versions.get(subjectKey) ?? tables.subjects.get(subjectKey) ?? 0) + 1;
    this.#versions.set(subjectKey, version);
    const row: EventRow = { ...event, subjectVersion: version };
    this.#effects.push(() => tables.events.set(row.id, row));
    const statement = next.statement++;
    const listening = [...tables.webhooks.values()]
      .filter(({ clinicId, deleted }) => clinicId === event.clinicId && !deleted)
      .sort((a, b) => a.webhookId - b.webhookId);
    for (const webhook of listening) this.#fanOut(webhook, row, statement);
    return version;
  }

  #fanOut(webhook: WebhookRow, { id: eventId, subject }: EventRow, statement: number): void {
    const { tables, next, nowMs } = this.#store;
    const { clinicId, webhookId, choice, enabled } = webhook;
    const name = { clinicId, webhookId, eventId, part: 0 };
    if (!enabled) {
      const end = { state: "cancelled" as const, reason: "off", finishedAt: nowMs() };
      const off = { ...name, choice, sequence: null, attempt: 0, ...end };
      this.#effects.push(() => tables.finished.set(deliveryName(name), off));
      return;
    }
    const unbegun = { sequence: null, attempt: 0, scheduleStart: 0, begunAt: null, fence: null };
    const id = next.delivery++;
    const row: DeliveryRow = { ...name, ...unbegun, id, orderKey: subject, choice, dueAt: nowMs() };
    const bell = { clinicId, webhookId, id: next.bell++, statement };
    this.#effects.push(() => {
      tables.putDelivery(row);
      tables.bells.set(bell.id, bell);
    });
  }

  commit(): void {
    for (const effect of this.#effects) effect();
    for (const [subject, version] of this.#versions) this.#store.tables.subjects.set(subject, version);
    this.#unlock();
  }

  rollback(): void {
    this.#unlock();
  }

  #unlock(): void {
    for (const subject of this.#versions.keys()) this.#locked.delete(subject);
  }
}
