import { Button } from "@mantine/core";
import { LANGUAGE_NAMES, LANGUAGES, type Language } from "../i18n/languages.ts";
import { changeLanguage } from "../i18n/setup.ts";
import { useLanguage } from "../session/queries.ts";

/** The language the page is not in, with its own name. */
export function otherLanguage(current: Language): { language: Language; name: string } {
  const language = LANGUAGES.find((candidate) => candidate !== current) ?? current;
  return { language, name: LANGUAGE_NAMES[language] };
}

/** Switches to the other language; named in that language, so that its speakers find it. */
export function LanguageButton() {
  const other = otherLanguage(useLanguage());
  return (
    <Button variant="subtle" size="compact-sm" lang={other.language} onClick={() => changeLanguage(other.language)}>
      {other.name}
    </Button>
  );
}
