/** Webhooks as the API takes and shows them: the schemas of bodies, and views without what must not be shown. */
import { BLOCK_CHOICES, EVENT_NAMES } from "@hookwell/sdk";
import { z } from "zod";
import { clinicTime } from "../clinic/times.ts";
import { CUSTOM_HEADERS_MAX, HEADER_NAME_MAX_CHARACTERS, HEADER_VALUE_MAX_CHARACTERS } from "../webhooks/headers.ts";
import { maskHeaders, maskUrl } from "../webhooks/masking.ts";
import {
  CONCURRENCY_MAX,
  NAME_MAX_CHARACTERS,
  ORGANISATION_MAX_CHARACTERS,
  PACE_MAX_PER_SECOND,
  PURPOSE_MAX_CHARACTERS,
  type WebhookInput,
} from "../webhooks/settings.ts";
import type { Webhook } from "../webhooks/store.ts";

/** Room for more than the rules allow, so that their own words are what a caller reads; the description tells the rules. */
const URL_ACCEPTED_MAX_CHARACTERS = 20_000;
const HEADERS_ACCEPTED_MAX = 50;
const HEADER_ACCEPTED_MAX_CHARACTERS = 5_000;

export const EVENT = z.enum(EVENT_NAMES as [(typeof EVENT_NAMES)[number], ...(typeof EVENT_NAMES)[number][]], {
  error: "There is no such event. GET /v1/event-types lists all 13.",
});
const BLOCK = z.enum(BLOCK_CHOICES, { error: 'This must be "off", "id" or "all".' });

const filledText = (maxCharacters: number) =>
  z
    .string()
    .trim()
    .min(1, { error: "This must not be empty." })
    .max(maxCharacters, { error: `At most ${maxCharacters} characters fit here. Shorten the text.` })
    .refine((text) => text.isWellFormed() && !text.includes("\0"), { error: "This text holds a broken character." });

const wholeNumber = (max: number) =>
  z
    .int({ error: `Write a whole number from 1 to ${max}.` })
    .min(1, "This must be at least 1.")
    .max(max, `This must be at most ${max}.`);

const RECIPIENT_INPUT = z
  .strictObject({
    organisation: filledText(ORGANISATION_MAX_CHARACTERS),
    country: z.string().max(10, { error: "Write the two letters of a country, such as CA." }),
    purpose: filledText(PURPOSE_MAX_CHARACTERS),
    agreement_on_file: z.boolean(),
  })
  .nullable();

const HEADER_INPUT = z.strictObject({
  name: z.string().max(HEADER_ACCEPTED_MAX_CHARACTERS).meta({ minLength: 1, maxLength: HEADER_NAME_MAX_CHARACTERS }),
  value: z.string().max(HEADER_ACCEPTED_MAX_CHARACTERS).meta({ minLength: 1, maxLength: HEADER_VALUE_MAX_CHARACTERS }),
});

const fields = {
  name: z
    .string()
    .trim()
    .max(NAME_MAX_CHARACTERS, { error: `A name has at most ${NAME_MAX_CHARACTERS} characters. Shorten it.` }),
  url: z.string().max(URL_ACCEPTED_MAX_CHARACTERS, { error: "The address is too long." }),
  events: z.array(EVENT).max(EVENT_NAMES.length, { error: "An event is there more than once. Name each once." }),
  include: z.strictObject({ practitioner: BLOCK.optional(), patient: BLOCK.optional() }),
  one_participant_per_request: z.boolean(),
  format: z.literal("documented", { error: 'The only format is "documented".' }),
  headers: z.array(HEADER_INPUT).max(HEADERS_ACCEPTED_MAX).meta({ maxItems: CUSTOM_HEADERS_MAX }),
  pace_per_second: wholeNumber(PACE_MAX_PER_SECOND).describe(
    "Left out, what the service behind the address is known to bear, else 50. With the address of another service, what is the old one's own becomes the new one's; anything else stays, but is no more than the new one bears.",
  ),
  concurrency: wholeNumber(CONCURRENCY_MAX).describe("Requests at a time. Left out: as the pace; else 8."),
  signatures: z
    .union([z.tuple([z.literal("v1")]), z.tuple([z.literal("v1"), z.literal("v1a")])], {
      error: 'This must be ["v1"], or ["v1", "v1a"] for a signature by a key pair besides.',
    })
    .describe("`v1` (HMAC-SHA256) always; `v1a` (ed25519) on demand. Its key pair goes when it is switched off."),
  recipient: RECIPIENT_INPUT,
  enabled: z.boolean(),
  draft: z.boolean(),
};

const optional = z.strictObject(fields).partial();
export const NEW_WEBHOOK_BODY = optional.required({ url: true, events: true });
export const WEBHOOK_CHANGE_BODY = optional.extend({ version: z.int().min(1).optional() });

