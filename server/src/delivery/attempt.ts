/**
 * One attempt, a straight line: open the facts → narrow the choice → render → sign → send. What comes of it is a value.
 */
import { type DataChoice, type Facts, narrower, render } from "@hookwell/sdk";
import type { Clock } from "../clock.ts";
import type { Egress } from "../egress/client.ts";
import type { Outcome } from "../egress/outcome.ts";
import { deliveryId } from "../outbox/identifiers.ts";
import type { ClinicSeal } from "../seal/seal.ts";
import type { Sendable } from "./engine-store.ts";
import type { Target } from "./targets.ts";

export const USER_AGENT = "Hookwell/1 (webhooks for clinics)";

export interface AttemptContext {
  egress: Egress;
  clock: Clock;
}

/** The message of one attempt, ready to be sent. */
export interface Message {
  /** name, value, name, value …; the manager's own headers last */
  headers: string[];
  body: string;
  /** what the body really holds: the narrower of the choice then and the choice now (contract §6) */
  choice: DataChoice;
}

export interface AttemptResult {
  outcome: Outcome;
  choice: DataChoice;
}

/** The exact body of a delivery under a choice: facts as captured, never today's rows. */
export function renderBody(delivery: BodySource, clinicSeal: ClinicSeal, choice: DataChoice): string {
  const facts = JSON.parse(clinicSeal.open({ column: "events.facts", row: delivery.eventId }, delivery.facts)) as Facts;
  return render(facts, choice, { part: delivery.part, participantsPerRequest: delivery.participantsPerRequest });
}

export interface BodySource {
  eventId: string;
  part: number;
  participantsPerRequest: number;
  facts: Buffer;
}

/** Renders and signs. The text that is signed is the text that is sent. */
export function composeMessage(
  begun: Sendable,
  target: Target,
  { clinicSeal, clock }: { clinicSeal: ClinicSeal; clock: Clock },
): Message {
  const choice = narrower(begun.choice, target.choice);
  const body = renderBody({ ...begun, facts: begun.event.facts }, clinicSeal, choice);
  const id = deliveryId(begun);
  const timestampSeconds = Math.floor(clock.now().epochMilliseconds / 1000);
  const headers = [
    ...["content-type", "application/json"],
    ...["user-agent", USER_AGENT],
    ...["webhook-id", id],
    ...["webhook-timestamp", String(timestampSeconds)],
    ...["webhook-signature", target.sign(id, timestampSeconds, body)],
    ...["webhook-attempt", String(begun.attempt)],
    ...(begun.test ? ["webhook-test", "true"] : orderHeaders(begun)),
    ...target.customHeaders,
  ];
  return { headers, body, choice };
}

/** Sequence, subject and version: what a receiver needs to prove completeness and to drop what is older (contract §7). */
function orderHeaders(begun: Sendable): string[] {
  const { subject, subjectVersion } = begun.event;
  const sequence = begun.sequence === null ? [] : ["webhook-sequence", String(begun.sequence)];
  return [...sequence, "webhook-subject", subject, "webhook-subject-version", String(subjectVersion)];
}

/** Sends one attempt. An address that is refused before sending is an outcome like any other. */
export async function makeAttempt(
  context: AttemptContext & { clinicSeal: ClinicSeal },
  begun: Sendable,
  target: Target,
): Promise<AttemptResult> {
  const message = composeMessage(begun, target, context);
  const checked = context.egress.check(target.url);
  if (!checked.ok) {
    const outcome: Outcome = { kind: "refused_address", detail: checked.code, durationMs: 0, bodySent: false };
    return { outcome, choice: message.choice };
  }
  const outcome = await context.egress.post({ url: checked.url, headers: message.headers, body: message.body });
  return { outcome, choice: message.choice };
}

/** The answer as it is kept: sealed JSON with the text, the headers or the detail. Null where there is nothing to keep. */
export function sealAnswer(begun: Sendable, outcome: Outcome, clinicSeal: ClinicSeal): Buffer {
  const kept =
    outcome.kind === "answered"
      ? { text: outcome.answer.text, truncated: outcome.answer.truncated, headers: outcome.answer.headers }
      : { detail: outcome.detail, ...(outcome.expiredAt !== undefined && { expiredAt: outcome.expiredAt }) };
  return clinicSeal.seal({ column: "attempts.answer", row: answerRow(begun) }, JSON.stringify(kept));
}

/** The row under which an attempt's answer is sealed. */
export function answerRow(attempt: { eventId: string; webhookId: number; part: number; attempt: number }): string {
  return `${attempt.eventId}/${attempt.webhookId}/${attempt.part}/${attempt.attempt}`;
}
