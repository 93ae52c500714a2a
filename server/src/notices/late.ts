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

const ROWS_PER_PASS_MAX = 20_000;
/** One webhook's backlog does not keep the others waiting. */
const ROWS_PER_WEBHOOK_MAX = 5_000;
const ROWS_PER_READ_MAX = 500;
const WEBHOOKS_PER_LOOK_MAX = 200;
const RAISED_PER_STATEMENT_MAX = 500;
const STATEMENTS_PER_PASS_MAX = 200;
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

  constructor(options: LateWatchOptions) {
    this.#options = options;
  }

  /** A pass if one is due and no other node has it. `hadEnough`: the next one is due in a second, and goes on from there. */
  async turn(signal?: AbortSignal): Promise<{ looked: number; raised: number; hadEnough: boolean }> {
    const { db } = this.#options;
    const pass = await claimPass(db);
    if (pass === null) return { looked: 0, raised: 0, hadEnough: false };
    const { looked, goOnAfter } = await this.#scan(pass, signal);
    if (goOnAfter !== null) await stopPassAt(db, goOnAfter);
    const raised = await this.#raise(signal);
    return { looked, raised, hadEnough: goOnAfter !== null };
  }

  async #raise(signal: AbortSignal | undefined): Promise<number> {
    let raised = 0;
    for (let done = 0; done < STATEMENTS_PER_PASS_MAX && !signal?.aborted; done += 1) {
      const { watched, notices } = await raiseDue(this.#options.db, RAISED_PER_STATEMENT_MAX);
      raised += notices;
      if (watched < RAISED_PER_STATEMENT_MAX) break;
    }
    return raised;
  }

  /** Looks at what waits, webhook by webhook. `goOnAfter`: where the next pass has to begin soon; null when all is seen. */
  async #scan(pass: Pass, signal: AbortSignal | undefined): Promise<{ looked: number; goOnAfter: WebhookKey | null }> {
    const { db } = this.#options;
    let looked = 0;
    // A pass that begins in the middle leaves what lies before it to the next.
    let isPartial = pass.at.webhookId > 0;
    let at: WebhookKey = pass.at;
    for (;;) {
      const webhooks = await webhooksToScan(db, { after: at, safeId: pass.safeId, limit: WEBHOOKS_PER_LOOK_MAX });
      for (const webhook of webhooks) {
        const rows = await this.#scanOne(webhook, pass, signal);
        looked += rows;
        isPartial ||= rows >= ROWS_PER_WEBHOOK_MAX;
        at = webhook;
        if (looked >= ROWS_PER_PASS_MAX || signal?.aborted) return { looked, goOnAfter: at };
      }
      if (webhooks.length < WEBHOOKS_PER_LOOK_MAX) return { looked, goOnAfter: isPartial ? FROM_THE_START : null };
    }
  }

  /** At most ROWS_PER_WEBHOOK_MAX of one webhook; returns how many. */
  async #scanOne(webhook: ScannedWebhook, { safeId, now }: Pass, signal: AbortSignal | undefined): Promise<number> {
    const { db } = this.#options;
    let looked = 0;
    let { seenId } = webhook;
    while (looked < ROWS_PER_WEBHOOK_MAX && !signal?.aborted) {
      const waiting = await readWaiting(db, { ...webhook, seenId, safeId, limit: ROWS_PER_READ_MAX });
      const last = waiting.at(-1);
      if (last === undefined) break;
      seenId = last.id;
      looked += waiting.length;
      await keepWatches(db, { ...webhook, seenId }, await this.#watchesOf(webhook, { waiting, now }));
      if (waiting.length < ROWS_PER_READ_MAX) break;
    }
    return looked;
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
    try {
      return Temporal.Instant.from((JSON.parse(open()) as ConsultFacts).consult.start_time);
    } catch (err) {
      const fields = { clinic_id: clinicId, webhook_id: webhookId, event_id: eventId, err };
      logEvent(this.#options.log, "notices.facts_unreadable", fields, "error");
      return null;
    }
  }
}
