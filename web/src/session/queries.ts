// Who is signed in. Every screen behind the shell can rely on `useMe` having an answer: the router asked first.
import type { EmbedCapability } from "@hookwell/sdk";
import { queryOptions, useSuspenseQuery } from "@tanstack/react-query";
import { session } from "../api.ts";
import type { Me } from "../api-types.ts";
import { FORMAT_LOCALES, type Language } from "../i18n/languages.ts";
import { useTranslation } from "../i18n/words.ts";
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

/** Whether this page is shown inside other software's own. */
export function useIsEmbedded(): boolean {
  return useMe().embedded !== null;
}

/** What the embedded page's host allows; staff lack nothing. The server checks by itself. */
export function useMay(capability: EmbedCapability): boolean {
  const { embedded } = useMe();
  return embedded === null || embedded.capabilities.includes(capability);
}

/** The language in use. */
export function useLanguage(): Language {
  return useTranslation().language;
}

/** How to write times on this page: the clinic's zone, the reader's language. */
export function useTimeFormat(): TimeFormat {
  return { locale: FORMAT_LOCALES[useLanguage()], timeZone: useMe().clinic.time_zone };
}
