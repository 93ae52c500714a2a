/**
 * Where deliveries go and how they are signed: the sender's view of a webhook, opened from its seals and cached by version.
 *
 * Every claim says which version of the webhook it saw, so a changed address, secret or data choice applies to the next
 * attempt (contract §6) without a query per delivery. A secret that retires by its time changes no version: then the target
 * is read anew, by the monotonic clock, which nobody sets back.
 */
import type { BlockChoice, DataChoice } from "@hookwell/sdk";
import { createSigner, type Signer } from "@hookwell/sdk/signature-node";
import { sql } from "kysely";
import type { Clock } from "../clock.ts";
import type { Db } from "../db/schema.ts";
import type { ClinicSeal, Seal } from "../seal/seal.ts";
import { type KnownHost, knownHost } from "../webhooks/known-hosts.ts";
import { nameOf, type RunKey } from "./engine-store.ts";

const TARGETS_CACHED_MAX = 50_000;

export interface Target {
  version: number;
  url: string;
  /** the service that the address belongs to, where it is one that we know */
  host: KnownHost | null;
  /** name, value, name, value … as the manager set them */
  customHeaders: string[];
  choice: DataChoice;
  clinicSeal: ClinicSeal;
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

/** Webhooks read by one statement, at most. */
const LOADED_AT_ONCE_MAX = 256;

interface Wanted {
  key: RunKey;
  loaded: (target: Target | null) => void;
  failed: (error: unknown) => void;
}

interface TargetRow {
  clinic_id: number;
  id: number;
  version: number;
  url: Buffer;
  headers: Buffer | null;
  include_practitioner: BlockChoice;
  include_patient: BlockChoice;
  /** null where it has no live secret */
  place: SecretPlace | null;
  secret_id: number | null;
  sealed: Buffer | null;
  /** how long it is still valid by the database's clock; null for the current one */
  lives_ms: number | null;
}

type SecretPlace = "webhook_secrets.secret" | "webhook_keys.private_key";

/** What is stored of a webhook, with its live secrets: `whsec_…` first, then `whsk_…`, the newest of each first. */
interface StoredTarget {
  row: TargetRow;
  clinicSeal: ClinicSeal;
  /** monotonic ms */
  askedMs: number;
  secrets: { place: SecretPlace; id: number; sealed: Buffer; livesMs: number | null }[];
}

export class Targets {
  readonly #options: TargetsOptions;
  readonly #cache = new Map<string, Target>();
  /** those asked for since the last statement, by name; each is read once however many ask */
  #wanted = new Map<string, { key: RunKey; target: Promise<Target | null> } & Omit<Wanted, "key">>();

  constructor(options: TargetsOptions) {
    this.#options = options;
  }

  /** The target as of at least the given version; null when the webhook is gone meanwhile. */
  async get(key: RunKey, version: number): Promise<Target | null> {
    const name = nameOf(key);
    const cached = this.#cache.get(name);
    if (cached && cached.version >= version && this.#options.clock.monotonicMs() < cached.validUntilMs) return cached;
    const loaded = await this.load(key);
    if (loaded === null) this.#cache.delete(name);
    else this.#remember(name, loaded);
    return loaded;
  }

  /** Reads and unseals a webhook, drafts included (for a test before saving). Those asked for together are read together. */
  load(key: RunKey): Promise<Target | null> {
    const name = nameOf(key);
    const known = this.#wanted.get(name);
    if (known) return known.target;
    if (this.#wanted.size === 0) queueMicrotask(() => this.#loadWanted());
    const { promise, resolve, reject } = Promise.withResolvers<Target | null>();
    this.#wanted.set(name, { key, target: promise, loaded: resolve, failed: reject });
    return promise;
  }

  #loadWanted(): void {
    const wanted = [...this.#wanted.values()];
    this.#wanted = new Map();
    for (let from = 0; from < wanted.length; from += LOADED_AT_ONCE_MAX) {
      void this.#loadGroup(wanted.slice(from, from + LOADED_AT_ONCE_MAX));
    }
  }

  /** A webhook that does not open is the failure of those who asked for it, and of nobody else. */
  async #loadGroup(wanted: readonly Wanted[]): Promise<void> {
    try {
      const rows = await this.#read(wanted.map(({ key }) => key));
      for (const { key, loaded, failed } of wanted) {
        try {
          loaded(this.#open(rows.get(nameOf(key))));
        } catch (error) {
          failed(error);
        }
      }
    } catch (error) {
      for (const { failed } of wanted) failed(error);
    }
  }

  /** One statement, so that secrets are never older than the version that the target is kept under. */
  async #read(keys: readonly RunKey[]): Promise<Map<string, StoredTarget>> {
    const { db, seal, clock } = this.#options;
    const askedMs = clock.monotonicMs();
    const { rows } = await sql<TargetRow>`/* prepared read_targets */
      select w.clinic_id, w.id, w.version, w.url, w.headers, w.include_practitioner, w.include_patient,
        s.place, s.secret_id, s.sealed, (extract(epoch from s.retires_at - now()) * 1000)::float8 as lives_ms
      from unnest(${keys.map((key) => key.clinicId)}::bigint[], ${keys.map((key) => key.webhookId)}::bigint[])
          as k (clinic_id, webhook_id)
        join webhooks w on w.clinic_id = k.clinic_id and w.id = k.webhook_id and w.deleted_at is null
        left join lateral (
          select 'webhook_secrets.secret' as place, id as secret_id, secret as sealed, retires_at from webhook_secrets
          where clinic_id = w.clinic_id and webhook_id = w.id and (retires_at is null or retires_at > now())
          union all
          select 'webhook_keys.private_key', id, private_key, retires_at from webhook_keys
          where 'v1a' = any (w.signatures) and clinic_id = w.clinic_id and webhook_id = w.id
            and (retires_at is null or retires_at > now())) s on true
      order by s.place desc, s.secret_id desc`.execute(db);
    const seals = await seal.forClinics(db, [...new Set(rows.map((row) => row.clinic_id))]);
    const found = new Map<string, StoredTarget>();
    for (const row of rows) {
      const name = nameOf({ clinicId: row.clinic_id, webhookId: row.id });
      const clinicSeal = seals.get(row.clinic_id);
      if (clinicSeal === undefined) throw new Error(`there is no clinic ${row.clinic_id}`);
      const stored = found.get(name) ?? { row, clinicSeal, askedMs, secrets: [] };
      const { place, secret_id: id, sealed, lives_ms: livesMs } = row;
      if (place !== null && id !== null && sealed !== null) stored.secrets.push({ place, id, sealed, livesMs });
      found.set(name, stored);
    }
    return found;
  }

  #open(stored: StoredTarget | undefined): Target | null {
    if (stored === undefined) return null;
    const { row, clinicSeal, secrets, askedMs } = stored;
    const opened = secrets.map(({ place, id, sealed }) =>
      clinicSeal.open({ column: place, row: `${row.id}/${id}` }, sealed),
    );
    const headers = row.headers && clinicSeal.open({ column: "webhooks.headers", row: row.id }, row.headers);
    const url = clinicSeal.open({ column: "webhooks.url", row: row.id }, row.url);
    return {
      version: row.version,
      url,
      host: knownHost(new URL(url)),
      customHeaders: headers ? flatHeaders(headers) : [],
      choice: { practitioner: row.include_practitioner, patient: row.include_patient },
      clinicSeal,
      sign: createSigner(opened),
      validUntilMs: askedMs + Math.min(...secrets.map(({ livesMs }) => livesMs ?? Number.POSITIVE_INFINITY)),
    };
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
