// Starts i18next with one language and loads the other only when somebody asks for it; of each, the words of the first
// screens before anything is shown, and those of the others with the first of them. Owns `<html lang>` and the remembered
// choice. Both dictionaries have the same keys (dictionaries.test.ts), so there is no fallback language.
import i18next from "i18next";
import ICU from "i18next-icu";
import { initReactI18next } from "react-i18next";
import { chooseLanguage, type Language } from "./languages.ts";

const STORED_UNDER = "hookwell.language";

type Dictionary = () => Promise<{ default: Record<string, unknown> }>;

const first: Record<Language, Dictionary> = {
  en: () => import("./en.ts"),
  "fr-CA": () => import("./fr-CA.ts"),
};
const more: Record<Language, Dictionary> = {
  en: () => import("./en.more.ts"),
  "fr-CA": () => import("./fr-CA.more.ts"),
};

/** Whether a screen beyond the first ones was opened; every language then needs all its words. */
let needsMore = false;
/** Those that are shown, or about to be: the one before goes as soon as the next one is ready. */
let languages: readonly Language[] = [];

async function add(language: Language, dictionary: Dictionary): Promise<void> {
  i18next.addResourceBundle(language, "translation", (await dictionary()).default);
}

/** A screen that is not among the first ones, once its words are there, too. */
export async function withMoreWords<Screen>(screen: Promise<Screen>): Promise<Screen> {
  needsMore = true;
  const [shown] = await Promise.all([screen, ...languages.map((language) => add(language, more[language]))]);
  return shown;
}

function remembered(): string | null {
  try {
    return window.localStorage.getItem(STORED_UNDER);
  } catch {
    // Storage is blocked by the browser's settings; the browser's own languages decide.
    return null;
  }
}

/** Resolves when the first language is ready to be shown: the given one, or this browser's. */
export async function startLanguage(given?: Language): Promise<void> {
  const language = given ?? chooseLanguage(remembered(), navigator.languages);
  languages = [language];
  const dictionary = await first[language]();
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
  languages = [...languages, language];
  await Promise.all([add(language, first[language]), ...(needsMore ? [add(language, more[language])] : [])]);
  await i18next.changeLanguage(language);
  languages = [language];
  document.documentElement.lang = language;
  if (!remember) return;
  try {
    window.localStorage.setItem(STORED_UNDER, language);
  } catch {
    // Not remembered, then; the page itself has switched.
  }
}
