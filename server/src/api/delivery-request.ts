/**
 * What a delivery sent, or would send first, for whoever looks into it. Patients stand in it as dots until a manager asks to
 * see them and says why; that is written into the audit trail (security.md, Privacy).
 */
import { type DataChoice, eventDefinition, narrower } from "@hookwell/sdk";
import { z } from "zod";
import { record } from "../audit/audit.ts";
import type { Tx } from "../db/schema.ts";
import { renderBody, USER_AGENT } from "../delivery/attempt.ts";
import { conflict, notFound } from "../errors.ts";
import { type DeliveryKey, deliveryId, parseDeliveryId } from "../outbox/identifiers.ts";
import { MASK } from "../webhooks/masking.ts";
import { type LoggedAttempt, readAttempts } from "./attempt-log.ts";
import { command } from "./command.ts";
import type { ApiContext } from "./context.ts";
import { type LoggedDelivery, readDelivery } from "./delivery-log.ts";
import { type REQUEST, type View, viewOf } from "./delivery-shapes.ts";
import { readFacts } from "./event-facts.ts";
import { ID_PARAMS } from "./ids.ts";
import { perPersonAndMinute } from "./person-limits.ts";
import type { App } from "./server.ts";
import { isVeiled } from "./veil.ts";

export const REVEAL_REASON_MAX_CHARACTERS = 200;
/** Of one person. */
const REVEALS_PER_MINUTE_MAX = 30;

interface RequestParts {
  readonly tx: Tx;
  readonly clinicId: number;
  readonly view: View;
  /** By event. */
  readonly facts: ReadonlyMap<string, Buffer>;
}

/** Throws 404 for what is no id of a delivery. */
export function readKey(id: string): DeliveryKey {
  const key = parseDeliveryId(id);
  if (key === null) throw notFound("delivery");
  return key;
}

/** The request as it was sent last, or as it will be sent first, with patients masked. */
export async function showRequest(
  parts: RequestParts,
  delivery: LoggedDelivery,
  attempts: readonly LoggedAttempt[],
): Promise<z.output<typeof REQUEST>> {
  const { principal, seal } = parts.view;
  const webhook = await webhookOf(parts, delivery);
  const custom = webhook.headers && seal.open({ column: "webhooks.headers", row: delivery.webhookId }, webhook.headers);
  const names = custom === null ? [] : (JSON.parse(custom) as { name: string }[]).map(({ name }) => name.toLowerCase());
  const choice = choiceOf(webhook, delivery, attempts);
  const veiled = isVeiled(principal, delivery, choice);
  const body = veiled ? null : bodyOf(parts, delivery, choice);
  const masked = body === null || delivery.test ? body : maskPatients(delivery, body);
  return {
    headers: headersOf(delivery, attempts.at(-1) ?? null, names),
    body: masked,
    body_masked: masked !== body,
    // A signature cannot be made again once its secret has retired, and a custom header is often a credential.
    masked: ["webhook-signature", ...names],
    veiled,
  };
}

/** The exact text; null where it is no longer kept. */
function bodyOf({ view: { seal }, facts }: RequestParts, delivery: LoggedDelivery, choice: DataChoice): string | null {
  const kept = facts.get(delivery.eventId);
  return kept === undefined ? null : renderBody({ ...delivery, facts: kept }, seal, choice);
}

/** What its body holds: as it was sent last, or as it would be sent now. */
function choiceOf(now: DataChoice, { choice }: LoggedDelivery, attempts: readonly LoggedAttempt[]): DataChoice {
  const sent = attempts.findLast((attempt) => attempt.choice !== null);
  return sent?.choice ?? narrower(choice, now);
}

/** Of its webhook as it is now: the custom headers, sealed, and the data choice. */
function webhookOf({ tx, clinicId }: RequestParts, { webhookId }: LoggedDelivery) {
  return tx
    .selectFrom("webhooks")
    .select(["headers", "include_practitioner as practitioner", "include_patient as patient"])
    .where("clinic_id", "=", clinicId)
    .where("id", "=", webhookId)
    .executeTakeFirstOrThrow();
}

