/** Deliveries and their attempts as the API shows them: the schemas, and what is told of each to a manager. */
import { z } from "zod";
import { isCapable, type Principal } from "../accounts/principal.ts";
import { getClinic } from "../clinic/clinics.ts";
import { clinicTime } from "../clinic/times.ts";
import type { Tx } from "../db/schema.ts";
import { OFF_AFTER_MS } from "../delivery/health.ts";
import { RETRY_WAITS_MS } from "../delivery/policy.ts";
import { deliveryId } from "../outbox/identifiers.ts";
import type { ClinicSeal } from "../seal/seal.ts";
import { knownHost } from "../webhooks/known-hosts.ts";
import type { AnswerMask } from "./answer-masks.ts";
import { type KeptAnswer, openAnswer } from "./answers.ts";
import type { LoggedAttempt } from "./attempt-log.ts";
import type { ApiContext } from "./context.ts";
import type { LoggedDelivery } from "./delivery-log.ts";
import { isAnswerVeiled } from "./veil.ts";
import { NEXT_ATTEMPT_WORDS, showWaiting, WAIT_KEYS, WAITING } from "./waiting.ts";
import { EVENT } from "./webhook-shapes.ts";
import { type Ahead, attemptWords } from "./words.ts";

const ATTEMPT = z.object({
  attempt: z.int(),
  started_at: z.string(),
  duration_ms: z.int().nullable(),
  outcome: z.string(),
  status: z.int().nullable(),
  answer_text: z.string().nullable(),
  answer_truncated: z.boolean(),
  moved_to: z
    .string()
    .nullable()
    .describe("The whole address that a 3xx names, where it is one that could be sent to."),
  late: z.boolean(),
  sentence: z.string(),
  sentence_key: z.string(),
  sentence_params: z.record(z.string(), z.union([z.string(), z.number()])),
});
const ATTEMPT_DETAIL = ATTEMPT.extend({
  answer_headers: z.record(z.string(), z.string()).nullable().describe("As they came, without cookies."),
  failure_code: z.string().nullable().describe("Where no answer came: the system's or the library's own code."),
});

const DELIVERY_BASE = z.object({
  id: z.string(),
  event: EVENT,
  event_id: z.string(),
  webhook: z.object({ id: z.int(), name: z.string() }),
  subject: z.string(),
  subject_name: z
    .string()
    .nullable()
    .describe("What staff call it: the number of an invoice. Null where it has no such name."),
  subject_version: z.int(),
  sequence: z.int().nullable(),
  part: z.int(),
  test: z.boolean(),
  state: z.enum(["waiting", "sending", "delivered", "given_up", "cancelled"]),
  reason: z.string().nullable(),
  waiting: WAITING,
  next_attempt_at: z.string().nullable().describe(NEXT_ATTEMPT_WORDS),
  tries_until: z.string().nullable().describe("About when the last attempt will be made, if none succeeds before."),
  /** What it waits for, where that is not simply its time or turn. */
  sentence: z.string().nullable(),
  sentence_key: z.enum(WAIT_KEYS).nullable(),
  created_at: z.string(),
  finished_at: z.string().nullable(),
});
export const DELIVERY = DELIVERY_BASE.extend({ attempts: z.int(), last_attempt: ATTEMPT.nullable() });

export const REQUEST = z.object({
  headers: z.record(z.string(), z.string()),
  /** Null where it is no longer kept. */
  body: z.string().nullable(),
  /** Whether names and addresses of patients stand in it as dots; `reveal` shows them. */
  body_masked: z.boolean(),
  /** Names of the headers whose values are not shown. */
  masked: z.array(z.string()),
  /** The body is kept, and not for whoever asked: see veil.ts. */
  veiled: z.boolean(),
});
export const DELIVERY_DETAIL = DELIVERY_BASE.extend({
  attempts: z.array(ATTEMPT_DETAIL),
  last_attempt: ATTEMPT_DETAIL.nullable(),
  request: REQUEST,
});

/** What is needed to show anything of this clinic. */
export interface View {
  readonly timeZone: string;
  readonly seal: ClinicSeal;
  /** Who looks. */
  readonly principal: Principal;
}

export async function viewOf(tx: Tx, context: ApiContext, principal: Principal): Promise<View> {
  const { timeZone } = await getClinic(tx, principal.clinicId);
  return { timeZone, principal, seal: await context.seal.forClinic(tx, principal.clinicId) };
}

/** @param names what staff call the subjects (subject-names.ts) */
export function showDelivery(
  delivery: LoggedDelivery,
  { timeZone }: View,
  names: ReadonlyMap<string, string>,
): z.output<typeof DELIVERY_BASE> {
  const time = (instant: Temporal.Instant | null) => (instant === null ? null : clinicTime(instant, timeZone));
  return {
    ...{ id: deliveryId(delivery), event: delivery.event, event_id: delivery.eventId },
    webhook: { id: delivery.webhookId, name: delivery.webhookName },
    subject_name: names.get(delivery.subject) ?? null,
    ...{ subject: delivery.subject, subject_version: delivery.subjectVersion, sequence: delivery.sequence },
    ...{ part: delivery.part, test: delivery.test, state: delivery.state, reason: delivery.reason },
    next_attempt_at: time(delivery.wait?.nextAttemptAt ?? null),
    tries_until: time(triesUntil(delivery)),
    ...showWaiting(delivery.wait?.waiting ?? null),
    created_at: clinicTime(delivery.createdAt, timeZone),
    finished_at: time(delivery.finishedAt),
  };
}

