/**
 * Sessions of the embedded page: other software shows our page inside its own, for one of its users.
 *
 * Owns the rows of `embed_sessions` and the way from a token to a principal. Promises: a link opens once, within
 * LINK_LIVES_SECONDS, and a link that comes a second time ends what came of the first, since one of the two was not meant;
 * link and token are kept as their SHA-256; a session ends with its time, with its API key, and when the other software
 * says so, at the very next request on every node (nothing is cached). Does not decide what a capability opens (api/).
 */
import { EMBED_CAPABILITIES, EMBED_NEEDS, type EmbedCapability, type EmbedTheme } from "@hookwell/sdk";
import { sql } from "kysely";
import { inClinic } from "../db/pool.ts";
import type { Db, Tx } from "../db/schema.ts";
import { invalid, notFound, ProblemError } from "../errors.ts";
import { isWholeBearer, newBearer, sha256Of } from "./bearer.ts";
import { cleanName } from "./names.ts";
import type { Principal } from "./principal.ts";

/** What stands in a link, behind the `#`. */
const LINK_PREFIX = "hel_";
/** What the page shows with each request. */
export const EMBED_TOKEN_PREFIX = "hes_";
export const LINK_LIVES_SECONDS = 60;
export const EMBED_LIFETIME_MIN_SECONDS = 60;
export const EMBED_LIFETIME_MAX_SECONDS = 3_600;
export const EMBED_LIFETIME_DEFAULT_SECONDS = 900;
/** Open at the same time, links that nobody has followed yet among them. */
export const EMBED_SESSIONS_PER_CLINIC_MAX = 1_000;
const USER_ID = /^[!-~]{1,128}$/;

export interface NewEmbedSession {
  readonly clinicId: number;
  readonly apiKeyId: number;
  readonly capabilities: readonly EmbedCapability[];
  /** Whom the other software has signed in. */
  readonly user: { readonly id: string; readonly name: string };
  readonly language: "en" | "fr-CA";
  readonly theme: EmbedTheme;
  readonly lifetimeSeconds: number;
}

export interface CreatedEmbedSession {
  readonly id: number;
  /** Told here and never again. */
  readonly linkToken: string;
  readonly frameId: string;
  readonly linkExpiresAt: Temporal.Instant;
}

/** Makes one, with its link. @throws ProblemError naming `capabilities` or `user.…`, and 429 beyond the limit */
export async function createEmbedSession(tx: Tx, wanted: NewEmbedSession): Promise<CreatedEmbedSession> {
  const { clinicId, apiKeyId, theme } = wanted;
  const capabilities = checkCapabilities(wanted.capabilities);
  const user = checkUser(wanted.user);
  await refuseTooMany(tx, clinicId);
  const linkToken = newBearer(LINK_PREFIX);
  const look = { color_scheme: theme.color_scheme, accent: theme.accent?.toLowerCase(), radius: theme.radius };
  const { id, link_expires_at: linkExpiresAt } = await tx
    .insertInto("embed_sessions")
    .values({
      ...{ clinic_id: clinicId, api_key_id: apiKeyId, capabilities, language: wanted.language },
      ...{ host_user_id: user.id, host_user_name: user.name, lifetime_seconds: wanted.lifetimeSeconds },
      ...{ ...look, font_size: theme.font_size, link_hash: sha256Of(linkToken) },
      link_expires_at: sql<Temporal.Instant>`now() + make_interval(secs => ${LINK_LIVES_SECONDS})`,
    })
    .returning(["id", "link_expires_at"])
    .executeTakeFirstOrThrow();
  const { frame_id: frameId } = await tx
    .selectFrom("api_keys")
    .select("frame_id")
    .where("clinic_id", "=", clinicId)
    .where("id", "=", apiKeyId)
    .executeTakeFirstOrThrow();
  if (frameId === null) throw new Error(`API key ${apiKeyId} makes embedded pages and has no frame`);
  return { id, linkToken, frameId, linkExpiresAt };
}

/** In the table's order, each once. */
function checkCapabilities(wanted: readonly EmbedCapability[]): EmbedCapability[] {
  for (const capability of wanted) {
    const missing = EMBED_NEEDS[capability].find((needed) => !wanted.includes(needed));
    if (missing !== undefined) {
      throw invalid("capabilities", `Add "${missing}": "${capability}" means nothing without it.`, "missing");
    }
  }
  return EMBED_CAPABILITIES.filter((capability) => wanted.includes(capability));
}

function checkUser({ id, name }: NewEmbedSession["user"]): NewEmbedSession["user"] {
  if (!USER_ID.test(id)) {
    throw invalid("user.id", "Send 1 to 128 visible ASCII characters: your own id of the person.", "invalid");
  }
  const empty = "A name is needed: the history shows who did something.";
  return { id, name: cleanName(name, { field: "user.name", empty }) };
}

async function refuseTooMany(tx: Tx, clinicId: number): Promise<void> {
  const { count } = await tx
    .selectFrom("embed_sessions")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("clinic_id", "=", clinicId)
    .where(sql<boolean>`ended_at is null and coalesce(expires_at, link_expires_at) > now()`)
    .executeTakeFirstOrThrow();
  if (count < EMBED_SESSIONS_PER_CLINIC_MAX) return;
  throw new ProblemError({
    status: 429,
    code: "too_many_embed_sessions",
    title: `A clinic has at most ${EMBED_SESSIONS_PER_CLINIC_MAX} embedded pages open at once. End some, or make them shorter.`,
    retryAfterSeconds: LINK_LIVES_SECONDS,
  });
}

export interface EndEmbedSession {
  readonly clinicId: number;
  /** Whose session it is: a key ends its own only. */
  readonly apiKeyId: number;
  readonly id: number;
}

