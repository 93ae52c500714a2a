/**
 * JSON from outside, read strictly: UTF-8 without errors, no key twice in one object, no `__proto__`, bounded depth and
 * number of keys. `JSON.parse` alone would keep the last of two equal keys, so that what was checked and what is meant
 * could differ. Does not know any field.
 */
import { ProblemError } from "../errors.ts";

export const JSON_DEPTH_MAX = 64;
const JSON_KEYS_MAX = 5_000;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The value that the bytes hold. Throws a `ProblemError` with status 400 that says what is wrong with them.
 * @param keysMax how many keys the whole text may hold
 */
export function parseStrictJson(bytes: Uint8Array, keysMax: number = JSON_KEYS_MAX): unknown {
  const text = decode(bytes);
  const keys = countKeys(bytes, keysMax);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refused("The body is not valid JSON. Check quotes, commas and brackets.");
  }
  // A key that stands twice in one object is there once in the value.
  if (keysIn(value) !== keys) nameDoubleKey(text);
  return value;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPENING = new Set([0x7b, 0x5b]);
const CLOSING = new Set([0x7d, 0x5d]);

/** The number of keys of the text, read byte by byte: outside of strings a colon always follows a key. */
function countKeys(bytes: Uint8Array, keysMax: number): number {
  let keys = 0;
  let depth = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) at = endOfString(bytes, at);
    else if (byte === COLON) keys += 1;
    else if (byte < 0x5b) continue;
    else if (OPENING.has(byte)) {
      depth += 1;
      if (depth > JSON_DEPTH_MAX) throw refused(`The body is nested deeper than ${JSON_DEPTH_MAX} levels.`);
    } else if (CLOSING.has(byte)) depth -= 1;
  }
  if (keys > keysMax) throw refused(`The body holds more than ${keysMax} keys.`);
  return keys;
}

/** Where the string that begins at a quote ends. */
function endOfString(bytes: Uint8Array, begin: number): number {
  for (let at = begin + 1; at < bytes.length; at += 1) {
    if (bytes[at] === BACKSLASH) at += 1;
    else if (bytes[at] === QUOTE) return at;
  }
  return bytes.length;
}

/** The keys of all objects in a value whose depth is known to be bounded. */
function keysIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let keys = 0;
  if (Array.isArray(value)) {
    for (const item of value) keys += keysIn(item);
    return keys;
  }
  for (const [key, inner] of Object.entries(value)) {
    if (key === "__proto__") throw refused('The body holds the key "__proto__", which is not allowed.');
    keys += 1 + (typeof inner === "object" ? keysIn(inner) : 0);
  }
  return keys;
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw refused("The body is not valid UTF-8. Send JSON encoded as UTF-8.");
  }
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/** Walks the tokens of a text that is known to be valid JSON and to hold a key twice, up to that key. */
function nameDoubleKey(text: string): void {
  const open: (Set<string> | null)[] = [];
  let lastString = '""';
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(null);
    else if (token === "}" || token === "]") open.pop();
    else if (token.startsWith('"')) lastString = token;
    else if (token === ":") addKey(open.at(-1) ?? null, lastString);
  }
}

function addKey(keys: Set<string> | null, quoted: string): void {
  const key = JSON.parse(quoted) as string;
  if (key === "__proto__") throw refused('The body holds the key "__proto__", which is not allowed.');
  if (keys?.has(key)) {
    throw refused(`The body holds the key "${key.slice(0, 60)}" twice in one object. Send each key once.`);
  }
  keys?.add(key);
}

function refused(title: string): ProblemError {
  return new ProblemError({ status: 400, code: "invalid_json", title });
}
