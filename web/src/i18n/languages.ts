// Which languages the page speaks, and which one a person gets. Pure; the loading is in setup.ts.
import { LANGUAGES, type Language } from "@hookwell/sdk";

export { LANGUAGES, type Language };

/** Each language's own name, as its speakers look for it. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: "English", "fr-CA": "Français" };

/** The locale by which dates and numbers are written; plain "en" would put the month first and use 12/31. */
export const FORMAT_LOCALES: Readonly<Record<Language, string>> = { en: "en-CA", "fr-CA": "fr-CA" };

/** The choice made earlier wins; else the first of the browser's languages that we speak; else English. */
export function chooseLanguage(stored: string | null, browserLanguages: readonly string[]): Language {
  const kept = LANGUAGES.find((language) => language === stored);
  if (kept !== undefined) return kept;
  for (const wanted of browserLanguages) {
    const base = wanted.toLowerCase().split("-")[0];
    const match = LANGUAGES.find((language) => language.toLowerCase().split("-")[0] === base);
    if (match !== undefined) return match;
  }
  return "en";
}