/** @throws ProblemError 404 where there is none, or it has ended */
export async function endEmbedSession(tx: Tx, { clinicId, apiKeyId, id }: EndEmbedSession): Promise<void> {
  await tx
    .updateTable("embed_sessions")
    .set({ ended_at: sql<Temporal.Instant>`now()` })
    .where("clinic_id", "=", clinicId)
    .where("api_key_id", "=", apiKeyId)
    .where("id", "=", id)
    .where("ended_at", "is", null)
    .returning("id")
    .executeTakeFirstOrThrow(() => notFound("the embedded page"));
}

export interface OpenedEmbedSession {
  /** Told here and never again. */
  readonly token: string;
  readonly expiresAt: Temporal.Instant;
  /** How long it lives from now on; a page's own clock may be wrong. */
  readonly lifetimeSeconds: number;
  readonly language: "en" | "fr-CA";
  readonly theme: EmbedTheme;
}

type Exchange = OpenedEmbedSession | "used" | "expired";

/** Takes a link, once, for a token. @throws ProblemError 410 `link_used` or `link_expired`, and 404 `link_unknown` */
export async function exchangeLink(db: Db, linkToken: string): Promise<OpenedEmbedSession> {
  if (!isWholeBearer(LINK_PREFIX, linkToken)) throw unknownLink();
  const linkHash = sha256Of(linkToken);
  const { rows } = await sql<Found>`select clinic_id, id from embed_link_of(${linkHash})`.execute(db);
  const [found] = rows;
  if (found === undefined) throw unknownLink();
  // What is refused is written down, too, so the refusal comes after the commit.
  const exchanged = await inClinic(db, found.clinic_id, (tx) => exchange(tx, found));
  if (exchanged === "used") throw usedLink();
  if (exchanged === "expired") throw expiredLink();
  return exchanged;
}

interface Found {
  readonly clinic_id: number;
  readonly id: number;
}

async function exchange(tx: Tx, { clinic_id, id }: Found): Promise<Exchange> {
  const row = await tx
    .selectFrom("embed_sessions")
    .select(["token_hash", sql<boolean>`link_expires_at > now()`.as("is_fresh"), "ended_at", "api_key_id"])
    .where("clinic_id", "=", clinic_id)
    .where("id", "=", id)
    .forUpdate()
    .executeTakeFirst();
  const change = () =>
    tx.updateTable("embed_sessions").where("clinic_id", "=", clinic_id).where("id", "=", id).returningAll();
  if (row === undefined) return "expired";
  if (row.token_hash !== null) {
    await change().set({ ended_at: sql<Temporal.Instant>`coalesce(ended_at, now())` }).execute();
    return "used";
  }
  if (!row.is_fresh || row.ended_at !== null || !(await opensStill(tx, clinic_id, row.api_key_id))) return "expired";
  const token = newBearer(EMBED_TOKEN_PREFIX);
  const opened = await change()
    .set({
      token_hash: sha256Of(token),
      expires_at: sql<Temporal.Instant>`now() + make_interval(secs => lifetime_seconds)`,
    })
    .executeTakeFirstOrThrow();
  const { expires_at: expiresAt, lifetime_seconds: lifetimeSeconds, language } = opened;
  if (expiresAt === null) throw new Error(`embedded page ${id} was opened without an end`);
  const { color_scheme, accent, radius, font_size } = opened;
  const chosen = Object.entries({ color_scheme, accent, radius, font_size }).filter(([, value]) => value !== null);
  return { token, expiresAt, lifetimeSeconds, language, theme: Object.fromEntries(chosen) as EmbedTheme };
}

async function opensStill(tx: Tx, clinicId: number, apiKeyId: number): Promise<boolean> {
  const key = await tx
    .selectFrom("api_keys")
    .select("id")
    .where("clinic_id", "=", clinicId)
    .where("id", "=", apiKeyId)
    .where(sql<boolean>`revoked_at is null and (expires_at is null or expires_at > now())`)
    .executeTakeFirst();
  return key !== undefined;
}

/** Null for whatever is not the token of an open session. */
export async function principalOfEmbedToken(db: Db, token: string): Promise<Principal | null> {
  if (!isWholeBearer(EMBED_TOKEN_PREFIX, token)) return null;
  const { rows } = await sql<FoundSession>`select * from embed_session_of(${sha256Of(token)})`.execute(db);
  const [found] = rows;
  if (found === undefined) return null;
  const { clinic_id: clinicId, api_key_id: apiKeyId, host_user_id: hostUserId } = found;
  const capabilities = EMBED_CAPABILITIES.filter((known) => found.capabilities.includes(known));
  return {
    ...{ userId: `embed:${apiKeyId}:${hostUserId}`, userName: found.host_user_name, userEmail: "" },
    ...{ clinicId, role: "embedded", scopes: [], webhookId: null, apiKeyId },
    embedded: { sessionId: found.id, hostUserId, capabilities },
  };
}

interface FoundSession extends Found {
  readonly api_key_id: number;
  readonly capabilities: string[];
  readonly host_user_id: string;
  readonly host_user_name: string;
}

function unknownLink(): ProblemError {
  const title = "This link is not known. Open the page again from your clinic software.";
  return new ProblemError({ status: 404, code: "link_unknown", title });
}

function usedLink(): ProblemError {
  const title =
    "This link was used before, so the page it opened is closed as well. Open the page again from your clinic software.";
  return new ProblemError({ status: 410, code: "link_used", title });
}

function expiredLink(): ProblemError {
  const title = "This link is too old. Open the page again from your clinic software.";
  return new ProblemError({ status: 410, code: "link_expired", title });
}
