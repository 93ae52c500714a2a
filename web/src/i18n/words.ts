// Says what the dictionaries say: ICU messages of one language at a time. Owns which language is spoken and the words that are
// there; setup.ts loads them. Both dictionaries have the same keys (dictionaries.test.ts), so there is no fallback language.
import { IntlMessageFormat } from "intl-messageformat";
import { useSyncExternalStore } from "react";
import type everything from "./en.ts";
import type { Language } from "./languages.ts";

/** The words that belong to one part of the page; a file of each language. */
export type Room = keyof typeof everything;

type Paths<Words> = {
  [Name in keyof Words & string]: Words[Name] extends string ? Name : `${Name}.${Paths<Words[Name]>}`;
}[keyof Words & string];
/** A key that does not exist is then a type error, not an English word on a French page. */
type Key = Paths<typeof everything>;

export interface Words {
  readonly [name: string]: string | Words;
}
type Values = Record<string, string | number | null | undefined>;

const known = new Map<string, Words>();
/** Read once each, because reading a message costs more than saying it. */
const read = new Map<string, IntlMessageFormat>();
const listeners = new Set<() => void>();

export function addWords(language: Language, room: Room, words: Words): void {
  known.set(`${language} ${room}`, words);
}

function find(language: Language, key: string): string | undefined {
  const [room, ...names] = key.split(".");
  let words: string | Words | undefined = known.get(`${language} ${room}`);
  for (const name of names) words = typeof words === "object" ? words[name] : undefined;
  return typeof words === "string" ? words : undefined;
}

function message(language: Language, key: string): IntlMessageFormat {
  const name = `${language} ${key}`;
  const before = read.get(name);
  if (before !== undefined) return before;
  const text = find(language, key);
  if (text === undefined)
    throw new Error(`The words of "${key}" are not there in ${language}: see withWords in setup.ts.`);
  const made = new IntlMessageFormat(text, language, undefined, { ignoreTag: true });
  read.set(name, made);
  return made;
}

function speech(language: Language) {
  return {
    language,
    t: (key: Key, values?: Values) => String(message(language, key).format(values)),
    /** Whether there are words for it among those that are loaded; asked only of keys that are made from a server's code. */
    has: (key: string): key is Key => find(language, key) !== undefined,
  };
}

let spoken = speech("en");

/** All that is shown says it in this language from now on; its words have to be there. */
export function speak(language: Language): void {
  spoken = speech(language);
  document.documentElement.lang = language;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** `t` says the words of a key. */
export function useTranslation() {
  return useSyncExternalStore(subscribe, () => spoken);
}
