/**
 * API keys: how another program shows that it may speak for a clinic.
 *
 * Owns the rows of `api_keys` and the way from a key to a principal. Promises: a key is shown once, at its creation, and
 * kept only as its SHA-256; one that was mistyped is refused without asking the database; a revoked or expired one opens
 * nothing after at most KEY_CACHED_MS, on whichever node. Does not decide what a scope opens (api/session.ts).
 */
import { hash } from "node:crypto";
import { sql } from "kysely";
import { record } from "../audit/audit.ts";
import { inClinic } from "../db/pool.ts";
import type { Db, Tx } from "../db/schema.ts";
import { conflict, invalid, notFound } from "../errors.ts";
import { hasBearerShape, isWholeBearer, newBearer, sha256Of } from "./bearer.ts";
import { newFrameId } from "./embed-origins.ts";
import { cleanName } from "./names.ts";
import { API_KEY_SCOPES, type ApiKeyScope, type Principal } from "./principal.ts";

export const API_KEY_PREFIX = "hk_";
const SHOWN_CHARACTERS = API_KEY_PREFIX.length + 6;
export const API_KEYS_PER_CLINIC_MAX = 50;

/** For so long a key that was found is not looked up again, so for so long one that was revoked may still open. */
const KEY_CACHED_MS = 1_000;
const KEYS_CACHED_MAX = 10_000;

export interface ApiKeyRow {
  readonly id: number;
  readonly name: string;
  readonly scopes: readonly ApiKeyScope[];
  /** Whose deliveries it reads, with the scope `deliveries:pull`; null without it. */
  readonly webhookId: number | null;
  /** Which pages may hold the frame, with the scope `embed`; null without it. */
  readonly embedOrigins: readonly string[] | null;
  /** The first characters, by which people tell keys apart. */
  readonly prefix: string;
  readonly createdAt: Temporal.Instant;
  /** To the minute or so; null for one that was never used. */
  readonly lastUsedAt: Temporal.Instant | null;
  /** From when on it opens nothing; null for one that only ends by being revoked. */
  readonly expiresAt: Temporal.Instant | null;
}

export interface NewApiKey {
  readonly clinicId: number;
  /** The user's id. */
  readonly actor: string;
  readonly name: string;
  readonly scopes: readonly ApiKeyScope[];
  /** Needed for the scope `deliveries:pull`, and only for it: such a key is its receiver's. */
  readonly webhookId?: number | null;
  /** Needed for the scope `embed`, and only for it; as readEmbedOrigins() gives them. */
  readonly embedOrigins?: readonly string[] | null;
  /** Later than now; null or left out for one that only ends by being revoked. */
  readonly expiresAt?: Temporal.Instant | null;
}

/** Makes a key; it is returned here and never again. @throws ProblemError naming `name` or `webhook_id`, or 409 beyond the limit */
export async function createApiKey(tx: Tx, key: NewApiKey): Promise<{ row: ApiKeyRow; key: string }> {
  const { clinicId, actor, scopes, webhookId = null, expiresAt = null, embedOrigins: origins = null } = key;
  const name = cleanName(key.name, { field: "name", empty: "A name is needed. Write which program uses the key." });
  await checkWebhook(tx, key);
  checkOrigins(key);
  await refuseTooMany(tx, clinicId);
  const text = newBearer(API_KEY_PREFIX);
  const frame = origins === null ? {} : { embed_origins: [...origins], frame_id: newFrameId() };
  const values = { clinic_id: clinicId, name, scopes: [...scopes], created_by: actor, webhook_id: webhookId, ...frame };
  const inserted = await tx
    .insertInto("api_keys")
    .values({ ...values, expires_at: expiresAt, prefix: text.slice(0, SHOWN_CHARACTERS), key_hash: sha256Of(text) })
    .returning(COLUMNS)
    .executeTakeFirstOrThrow();
  const row = toRow(inserted);
  const limits = { expires_at: expiresAt?.toString() ?? null, webhook_id: webhookId };
  const after = { name, scopes, prefix: row.prefix, ...limits, ...(origins && { embed_origins: origins }) };
  await record(tx, { clinicId, actor, action: "api_key.created", target: `api_key:${row.id}`, before: null, after });
  return { row, key: text };
}

