/**
 * The sender's signer: the same signatures as `signature.ts`, made synchronously with Node's own cryptography.
 *
 * A dispatcher signs every attempt on its hot path, where a promise per signature costs more than the signature. What is
 * signed, how it is written and how secrets and keys are decoded is all in `signature.ts`. An ed25519 signature costs many
 * times what an HMAC does, and only those who ask for one pay for it.
 */
import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
  sign as signWithKey,
} from "node:crypto";
import { checkHalves, encodePrivateKey, encodePublicKey, type PrivateKey, toPkcs8 } from "./key-pair.ts";
import { decodeSigningKeys, type Secrets, signatureEntry, signedPrefix } from "./signature.ts";

/** Gives the value of `webhook-signature` for one message. */
export type Signer = (id: string, timestampSeconds: number, body: string | Uint8Array) => string;

/**
 * A signer with one or several secrets (`whsec_…`) and private keys (`whsk_…`), which it decodes once. Throws a TypeError
 * for a malformed one; the signer throws one for an id or time that cannot be signed.
 */
export function createSigner(secrets: Secrets): Signer {
  const entries = decodeSigningKeys(secrets).map((key) =>
    key.version === "v1" ? macEntry(createSecretKey(key.secret)) : keyEntry(openPrivateKey(key)),
  );
  const [only, ...others] = entries;
  // Nearly every webhook has one secret, and signs with it thousands of times a second.
  if (only !== undefined && others.length === 0) return (id, seconds, body) => only(signedPrefix(id, seconds), body);
  return (id, timestampSeconds, body) => {
    const prefix = signedPrefix(id, timestampSeconds);
    return entries.map((entry) => entry(prefix, body)).join(" ");
  };
}

type Entry = (prefix: string, body: string | Uint8Array) => string;

function macEntry(key: KeyObject): Entry {
  return (prefix, body) => signatureEntry("v1", createHmac("sha256", key).update(prefix).update(body).digest("base64"));
}

/** Ed25519 reads its text twice, so it takes it in one piece only. */
function keyEntry(key: KeyObject): Entry {
  return (prefix, body) => {
    const text = typeof body === "string" ? Buffer.from(prefix + body) : Buffer.concat([Buffer.from(prefix), body]);
    return signatureEntry("v1a", signWithKey(null, text, key).toString("base64"));
  };
}

function openPrivateKey(halves: PrivateKey): KeyObject {
  const key = createPrivateKey({ key: Buffer.from(toPkcs8(halves.seed)), format: "der", type: "pkcs8" });
  checkHalves(halves, rawHalf(createPublicKey(key), "x"));
  return key;
}

/** `x` is the public half, `d` the seed (RFC 8037). */
function rawHalf(key: KeyObject, half: "x" | "d"): Buffer {
  const text = key.export({ format: "jwk" })[half];
  if (text === undefined) throw new Error("an ed25519 key was exported without the half that was asked for");
  return Buffer.from(text, "base64url");
}

/** A new ed25519 key pair: `privateKey` (`whsk_…`) is a secret of the sender's, `publicKey` (`whpk_…`) is for everybody. */
export function generateKeyPair(): { privateKey: string; publicKey: string } {
  const { privateKey } = generateKeyPairSync("ed25519");
  const [seed, publicKey] = [rawHalf(privateKey, "d"), rawHalf(privateKey, "x")];
  return { privateKey: encodePrivateKey({ seed, publicKey }), publicKey: encodePublicKey(publicKey) };
}
