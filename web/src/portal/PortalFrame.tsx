// The frame of a portal's pages: which clinic it is, in whose language it begins, and what is said where there is none.
import { Anchor, Paper, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef } from "react";
import { type PortalClinic, portal } from "../api/portal.ts";
import { ProblemError } from "../api.ts";
import { changeLanguage } from "../i18n/setup.ts";
import { useTranslation } from "../i18n/words.ts";
import { useLanguage } from "../session/queries.ts";
import { otherLanguage } from "../ui/LanguageButton.tsx";
import { useProblemWords } from "../ui/problem-words.ts";
import { LoadFailed, LoadingRows } from "../ui/states.tsx";
import classes from "./PortalPage.module.css";

/** Read once: whether the clinic has such a page does not change under somebody's hands. */
function useClinic(portalName: string) {
  return useQuery({
    queryKey: ["portal", portalName],
    queryFn: ({ signal }) => portal.clinic(portalName, signal),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
}

/** The page begins in the clinic's language; a choice made here holds for this visit only. */
function useClinicLanguage(locale: "en" | "fr-CA" | undefined): void {
  useEffect(() => {
    if (locale !== undefined) void changeLanguage(locale, { remember: false });
  }, [locale]);
}

/** One sentence about a refusal on a portal. */
export function usePortalWords(): (error: unknown) => string {
  const { t } = useTranslation();
  const words = useProblemWords();
  return (error) => {
    if (!(error instanceof ProblemError)) return words(error);
    if (error.status === 429) return t("portal.tooOften");
    if (error.code === "link_over") return t("portal.linkOver");
    return error.code === "sign_in_refused" ? t("portal.wrong") : words(error);
  };
}

/** Takes the focus, because what had it is gone. */
export function MovedTitle({ children }: { children: string }) {
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), []);
  return (
    <Title order={1} ref={title} tabIndex={-1} className={classes.title}>
      {children}
    </Title>
  );
}

function Frame({ title, clinic, children }: { title: string; clinic: string | undefined; children: ReactNode }) {
  const other = otherLanguage(useLanguage());
  return (
    <main tabIndex={-1} className={classes.page}>
      <title>{clinic === undefined ? title : `${title} · ${clinic}`}</title>
      <div className={classes.column}>
        {clinic !== undefined && (
          <Text component="p" className={classes.clinic}>
            {clinic}
          </Text>
        )}
        <Paper withBorder radius="lg" p={{ base: "lg", sm: "xl" }} shadow="xs">
          {children}
        </Paper>
        <Text ta="center">
          <Anchor
            component="button"
            type="button"
            lang={other.language}
            onClick={() => changeLanguage(other.language, { remember: false })}
          >
            {other.name}
          </Anchor>
        </Text>
      </div>
    </main>
  );
}

function isUnknown(error: unknown): boolean {
  return error instanceof ProblemError && error.status === 404;
}

/** `children` get the clinic, once it is known. */
export function PortalFrame({
  title,
  portalName,
  children,
}: {
  title: string;
  portalName: string;
  children: (clinic: PortalClinic["clinic"]) => ReactNode;
}) {
  const { t } = useTranslation();
  const query = useClinic(portalName);
  const clinic = query.data?.clinic;
  useClinicLanguage(clinic?.locale);
  return (
    <Frame title={title} clinic={clinic?.name}>
      {clinic !== undefined ? (
        children(clinic)
      ) : query.isPending ? (
        <LoadingRows rows={4} />
      ) : isUnknown(query.error) ? (
        <>
          <Title order={1} mb="xs">
            {t("portal.notFound")}
          </Title>
          <Text>{t("portal.notFoundText")}</Text>
        </>
      ) : (
        <LoadFailed error={query.error} retry={() => query.refetch()} />
      )}
    </Frame>
  );
}
