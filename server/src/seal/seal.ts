/**
 * Sealing at rest: AES-256-GCM with a key per clinic, itself wrapped by the master key.
 *
 * Owns: the format of sealed bytes and the clinics' data keys. Promises: what was sealed for one clinic, table, column and
 * row opens nowhere else (they are the additional data of the cipher), and a changed byte never opens at all. Does not:
 * decide what is sealed — every table that holds facts, answers, secrets or addresses does so itself.
 *
 * Sealed bytes: version (1 byte, 0x01) · nonce (12) · ciphertext · tag (16).
 */
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type KeyObject,
  randomBytes,
  randomUUID,
} from "node:crypto";
import { type Kysely, sql } from "kysely";
import type { Database } from "../db/schema.ts";
import { drawRandom } from "./random.ts";

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const CLINIC_KEYS_CACHED_MAX = 50_000;

/** Where sealed bytes live: table and column, and the row's key within the clinic. */
export interface Place {
  column: `${string}.${string}`;
  row: string | number;
}

/** Sealing for one clinic; synchronous, because its key is already at hand. */
export interface ClinicSeal {
  seal(place: Place, text: string): Buffer;
  /** Opens what seal() made for the same clinic and place; throws SealBrokenError for anything else. */
  open(place: Place, sealed: Buffer): string;
}

/** Sealed bytes that do not open: another clinic's, another place's, another key's, or damaged. */
export class SealBrokenError extends Error {
  constructor(place: Place, options?: ErrorOptions) {
    super(`what is sealed in ${place.column}, row ${place.row}, does not open with this clinic's key`, options);
    this.name = "SealBrokenError";
  }
}

export interface SealOptions {
  /** Reads the master keys again where those at hand do not open something: a rotation may have brought a new one. */
  readonly readAgain?: () => Promise<readonly KeyObject[]>;
}

export class Seal {
  /** The newest first: it wraps, the others still open. */
  #masterKeys: readonly [KeyObject, ...KeyObject[]];
  readonly #readAgain: (() => Promise<readonly KeyObject[]>) | undefined;
  readonly #clinics = new Map<number, ClinicSeal>();

  /** @param masterKeys one or several, newest first, of exactly 32 bytes each (master-keys.ts) */
  constructor(masterKeys: KeyObject | readonly KeyObject[], { readAgain }: SealOptions = {}) {
    this.#masterKeys = checked([masterKeys].flat());
    this.#readAgain = readAgain;
  }

