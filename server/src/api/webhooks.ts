/** /v1/webhooks: configuration, the check of an address, test sends. For managers only. */
import { z } from "zod";
import { isCapable, type Principal } from "../accounts/principal.ts";
import { getClinic } from "../clinic/clinics.ts";
import { inClinic } from "../db/pool.ts";
import type { Tx } from "../db/schema.ts";
import type { TestChanges, TestSent } from "../delivery/test-send.ts";
import { below, ProblemError } from "../errors.ts";
import type { ClinicSeal } from "../seal/seal.ts";
import { knownHost } from "../webhooks/known-hosts.ts";
import {
  changeWebhook,
  createWebhook,
  deleteWebhook,
  getWebhook,
  listWebhooks,
  previewWebhook,
  type WebhooksContext,
} from "../webhooks/webhooks.ts";
import { untilAlike } from "./alike.ts";
import { openAnswer } from "./answers.ts";
import { command, commandOutside } from "./command.ts";
import type { ApiContext } from "./context.ts";
import { ID_PARAMS, readId } from "./ids.ts";
import { PAGE_DEFAULT_ROWS, PAGE_QUERY, pageOf, readCursor, toPage } from "./paging.ts";
import { perPersonAndMinute } from "./person-limits.ts";
import type { App } from "./server.ts";
import { requireManager } from "./session.ts";
import { activityRoute } from "./webhook-activity.ts";
import {
  CREATED_WEBHOOK,
  LISTED_WEBHOOK,
  listWebhook,
  NEW_WEBHOOK_BODY,
  showWebhook,
  TEST_BODY,
  toInput,
  WEBHOOK,
  WEBHOOK_CHANGE_BODY,
} from "./webhook-shapes.ts";
import { attemptWords } from "./words.ts";

const CURSOR = z.tuple([z.int()]);
const URL_CHECKED_MAX_CHARACTERS = 20_000;
/** Of one person: more than anybody types, and too few to keep the look-ups of trials for oneself. */
const URL_CHECKS_PER_MINUTE_MAX = 30;

export async function webhooksRoutes(app: App, context: ApiContext): Promise<void> {
  app.addHook("onRequest", requireManager);
  readRoutes(app, context);
  activityRoute(app, context);
  changeRoutes(app, context);
  trialRoutes(app, context);
}

/** The room's view of a request: whose clinic, who acts. */
export function roomOf(context: ApiContext, principal: Principal): WebhooksContext {
  const { seal, egress } = context;
  const { clinicId, userId: actor } = principal;
  const patientDataLocked = !isCapable(principal, "include-patient");
  return { seal, clinicId, actor, patientDataLocked, checkAddress: (text) => egress.check(text) };
}

export async function timeZoneOf(tx: Tx, clinicId: number): Promise<string> {
  return (await getClinic(tx, clinicId)).timeZone;
}

function readRoutes(app: App, context: ApiContext): void {
  const list = { querystring: PAGE_QUERY, response: { 200: pageOf(LISTED_WEBHOOK) } };
  app.get("/webhooks", { schema: { summary: "List webhooks.", ...list } }, async ({ principal, query }) => {
    const limit = query.limit ?? PAGE_DEFAULT_ROWS;
    const [afterId] = readCursor(query.cursor, CURSOR) ?? [0];
    return inClinic(context.db, principal.clinicId, async (tx) => {
      const timeZone = await timeZoneOf(tx, principal.clinicId);
      const rows = await listWebhooks(tx, roomOf(context, principal), { afterId, limit: limit + 1 });
      return toPage(rows, limit, { item: (row) => listWebhook(row, timeZone), key: (row) => [row.id] });
    });
  });

  const one = { params: ID_PARAMS, response: { 200: WEBHOOK } };
  app.get("/webhooks/:id", { schema: { summary: "Read a webhook.", ...one } }, async ({ principal, params }) => {
    const id = readId(params.id, "webhook");
    return inClinic(context.db, principal.clinicId, async (tx) => {
      const webhook = await getWebhook(tx, roomOf(context, principal), id);
      return showWebhook(webhook, await timeZoneOf(tx, principal.clinicId));
    });
  });
}

function changeRoutes(app: App, context: ApiContext): void {
  const create = { body: NEW_WEBHOOK_BODY, response: { 201: CREATED_WEBHOOK } };
  app.post(
    "/webhooks",
    { schema: { summary: "Make a webhook, whose secret is shown this once.", ...create } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const room = roomOf(context, request.principal);
        const { webhook, secret } = await createWebhook(tx, room, toInput(request.body));
        const shown = showWebhook(webhook, await timeZoneOf(tx, room.clinicId));
        const seen = isCapable(request.principal, "new-secret") ? { secret } : {};
        return { status: 201, body: { ...shown, ...seen }, kept: shown };
      }),
  );

  const change = { params: ID_PARAMS, body: WEBHOOK_CHANGE_BODY, response: { 200: WEBHOOK } };
  app.patch("/webhooks/:id", { schema: { summary: "Change a webhook.", ...change } }, (request, reply) =>
    command(request, reply, context, async (tx) => {
      const id = readId(request.params.id, "webhook");
      const { version, ...body } = request.body;
      const room = roomOf(context, request.principal);
      const webhook = await changeWebhook(tx, room, { id, change: { ...toInput(body), version } });
      return { status: 200, body: showWebhook(webhook, await timeZoneOf(tx, room.clinicId)) };
    }),
  );

  const remove = { params: ID_PARAMS, response: { 200: z.object({ dropped: z.int() }) } };
  app.delete("/webhooks/:id", { schema: { summary: "Delete a webhook.", ...remove } }, (request, reply) =>
    command(request, reply, context, async (tx) => {
      const id = readId(request.params.id, "webhook");
      return { status: 200, body: await deleteWebhook(tx, roomOf(context, request.principal), id) };
    }),
  );
}

