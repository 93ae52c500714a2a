/**
 * The model of what the clinic's side does to the engine's tables: emitting, turning off and on, deleting, sending again.
 *
 * A change is a transaction: what it emits has its ids and versions at once, and is seen by nobody before it commits, which
 * may be later than others that began after it. A subject's version is counted under a lock that it holds till its end.
 */
import type { RunKey } from "../../src/delivery/engine-store.ts";
import type { ModelStore } from "./model-store.ts";
import {
  type Choice,
  type DeliveryName,
  type DeliveryRow,
  deliveryName,
  type EventRow,
  type FinishedRow,
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

  /** A manager turns a webhook off, or on again. */
  setEnabled(key: RunKey, enabled: boolean): void {
    this.#change(key, { enabled, offReason: enabled ? null : "you" });
    if (enabled) this.#mended(key);
  }

  /** The new address is unproved, and has no past of its own. */
  move(key: RunKey, host: string): void {
    this.#change(key, { host });
    this.#store.tables.changeRun(key, { answeredAt: null, lastDeliveredAt: null, lastFailedAt: null });
    this.#mended(key);
  }

  choose(key: RunKey, choice: Choice): void {
    this.#change(key, { choice });
  }

  /** Its secrets are others: nothing that the engine's tables know of. */
  secretsChanged(key: RunKey): void {
    const { tables, nowMs } = this.#store;
    const webhook = tables.webhook(key);
    tables.webhooks.set(nameOf(key), { ...webhook, version: webhook.version + 1, updatedAt: nowMs() });
  }

  /** A webhook that is on rings, for what has waited. */
  #change(key: RunKey, change: Partial<WebhookRow>): void {
    const { nowMs, tables } = this.#store;
    const webhook = tables.webhook(key);
    const changed = { ...webhook, ...change, version: webhook.version + 1, updatedAt: nowMs() };
    tables.webhooks.set(nameOf(key), changed);
    if (changed.enabled) this.ring(key);
  }

  /** Its failures count from the start, and what has waited goes out at a rising rate. */
  #mended(key: RunKey): void {
    const { tables, nowMs } = this.#store;
    const { failures, parkedAt, recoveredAt } = tables.run(key);
    const hasFailed = failures > 0 || parkedAt !== null;
    tables.changeRun(key, { ...HEALTHY_RUN, recoveredAt: hasFailed ? nowMs() : recoveredAt });
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
    const { tables } = this.#store;
    const finished = tables.finished.get(deliveryName(name));
    if (!finished || !tables.isOn(name) || !this.#isKept(name)) return null;
    const id = this.#bringBack(finished, orderKey);
    this.ring(name);
    return id;
  }

  /** What a recovery of everything that did not arrive would take back now, the oldest first. */
  recoverable(key: RunKey): FinishedRow[] {
    const { tables, nowMs } = this.#store;
    return [...tables.finished.values()]
      .filter((row) => nameOf(row) === nameOf(key) && row.finishedAt <= nowMs() && this.#isKept(row))
      .filter(({ state, reason }) => state === "given_up" || reason === "off")
      .sort((a, b) => (a.eventId < b.eventId ? -1 : 1));
  }

  /** One batch of a recovery. `orderKeyOf`: outside the order of their subjects. */
  recover(
    key: RunKey,
    { most, orderKeyOf }: { most: number; orderKeyOf: (row: FinishedRow) => string },
  ): FinishedRow[] {
    const taken = this.recoverable(key).slice(0, most);
    for (const row of taken) this.#bringBack(row, orderKeyOf(row));
    if (taken.length > 0) this.ring(key);
    return taken;
  }

  #isKept({ eventId }: { eventId: string }): boolean {
    return (this.#store.tables.events.get(eventId)?.facts ?? null) !== null;
  }

  /** The content of an event is gone, whatever still waits for it. */
  erase(eventId: string): void {
    const { events } = this.#store.tables;
    const event = events.get(eventId);
    if (event) events.set(eventId, { ...event, facts: null });
  }

  /** Retention of no days at all: the content of what happened before now goes as soon as nothing waits for it. */
  eraseFinished(): void {
    const { tables, nowMs } = this.#store;
    const waiting = new Set(
      [...tables.deliveries.values()].flatMap((rows) => [...rows.values()].map((row) => row.eventId)),
    );
    for (const { id } of [...tables.events.values()]) {
      if (!waiting.has(id) && happenedMs(id) < nowMs()) this.erase(id);
    }
  }

  #bringBack(finished: FinishedRow, orderKey: string): number {
    const { tables, nowMs, next } = this.#store;
    tables.finished.delete(deliveryName(finished));
    const { clinicId, webhookId, eventId, part, choice, sequence, attempt } = finished;
    const id = next.delivery++;
    const unbegun = { scheduleStart: attempt, dueAt: nowMs(), begunAt: null, fence: null };
    tables.putDelivery({ clinicId, webhookId, id, eventId, part, orderKey, choice, sequence, attempt, ...unbegun });
    return id;
  }
}

/** The time in an event's id. */
const happenedMs = (id: string) => Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16);

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