async function checkWebhook(tx: Tx, { clinicId, scopes, webhookId = null }: NewApiKey): Promise<void> {
  const pulls = scopes.includes("deliveries:pull");
  if (pulls && webhookId === null) {
    throw invalid("webhook_id", "Say which webhook's deliveries the key may read.", "missing");
  }
  if (webhookId === null) return;
  if (!pulls)
    throw invalid("webhook_id", 'Only a key with the scope "deliveries:pull" has one. Leave it out.', "invalid");
  await tx
    .selectFrom("webhooks")
    .select("id")
    .where("clinic_id", "=", clinicId)
    .where("id", "=", webhookId)
    .where("deleted_at", "is", null)
    .executeTakeFirstOrThrow(() => notFound("the webhook", "webhook_id"));
}

function checkOrigins({ scopes, embedOrigins = null }: NewApiKey): void {
  if (scopes.includes("embed") === (embedOrigins !== null)) return;
  throw embedOrigins === null
    ? invalid(
        "embed_origins",
        "Name the pages that may show the frame, such as https://clinic.example.test.",
        "missing",
      )
    : invalid("embed_origins", 'Only a key with the scope "embed" has any. Leave them out.', "invalid");
}

/** Those that still open something, newest first. There are at most API_KEYS_PER_CLINIC_MAX. */
export async function listApiKeys(tx: Tx, clinicId: number): Promise<ApiKeyRow[]> {
  const rows = await tx
    .selectFrom("api_keys")
    .select(COLUMNS)
    .where("clinic_id", "=", clinicId)
    .where(IS_ALIVE)
    .orderBy("id", "desc")
    .execute();
  return rows.map(toRow);
}

export interface RevokeApiKey {
  readonly clinicId: number;
  readonly actor: string;
  readonly id: number;
}

/** A revoked key stays revoked, and is not found a second time. @throws ProblemError 404 */
export async function revokeApiKey(tx: Tx, { clinicId, actor, id }: RevokeApiKey): Promise<void> {
  const { name, prefix } = await tx
    .updateTable("api_keys")
    .set({ revoked_at: sql<Temporal.Instant>`now()` })
    .where("clinic_id", "=", clinicId)
    .where("id", "=", id)
    .where("revoked_at", "is", null)
    .returning(["name", "prefix"])
    .executeTakeFirstOrThrow(() => notFound("the API key"));
  const before = { name, prefix };
  await record(tx, { clinicId, actor, action: "api_key.revoked", target: `api_key:${id}`, before, after: null });
}

const COLUMNS = [
  ...(["id", "name", "scopes", "prefix", "created_at"] as const),
  ...(["last_used_at", "expires_at", "webhook_id", "embed_origins"] as const),
];
const IS_ALIVE = sql<boolean>`revoked_at is null and (expires_at is null or expires_at > now())`;

interface StoredKey {
  readonly id: number;
  readonly name: string;
  readonly scopes: string[];
  readonly prefix: string;
  readonly created_at: Temporal.Instant;
  readonly last_used_at: Temporal.Instant | null;
  readonly expires_at: Temporal.Instant | null;
  readonly webhook_id: number | null;
  readonly embed_origins: string[] | null;
}

function toRow({ created_at, last_used_at, expires_at, ...stored }: StoredKey): ApiKeyRow {
  const { scopes, webhook_id, embed_origins, ...row } = stored;
  const times = { createdAt: created_at, lastUsedAt: last_used_at, expiresAt: expires_at };
  return { ...row, ...times, scopes: scopes.filter(isScope), webhookId: webhook_id, embedOrigins: embed_origins };
}

function isScope(scope: string): scope is ApiKeyScope {
  return API_KEY_SCOPES.some((known) => known === scope);
}