/** Outcomes without a connection: how long they took would tell what the name servers know of names inside. */
const NOTHING_DIALLED: ReadonlySet<string> = new Set(["refused_address", "name_not_found"]);

const URL_CHECK = z.union([
  z.object({ ok: z.literal(true), host: z.string(), known_host: z.string().nullable() }),
  z.object({ ok: z.literal(false), code: z.string(), message: z.string() }),
]);

const TEST_RESULT = z.object({
  delivery_id: z.string(),
  result: z.object({
    kind: z.string(),
    status: z.int().nullable(),
    duration_ms: z.int(),
    answer_text: z.string().nullable(),
    answer_truncated: z.boolean(),
    moved_to: z.string().nullable(),
    sentence: z.string(),
    sentence_key: z.string(),
    sentence_params: z.record(z.string(), z.union([z.string(), z.number()])),
  }),
});

/** What a manager tries before saving: is the address possible, and what does it answer? */
function trialRoutes(app: App, context: ApiContext): void {
  const check = {
    body: z.strictObject({ url: z.string().max(URL_CHECKED_MAX_CHARACTERS) }),
    response: { 200: URL_CHECK },
  };
  app.post(
    "/webhooks/check-url",
    {
      schema: { summary: "Check whether an address may be sent to; nothing is sent.", ...check },
      config: perPersonAndMinute(URL_CHECKS_PER_MINUTE_MAX),
    },
    async ({ body }) => {
      const { clock, egress } = context;
      const begunMs = clock.monotonicMs();
      const checked = egress.check(body.url.trim());
      if (!checked.ok) {
        // What is wrong with its spelling alone tells nothing of what is behind it.
        if (checked.code === "blocked_address") await untilAlike(clock, begunMs);
        return refusal(checked);
      }
      const vetted = checked.loopback ? { ok: true as const } : await egress.vet(checked.url);
      if (!vetted.ok) {
        await untilAlike(clock, begunMs);
        return refusal(vetted);
      }
      return { ok: true as const, host: checked.url.host, known_host: knownHost(checked.url) };
    },
  );

  const test = { params: ID_PARAMS, body: TEST_BODY, response: { 200: TEST_RESULT } };
  app.post(
    "/webhooks/:id/test",
    { schema: { summary: "Send a test to a webhook, and read what it answers.", ...test } },
    (request, reply) =>
      commandOutside(request, reply, context, async () => {
        const webhookId = readId(request.params.id, "webhook");
        const { clinicId } = request.principal;
        const begunMs = context.clock.monotonicMs();
        const room = roomOf(context, request.principal);
        const { event, changes: unsaved } = request.body;
        const { changes, saved } = await inClinic(context.db, clinicId, async (tx) => {
          const saved = await getWebhook(tx, room, webhookId);
          return { saved, changes: unsaved && (await readChanges(tx, room, { id: webhookId, unsaved })) };
        });
        const sent = await context.sendTest({ clinicId, webhookId, event, changes });
        if (NOTHING_DIALLED.has(sent.outcome)) await untilAlike(context.clock, begunMs);
        const url = changes?.url ?? saved.url;
        const view = await inClinic(context.db, clinicId, async (tx) => {
          return { seal: await context.seal.forClinic(tx, clinicId), timeZone: await timeZoneOf(tx, clinicId), url };
        });
        return { status: 200, body: showTest(sent, view) };
      }),
  );
}

function refusal({ code, message }: { code: string; message: string }) {
  return { ok: false as const, code, message };
}

interface Unsaved {
  readonly id: number;
  readonly unsaved: NonNullable<z.output<typeof TEST_BODY>["changes"]>;
}

/** Throws with fields as the body has them, below `changes`. */
async function readChanges(tx: Tx, room: WebhooksContext, { id, unsaved }: Unsaved): Promise<TestChanges> {
  try {
    const { url, include, oneParticipantPerRequest } = await previewWebhook(tx, room, { id, input: toInput(unsaved) });
    return { url, choice: include, oneParticipantPerRequest };
  } catch (error) {
    throw error instanceof ProblemError ? below("changes", error) : error;
  }
}

interface TestView {
  readonly seal: ClinicSeal;
  readonly timeZone: string;
  /** Where it went. */
  readonly url: string;
}

/** A test is never tried again. */
const NOTHING_AHEAD = { next: null, until: null };

function showTest({ deliveryId, attempted }: TestSent, view: TestView): z.output<typeof TEST_RESULT> {
  const { begun, outcome, status, durationMs, answer } = attempted.settled;
  const { text, truncated, detail, expiredAt, movedTo } = openAnswer(view.seal, { ...begun, status }, answer);
  const service = knownHost(new URL(view.url));
  const end = { outcome, status, durationMs, detail, expiredAt, movedTo: movedTo?.host ?? null, service, test: true };
  const { key, params, sentence } = attemptWords({ ...end, ahead: NOTHING_AHEAD }, view.timeZone);
  return {
    delivery_id: deliveryId,
    result: {
      kind: outcome,
      status,
      duration_ms: durationMs,
      answer_text: text,
      answer_truncated: truncated,
      moved_to: movedTo?.href ?? null,
      ...{ sentence, sentence_key: key, sentence_params: params },
    },
  };
}