/** Name and e-mail of each patient as dots; the very same text where there are none. */
function maskPatients({ event }: LoggedDelivery, body: string): string {
  const { patientKey } = eventDefinition(event);
  let isMasked = false;
  const mask = (one: Record<string, unknown>) => {
    const patient = one[patientKey];
    if (typeof patient !== "object" || patient === null || !("name" in patient)) return one;
    isMasked = true;
    const email = "email" in patient && patient.email !== null ? MASK : null;
    return { ...one, [patientKey]: { ...patient, name: MASK, email } };
  };
  const parsed = JSON.parse(body) as Record<string, unknown> | Record<string, unknown>[];
  const shown = JSON.stringify(Array.isArray(parsed) ? parsed.map(mask) : mask(parsed));
  return isMasked ? shown : body;
}

const REVEAL_BODY = z.strictObject({
  reason: z
    .string()
    .trim()
    .min(1, { error: "Write why you need to see it." })
    .max(REVEAL_REASON_MAX_CHARACTERS, { error: `At most ${REVEAL_REASON_MAX_CHARACTERS} characters fit here.` })
    .refine((text) => text.isWellFormed() && !text.includes("\0"), { error: "This text holds a broken character." }),
});

/** Shows the exact text with its patients, once, and writes down who asked and why. */
export function revealRoute(app: App, context: ApiContext): void {
  const schema = {
    params: ID_PARAMS,
    body: REVEAL_BODY,
    response: { 200: z.object({ id: z.string(), body: z.string().nullable() }) },
  };
  const config = perPersonAndMinute(REVEALS_PER_MINUTE_MAX);
  app.post(
    "/deliveries/:id/reveal",
    {
      schema: { summary: "Read a delivery's message with the patients' data, for a reason that is kept.", ...schema },
      config,
    },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { principal } = request;
        const { clinicId, userId: actor } = principal;
        const key = readKey(request.params.id);
        const delivery = await readDelivery(tx, clinicId, key);
        if (delivery === null) throw notFound("delivery");
        const view = await viewOf(tx, context, principal);
        const parts = { tx, clinicId, view, facts: await readFacts(tx, clinicId, [delivery]) };
        const choice = choiceOf(await webhookOf(parts, delivery), delivery, await readAttempts(tx, clinicId, key));
        const body = bodyOf(parts, delivery, choice);
        if (body === null) throw conflict("content_gone", "Its content is no longer kept, so it cannot be shown.");
        const id = deliveryId(key);
        const { reason } = request.body;
        const target = `delivery:${id}`;
        await record(tx, { clinicId, actor, action: "delivery.revealed", target, before: null, after: { reason } });
        // Asked for again with the same key, it is not told a second time.
        return { status: 200, body: { id, body }, kept: { id, body: null } };
      }),
  );
}

function headersOf(
  delivery: LoggedDelivery,
  last: LoggedAttempt | null,
  customNames: readonly string[],
): Record<string, string> {
  const { sequence, subject, subjectVersion } = delivery;
  return {
    "content-type": "application/json",
    "user-agent": USER_AGENT,
    "webhook-id": deliveryId(delivery),
    ...(last === null ? {} : { "webhook-timestamp": String(Math.floor(last.startedAt.epochMilliseconds / 1_000)) }),
    "webhook-signature": `v1,${MASK}`,
    "webhook-attempt": String(Math.max(1, delivery.attempts)),
    ...(delivery.test ? { "webhook-test": "true" } : {}),
    ...(sequence === null ? {} : { "webhook-sequence": String(sequence) }),
    ...(delivery.test ? {} : { "webhook-subject": subject, "webhook-subject-version": String(subjectVersion) }),
    ...Object.fromEntries(customNames.map((name) => [name, MASK])),
  };
}
