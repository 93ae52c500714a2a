/**
 * Signing secrets as Standard Webhooks writes them: `whsec_` and the base64 of 24 to 64 random bytes.
 *
 * Promises to decode strictly: a secret with a typing mistake is refused instead of being cut where the mistake is, so
 * that two sides never end up with different keys. Messages never repeat the secret.
 */

export const SECRET_PREFIX = "whsec_";
export const SECRET_MIN_BYTES = 24;
export const SECRET_MAX_BYTES = 64;
const NEW_SECRET_BYTES = 32;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Bytes with a buffer of their own, as the platform's cryptography wants them. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Canonical base64 with padding to bytes; null for anything else. */
export function fromBase64(text: string): Bytes | null {
  if (!BASE64.test(text)) return null;
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  // "QQ==" and "QR==" decode alike; only the first is what an encoder writes.
  return toBase64(bytes) === text ? bytes : null;
}

/** Base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

/** The key that a secret stands for. Throws a TypeError that says what is wrong without repeating the secret. */
export function decodeSecret(secret: string): Bytes {
  if (typeof secret !== "string" || !secret.startsWith(SECRET_PREFIX)) {
    throw new TypeError(`A signing secret must begin with ${SECRET_PREFIX}.`);
  }
  const key = fromBase64(secret.slice(SECRET_PREFIX.length));
  if (key === null) throw new TypeError(`A signing secret must be plain base64 after ${SECRET_PREFIX}.`);
  if (key.length < SECRET_MIN_BYTES || key.length > SECRET_MAX_BYTES) {
    throw new TypeError(`A signing secret must hold ${SECRET_MIN_BYTES} to ${SECRET_MAX_BYTES} bytes.`);
  }
  return key;
}

/** A new secret of 32 random bytes. */
export function generateSecret(): string {
  return SECRET_PREFIX + toBase64(crypto.getRandomValues(new Uint8Array(NEW_SECRET_BYTES)));
}
