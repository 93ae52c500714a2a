/**
 * Signatures by Standard Webhooks 1.0, `v1` (HMAC-SHA256) and `v1a` (ed25519): signing and verifying side by side
 * (contract §7).
 *
 * Owns the text that is signed and the form of the three headers. Promises: web standards only, so it runs in Node, on
 * the edge and in a browser (`v1a` where WebCrypto has Ed25519); what `sign` makes, `verify` accepts, and other people's
 * libraries too; a comparison in constant time, by the platform. Does not remember ids: a receiver that must not act twice
 * keeps them itself.
 */
import { WEBHOOK_HEADERS } from "./headers.ts";
import {
  checkHalves,
  decodePrivateKey,
  decodePublicKey,
  PRIVATE_KEY_PREFIX,
  type PrivateKey,
  PUBLIC_KEY_PREFIX,
  toPkcs8,
} from "./key-pair.ts";
import { type Bytes, decodeSecret, fromBase64, toBase64 } from "./secret.ts";

export { decodePublicKey, PRIVATE_KEY_PREFIX, PUBLIC_KEY_PREFIX } from "./key-pair.ts";
export { decodeSecret, generateSecret, SECRET_MAX_BYTES, SECRET_MIN_BYTES, SECRET_PREFIX } from "./secret.ts";

/** How far a message's time may lie from the receiver's, either way. */
export const TOLERANCE_DEFAULT_SECONDS = 300;
/** More live secrets and keys than this on either side is a mistake. */
export const SECRETS_MAX = 10;
/** More entries than this in one header are not read. */
export const SIGNATURE_ENTRIES_MAX = 20;

/** The kinds of signature, by the word with which an entry begins. */
const SIGNATURE_BYTES = { v1: 32, v1a: 64 } as const;
export type SignatureVersion = keyof typeof SIGNATURE_BYTES;

/** Visible ASCII without the full stop: it parts id, time and body in the signed text. */
const ID = /^[!-\-/-~]{1,255}$/;
/** Seconds without leading zeros, so that the header's text and the signed text cannot differ. */
const TIMESTAMP = /^(?:0|[1-9][0-9]{0,11})$/;
const ALGORITHMS = { v1: { name: "HMAC", hash: "SHA-256" }, v1a: { name: "Ed25519" } } as const;

/**
 * One secret or key, or all that are live during a rotation: `whsec_…` on both sides, `whsk_…` for signing, `whpk_…` for
 * verifying.
 */
export type Secrets = string | readonly string[];

export interface SignInput {
  /** One entry is made for each, in this order. */
  secrets: Secrets;
  /** The value of `webhook-id`. */
  id: string;
  /** The value of `webhook-timestamp`. */
  timestampSeconds: number;
  /** Exactly what is sent. */
  body: string | Uint8Array;
}

/** Anything with the headers of a request: `Headers`, a plain object, or what Node's `IncomingMessage` holds. */
export type HeaderSource =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

export interface VerifyInput {
  headers: HeaderSource;
  /** The body exactly as it came, before any parsing. */
  body: string | Uint8Array | ArrayBuffer;
  /** Secrets (`whsec_…`) and public keys (`whpk_…`). Any of them may have signed. */
  secrets: Secrets;
  /** The receiver's clock, in seconds since 1970. */
  nowSeconds: number;
  toleranceSeconds?: number;
}

/** Why a message is not to be trusted, in plain sentences. */
const REFUSALS = {
  "no-signature":
    "The message carries no signature that these secrets or public keys could check. It may not come from Hookwell at all.",
  "malformed-header":
    "The webhook-id, webhook-timestamp or webhook-signature header is missing, doubled or unreadable.",
  "body-was-parsed":
    "The body was parsed before it was checked. Pass the text or bytes exactly as they came, not an object made from them.",
  mismatch: "No signature fits. The secret or public key is another one, or the body was changed on the way.",
  "too-old": "The signature is right but the message is too old. Check the receiver's clock, or it was replayed.",
  "too-new": "The signature is right but the message is from the future. Check the receiver's clock.",
} as const;

export type RefusalReason = keyof typeof REFUSALS;

export type Verification =
  | { readonly ok: true; readonly id: string; readonly timestamp: number }
  | { readonly ok: false; readonly reason: RefusalReason; readonly message: string };

