/**
 * Where deliveries go and how they are signed: the sender's view of a webhook, opened from its seals and cached by version.
 *
 * Every claim says which version of the webhook it saw, so a changed address, secret or data choice applies to the next
 * attempt (contract §6) without a query per delivery.
 */
import type { DataChoice } from "@hookwell/sdk";
import { createSigner, type Signer } from "@hookwell/sdk/signature-node";
import { sql } from "kysely";
import type { Clock } from "../clock.ts";
import type { Db } from "../db/schema.ts";
import type { Seal } from "../seal/seal.ts";
import { type KnownHost, knownHost } from "../webhooks/known-hosts.ts";
import type { RunKey } from "./store.ts";

const TARGETS_CACHED_MAX = 50_000;

export interface Target {
  version: number;
  url: string;
  /** the service that the address belongs to, where it is one that we know */
  host: KnownHost | null;
  /** name, value, name, value … as the manager set them */
  customHeaders: string[];
  choice: DataChoice;
  sign: Signer;
  /** when one of the secrets retires and the signer has to be made anew */
  validUntil: Temporal.Instant | null;
}

interface TargetsOptions {
  /** runs as hookwell_dispatch */
  db: Db;
  seal: Seal;
  clock: Clock;
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
    if (cached && cached.version >= version && this.#isValid(cached)) return cached;
    const loaded = await this.load(key);
    if (loaded === null) this.#cache.delete(name);
    else this.#remember(name, loaded);
    return loaded;
  }

  /** Reads and unseals a webhook, drafts included (for a test before saving). */
  async load(key: RunKey): Promise<Target | null> {
    const { db, seal } = this.#options;
    const row = await db
      .selectFrom("webhooks")
      .select(["version", "url", "headers", "include_practitioner", "include_patient"])
      .where("clinic_id", "=", key.clinicId)
      .where("id", "=", key.webhookId)
      .where("deleted_at", "is", null)
      .executeTakeFirst();
    if (!row) return null;
    const secrets = await db
      .selectFrom("webhook_secrets")
      .select(["id", "secret", "retires_at"])
      .where("clinic_id", "=", key.clinicId)
      .where("webhook_id", "=", key.webhookId)
      .where((where) =>
        where.or([where("retires_at", "is", null), where("retires_at", ">", sql<Temporal.Instant>`now()`)]),
      )
      .orderBy("id", "desc")
      .execute();
    if (secrets.length === 0) return null; // every webhook has one: this one was deleted between the two reads
    const clinicSeal = await seal.forClinic(db, key.clinicId);
    const opened = secrets.map((s) =>
      clinicSeal.open({ column: "webhook_secrets.secret", row: `${key.webhookId}/${s.id}` }, s.secret),
    );
    const headers = row.headers && clinicSeal.open({ column: "webhooks.headers", row: key.webhookId }, row.headers);
    const url = clinicSeal.open({ column: "webhooks.url", row: key.webhookId }, row.url);
    return {
      version: row.version,
      url,
      host: knownHost(new URL(url)),
      customHeaders: headers ? flatHeaders(headers) : [],
      choice: { practitioner: row.include_practitioner, patient: row.include_patient },
      sign: createSigner(opened),
      validUntil:
        secrets
          .map((s) => s.retires_at)
          .filter((at) => at !== null)
          .sort(Temporal.Instant.compare)[0] ?? null,
    };
  }

  #isValid(target: Target): boolean {
    return target.validUntil === null || Temporal.Instant.compare(this.#options.clock.now(), target.validUntil) < 0;
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
