/**
 * The watch over deadlines: a change or cancellation of an upcoming consult that is still undelivered half an hour before the
 * consult starts becomes a notice, once per consult and webhook; also behind a webhook that is parked or off.
 *
 * It costs the engine nothing. Deliveries get no column and no index: whatever is delivered at once is never looked at. What
 * still waits after a while is read once, by the primary key, webhook by webhook from where the last pass stopped; of consult
 * changes the sealed facts are opened once, and the start is remembered in `late_watches`. A pass reads a limited number of
 * rows and the next goes on from there, so that a backlog of a million rows is gone through in bounded pieces, once.
 *
 * Nothing is passed over: a row may become visible after rows with higher ids, because ids are drawn before the commit. So a
 * pass goes no further than an id of which it is known that every transaction that had drawn one up to there has ended
 * (late-store.ts, claimPass).
 */
import type { ConsultFacts } from "@hookwell/sdk";
import type { Db } from "../db/schema.ts";
import { type Log, logEvent } from "../log.ts";
import { deliveryId } from "../outbox/identifiers.ts";
import type { Seal } from "../seal/seal.ts";
import {
  claimPass,
  keepWatches,
  type Pass,
  raiseDue,
  readWaiting,
  type ScannedWebhook,
  stopPassAt,
  type Waiting,
  type Watch,
  type WebhookKey,
  webhooksToScan,
} from "./late-store.ts";

/** A pass is short, so that a backlog costs the machine a few hundredths of a core while it is gone through. */
const ROWS_PER_PASS_MAX = 1_000;
/** One webhook's backlog does not keep the others waiting. */
const ROWS_PER_TURN_MAX = 250;
const WEBHOOKS_PER_PASS_MAX = 200;
const RAISED_PER_PASS_MAX = 500;
/** Events whose start is at hand, where several webhooks wait with the same ones. */
const STARTS_KEPT_MAX = 5_000;
/** Consults that began longer ago are not worth a notice any more, as after an outage of our own. */
const TOLD_AFTER_START_MAX_MS = 2 * 3_600_000;

const FROM_THE_START: WebhookKey = { clinicId: 0, webhookId: 0 };

export interface LateWatchOptions {
  /** runs as hookwell_dispatch */
  readonly db: Db;
  readonly seal: Seal;
  readonly log: Log;
}

export class LateWatch {
  readonly #options: LateWatchOptions;
  readonly #starts = new Map<string, Temporal.Instant>();

  constructor(options: LateWatchOptions) {
    this.#options = options;
  }

  /** A pass if one is due and no other node has it. `hadEnough`: the next one is due in a second, and goes on from there. */
  async turn(signal?: AbortSignal): Promise<{ looked: number; raised: number; hadEnough: boolean }> {
    const { db } = this.#options;
    const pass = await claimPass(db);
    if (pass === null) return { looked: 0, raised: 0, hadEnough: false };
    const { looked, goOnAfter } = await this.#scan(pass, signal);
    const { watched, notices } = await raiseDue(db, RAISED_PER_PASS_MAX);
    const goOn = goOnAfter ?? (watched < RAISED_PER_PASS_MAX ? null : FROM_THE_START);
    if (goOn !== null) await stopPassAt(db, goOn);
    return { looked, raised: notices, hadEnough: goOn !== null };
  }

  /** Looks at what waits, webhook by webhook. `goOnAfter`: where the next pass has to begin soon; null when all is seen. */
  async #scan(pass: Pass, signal: AbortSignal | undefined): Promise<{ looked: number; goOnAfter: WebhookKey | null }> {
    const { db } = this.#options;
    const { at, safeId } = pass;
    const found = await webhooksToScan(db, { after: at, safeId, limit: WEBHOOKS_PER_PASS_MAX });
    let looked = 0;
    let goOnAfter: WebhookKey = at;
    // In turns: whoever has more behind it comes again when all have had a turn.
    const turns = [...found];
    for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) {
      if (looked >= ROWS_PER_PASS_MAX || signal?.aborted) return { looked, goOnAfter };
      const { rows, seenId } = await this.#scanOne(turn, pass);
      looked += rows;
      if (found.includes(turn)) goOnAfter = turn;
      if (rows >= ROWS_PER_TURN_MAX) turns.push({ ...turn, seenId });
    }
    if (found.length >= WEBHOOKS_PER_PASS_MAX) return { looked, goOnAfter };
    // A pass that began in the middle leaves what lies before it to the next.
    return { looked, goOnAfter: at.webhookId > 0 ? FROM_THE_START : null };
  }

  /** At most ROWS_PER_TURN_MAX of one webhook. */
  async #scanOne(webhook: ScannedWebhook, { safeId, now }: Pass): Promise<{ rows: number; seenId: number }> {
    const { db } = this.#options;
    const waiting = await readWaiting(db, { ...webhook, safeId, limit: ROWS_PER_TURN_MAX });
    const seenId = waiting.at(-1)?.id ?? webhook.seenId;
    await keepWatches(db, { ...webhook, seenId }, await this.#watchesOf(webhook, { waiting, now }));
    return { rows: waiting.length, seenId };
  }

  async #watchesOf(
    webhook: ScannedWebhook,
    { waiting, now }: { readonly waiting: readonly Waiting[]; readonly now: Temporal.Instant },
  ): Promise<Watch[]> {
    const changes = waiting.filter(({ change }) => change !== null);
    if (changes.length === 0) return [];
    const { db, seal } = this.#options;
    const clinicSeal = await seal.forClinic(db, webhook.clinicId);
    const oldest = now.subtract({ milliseconds: TOLD_AFTER_START_MAX_MS });
    return changes.flatMap(({ id, eventId, part, change }) => {
      if (change === null) return [];
      const open = () => clinicSeal.open({ column: "events.facts", row: eventId }, change.facts);
      const startsAt = this.#startOf(open, { ...webhook, eventId });
      if (startsAt === null || Temporal.Instant.compare(startsAt, oldest) <= 0) return [];
      // A change of the past is no news to anybody who waits for a patient.
      if (Temporal.Instant.compare(startsAt, change.occurredAt) <= 0) return [];
      const delivery = deliveryId({ eventId, webhookId: webhook.webhookId, part });
      return [{ deliveryId: id, delivery, event: change.event, subject: change.subject, startsAt }];
    });
  }

  /** One event that does not open must not keep the others from being watched. */
  #startOf(open: () => string, { clinicId, webhookId, eventId }: ScannedWebhook & { eventId: string }) {
    const known = this.#starts.get(eventId);
    if (known !== undefined) return known;
    try {
      const startsAt = Temporal.Instant.from((JSON.parse(open()) as ConsultFacts).consult.start_time);
      const oldest = this.#starts.size >= STARTS_KEPT_MAX ? this.#starts.keys().next().value : undefined;
      if (oldest !== undefined) this.#starts.delete(oldest);
      this.#starts.set(eventId, startsAt);
      return startsAt;
    } catch (err) {
      const fields = { clinic_id: clinicId, webhook_id: webhookId, event_id: eventId, err };
      logEvent(this.#options.log, "notices.facts_unreadable", fields, "error");
      return null;
    }
  }
}