/** What stands before the body in the signed text. Throws a TypeError where id or time cannot be signed. */
export function signedPrefix(id: string, timestampSeconds: number): string {
  if (!ID.test(id)) throw new TypeError("A webhook-id must be 1 to 255 visible ASCII characters without a full stop.");
  if (!TIMESTAMP.test(String(timestampSeconds))) {
    throw new TypeError("A webhook-timestamp must be whole seconds since 1970.");
  }
  return `${id}.${timestampSeconds}.`;
}

/** One entry of the signature header, from the signature in base64. */
export function signatureEntry(version: SignatureVersion, signatureBase64: string): string {
  return `${version},${signatureBase64}`;
}

/** What signs: a secret that both sides have, or the sender's private key. */
export type SigningKey =
  | { readonly version: "v1"; readonly secret: Bytes }
  | ({ readonly version: "v1a" } & PrivateKey);

/** What signs, decoded. Throws a TypeError where there are none, too many, or one is malformed. */
export function decodeSigningKeys(secrets: Secrets): SigningKey[] {
  return listOf(secrets).map((text) => {
    if (begins(text, PUBLIC_KEY_PREFIX)) throw new TypeError("A public key cannot sign. Use the private one.");
    if (!begins(text, PRIVATE_KEY_PREFIX)) return { version: "v1", secret: decodeSecret(text) };
    return { version: "v1a", ...decodePrivateKey(text) };
  });
}

interface VerifyingKey {
  readonly version: SignatureVersion;
  readonly bytes: Bytes;
}

function decodeVerifyingKeys(secrets: Secrets): VerifyingKey[] {
  return listOf(secrets).map((text) => {
    if (begins(text, PRIVATE_KEY_PREFIX)) {
      throw new TypeError("Verifying takes the public key. A private key stays with the sender.");
    }
    if (!begins(text, PUBLIC_KEY_PREFIX)) return { version: "v1", bytes: decodeSecret(text) };
    return { version: "v1a", bytes: decodePublicKey(text) };
  });
}

/** A caller without types may give anything; what is not a text is refused as a malformed secret. */
function begins(text: unknown, prefix: string): boolean {
  return typeof text === "string" && text.startsWith(prefix);
}

function listOf(secrets: Secrets): readonly string[] {
  const list = typeof secrets === "string" ? [secrets] : secrets;
  if (list.length === 0 || list.length > SECRETS_MAX) {
    throw new TypeError(`Signing and verifying need 1 to ${SECRETS_MAX} secrets or keys.`);
  }
  return list;
}

/**
 * The value of `webhook-signature`: one entry per secret (`v1`) or private key (`v1a`), separated by spaces. Throws a
 * TypeError for a malformed secret, key, id or time, because those are the caller's.
 */
export async function sign({ secrets, id, timestampSeconds, body }: SignInput): Promise<string> {
  const text = signedBytes(signedPrefix(id, timestampSeconds), body);
  const entries = decodeSigningKeys(secrets).map(async (key) => {
    const imported = await (key.version === "v1" ? importKey("v1", key.secret, "sign") : importPrivateKey(key));
    const signature = await crypto.subtle.sign(ALGORITHMS[key.version].name, imported, text);
    return signatureEntry(key.version, toBase64(new Uint8Array(signature)));
  });
  return (await Promise.all(entries)).join(" ");
}

/**
 * Tells whether a message was signed with one of the secrets or keys, and recently. Whatever comes from outside gives a value,
 * never an exception; only a malformed secret, key or clock of the caller's own throws a TypeError.
 *
 * The time is judged after the signature, so that "too old" is only ever said of a genuine message.
 */
export async function verify(input: VerifyInput): Promise<Verification> {
  const keys = decodeVerifyingKeys(input.secrets);
  const tolerance = input.toleranceSeconds ?? TOLERANCE_DEFAULT_SECONDS;
  if (!Number.isFinite(input.nowSeconds) || !(tolerance >= 0)) {
    throw new TypeError("nowSeconds must be seconds since 1970, and toleranceSeconds 0 or more.");
  }
  const body = rawBody(input.body);
  if (body === null) return refuse("body-was-parsed");
  const read = readHeaders(input.headers, new Set(keys.map(({ version }) => version)));
  if ("reason" in read) return refuse(read.reason);
  const text = signedBytes(signedPrefix(read.id, read.timestamp), body);
  if (!(await anyFits(keys, read.signatures, text))) return refuse("mismatch");
  if (read.timestamp < input.nowSeconds - tolerance) return refuse("too-old");
  if (read.timestamp > input.nowSeconds + tolerance) return refuse("too-new");
  return { ok: true, id: read.id, timestamp: read.timestamp };
}

