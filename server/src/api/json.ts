/**
 * JSON from outside, read strictly: UTF-8 without errors, no key twice in one object, no `__proto__`, bounded depth and
 * number of keys. `JSON.parse` alone would keep the last of two equal keys, so that what was checked and what is meant
 * could differ. Does not know any field.
 */
import { ProblemError } from "../errors.ts";

export const JSON_DEPTH_MAX = 64;
const JSON_KEYS_MAX = 5_000;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The value that the bytes hold. Throws a `ProblemError` with status 400 that says what is wrong with them. */
export function parseStrictJson(bytes: Uint8Array): unknown {
  const text = decode(bytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refused("The body is not valid JSON. Check quotes, commas and brackets.");
  }
  checkKeys(text);
  return value;
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw refused("The body is not valid UTF-8. Send JSON encoded as UTF-8.");
  }
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/** Walks the text's tokens. It is known to be valid JSON by now, so a string followed by a colon is a key. */
function checkKeys(text: string): void {
  const open: (Set<string> | null)[] = [];
  let keys = 0;
  let lastString = '""';
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(null);
    else if (token === "}" || token === "]") open.pop();
    else if (token.startsWith('"')) lastString = token;
    else if (token === ":") {
      keys += 1;
      addKey(open.at(-1) ?? null, lastString);
    }
    refuseBeyondLimits(open.length, keys);
  }
}

function refuseBeyondLimits(depth: number, keys: number): void {
  if (depth > JSON_DEPTH_MAX) throw refused(`The body is nested deeper than ${JSON_DEPTH_MAX} levels.`);
  if (keys > JSON_KEYS_MAX) throw refused(`The body holds more than ${JSON_KEYS_MAX} keys.`);
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
