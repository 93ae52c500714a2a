/**
 * Makes one begun delivery into a result to be settled: target → attempt → decision → what to write.
 */

import type { Db } from "../db/schema.ts";
import type { Outcome } from "../egress/outcome.ts";
import { type Log, logEvent } from "../log.ts";
import type { Seal } from "../seal/seal.ts";
import { type AttemptContext, makeAttempt, sealAnswer } from "./attempt.ts";
import { type Decision, decide } from "./policy.ts";
import type { Begun, Sendable, SettledAttempt } from "./store.ts";
import type { Target, Targets } from "./targets.ts";

export interface SenderOptions extends AttemptContext {
  /** runs as hookwell_dispatch */
  db: Db;
  seal: Seal;
  log: Log;
  targets: Targets;
  random?: () => number;
}

/** `startedMsAgo` of the settled attempt is filled in when it is settled. */
export interface Attempted {
  settled: Omit<SettledAttempt, "startedMsAgo">;
  /** monotonic ms */
  startedMs: number;
  endedMs: number;
  /** the receiver said that it is gone */
  turnOff: boolean;
}

export class Sender {
  readonly #options: SenderOptions;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /**
   * Sends one delivery. Never rejects: a fault of our own is logged and settled as an attempt that failed here, to be tried
   * again on schedule; a delivery whose content is no longer kept is settled as "cancelled: expired". Null when it must not be sent after all (the webhook was deleted, the lease no longer reaches): then
   * nothing has left.
   */
  async send(begun: Begun, version: number, maySend: () => boolean): Promise<Attempted | null> {
    const { targets, clock, log } = this.#options;
    const startedMs = clock.monotonicMs();
    if (!isSendable(begun)) return expired(begun, startedMs);
    try {
      const target = await targets.get(begun, version);
      return target === null ? null : await this.#sendWhere(begun, target, maySend);
    } catch (err) {
      const { clinicId: clinic_id, webhookId: webhook_id, eventId: event_id } = begun;
      logEvent(log, "delivery.failed_here", { clinic_id, webhook_id, event_id, err }, "error");
      const outcome: Outcome = { kind: "failed_here", detail: "our own fault", durationMs: 0, bodySent: false };
      return this.#attempted(begun, startedMs, { outcome, choice: null, answer: null });
    }
  }

  /** The attempt itself, for a target that is at hand and without a lease: a test. */
  async sendTo(begun: Sendable, target: Target): Promise<Attempted> {
    const attempted = await this.#sendWhere(begun, target, () => true);
    if (attempted === null) throw new Error("nothing forbade this attempt, and yet it was not made");
    return attempted;
  }

  async #sendWhere(begun: Sendable, target: Target, maySend: () => boolean): Promise<Attempted | null> {
    const { db, seal, clock } = this.#options;
    const clinicSeal = await seal.forClinic(db, begun.clinicId);
    if (!maySend()) return null; // asked last: whatever was read before took its time
    const startedMs = clock.monotonicMs();
    const { outcome, choice } = await makeAttempt({ ...this.#options, clinicSeal }, begun, target);
    return this.#attempted(begun, startedMs, { outcome, choice, answer: sealAnswer(begun, outcome, clinicSeal) });
  }

  #attempted(begun: Begun, startedMs: number, made: Made): Attempted {
    const { clock, random = Math.random } = this.#options;
    const { outcome } = made;
    const attemptOfSchedule = begun.attempt - begun.scheduleStart;
    const decision = decide({ outcome, attemptOfSchedule, test: begun.test, now: clock.now(), random: random() });
    const settled = {
      begun,
      durationMs: outcome.durationMs,
      outcome: outcome.kind,
      status: outcome.kind === "answered" ? outcome.answer.status : null,
      choice: made.choice,
      bodySent: outcome.bodySent,
      answer: made.answer,
      next: toNext(decision),
    };
    this.#logAttempt(settled);
    return { settled, startedMs, endedMs: clock.monotonicMs(), turnOff: decision.do === "retry" && decision.turnOff };
  }

  #logAttempt({ begun, outcome, status, durationMs }: Attempted["settled"]): void {
    const { clinicId: clinic_id, webhookId: webhook_id, eventId: event_id, attempt } = begun;
    const fields = { clinic_id, webhook_id, event_id, attempt, outcome, status, duration_ms: durationMs };
    logEvent(this.#options.log, "delivery.attempted", fields);
  }
}

function isSendable(begun: Begun): begun is Sendable {
  return begun.event !== null;
}

/** What outlived its content (contract §7). Retention ends such deliveries before; here end those that came in between. */
function expired(begun: Begun, startedMs: number): Attempted {
  const nothing = { durationMs: 0, status: null, choice: null, bodySent: false, answer: null };
  const next = { do: "finish", state: "cancelled", reason: "expired" } as const;
  return {
    settled: { begun, ...nothing, outcome: "failed_here", next },
    startedMs,
    endedMs: startedMs,
    turnOff: false,
  };
}

interface Made {
  outcome: Outcome;
  choice: SettledAttempt["choice"];
  answer: Buffer | null;
}

function toNext(decision: Decision): SettledAttempt["next"] {
  if (decision.do === "retry") return { do: "retry", inMs: decision.inMs };
  return { do: "finish", state: decision.state, reason: decision.state === "delivered" ? null : decision.reason };
}
