/** /v1/deliveries: what was sent, what waits, what each receiver answered, and sending again. For managers only. */
import { type DataChoice, narrower } from "@hookwell/sdk";
import { z } from "zod";
import type { Principal } from "../accounts/principal.ts";
import { record } from "../audit/audit.ts";
import { getClinic } from "../clinic/clinics.ts";
import { clinicTime } from "../clinic/times.ts";
import { inClinic } from "../db/pool.ts";
import type { Tx } from "../db/schema.ts";
import { renderBody, USER_AGENT } from "../delivery/attempt.ts";
import { resend } from "../delivery/resend.ts";
import { notFound } from "../errors.ts";
import { type DeliveryKey, deliveryId, parseDeliveryId } from "../outbox/identifiers.ts";
import type { ClinicSeal } from "../seal/seal.ts";
import { MASK } from "../webhooks/masking.ts";
import { openAnswer } from "./answers.ts";
import { command } from "./command.ts";
import type { ApiContext } from "./context.ts";
import {
  keyName,
  type LoggedAttempt,
  type LoggedDelivery,
  readAttempts,
  readDeliveries,
  readDelivery,
  readLastAttempts,
} from "./delivery-log.ts";
import {
  type ATTEMPT,
  DELIVERIES_QUERY,
  DELIVERY,
  type DELIVERY_BASE,
  DELIVERY_DETAIL,
  daysOf,
  idsOf,
} from "./delivery-shapes.ts";
import { ID_PARAMS, readId } from "./ids.ts";
import { PAGE_DEFAULT_ROWS, pageOf, readCursor, toPage } from "./paging.ts";
import type { App } from "./server.ts";
import { requireManager } from "./session.ts";
import { readSubjectNames } from "./subject-names.ts";
import { isVeiled } from "./veil.ts";
import { attemptWords, waitWords } from "./words.ts";

const PART_MAX = 32_767;
const CURSOR = z.tuple([z.uuid(), z.int().min(1), z.int().min(0).max(PART_MAX)]);

export async function deliveriesRoutes(app: App, context: ApiContext): Promise<void> {
  app.addHook("onRequest", requireManager);
  listRoute(app, context);
  detailRoute(app, context);
  resendRoute(app, context);
}

function listRoute(app: App, context: ApiContext): void {
  const schema = { querystring: DELIVERIES_QUERY, response: { 200: pageOf(DELIVERY) } };
  app.get("/deliveries", { schema }, async ({ principal, principal: { clinicId }, query }) => {
    const limit = query.limit ?? PAGE_DEFAULT_ROWS;
    const webhookId = query.webhook_id === undefined ? undefined : readId(query.webhook_id, "webhook");
    const cursor = readCursor(query.cursor, CURSOR);
    const after = cursor === null ? undefined : { eventId: cursor[0], webhookId: cursor[1], part: cursor[2] };
    return inClinic(context.db, clinicId, async (tx) => {
      const view = await viewOf(tx, context, principal);
      const { event, subject, state } = query;
      const wanted = { clinicId, webhookId, event, subject, state, ...idsOf(query), ...daysOf(query, view) };
      const rows = await readDeliveries(tx, { ...wanted, after, limit: limit + 1 });
      const lastAttempts = await readLastAttempts(tx, clinicId, rows.slice(0, limit));
      const names = await readSubjectNames(tx, clinicId, rows);
      return toPage(rows, limit, {
        item: (row) => ({
          ...showDelivery(row, view, names),
          attempts: row.attempts,
          last_attempt: showAttempt(row, lastAttempts.get(keyName(row)) ?? null, view),
        }),
        key: (row) => [row.eventId, row.webhookId, row.part],
      });
    });
  });
}

function detailRoute(app: App, context: ApiContext): void {
  const schema = { params: ID_PARAMS, response: { 200: DELIVERY_DETAIL } };
  app.get("/deliveries/:id", { schema }, async ({ principal, principal: { clinicId }, params }) => {
    const key = readKey(params.id);
    return inClinic(context.db, clinicId, async (tx) => {
      const delivery = await readDelivery(tx, clinicId, key);
      if (delivery === null) throw notFound("delivery");
      const view = await viewOf(tx, context, principal);
      const attempts = await readAttempts(tx, clinicId, key);
      const shown = [
        ...attempts.map((attempt) => showKnownAttempt(delivery, attempt, view)),
        ...showUnderWay(delivery, view),
      ];
      const names = await readSubjectNames(tx, clinicId, [delivery]);
      return {
        ...showDelivery(delivery, view, names),
        attempts: shown,
        last_attempt: shown.at(-1) ?? null,
        request: await showRequest({ tx, clinicId, view }, delivery, attempts),
      };
    });
  });
}

