/**
 * The sender's signer: the same signatures as `signature.ts`, made synchronously with Node's own cryptography.
 *
 * A dispatcher signs every attempt on its hot path, where a promise per signature costs more than the signature. What is
 * signed, how it is written and how secrets are decoded is all in `signature.ts`.
 */
import { createHmac, createSecretKey } from "node:crypto";
import { decodeSecrets, type Secrets, signatureEntry, signedPrefix } from "./signature.ts";

/** Gives the value of `webhook-signature` for one message. */
export type Signer = (id: string, timestampSeconds: number, body: string | Uint8Array) => string;

/**
 * A signer with one or several secrets, which it decodes once. Throws a TypeError for a malformed secret; the signer
 * throws one for an id or time that cannot be signed.
 */
export function createSigner(secrets: Secrets): Signer {
  const keys = decodeSecrets(secrets).map((key) => createSecretKey(key));
  return (id, timestampSeconds, body) => {
    const prefix = signedPrefix(id, timestampSeconds);
    return keys
      .map((key) => signatureEntry(createHmac("sha256", key).update(prefix).update(body).digest("base64")))
      .join(" ");
  };
}
