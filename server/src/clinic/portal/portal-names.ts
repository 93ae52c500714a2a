/**
 * The clinic's name in the address of its portal: lower-case letters, digits and single hyphens, 3 to 60 characters. Pure.
 */
import { fold } from "../names.ts";

const NAME_MIN_CHARACTERS = 3;
/** The rest of the 60 is for a number. */
const NAME_MAX_CHARACTERS = 50;
/** Names in a row that may be taken; beyond them numbers are drawn, not counted. */
const COUNTED_MAX = 20;
const DRAWN_TRIES_MAX = 20;
const DRAWN_BELOW = 1_000_000_000;
/** What a name that has none of these letters becomes. */
const FALLBACK = "clinic";
const PORTAL_NAME = /^[a-z0-9-]{3,60}$/;

/** Whether a clinic can have this name at all; what cannot be one is not worth a look. */
export function isPortalName(text: string): boolean {
  return PORTAL_NAME.test(text);
}

/** Portal names to try for a clinic, one after another: its own, then with a number. */
export function* portalNames(clinicName: string): Generator<string> {
  const name = slugOf(clinicName);
  yield name;
  for (let number = 2; number <= COUNTED_MAX; number += 1) yield `${name}-${number}`;
  for (let tries = 0; tries < DRAWN_TRIES_MAX; tries += 1) yield `${name}-${Math.floor(Math.random() * DRAWN_BELOW)}`;
}

function slugOf(clinicName: string): string {
  const letters = hyphenated(fold(clinicName)).slice(0, NAME_MAX_CHARACTERS);
  return hyphenated(letters.length < NAME_MIN_CHARACTERS ? `${FALLBACK}-${letters}` : letters);
}

function hyphenated(text: string): string {
  return text.replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
}
