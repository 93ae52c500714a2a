// Starts i18next with one language and loads the other only when somebody asks for it. Owns `<html lang>` and the
// remembered choice. Both dictionaries have the same keys (dictionaries.test.ts), so there is no fallback language.
import i18next from "i18next";
import ICU from "i18next-icu";
import { initReactI18next } from "react-i18next";
import { chooseLanguage, type Language } from "./languages.ts";

const STORED_UNDER = "hookwell.language";

const dictionaries: Record<Language, () => Promise<{ default: Record<string, unknown> }>> = {
  en: () => import("./en.ts"),
  "fr-CA": () => import("./fr-CA.ts"),
};

function remembered(): string | null {
  try {
    return window.localStorage.getItem(STORED_UNDER);
  } catch {
    // Storage is blocked by the browser's settings; the browser's own languages decide.
    return null;
  }
}

/** Resolves when the first language is ready to be shown. */
export async function startLanguage(): Promise<void> {
  const language = chooseLanguage(remembered(), navigator.languages);
  const dictionary = await dictionaries[language]();
  await i18next
    .use(new ICU({ escapeVariables: false }))
    .use(initReactI18next)
    .init({
      lng: language,
      fallbackLng: false,
      resources: { [language]: { translation: dictionary.default } },
      interpolation: { escapeValue: false },
      react: { useSuspense: false },
      showSupportNotice: false,
    } as Parameters<typeof i18next.init>[0]);
  document.documentElement.lang = language;
}

/** Switches the whole page, and remembers the choice in this browser unless it holds for this visit only. */
export async function changeLanguage(language: Language, { remember = true } = {}): Promise<void> {
  if (!i18next.hasResourceBundle(language, "translation")) {
    const dictionary = await dictionaries[language]();
    i18next.addResourceBundle(language, "translation", dictionary.default);
  }
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
  if (!remember) return;
  try {
    window.localStorage.setItem(STORED_UNDER, language);
  } catch {
    // Not remembered, then; the page itself has switched.
  }
}
