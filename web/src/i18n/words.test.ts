/**
 * The manager's words (experience.md, style.md): no word of the trade on a screen that a manager reads, in either language.
 * What is meant for whoever set up the other system is listed by its namespace, and nothing else is let through.
 */
import { EVENTS, GROUPS, LANGUAGES, type Language } from "@hookwell/sdk";
import { CAUSES } from "@hookwell/sdk/cause-table";
import { describe, expect, it } from "vitest";
import { dictionary } from "./dictionary.ts";
import type { Tree } from "./pseudo.ts";

/** What a manager sees on the way from Webhooks to Deliveries, Notices, the test inbox and the history. */
const MANAGERS = ["webhooks", "preview", "deliveries", "inbox", "notices", "audit", "shell"];

/** Read by whoever set up the other system. */
const INTEGRATORS = ["deliveries.developer."];
/** Names of things that have no other name: the view, and the kind of file. */
const NAMES = new Set(["preview.json", "audit.download.json"]);

const TRADE: Readonly<Record<Language, RegExp>> = {
  en: /\b(endpoints?|payloads?|https?(?!:\/\/)|nulls?|undefined|NaN|booleans?|strings?|arrays?|objects?|callbacks?|requests?|responses?|status codes?|timeouts?|time-outs?|headers?|URLs?|URIs?|JSON|parse[ds]?|tokens?|regex|DNS|TLS|SSL|TCP|IPs?|hostname|sockets?|redirects?|retr(y|ies)|query|queries|cursor|idempoten\w+|body|bodies|schemas?|UUIDs?|cron|async\w*|backoff)\b/i,
  "fr-CA":
    /(?<!\p{L})(endpoints?|points? de terminaison|payloads?|charges? utiles?|https?(?!:\/\/)|null|undefined|NaN|booléens?|chaînes? de caractères|objets? JSON|callbacks?|requêtes?|codes? d’état|en-têtes?|URLs?|URIs?|JSON|jetons?|regex|DNS|TLS|SSL|TCP|IP|sockets?|redirections?|idempoten\p{L}+|schémas?|UUIDs?|asynchrones?)(?!\p{L})/iu,
};

/** In capitals only: written small, they are plain words. */
const VERBS = /\b(POST|GET|PUT|PATCH)\b/;

function flat(tree: Tree, prefix = ""): [key: string, text: string][] {
  return Object.entries(tree).flatMap(([key, value]): [string, string][] =>
    typeof value === "string" ? [[prefix + key, value]] : flat(value, `${prefix}${key}.`),
  );
}

const dictionaries: Record<Language, Tree> = { en: dictionary("en"), "fr-CA": dictionary("fr-CA") };

/** Without the selectors of ICU, which nobody reads: only `{name, plural, …}` keeps what is shown. */
const readable = (text: string) => text.replaceAll(/\{\w+(, (plural|select|number),?)?/g, "{");

function managersWords(language: Language): [key: string, text: string][] {
  const screens = flat(dictionaries[language]).filter(
    ([key]) =>
      MANAGERS.includes(key.split(".")[0] ?? "") &&
      !NAMES.has(key) &&
      !INTEGRATORS.some((namespace) => key.startsWith(namespace)),
  );
  const events = Object.entries(EVENTS).flatMap(([event, { label, sentence, firesNot }]): [string, string][] => [
    [`${event} label`, label[language]],
    [`${event} sentence`, sentence[language]],
    [`${event} firesNot`, firesNot[language]],
  ]);
  const groups = Object.entries(GROUPS).map(([group, { label }]): [string, string] => [group, label[language]]);
  const causes = Object.entries(CAUSES).flatMap(([cause, { text, advice }]) =>
    [...text[language], ...(advice?.[language] ?? [])].map((words): [string, string] => [`cause ${cause}`, words]),
  );
  return [...screens.map(([key, text]): [string, string] => [key, readable(text)]), ...events, ...groups, ...causes];
}

describe("the words that a manager reads", () => {
  it.each(LANGUAGES)("have no word of the trade in %s", (language) => {
    const words = managersWords(language);
    expect(words.length).toBeGreaterThan(500);
    expect(words.filter(([, text]) => TRADE[language].test(text) || VERBS.test(text))).toEqual([]);
  });

  it("would be found out if they had", () => {
    expect(TRADE.en.test("The endpoint answered null.")).toBe(true);
    expect(TRADE["fr-CA"].test("La requête a échoué.")).toBe(true);
    expect(TRADE["fr-CA"].test("Ce jeton est expiré.")).toBe(true);
  });

  it("leave the trade to one namespace, which really is there", () => {
    expect(dictionaries.en).toHaveProperty("deliveries.developer.requestHeaders");
  });
});
