/**
 * Key pairs for `v1a` signatures (ed25519) as Standard Webhooks writes them: `whpk_` and the base64 of the public key's 32
 * bytes, `whsk_` and the base64 of the private key's 64: its seed, then the public key once more.
 *
 * Promises to decode as strictly as secret.ts, and that no message repeats a key. A private key stays with the sender; a
 * receiver has the public one, with which nobody can sign.
 */
import { type Bytes, fromBase64, toBase64 } from "./secret.ts";

export const PUBLIC_KEY_PREFIX = "whpk_";
export const PRIVATE_KEY_PREFIX = "whsk_";
const SEED_BYTES = 32;
const PUBLIC_KEY_BYTES = 32;

/** What stands before the seed in PKCS #8 (RFC 8410), the one form of a private key that every platform takes. */
const PKCS8_HEAD = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20] as const;

/** The two halves of a `whsk_` text. Whether they belong together is for who makes a key of them to check. */
export interface PrivateKey {
  readonly seed: Bytes;
  readonly publicKey: Bytes;
}

/** The 32 bytes of a `whpk_` text. Throws a TypeError that says what is wrong. */
export function decodePublicKey(text: string): Bytes {
  const key = text.startsWith(PUBLIC_KEY_PREFIX) ? fromBase64(text.slice(PUBLIC_KEY_PREFIX.length)) : null;
  if (key === null || key.length !== PUBLIC_KEY_BYTES) {
    throw new TypeError(`A public key must be ${PUBLIC_KEY_PREFIX} and the plain base64 of ${PUBLIC_KEY_BYTES} bytes.`);
  }
  return key;
}

/** The halves of a `whsk_` text. Throws a TypeError that says what is wrong without repeating the key. */
export function decodePrivateKey(text: string): PrivateKey {
  const key = text.startsWith(PRIVATE_KEY_PREFIX) ? fromBase64(text.slice(PRIVATE_KEY_PREFIX.length)) : null;
  if (key === null || key.length !== SEED_BYTES + PUBLIC_KEY_BYTES) {
    const bytes = SEED_BYTES + PUBLIC_KEY_BYTES;
    throw new TypeError(`A private key must be ${PRIVATE_KEY_PREFIX} and the plain base64 of ${bytes} bytes.`);
  }
  return { seed: key.slice(0, SEED_BYTES), publicKey: key.slice(SEED_BYTES) };
}

/** A public key's 32 bytes as a receiver is given them. */
export function encodePublicKey(key: Uint8Array): string {
  return PUBLIC_KEY_PREFIX + toBase64(key);
}

/** The `whsk_` text of a private key; a secret. */
export function encodePrivateKey({ seed, publicKey }: { seed: Uint8Array; publicKey: Uint8Array }): string {
  return PRIVATE_KEY_PREFIX + toBase64(Uint8Array.from([...seed, ...publicKey]));
}

/** A seed in PKCS #8, DER. */
export function toPkcs8(seed: Uint8Array): Bytes {
  return Uint8Array.from([...PKCS8_HEAD, ...seed]);
}

/** Throws a TypeError unless the public half is the one that belongs to the seed: then the text was not copied whole. */
export function checkHalves({ publicKey }: PrivateKey, derived: Uint8Array): void {
  if (toBase64(publicKey) !== toBase64(derived)) {
    throw new TypeError("The two halves of a private key do not belong together. It was changed since it was made.");
  }
}