/** One at a time per clinic, so that two creations at once cannot pass the limit together. */
async function refuseTooMany(tx: Tx, clinicId: number): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`API keys of clinic ${clinicId}`}, 0))`.execute(tx);
  const { count } = await tx
    .selectFrom("api_keys")
    .select(({ fn }) => fn.countAll<number>().as("count"))
    .where("clinic_id", "=", clinicId)
    .where(IS_ALIVE)
    .executeTakeFirstOrThrow();
  if (count < API_KEYS_PER_CLINIC_MAX) return;
  throw conflict("too_many_api_keys", `A clinic has at most ${API_KEYS_PER_CLINIC_MAX} API keys. Revoke one first.`);
}

interface Living {
  readonly principal: Principal;
  /** Milliseconds until it expires. */
  readonly livesMs: number;
}

interface Cached {
  readonly principal: Principal;
  readonly untilMs: number;
}

/** From a key to its principal. One per process. */
export class ApiKeyReader {
  readonly #db: Db;
  readonly #monotonicMs: () => number;
  /** By hash, in the order in which they were looked up. No key itself is kept in memory. */
  readonly #cached = new Map<string, Cached>();
  /** A burst of requests with one key asks once. */
  readonly #asked = new Map<string, Promise<Living | null>>();

  constructor(db: Db, monotonicMs: () => number) {
    this.#db = db;
    this.#monotonicMs = monotonicMs;
  }

  /** Null for whatever is not a living key. */
  async principalOf(key: string): Promise<Principal | null> {
    if (!hasBearerShape(API_KEY_PREFIX, key)) return null;
    const keyHash = hash("sha256", key, "base64url");
    const nowMs = this.#monotonicMs();
    const known = this.#cached.get(keyHash);
    if (known !== undefined && known.untilMs > nowMs) return known.principal;
    const asked = this.#asked.get(keyHash);
    return asked === undefined ? this.#ask(key, keyHash, nowMs) : ((await asked)?.principal ?? null);
  }

  /** Closes a key on this node at once, after it was revoked; the other nodes notice within KEY_CACHED_MS. */
  forget({ clinicId, id }: Pick<RevokeApiKey, "clinicId" | "id">): void {
    const userId = userIdOf(id);
    for (const [keyHash, { principal }] of this.#cached) {
      if (principal.clinicId === clinicId && principal.userId === userId) this.#cached.delete(keyHash);
    }
  }

  async #ask(key: string, keyHash: string, nowMs: number): Promise<Principal | null> {
    this.#cached.delete(keyHash);
    if (!isWholeBearer(API_KEY_PREFIX, key)) return null;
    const asking = this.#lookUp(sha256Of(key));
    this.#asked.set(keyHash, asking);
    try {
      const found = await asking;
      if (found === null) return null;
      // From before the question on: what happened to the key meanwhile counts from then.
      this.#keep(keyHash, { principal: found.principal, untilMs: nowMs + Math.min(found.livesMs, KEY_CACHED_MS) });
      return found.principal;
    } finally {
      this.#asked.delete(keyHash);
    }
  }

  #keep(keyHash: string, cached: Cached): void {
    const oldest = this.#cached.size >= KEYS_CACHED_MAX ? this.#cached.keys().next().value : undefined;
    if (oldest !== undefined) this.#cached.delete(oldest);
    this.#cached.set(keyHash, cached);
  }

  async #lookUp(keyHash: Buffer): Promise<Living | null> {
    const { rows } = await sql<FoundKey>`select * from api_key_of(${keyHash})`.execute(this.#db);
    const [found] = rows;
    if (found === undefined) return null;
    if (!found.used_lately) await this.#noteUse(found);
    const principal: Principal = {
      ...{ userId: userIdOf(found.id), userName: found.name, userEmail: "" },
      ...{ clinicId: found.clinic_id, role: "api_key", scopes: found.scopes.filter(isScope) },
      webhookId: found.webhook_id,
      apiKeyId: found.id,
    };
    return { principal, livesMs: found.lives_ms ?? Number.POSITIVE_INFINITY };
  }

  /** At most once a minute or so, so that a busy key does not write a row for each request. */
  async #noteUse({ clinic_id, id }: FoundKey): Promise<void> {
    await inClinic(this.#db, clinic_id, (tx) =>
      tx
        .updateTable("api_keys")
        .set({ last_used_at: sql<Temporal.Instant>`now()` })
        .where("clinic_id", "=", clinic_id)
        .where("id", "=", id)
        .execute(),
    );
  }
}

interface FoundKey {
  readonly clinic_id: number;
  readonly id: number;
  readonly name: string;
  readonly scopes: string[];
  readonly used_lately: boolean;
  readonly lives_ms: number | null;
  readonly webhook_id: number | null;
}

function userIdOf(id: number): string {
  return `api_key:${id}`;
}
