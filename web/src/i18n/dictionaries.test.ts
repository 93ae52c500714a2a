import { LANGUAGES } from "@hookwell/sdk";
import IntlMessageFormat from "intl-messageformat";
import { describe, expect, it } from "vitest";
import moreEn from "./en.more.ts";
import en from "./en.ts";
import moreFr from "./fr-CA.more.ts";
import fr from "./fr-CA.ts";
import { chooseLanguage } from "./languages.ts";

type Tree = { [key: string]: string | Tree };

function flat(tree: Tree, prefix = ""): Map<string, string> {
  const messages = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    const path = prefix + key;
    if (typeof value === "string") messages.set(path, value);
    else for (const [inner, text] of flat(value, `${path}.`)) messages.set(inner, text);
  }
  return messages;
}

const dictionaries = { en: flat({ ...en, ...moreEn }), "fr-CA": flat({ ...fr, ...moreFr }) };

/** Names of the values that a message asks for. */
function valuesOf(text: string, language: string): string[] {
  const names = new Set<string>();
  const visit = (nodes: unknown): void => {
    if (!Array.isArray(nodes)) return;
    for (const node of nodes) {
      if (typeof node.value === "string" && node.type !== 0) names.add(node.value);
      for (const option of Object.values(node.options ?? {})) visit((option as { value: unknown }).value);
    }
  };
  visit(new IntlMessageFormat(text, language).getAst());
  return [...names].sort();
}

describe("the dictionaries", () => {
  it("have the same keys in every language, and no empty text", () => {
    expect(Object.keys(dictionaries).sort()).toEqual([...LANGUAGES].sort());
    expect([...dictionaries["fr-CA"].keys()]).toEqual([...dictionaries.en.keys()]);
    for (const messages of Object.values(dictionaries)) {
      for (const [key, text] of messages) expect(text.trim(), key).not.toBe("");
    }
  });

  it("are ICU messages that ask for the same values in every language", () => {
    for (const [key, text] of dictionaries.en) {
      expect(valuesOf(dictionaries["fr-CA"].get(key) ?? "", "fr-CA"), key).toEqual(valuesOf(text, "en"));
    }
  });

  it("speak to a manager: no word of the trade where a plain one exists", () => {
    const trade = /\b(endpoint|payload|POST|HTTP|null|undefined|retry|boolean|string|array)\b/;
    for (const [language, messages] of Object.entries(dictionaries)) {
      for (const [key, text] of messages) expect(text, `${language} ${key}`).not.toMatch(trade);
    }
  });
});

describe("the first language", () => {
  it("is the one chosen before, else the browser's first that we speak, else English", () => {
    expect(chooseLanguage("fr-CA", ["en-US"])).toBe("fr-CA");
    expect(chooseLanguage(null, ["de-DE", "fr-FR", "en"])).toBe("fr-CA");
    expect(chooseLanguage("xx", ["en-GB"])).toBe("en");
    expect(chooseLanguage(null, ["de"])).toBe("en");
  });
});
