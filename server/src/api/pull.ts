/**
 * GET /v1/webhooks/{id}/deliveries: a receiver reads what it should have got, by number, and can prove that nothing is missing
 * (contract §7, Pull). For managers, and for a key with the scope `deliveries:pull` that was made for this webhook.
 *
 * A body is given as it would be sent now: under the narrower of the choice then and the choice now. None is given while the
 * webhook is off, nor of what was erased or may not be shared.
 */
import { type DataChoice, narrower } from "@hookwell/sdk";
import { z } from "zod";
import type { Principal } from "../accounts/principal.ts";
import { record } from "../audit/audit.ts";
import { getClinic } from "../clinic/clinics.ts";
import { clinicTime } from "../clinic/times.ts";
import { inClinic } from "../db/pool.ts";
import type { Tx } from "../db/schema.ts";
import { renderBody } from "../delivery/attempt.ts";
import { PULLED_NUMBERS_MAX, type PulledDelivery, type PulledPage, readPage } from "../delivery/pull.ts";
import { notFound, ProblemError } from "../errors.ts";
import { deliveryId } from "../outbox/identifiers.ts";
import type { ClinicSeal } from "../seal/seal.ts";
import type { ApiContext } from "./context.ts";
import { ID_PARAMS, readId } from "./ids.ts";
import { PAGE_DEFAULT_ROWS, PAGE_QUERY } from "./paging.ts";
import type { App } from "./server.ts";
import { requireManager } from "./session.ts";
import { NEXT_ATTEMPT_WORDS } from "./waiting.ts";
import { readWaits } from "./waits.ts";

/** In one process; each holds a page of bodies in memory, and may look through what waits. */
const PULLS_AT_ONCE_MAX = 8;
const BUSY_RETRY_AFTER_SECONDS = 1;
const AFTER_WORDS = "Write the highest number that you have looked at, such as 1204, or 0 to begin.";

const QUERY = PAGE_QUERY.pick({ limit: true }).extend({
  after: z
    .string()
    .regex(/^\d{1,16}$/, { error: AFTER_WORDS })
    .transform(Number)
    .refine(Number.isSafeInteger, { error: AFTER_WORDS })
    .optional()
    .describe("`next_after` of the page before; 0 where absent."),
});

const PULLED = z.object({
  sequence: z.int(),
  id: z.string().describe("The `webhook-id`."),
  event: z.string().nullable().describe("Null where its content is no longer kept, as are subject and version."),
  subject: z.string().nullable(),
  subject_version: z.int().nullable(),
  state: z.enum(["waiting", "sending", "delivered", "given_up", "cancelled"]),
  reason: z.string().nullable(),
  attempts: z.int(),
  created_at: z.string(),
  finished_at: z.string().nullable(),
  next_attempt_at: z.string().nullable().describe(NEXT_ATTEMPT_WORDS),
  content: z
    .enum(["kept", "gone", "withheld"])
    .describe("`withheld`: it was erased, may not be shared, or the webhook is off."),
  body: z.string().nullable().describe("The exact text, as it would be sent now."),
});
const PAGE = z.object({
  data: z.array(PULLED),
  not_kept: z
    .array(z.object({ from: z.int(), to: z.int() }))
    .describe("Numbers of which nothing is kept any more, both ends included."),
  next_after: z.int().describe("Every number after `after` up to this one is in `data` or in `not_kept`."),
  highest_sequence: z
    .int()
    .describe("The highest number given so far: nothing is missing once `next_after` has reached it."),
});

export async function pullRoutes(app: App, context: ApiContext): Promise<void> {
  app.addHook("onRequest", requireManager);
  let running = 0;
  const schema = { params: ID_PARAMS, querystring: QUERY, response: { 200: PAGE } };
  const config = { scope: "deliveries:pull" } as const;
  app.get(
    "/webhooks/:id/deliveries",
    { schema: { summary: "Pull a webhook's deliveries by their sequence, to reconcile.", ...schema }, config },
    async ({ principal, params, query }) => {
      const webhookId = readOwnId(params.id, principal);
      if (running >= PULLS_AT_ONCE_MAX) throw busy();
      running += 1;
      try {
        const { after = 0, limit = PAGE_DEFAULT_ROWS } = query;
        return await inClinic(context.db, principal.clinicId, (tx) =>
          pull({ tx, context, principal }, { webhookId, after, limit: Math.min(limit, PULLED_NUMBERS_MAX) }),
        );
      } finally {
        running -= 1;
      }
    },
  );
}