function refuse(reason: RefusalReason): Verification {
  return { ok: false, reason, message: REFUSALS[reason] };
}

/** Null for what a framework made of the body, which can no longer be checked. */
function rawBody(body: unknown): string | Uint8Array | null {
  if (typeof body === "string" || body instanceof Uint8Array) return body;
  return body instanceof ArrayBuffer ? new Uint8Array(body) : null;
}

function signedBytes(prefix: string, body: string | Uint8Array): Bytes {
  const encoder = new TextEncoder();
  const head = encoder.encode(prefix);
  const tail = typeof body === "string" ? encoder.encode(body) : body;
  const bytes = new Uint8Array(head.length + tail.length);
  bytes.set(head);
  bytes.set(tail, head.length);
  return bytes;
}

function importKey(version: SignatureVersion, bytes: Bytes, usage: "sign" | "verify"): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", bytes, ALGORITHMS[version], false, [usage]);
}

async function importPrivateKey(halves: PrivateKey): Promise<CryptoKey> {
  const key = await crypto.subtle.importKey("pkcs8", toPkcs8(halves.seed), ALGORITHMS.v1a, true, ["sign"]);
  const { x = "" } = await crypto.subtle.exportKey("jwk", key);
  const derived = fromBase64(`${x.replaceAll("-", "+").replaceAll("_", "/")}=`);
  checkHalves(halves, derived ?? new Uint8Array());
  return key;
}

interface Signature {
  readonly version: SignatureVersion;
  readonly bytes: Bytes;
}

/** Tries every key with every signature of its kind and lets the platform compare, in the same time for near and far. */
async function anyFits(keys: VerifyingKey[], signatures: Signature[], text: Bytes): Promise<boolean> {
  for (const { version, bytes } of keys) {
    const key = await importKey(version, bytes, "verify");
    for (const signature of signatures.filter((one) => one.version === version)) {
      if (await crypto.subtle.verify(ALGORITHMS[version].name, key, signature.bytes, text)) return true;
    }
  }
  return false;
}

type ReadHeaders = { id: string; timestamp: number; signatures: Signature[] } | { reason: RefusalReason };

function readHeaders(headers: HeaderSource, wanted: ReadonlySet<SignatureVersion>): ReadHeaders {
  const signature = readHeader(headers, WEBHOOK_HEADERS.signature);
  if (signature === null || signature === "") return { reason: "no-signature" };
  const id = readHeader(headers, WEBHOOK_HEADERS.id);
  const timestamp = readHeader(headers, WEBHOOK_HEADERS.timestamp);
  if (typeof signature !== "string" || typeof id !== "string" || typeof timestamp !== "string") {
    return { reason: "malformed-header" };
  }
  if (!ID.test(id) || !TIMESTAMP.test(timestamp)) return { reason: "malformed-header" };
  const signatures = readSignatures(signature, wanted);
  return "reason" in signatures ? signatures : { id, timestamp: Number(timestamp), signatures: signatures.found };
}

/** Entries of other versions than the given keys could check are somebody else's to check. */
function readSignatures(
  header: string,
  wanted: ReadonlySet<SignatureVersion>,
): { found: Signature[] } | { reason: RefusalReason } {
  const entries = header.split(" ").filter((entry) => entry !== "");
  if (entries.length > SIGNATURE_ENTRIES_MAX) return { reason: "malformed-header" };
  const ours = entries.flatMap((entry) => {
    const version = [...wanted].find((one) => entry.startsWith(`${one},`));
    return version === undefined ? [] : [{ version, bytes: fromBase64(entry.slice(version.length + 1)) }];
  });
  if (ours.length === 0) return { reason: "no-signature" };
  const found = ours.filter(
    (one): one is Signature => one.bytes !== null && one.bytes.length === SIGNATURE_BYTES[one.version],
  );
  return found.length === 0 ? { reason: "malformed-header" } : { found };
}

/** The one value of a header whatever its case; null where absent, undefined where it is given more than once. */
function readHeader(headers: HeaderSource, name: string): string | null | undefined {
  if (isHeadersLike(headers)) return headers.get(name);
  const values = Object.entries(headers)
    .filter(([key, value]) => key.toLowerCase() === name && value !== undefined)
    .flatMap(([, value]) => value as string | string[]);
  if (values.length === 0) return null;
  return values.length === 1 ? values[0] : undefined;
}

function isHeadersLike(headers: HeaderSource): headers is { get(name: string): string | null } {
  return typeof headers.get === "function";
}