  /**
   * A new clinic's wrapped data key and its id, to be stored in clinics.data_key and data_key_id. The wrapping is bound to
   * that id, which is drawn before the clinic's row exists, so that one clinic's wrapped key is of no use in another's row.
   */
  newDataKey(): { data_key: Buffer; data_key_id: string } {
    const id = randomUUID();
    return { data_key: encrypt(this.#masterKeys[0], dataKeyBound(id), randomBytes(KEY_BYTES)), data_key_id: id };
  }

  /** A data key wrapped anew by the newest master key; null where it is already. @throws SealBrokenError */
  rewrapDataKey({ data_key, data_key_id }: WrappedDataKey): Buffer | null {
    return this.#rewrap({ column: "clinics.data_key", row: data_key_id }, dataKeyBound(data_key_id), data_key);
  }

  /** Wraps what belongs to no clinic, by the newest master key, bound to its name (kept-secrets.ts). */
  wrapSecret(name: string, secret: Buffer): Buffer {
    return encrypt(this.#masterKeys[0], secretBound(name), secret);
  }

  /** Opens what wrapSecret() made. @throws SealBrokenError */
  unwrapSecret(name: string, wrapped: Buffer): Buffer {
    return this.#unwrap(placeOfSecret(name), secretBound(name), wrapped).plain;
  }

  /** The same wrapped anew by the newest master key; null where it is already. @throws SealBrokenError */
  rewrapSecret(name: string, wrapped: Buffer): Buffer | null {
    return this.#rewrap(placeOfSecret(name), secretBound(name), wrapped);
  }

  /**
   * The clinic's seal, read through the given connection once and cached afterwards.
   * @throws when the clinic does not exist or its key was wrapped by another master key
   */
  async forClinic(db: Kysely<Database>, clinicId: number): Promise<ClinicSeal> {
    const found = this.#clinics.get(clinicId) ?? (await this.forClinics(db, [clinicId])).get(clinicId);
    if (found === undefined) throw new Error(`there is no clinic ${clinicId}`);
    return found;
  }

  /** The seals of several clinics, those that are not cached by one statement; a clinic that does not exist has none. */
  async forClinics(db: Kysely<Database>, clinicIds: readonly number[]): Promise<Map<number, ClinicSeal>> {
    const seals = new Map<number, ClinicSeal>();
    const missing: number[] = [];
    for (const id of clinicIds) {
      const known = this.#clinics.get(id);
      if (known) seals.set(id, known);
      else missing.push(id);
    }
    if (missing.length === 0) return seals;
    const rows = await db
      .selectFrom("clinics")
      .select(["id", "data_key", "data_key_id"])
      .where("id", "=", sql<number>`any (${missing}::bigint[])`)
      .execute();
    for (const row of rows) seals.set(row.id, await this.#rememberOrReadAgain(row));
    return seals;
  }

  async #rememberOrReadAgain(row: WrappedDataKey & { id: number }): Promise<ClinicSeal> {
    try {
      return this.#remember(row);
    } catch (error) {
      if (!(error instanceof SealBrokenError) || this.#readAgain === undefined) throw error;
      this.#masterKeys = checked(await this.#readAgain());
      return this.#remember(row);
    }
  }

  #rewrap(place: Place, boundTo: string, wrapped: Buffer): Buffer | null {
    const { plain, isNewest } = this.#unwrap(place, boundTo, wrapped);
    return isNewest ? null : encrypt(this.#masterKeys[0], boundTo, plain);
  }

  #unwrap(place: Place, boundTo: string, wrapped: Buffer): { plain: Buffer; isNewest: boolean } {
    for (const key of this.#masterKeys) {
      try {
        return { plain: decrypt(key, place, boundTo, wrapped), isNewest: key === this.#masterKeys[0] };
      } catch (error) {
        if (!(error instanceof SealBrokenError)) throw error;
      }
    }
    throw new SealBrokenError(place);
  }

  #remember({ id, data_key, data_key_id }: WrappedDataKey & { id: number }): ClinicSeal {
    const place: Place = { column: "clinics.data_key", row: data_key_id };
    const key = createSecretKey(this.#unwrap(place, dataKeyBound(data_key_id), data_key).plain);
    const made = clinicSeal(key, id);
    const oldest = this.#clinics.size >= CLINIC_KEYS_CACHED_MAX ? this.#clinics.keys().next().value : undefined;
    if (oldest !== undefined) this.#clinics.delete(oldest);
    this.#clinics.set(id, made);
    return made;
  }
}

interface WrappedDataKey {
  readonly data_key: Buffer;
  readonly data_key_id: string;
}

function checked(keys: readonly KeyObject[]): readonly [KeyObject, ...KeyObject[]] {
  const [newest, ...older] = keys;
  if (newest === undefined) throw new RangeError("there is no master key");
  if (keys.some((key) => key.symmetricKeySize !== KEY_BYTES))
    throw new RangeError(`the master key must be ${KEY_BYTES} bytes`);
  return [newest, ...older];
}

function secretBound(name: string): string {
  return `kept_secrets.secret|${name}`;
}

function placeOfSecret(name: string): Place {
  return { column: "kept_secrets.secret", row: name };
}

function dataKeyBound(id: string): string {
  return `clinics.data_key|${id}`;
}

function clinicSeal(key: KeyObject, clinicId: number): ClinicSeal {
  const bound = (place: Place) => `${place.column}|${clinicId}|${place.row}`;
  return {
    seal: (place, text) => encrypt(key, bound(place), Buffer.from(text, "utf8")),
    open: (place, sealed) => decrypt(key, place, bound(place), sealed).toString("utf8"),
  };
}

function encrypt(key: KeyObject, boundTo: string, plain: Buffer): Buffer {
  const nonce = drawRandom(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(boundTo, "utf8"));
  const body = cipher.update(plain);
  cipher.final();
  return Buffer.concat([Buffer.of(VERSION), nonce, body, cipher.getAuthTag()]);
}

function decrypt(key: KeyObject, place: Place, boundTo: string, sealed: Buffer): Buffer {
  if (sealed.length < 1 + NONCE_BYTES + TAG_BYTES || sealed[0] !== VERSION) throw new SealBrokenError(place);
  const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(boundTo, "utf8"))
    .setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const body = decipher.update(sealed.subarray(1 + NONCE_BYTES, sealed.length - TAG_BYTES));
  try {
    return Buffer.concat([body, decipher.final()]);
  } catch (cause) {
    throw new SealBrokenError(place, { cause });
  }
}
