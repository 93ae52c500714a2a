/** /v1/embed-sessions: other software opens and ends the embedded page of one of its users, with a key of its own. */
import {
  EMBED_ACCENT,
  EMBED_CAPABILITIES,
  EMBED_COLOR_SCHEMES,
  EMBED_FONT_SIZES,
  EMBED_RADII,
  LANGUAGES,
} from "@hookwell/sdk";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import {
  createEmbedSession,
  EMBED_LIFETIME_DEFAULT_SECONDS,
  EMBED_LIFETIME_MAX_SECONDS,
  EMBED_LIFETIME_MIN_SECONDS,
  endEmbedSession,
  exchangeLink,
  LINK_LIVES_SECONDS,
} from "../accounts/embed-sessions.ts";
import type { Principal } from "../accounts/principal.ts";
import { ProblemError } from "../errors.ts";
import { command } from "./command.ts";
import type { ApiContext } from "./context.ts";
import { ID_PARAMS, readId } from "./ids.ts";
import { limitAddresses } from "./open-limits.ts";
import { perPersonAndMinute } from "./person-limits.ts";
import type { App } from "./server.ts";

/** Of one key. */
const SESSIONS_PER_MINUTE_MAX = 120;
/** Of one client address; a clinic's people often share one. */
const EXCHANGES_PER_MINUTE_MAX = 120;
const TEXT_MAX_CHARACTERS = 1_000;
const LIFETIME_WORDS = `Write whole seconds from ${EMBED_LIFETIME_MIN_SECONDS} to ${EMBED_LIFETIME_MAX_SECONDS}.`;

const LANGUAGE = z.enum(LANGUAGES);
const THEME = z.strictObject({
  color_scheme: z.enum(EMBED_COLOR_SCHEMES).optional().describe("`auto` follows the browser."),
  accent: z
    .string()
    .regex(EMBED_ACCENT, { error: "Write a colour like #0f6a7b." })
    .optional()
    .describe("`#rrggbb`; shades that can be read are made of it."),
  radius: z.enum(EMBED_RADII).optional(),
  font_size: z.enum(EMBED_FONT_SIZES).optional(),
});
const NEW_SESSION = z.strictObject({
  capabilities: z
    .array(z.enum(EMBED_CAPABILITIES))
    .min(1)
    .max(EMBED_CAPABILITIES.length)
    .describe(
      "`view`: see webhooks and deliveries. `manage`: change, test, recover, resend. `new-secret`: see a secret once, at creation and rotation. `include-patient`: turn patients' data on, and see it in what was sent, where names and e-mails stand as dots.",
    ),
  user: z
    .strictObject({
      id: z.string().max(TEXT_MAX_CHARACTERS).describe("Your own id of the person: 1 to 128 visible ASCII characters."),
      name: z.string().max(TEXT_MAX_CHARACTERS).describe("As the clinic's history shows it."),
    })
    .describe("Whom you have signed in. Everything that is done in the page is written down as done by this person."),
  language: LANGUAGE.optional().describe("The clinic's own language where absent."),
  theme: THEME.optional(),
  lifetime_seconds: z
    .int({ error: LIFETIME_WORDS })
    .min(EMBED_LIFETIME_MIN_SECONDS, { error: LIFETIME_WORDS })
    .max(EMBED_LIFETIME_MAX_SECONDS, { error: LIFETIME_WORDS })
    .optional()
    .describe(`From the opening of the link on; ${EMBED_LIFETIME_DEFAULT_SECONDS} where absent.`),
});
const SESSION = z.object({
  id: z.int(),
  link_expires_at: z.string().describe(`${LINK_LIVES_SECONDS} s after its creation.`),
  lifetime_seconds: z.int(),
});
const CREATED = SESSION.extend({
  link: z
    .string()
    .optional()
    .describe(
      "For the frame; it opens once. Shown here and never again: the answer that the same Idempotency-Key brings again is without it.",
    ),
});

export async function embedSessionsRoutes(app: App, context: ApiContext): Promise<void> {
  app.addHook("onRequest", requireProgram);
  const config = { scope: "embed" as const, ...perPersonAndMinute(SESSIONS_PER_MINUTE_MAX) };
  const create = { body: NEW_SESSION, response: { 201: CREATED } };
  app.post(
    "/embed-sessions",
    { schema: { summary: "Make a one-time link to the embedded page.", ...create }, config },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        const { capabilities, user, language, theme = {}, lifetime_seconds } = request.body;
        const lifetimeSeconds = lifetime_seconds ?? EMBED_LIFETIME_DEFAULT_SECONDS;
        const whose = ownerOf(request.principal);
        const { locale } = await tx
          .selectFrom("clinics")
          .select("locale")
          .where("id", "=", whose.clinicId)
          .executeTakeFirstOrThrow();
        const wanted = { ...whose, capabilities, user, language: language ?? locale, theme, lifetimeSeconds };
        const { id, linkToken, frameId, linkExpiresAt } = await createEmbedSession(tx, wanted);
        const kept = { id, link_expires_at: linkExpiresAt.toString(), lifetime_seconds: lifetimeSeconds };
        const link = `${context.publicUrl}/embed/${frameId}#${linkToken}`;
        return { status: 201, body: { ...kept, link }, kept };
      }),
  );

  const end = { params: ID_PARAMS, response: { 204: z.null() } };
  app.delete(
    "/embed-sessions/:id",
    { schema: { summary: "End an embedded page's session.", ...end }, config: { scope: "embed" } },
    (request, reply) =>
      command(request, reply, context, async (tx) => {
        await endEmbedSession(tx, {
          ...ownerOf(request.principal),
          id: readId(request.params.id, "the embedded page"),
        });
        return { status: 204 };
      }),
  );
}

/** A person is signed in already, and vouches for nobody. */
async function requireProgram({ principal }: FastifyRequest): Promise<void> {
  if (principal.role === "api_key") return;
  const title = 'Only a program opens the embedded page, with an API key that has the scope "embed".';
  throw new ProblemError({ status: 403, code: "programs_only", title });
}

function ownerOf({ clinicId, apiKeyId }: Principal): { clinicId: number; apiKeyId: number } {
  if (apiKeyId === undefined) throw new Error("whoever is no program was turned away before");
  return { clinicId, apiKeyId };
}

const OPENED = z.object({
  token: z.string(),
  lifetime_seconds: z.int(),
  language: LANGUAGE,
  theme: THEME,
});

/** For the page in the frame alone: it has the link, and nothing else yet. */
export async function embedExchangeRoutes(app: App, { db }: ApiContext): Promise<void> {
  await limitAddresses(app);
  const body = z.strictObject({ link: z.string().max(TEXT_MAX_CHARACTERS) });
  const schema = { hide: true, body, response: { 200: OPENED } };
  const config = { rateLimit: { max: EXCHANGES_PER_MINUTE_MAX } };
  app.post("/embed/exchange", { schema, config }, async (request, reply) => {
    reply.header("cache-control", "no-store");
    const { token, lifetimeSeconds, language, theme } = await exchangeLink(db, request.body.link);
    return { token, lifetime_seconds: lifetimeSeconds, language, theme };
  });
}
