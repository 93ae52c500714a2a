/**
 * Makes one begun delivery into a result to be settled: target → attempt → decision → what to write.
 */
import { narrower } from "@hookwell/sdk";
import type { Db } from "../db/schema.ts";
import type { Outcome } from "../egress/outcome.ts";
import { type Log, logEvent } from "../log.ts";
import type { KnownHost } from "../webhooks/known-hosts.ts";
import { type AttemptContext, makeAttempt, sealAnswer } from "./attempt.ts";
import type { Begun, Sendable, SettledAttempt } from "./engine-store.ts";
import { askedWaitMs, type Decision, decide } from "./policy.ts";
import type { Target, Targets } from "./targets.ts";
import { type Verdict, verdictOf } from "./verdict.ts";

export interface SenderOptions extends AttemptContext {
  /** runs as hookwell_dispatch */
  db: Db;
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
  verdict: Verdict;
  /** for how long the receiver asks to be left alone */
  askedWaitMs: number;
}

export class Sender {
  readonly #options: SenderOptions;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /**
   * Sends one delivery. Never rejects: a fault of our own is logged and settled as an attempt that failed here, to be tried
   * again on schedule; a delivery whose content is no longer kept is settled as "cancelled: expired". Null when it must not be
   * sent after all (the webhook was deleted or narrowed since it was begun, the lease no longer reaches): then nothing has left.
   */
  async send(begun: Begun, version: number, maySend: () => boolean): Promise<Attempted | null> {
    const { targets, clock, log } = this.#options;
    const startedMs = clock.monotonicMs();
    try {
      const sendable = isSendable(begun) ? begun : await this.#lookAgain(begun);
      if (sendable === null) return expired(begun, startedMs);
      const target = await targets.get(begun, version);
      return target === null || isNarrowed(begun, target) ? null : await this.#sendWhere(sendable, target, maySend);
    } catch (err) {
      const { clinicId: clinic_id, webhookId: webhook_id, eventId: event_id } = begun;
      logEvent(log, "delivery.failed_here", { clinic_id, webhook_id, event_id, err }, "error");
      const outcome: Outcome = { kind: "failed_here", detail: "our own fault", durationMs: 0, bodySent: false };
      return this.#attempted(begun, startedMs, { outcome, choice: null, answer: null, host: null, version: 0 });
    }
  }

  /**
   * The statement that began it may have missed its content: where the day's partition was made meanwhile, its snapshot is
   * older than the row there. What is gone is gone for a statement of its own, too.
   */
  async #lookAgain(begun: Begun): Promise<Sendable | null> {
    const row = await this.#options.db
      .selectFrom("events")
      .select(["name", "subject", "subject_version", "facts"])
      .where("clinic_id", "=", begun.clinicId)
      .where("id", "=", begun.eventId)
      .executeTakeFirst();
    if (!row?.facts) return null;
    const { name, subject, subject_version: subjectVersion, facts } = row;
    return { ...begun, event: { name, subject, subjectVersion, facts } };
  }

  /** The attempt itself, for a target that is at hand and without a lease: a test. */
  async sendTo(begun: Sendable, target: Target): Promise<Attempted> {
    const attempted = await this.#sendWhere(begun, target, () => true);
    if (attempted === null) throw new Error("nothing forbade this attempt, and yet it was not made");
    return attempted;
  }

  async #sendWhere(begun: Sendable, target: Target, maySend: () => boolean): Promise<Attempted | null> {
    if (!maySend()) return null; // asked last: whatever was read before took its time
    const { clock } = this.#options;
    const { clinicSeal } = target;
    const startedMs = clock.monotonicMs();
    const { outcome, choice } = await makeAttempt({ ...this.#options, clinicSeal }, begun, target);
    const answer = sealAnswer(begun, outcome, clinicSeal);
    return this.#attempted(begun, startedMs, { outcome, choice, answer, host: target.host, version: target.version });
  }

  #attempted(begun: Begun, startedMs: number, made: Made): Attempted {
    const { clock, random = Math.random } = this.#options;
    const { outcome } = made;
    const verdict = verdictOf(outcome, made.host);
    const asked = verdict === "too_fast" ? askedWaitMs(outcome, verdict, clock.now()) : 0;
    const attemptOfSchedule = begun.attempt - begun.scheduleStart;
    const decision = decide({ verdict, attemptOfSchedule, test: begun.test, askedWaitMs: asked, random: random() });
    const settled = {
      begun,
      version: made.version,
      durationMs: outcome.durationMs,
      outcome: outcome.kind,
      status: outcome.kind === "answered" ? outcome.answer.status : null,
      choice: made.choice,
      bodySent: outcome.bodySent,
      answer: made.answer,
      next: toNext(decision),
    };
    this.#logAttempt(settled);
    return { settled, startedMs, endedMs: clock.monotonicMs(), verdict, askedWaitMs: asked };
  }

  #logAttempt({ begun, outcome, status, durationMs }: Attempted["settled"]): void {
    const { clinicId: clinic_id, webhookId: webhook_id, eventId: event_id, attempt } = begun;
    const fields = { clinic_id, webhook_id, event_id, attempt, outcome, status, duration_ms: durationMs };
    // The attempt's row says the same; a line for each would cost more than signing it.
    logEvent(this.#options.log, "delivery.attempted", fields, "debug");
  }
}

/**
 * What is sent is never narrower than what its row says: it is begun anew, and the row says it first. Else, if this node were
 * lost and the data ticked again, the same id would carry more than before (contract §7).
 */
function isNarrowed({ choice }: Begun, target: Target): boolean {
  const now = narrower(choice, target.choice);
  return now.practitioner !== choice.practitioner || now.patient !== choice.patient;
}

function isSendable(begun: Begun): begun is Sendable {
  return begun.event !== null;
}

/** What outlived its content (contract §7). Retention ends such deliveries before; here end those that came in between. */
function expired(begun: Begun, startedMs: number): Attempted {
  const nothing = { version: 0, durationMs: 0, status: null, choice: null, bodySent: false, answer: null };
  const next = { do: "finish", state: "cancelled", reason: "expired" } as const;
  return {
    settled: { begun, ...nothing, outcome: "failed_here", next },
    startedMs,
    endedMs: startedMs,
    verdict: "ours",
    askedWaitMs: 0,
  };
}

interface Made {
  outcome: Outcome;
  choice: SettledAttempt["choice"];
  answer: Buffer | null;
  host: KnownHost | null;
  version: number;
}

function toNext(decision: Decision): SettledAttempt["next"] {
  if (decision.do === "retry") return { do: "retry", inMs: decision.inMs };
  return { do: "finish", state: decision.state, reason: decision.state === "delivered" ? null : decision.reason };
}
