// Who is signed in. Every screen behind the shell can rely on `useMe` having an answer: the router asked first.
import { queryOptions, useSuspenseQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { session } from "../api.ts";
import type { Me } from "../api-types.ts";
import { FORMAT_LOCALES, type Language } from "../i18n/languages.ts";
import type { TimeFormat } from "../ui/time.ts";

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: ({ signal }) => session.me(signal),
  staleTime: 5 * 60_000,
  retry: false,
});

/** The signed-in person, role and clinic. */
export function useMe(): Me {
  return useSuspenseQuery(meQuery).data;
}

/** The language in use. */
export function useLanguage(): Language {
  const { i18n } = useTranslation();
  return i18n.language === "fr-CA" ? "fr-CA" : "en";
}

/** How to write times on this page: the clinic's zone, the reader's language. */
export function useTimeFormat(): TimeFormat {
  return { locale: FORMAT_LOCALES[useLanguage()], timeZone: useMe().clinic.time_zone };
}