function resendRoute(app: App, context: ApiContext): void {
  const schema = {
    params: ID_PARAMS,
    body: z.strictObject({}).nullish(),
    response: { 202: z.object({ id: z.string(), state: z.literal("waiting") }) },
  };
  app.post("/deliveries/:id/resend", { schema }, (request, reply) =>
    command(request, reply, context, async (tx) => {
      const key = readKey(request.params.id);
      const { clinicId, userId: actor } = request.principal;
      await resend(tx, clinicId, key);
      const target = `delivery:${deliveryId(key)}`;
      await record(tx, { clinicId, actor, action: "delivery.resent", target, before: null, after: null });
      return { status: 202, body: { id: deliveryId(key), state: "waiting" } };
    }),
  );
}

function readKey(id: string): DeliveryKey {
  const key = parseDeliveryId(id);
  if (key === null) throw notFound("delivery");
  return key;
}

/** What is needed to show anything of this clinic. */
interface View {
  readonly timeZone: string;
  readonly seal: ClinicSeal;
  /** Who looks. */
  readonly principal: Principal;
}

async function viewOf(tx: Tx, context: ApiContext, principal: Principal): Promise<View> {
  const { timeZone } = await getClinic(tx, principal.clinicId);
  return { timeZone, principal, seal: await context.seal.forClinic(tx, principal.clinicId) };
}

function showDelivery(
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
    next_attempt_at: time(delivery.nextAttemptAt),
    ...waitWords({ state: delivery.state, isPlanned: delivery.nextAttemptAt !== null }),
    created_at: clinicTime(delivery.createdAt, timeZone),
    finished_at: time(delivery.finishedAt),
  };
}

function showAttempt(
  delivery: LoggedDelivery,
  attempt: LoggedAttempt | null,
  view: View,
): z.output<typeof ATTEMPT> | null {
  return attempt === null ? null : showKnownAttempt(delivery, attempt, view);
}

function showKnownAttempt(
  delivery: LoggedDelivery,
  attempt: LoggedAttempt,
  { timeZone, seal, principal }: View,
): z.output<typeof ATTEMPT> {
  const isRepeated = attempt.attempt < delivery.attempts || delivery.nextAttemptAt !== null;
  const { key, params, sentence } = attemptWords({ ...attempt, isRepeated });
  const { text, truncated } = openAnswer(seal, attempt, isVeiled(principal, delivery) ? null : attempt.answer);
  return {
    attempt: attempt.attempt,
    started_at: clinicTime(attempt.startedAt, timeZone),
    duration_ms: attempt.durationMs,
    outcome: attempt.outcome,
    status: attempt.status,
    answer_text: text,
    answer_truncated: truncated,
    late: attempt.late,
    ...{ sentence, sentence_key: key, sentence_params: { ...params } },
  };
}

/** The attempt that has begun and has no row yet. */
function showUnderWay(delivery: LoggedDelivery, view: View): z.output<typeof ATTEMPT>[] {
  const { begunAt: startedAt, attempts: attempt } = delivery;
  if (startedAt === null) return [];
  const nothing = { durationMs: null, status: null, choice: null, answer: null, late: false };
  return [showKnownAttempt(delivery, { ...delivery, ...nothing, attempt, startedAt, outcome: "sending" }, view)];
}

interface RequestParts {
  readonly tx: Tx;
  readonly clinicId: number;
  readonly view: View;
}

/** The request as it was sent last, or as it will be sent first. */
async function showRequest(
  { tx, clinicId, view: { seal, principal } }: RequestParts,
  delivery: LoggedDelivery,
  attempts: readonly LoggedAttempt[],
): Promise<z.output<typeof DELIVERY_DETAIL>["request"]> {
  const event = await tx
    .selectFrom("events")
    .select("facts")
    .where("clinic_id", "=", clinicId)
    .where("id", "=", delivery.eventId)
    .executeTakeFirst();
  const webhook = await tx
    .selectFrom("webhooks")
    .select(["include_practitioner", "include_patient", "headers"])
    .where("clinic_id", "=", clinicId)
    .where("id", "=", delivery.webhookId)
    .executeTakeFirstOrThrow();
  const now: DataChoice = { practitioner: webhook.include_practitioner, patient: webhook.include_patient };
  const sent = attempts.findLast((attempt) => attempt.choice !== null);
  const choice = sent?.choice ?? narrower(delivery.choice, now);
  const custom = webhook.headers && seal.open({ column: "webhooks.headers", row: delivery.webhookId }, webhook.headers);
  const names = custom === null ? [] : (JSON.parse(custom) as { name: string }[]).map(({ name }) => name.toLowerCase());
  const veiled = isVeiled(principal, delivery);
  return {
    headers: headersOf(delivery, attempts.at(-1) ?? null, names),
    body: event?.facts && !veiled ? renderBody({ ...delivery, facts: event.facts }, seal, choice) : null,
    // A signature cannot be made again once its secret has retired, and a custom header is often a credential.
    masked: ["webhook-signature", ...names],
    veiled,
  };
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