/** What a test may try without saving it. */
const TEST_CHANGES = optional.pick({ url: true, include: true, one_participant_per_request: true });
export const TEST_BODY = z.strictObject({
  event: EVENT,
  changes: TEST_CHANGES.optional().describe("Unsaved settings that hold for this one test only."),
});

/** The body as the room takes it. */
export function toInput(body: z.output<typeof optional>): WebhookInput {
  const { recipient } = body;
  return {
    ...{ name: body.name, url: body.url, events: body.events, include: body.include, headers: body.headers },
    oneParticipantPerRequest: body.one_participant_per_request,
    pacePerSecond: body.pace_per_second,
    concurrency: body.concurrency,
    signatures: body.signatures,
    recipient: recipient && {
      organisation: recipient.organisation,
      country: recipient.country,
      purpose: recipient.purpose,
      agreementOnFile: recipient.agreement_on_file,
    },
    enabled: body.enabled,
    draft: body.draft,
  };
}

const HEADER = z.object({ name: z.string(), value: z.string() });

/** In a list: the address and the headers' values are masked, because they are often credentials. */
export const LISTED_WEBHOOK = z.object({
  id: z.int(),
  name: z.string(),
  url_host: z.string(),
  url_masked: z.string(),
  events: z.array(EVENT),
  include: z.object({ practitioner: BLOCK, patient: BLOCK }),
  one_participant_per_request: z.boolean(),
  format: z.literal("documented"),
  headers: z.array(HEADER),
  pace_per_second: z.int(),
  concurrency: z.int(),
  signatures: z.array(z.enum(["v1", "v1a"])),
  previous_secret_valid_until: z
    .string()
    .nullable()
    .describe("While a rotation runs: how long messages are also signed with the secret before the current one."),
  recipient: z
    .object({ organisation: z.string(), country: z.string(), purpose: z.string(), agreement_on_file: z.boolean() })
    .nullable(),
  enabled: z.boolean(),
  state: z
    .enum(["not_set_up", "ready", "working", "waiting", "needs_attention", "off_by_you", "off_by_us"])
    .describe("`ready`: on, and no event has arrived at its address as it is now. Tests do not count."),
  off_reason: z.enum(["you", "receiver_gone", "failing"]).nullable(),
  sending_paused: z
    .boolean()
    .describe("The administrator of this server paused its sending. What waits is kept, and goes out afterwards."),
  address_answered: z
    .boolean()
    .describe("Its address has answered 2xx once. Until then it gets one request a second; what waits is kept."),
  draft: z.boolean(),
  waiting_count: z.int(),
  last_delivered_at: z.string().nullable(),
  last_failed_at: z.string().nullable(),
  created_at: z.string(),
  updated_at: z.string(),
  version: z.int(),
});
export const WEBHOOK = LISTED_WEBHOOK.extend({ url: z.string() });
export const SECRET = z
  .string()
  .optional()
  .describe(
    "Shown once: the answer that the same Idempotency-Key brings again is without it, and so is that to an embedded page without `new-secret`.",
  );
export const CREATED_WEBHOOK = WEBHOOK.extend({ secret: SECRET });

/** One webhook whole, for the manager who edits it. */
export function showWebhook(webhook: Webhook, timeZone: string): z.output<typeof WEBHOOK> {
  return { ...listWebhook(webhook, timeZone), url: webhook.url, headers: [...webhook.headers] };
}

/** One webhook of many. */
export function listWebhook(webhook: Webhook, timeZone: string): z.output<typeof LISTED_WEBHOOK> {
  const time = (instant: Temporal.Instant | null) => (instant === null ? null : clinicTime(instant, timeZone));
  const { recipient } = webhook;
  return {
    ...{ id: webhook.id, name: webhook.name, url_host: webhook.urlHost, url_masked: maskUrl(webhook.url) },
    ...{ events: [...webhook.events], include: webhook.include, format: "documented" },
    one_participant_per_request: webhook.oneParticipantPerRequest,
    headers: maskHeaders(webhook.headers),
    pace_per_second: webhook.pacePerSecond,
    concurrency: webhook.concurrency,
    signatures: [...webhook.signatures],
    previous_secret_valid_until: time(webhook.previousSecretValidUntil),
    recipient: recipient && {
      organisation: recipient.organisation,
      country: recipient.country,
      purpose: recipient.purpose,
      agreement_on_file: recipient.agreementOnFile,
    },
    ...{ enabled: webhook.enabled, state: webhook.state, off_reason: webhook.offReason, draft: webhook.draft },
    ...{ sending_paused: webhook.isPaused, address_answered: webhook.hasAnswered },
    waiting_count: webhook.waitingCount,
    last_delivered_at: time(webhook.lastDeliveredAt),
    last_failed_at: time(webhook.lastFailedAt),
    created_at: clinicTime(webhook.createdAt, timeZone),
    updated_at: clinicTime(webhook.updatedAt, timeZone),
    version: webhook.version,
  };
}