/** A key sees the one webhook that it was made for; to it the others are not there. */
function readOwnId(text: string, { role, webhookId }: Principal): number {
  const id = readId(text, "the webhook");
  if (role === "api_key" && id !== webhookId) throw notFound("the webhook");
  return id;
}

function busy(): ProblemError {
  const title = "Several others are reading at this moment. Send the same request again in a second.";
  return new ProblemError({ status: 503, code: "busy", title, retryAfterSeconds: BUSY_RETRY_AFTER_SECONDS });
}

interface Pull {
  readonly tx: Tx;
  readonly context: ApiContext;
  readonly principal: Principal;
}

interface Wanted {
  readonly webhookId: number;
  readonly after: number;
  readonly limit: number;
}

async function pull(pulling: Pull, wanted: Wanted): Promise<z.output<typeof PAGE>> {
  const { tx, context, principal } = pulling;
  const { clinicId } = principal;
  await readWebhook(pulling, wanted);
  const page = await readPage(tx, { clinicId, ...wanted });
  // Read after the page: data that was unticked meanwhile is not given out.
  const webhook = await readWebhook(pulling, wanted);
  const { timeZone } = await getClinic(tx, clinicId);
  const seal = await context.seal.forClinic(tx, clinicId);
  const waitOf = await readWaits(tx, clinicId, page.deliveries.filter(isWaiting));
  const nextOf = (delivery: PulledDelivery) => (isWaiting(delivery) ? waitOf(delivery).nextAttemptAt : null);
  const data = page.deliveries.map((delivery) => show(delivery, { ...webhook, timeZone, seal, nextOf }));
  if (data.some(({ body }) => body !== null)) await noteDisclosed(pulling, wanted, page);
  const not_kept = page.notKept.map((range) => ({ ...range }));
  return { data, not_kept, next_after: page.upTo, highest_sequence: page.highest };
}

function isWaiting({ state }: PulledDelivery): boolean {
  return state === "waiting";
}

/** Every door through which bodies leave has one such place: this is where the ledger of disclosures will hear of it. */
async function noteDisclosed({ tx, principal }: Pull, { webhookId, after }: Wanted, page: PulledPage): Promise<void> {
  const { clinicId, userId: actor } = principal;
  const disclosed = { after, up_to: page.upTo, deliveries: page.deliveries.length };
  const target = `webhook:${webhookId}`;
  await record(tx, { clinicId, actor, action: "deliveries.pulled", target, before: null, after: disclosed });
}

interface WebhookNow {
  readonly enabled: boolean;
  readonly now: DataChoice;
}

async function readWebhook({ tx, principal }: Pull, { webhookId }: Wanted): Promise<WebhookNow> {
  const row = await tx
    .selectFrom("webhooks")
    .select(["enabled", "include_practitioner", "include_patient"])
    .where("clinic_id", "=", principal.clinicId)
    .where("id", "=", webhookId)
    .where("deleted_at", "is", null)
    .executeTakeFirstOrThrow(() => notFound("the webhook"));
  return { enabled: row.enabled, now: { practitioner: row.include_practitioner, patient: row.include_patient } };
}

const NEVER_GIVEN = new Set<string | null>(["erased", "not_shared"]);

interface View extends WebhookNow {
  readonly timeZone: string;
  readonly seal: ClinicSeal;
  readonly nextOf: (delivery: PulledDelivery) => Temporal.Instant | null;
}

function show(delivery: PulledDelivery, { enabled, now, timeZone, seal, nextOf }: View): z.output<typeof PULLED> {
  const { event, state, reason, sequence, attempts } = delivery;
  const time = (instant: Temporal.Instant | null) => (instant === null ? null : clinicTime(instant, timeZone));
  const isWithheld = !enabled || NEVER_GIVEN.has(reason);
  const facts = event?.facts ?? null;
  const content = facts === null ? "gone" : isWithheld ? "withheld" : "kept";
  const choice = narrower(delivery.choice, now);
  return {
    ...{ sequence, id: deliveryId(delivery) },
    ...{ event: event?.name ?? null, subject: event?.subject ?? null, subject_version: event?.subjectVersion ?? null },
    ...{ state, reason, attempts },
    created_at: clinicTime(delivery.createdAt, timeZone),
    finished_at: time(delivery.finishedAt),
    next_attempt_at: time(nextOf(delivery)),
    content,
    body: facts === null || content !== "kept" ? null : renderBody({ ...delivery, facts }, seal, choice),
  };
}