/** While it is parked, its webhook's clock counts; else the waits of its own schedule that are still to come. */
function triesUntil({ wait, attempts, scheduleStart }: LoggedDelivery): Temporal.Instant | null {
  if (wait === null) return null;
  const from = wait.waiting.for === "turn" ? wait.dueAt : wait.nextAttemptAt;
  if (wait.waiting.for === "receiver" && wait.parkedSince !== null) {
    const until = wait.parkedSince.add({ milliseconds: OFF_AFTER_MS });
    return from !== null && Temporal.Instant.compare(until, from) < 0 ? from : until;
  }
  if (from === null) return null;
  const waits = RETRY_WAITS_MS.slice(attempts - scheduleStart);
  return from.add({ milliseconds: waits.reduce((sum, wait) => sum + wait, 0) });
}

/** An attempt of a delivery, and how patients in its answer become dots (answer-masks.ts). */
export interface AttemptShown {
  readonly delivery: LoggedDelivery;
  readonly attempt: LoggedAttempt;
  readonly mask: AnswerMask;
}

/** The last attempt of a delivery in a list. */
export function showAttempt(attempt: AttemptShown, view: View): z.output<typeof ATTEMPT> {
  return describe(attempt, view).shown;
}

/** All that is known of an attempt. */
export function showAttemptWhole(attempt: AttemptShown, view: View): z.output<typeof ATTEMPT_DETAIL> {
  const { shown, headers, detail } = describe(attempt, view);
  return { ...shown, answer_headers: headers, failure_code: detail };
}

/** The attempt that has begun and has no row yet. */
export function showUnderWay(delivery: LoggedDelivery, view: View): z.output<typeof ATTEMPT_DETAIL>[] {
  const { begunAt: startedAt, attempts: number } = delivery;
  if (startedAt === null) return [];
  const nothing = { durationMs: null, status: null, choice: null, answer: null, late: false };
  const attempt = { ...delivery, ...nothing, attempt: number, startedAt, outcome: "sending" };
  return [showAttemptWhole({ delivery, attempt, mask: (text) => text }, view)];
}

interface Described {
  readonly shown: z.output<typeof ATTEMPT>;
  readonly headers: Record<string, string> | null;
  readonly detail: string | null;
}

function describe({ delivery, attempt, mask }: AttemptShown, view: View): Described {
  const { timeZone, seal, principal } = view;
  const kept = openAnswer(seal, attempt, attempt.answer);
  const { key, params, sentence } = attemptWords(
    {
      ...{ outcome: attempt.outcome, status: attempt.status, durationMs: attempt.durationMs },
      ...{ detail: kept.detail, expiredAt: kept.expiredAt, movedTo: kept.movedTo?.host ?? null },
      service: serviceOf(delivery, seal),
      test: delivery.test,
      ahead: aheadOf(delivery, attempt),
    },
    timeZone,
  );
  // The cause is told from the whole answer, also to those who do not see it.
  const answer = isAnswerVeiled(principal, delivery, attempt) ? NO_ANSWER : maskAnswer(kept, mask);
  const shown = {
    attempt: attempt.attempt,
    started_at: clinicTime(attempt.startedAt, timeZone),
    duration_ms: attempt.durationMs,
    outcome: attempt.outcome,
    status: attempt.status,
    answer_text: answer.text,
    answer_truncated: kept.truncated,
    // As a webhook's own address: whole for who may change it.
    moved_to: isCapable(principal, "manage") ? answer.movedTo : null,
    late: attempt.late,
    ...{ sentence, sentence_key: key, sentence_params: { ...params } },
  };
  return { shown, headers: answer.headers, detail: kept.detail };
}

interface AnswerShown {
  readonly text: string | null;
  readonly headers: Record<string, string> | null;
  readonly movedTo: string | null;
}

const NO_ANSWER: AnswerShown = { text: null, headers: null, movedTo: null };

/** An address with dots in it leads nowhere, so it is left out. */
function maskAnswer({ text, truncated, headers, movedTo }: KeptAnswer, mask: AnswerMask): AnswerShown {
  const masked = Object.entries(headers ?? {}).flatMap(([name, value]) => {
    const shown = mask(value);
    return shown === null ? [] : [[name, shown]];
  });
  const href = movedTo?.href ?? null;
  return {
    text: text === null ? null : mask(text, truncated),
    headers: headers === null || mask("") === null ? null : Object.fromEntries(masked),
    movedTo: href !== null && mask(href) === href ? href : null,
  };
}

/** Null where it is none that we know, and where the address went with its webhook. */
function serviceOf({ webhookId, webhookUrl }: LoggedDelivery, seal: ClinicSeal): string | null {
  const url = URL.parse(seal.open({ column: "webhooks.url", row: webhookId }, webhookUrl));
  return url === null ? null : knownHost(url);
}

/** Null for what has been overtaken by a later attempt. */
function aheadOf(delivery: LoggedDelivery, attempt: LoggedAttempt): Ahead | null {
  if (attempt.attempt < delivery.attempts) return null;
  const { wait } = delivery;
  return { next: wait?.waiting.for === "turn" ? "soon" : (wait?.nextAttemptAt ?? null), until: triesUntil(delivery) };
}
