/**
 * Where deliveries go and how they are signed: the sender's view of a webhook, opened from its seals and cached by version.
 *
 * Every claim says which version of the webhook it saw, so a changed address, secret or data choice applies to the next
 * attempt (contract §6) without a query per delivery. A secret that retires by its time changes no version: then the target
 * is read anew, by the monotonic clock, which nobody sets back.
 */
import type { DataChoice } from "@hookwell/sdk";
import { createSigner, type Signer } from "@hookwell/sdk/signature-node";
import { sql } from "kysely";
import type { Clock } from "../clock.ts";
import type { Db } from "../db/schema.ts";
import type { ClinicSeal, Seal } from "../seal/seal.ts";
import type { RunKey } from "./store.ts";

const TARGETS_CACHED_MAX = 50_000;

export interface Target {
  version: number;
  url: string;
  /** name, value, name, value … as the manager set them */
  customHeaders: string[];
  choice: DataChoice;
  sign: Signer;
  /** monotonic ms at which one of the secrets retires and the signer has to be made anew; Infinity where none does */
  validUntilMs: number;
}

interface TargetsOptions {
  /** runs as hookwell_dispatch */
  db: Db;
  seal: Seal;
  clock: Clock;
}

interface LiveSecrets {
  /** `whsec_…` and `whsk_…` */
  texts: string[];
  validUntilMs: number;
}

export class Targets {
  readonly #options: TargetsOptions;
  readonly #cache = new Map<string, Target>();

  constructor(options: TargetsOptions) {
    this.#options = options;
  }

  /** The target as of at least the given version; null when the webhook is gone meanwhile. */
  async get(key: RunKey, version: number): Promise<Target | null> {
    const name = `${key.clinicId}/${key.webhookId}`;
    const cached = this.#cache.get(name);
    if (cached && cached.version >= version && this.#options.clock.monotonicMs() < cached.validUntilMs) return cached;
    const loaded = await this.load(key);
    if (loaded === null) this.#cache.delete(name);
    else this.#remember(name, loaded);
    return loaded;
  }

  /** Reads and unseals a webhook, drafts included (for a test before saving). */
  async load(key: RunKey): Promise<Target | null> {
    const { db, seal } = this.#options;
    // The row first: secrets are then never older than the version that the target is kept under.
    const row = await db
      .selectFrom("webhooks")
      .select(["version", "url", "headers", "include_practitioner", "include_patient", "signatures"])
      .where("clinic_id", "=", key.clinicId)
      .where("id", "=", key.webhookId)
      .where("deleted_at", "is", null)
      .executeTakeFirst();
    if (!row) return null;
    const clinicSeal = await seal.forClinic(db, key.clinicId);
    const secrets = await this.#liveSecrets(key, clinicSeal, row.signatures.includes("v1a"));
    const headers = row.headers && clinicSeal.open({ column: "webhooks.headers", row: key.webhookId }, row.headers);
    return {
      version: row.version,
      url: clinicSeal.open({ column: "webhooks.url", row: key.webhookId }, row.url),
      customHeaders: headers ? flatHeaders(headers) : [],
      choice: { practitioner: row.include_practitioner, patient: row.include_patient },
      sign: createSigner(secrets.texts),
      validUntilMs: secrets.validUntilMs,
    };
  }

  /** Newest first, the secrets before the private keys: in this order they sign. */
  async #liveSecrets(key: RunKey, clinicSeal: ClinicSeal, withKeys: boolean): Promise<LiveSecrets> {
    const askedMs = this.#options.clock.monotonicMs();
    const rows = [...(await this.#liveRows(key, "webhook_secrets", "secret"))];
    if (withKeys) rows.push(...(await this.#liveRows(key, "webhook_keys", "private_key")));
    return {
      texts: rows.map(({ id, column, sealed }) => clinicSeal.open({ column, row: `${key.webhookId}/${id}` }, sealed)),
      validUntilMs: askedMs + Math.min(...rows.map(({ lives_ms }) => lives_ms ?? Number.POSITIVE_INFINITY)),
    };
  }

  /** Their seals, and how long each is still valid by the database's clock: null for the current one. */
  async #liveRows(key: RunKey, table: "webhook_secrets" | "webhook_keys", sealed: "secret" | "private_key") {
    const { rows } = await sql<{ id: number; sealed: Buffer; lives_ms: number | null }>`
      select id, ${sql.ref(sealed)} as sealed, (extract(epoch from retires_at - now()) * 1000)::double precision as lives_ms
      from ${sql.table(table)}
      where clinic_id = ${key.clinicId} and webhook_id = ${key.webhookId} and (retires_at is null or retires_at > now())
      order by id desc`.execute(this.#options.db);
    return rows.map((row) => ({ ...row, column: `${table}.${sealed}` as const }));
  }

  #remember(name: string, target: Target): void {
    const oldest = this.#cache.size >= TARGETS_CACHED_MAX ? this.#cache.keys().next().value : undefined;
    if (oldest !== undefined) this.#cache.delete(oldest);
    this.#cache.set(name, target);
  }
}

function flatHeaders(sealedJson: string): string[] {
  const headers = JSON.parse(sealedJson) as { name: string; value: string }[];
  return headers.flatMap(({ name, value }) => [name, value]);
}
