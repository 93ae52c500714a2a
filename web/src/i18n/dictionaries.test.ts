import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LANGUAGES } from "@hookwell/sdk";
import IntlMessageFormat from "intl-messageformat";
import { describe, expect, it } from "vitest";
import { dictionary } from "./dictionary.ts";
import { chooseLanguage } from "./languages.ts";
import { pseudo, pseudoTree, type Tree } from "./pseudo.ts";

function flat(tree: Tree, prefix = ""): Map<string, string> {
  const messages = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    const path = prefix + key;
    if (typeof value === "string") messages.set(path, value);
    else for (const [inner, text] of flat(value, `${path}.`)) messages.set(inner, text);
  }
  return messages;
}

const dictionaries = { en: flat(dictionary("en")), "fr-CA": flat(dictionary("fr-CA")) };

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

  it("have no space before a question mark in French, as it is written in Canada", () => {
    for (const [key, text] of dictionaries["fr-CA"]) expect(text, key).not.toMatch(/\s\?/);
  });

  it("speak to a manager: no word of the trade where a plain one exists", () => {
    const trade = /\b(endpoint|payload|POST|HTTP|null|undefined|retry|boolean|string|array)\b/;
    for (const [language, messages] of Object.entries(dictionaries)) {
      for (const [key, text] of messages) expect(text, `${language} ${key}`).not.toMatch(trade);
    }
  });
});

/** What the sources name as keys: whole ones, places whose words are found by a code, and those that are put together, with a place for each part that is not known. */
function keysNamed(): { whole: Set<string>; forms: RegExp[] } {
  const root = join(import.meta.dirname, "..");
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) =>
    /(?<!\.test)\.tsx?$/.test(file),
  );
  const whole = new Set<string>();
  const forms = new Map<string, RegExp>();
  for (const file of files) {
    const source = readFileSync(join(root, file), "utf8");
    for (const [, key] of source.matchAll(/"([a-z]\w*(?:\.[\w-]+)+)"/g)) whole.add(key as string);
    for (const [, form] of source.matchAll(/`([a-z]\w*\.[^`\s]*\$\{[^`]*)`/g)) {
      const parts = (form as string)
        .split(/\$\{(?:[^{}]|\{[^{}]*\})*\}/)
        .map((part) => part.replace(/[.*+?^$()|[\]\\]/g, "\\$&"));
      forms.set(form as string, new RegExp(`^${parts.join(".+")}$`));
    }
  }
  return { whole, forms: [...forms.values()] };
}

describe("every key", () => {
  it("is asked for somewhere", () => {
    const { whole, forms } = keysNamed();
    const unused = [...dictionaries.en.keys()].filter(
      (key) =>
        !whole.has(key) && !whole.has(key.slice(0, key.lastIndexOf("."))) && !forms.some((form) => form.test(key)),
    );
    expect(unused).toEqual([]);
  });
});

describe("the made-up language", () => {
  it("says everything with other letters and longer, and asks for the same values", () => {
    const made = flat(pseudoTree(dictionary("en")));
    const lengths = { en: 0, made: 0 };
    for (const [key, text] of dictionaries.en) {
      const other = made.get(key) ?? "";
      expect(valuesOf(other, "en"), key).toEqual(valuesOf(text, "en"));
      lengths.en += text.length;
      lengths.made += other.length;
    }
    expect(lengths.made / lengths.en).toBeGreaterThan(1.25);
    expect(pseudo("Nothing")).toBe("Ñôôţĥîîñĝ");
    expect(pseudo("{count, plural, one {# day} other {# days in {name}}}")).toBe(
      "{count, plural, one {# ðààýý} other {# ðààýýš îîñ {name}}}",
    );
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
