// What a signed-in patient sees: the own name, the consults ahead, and the way out.
import { Button, Stack, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Navigate, useRouter } from "@tanstack/react-router";
import { type OwnPage as Own, portal } from "../api/portal.ts";
import { ProblemError } from "../api.ts";
import { FORMAT_LOCALES } from "../i18n/languages.ts";
import { useTranslation } from "../i18n/words.ts";
import { useLanguage } from "../session/queries.ts";
import rows from "../ui/rows.module.css";
import { LoadFailed, LoadingRows } from "../ui/states.tsx";
import { MovedTitle } from "./PortalFrame.tsx";
import { stepLink } from "./steps.ts";

function Consults({ consults, time_zone: timeZone }: Own) {
  const { t } = useTranslation();
  const locale = FORMAT_LOCALES[useLanguage()];
  const format = new Intl.DateTimeFormat(locale, { timeZone, dateStyle: "full", timeStyle: "short" });
  if (consults.length === 0) return <Text>{t("portal.own.nothing")}</Text>;
  return (
    <ul className={rows.list} aria-label={t("portal.own.consults")}>
      {consults.map(({ start_time: start, service, practitioner }) => (
        <li key={start + service} className={rows.row}>
          <span className={rows.main}>
            <span className={rows.name}>{format.format(new Date(start))}</span>
            <span className={rows.under}>{t("portal.own.with", { service, practitioner })}</span>
          </span>
        </li>
      ))}
    </ul>
  );
}

export function OwnPage({ portalName }: { portalName: string }) {
  const { t } = useTranslation();
  const router = useRouter();
  const queryClient = useQueryClient();
  const query = useQuery({
    queryKey: ["portal-own", portalName],
    queryFn: ({ signal }) => portal.own(portalName, signal),
    retry: false,
  });
  const signOut = useMutation({
    mutationFn: () => portal.signOut(portalName),
    onSettled: async () => {
      await router.navigate({ ...stepLink(portalName, "sign-in"), replace: true });
      queryClient.removeQueries({ queryKey: ["portal-own"] });
    },
  });
  if (query.error instanceof ProblemError && query.error.status === 401) {
    return <Navigate {...stepLink(portalName, "sign-in")} replace />;
  }
  if (query.isError) return <LoadFailed error={query.error} retry={() => query.refetch()} />;
  if (query.data === undefined) return <LoadingRows rows={3} />;
  return (
    <Stack>
      <MovedTitle>{t("portal.own.hello", { name: query.data.patient.name })}</MovedTitle>
      <Text fw={600}>{t("portal.own.consults")}</Text>
      <Consults {...query.data} />
      <Button variant="default" loading={signOut.isPending} onClick={() => signOut.mutate()}>
        {t("portal.own.signOut")}
      </Button>
    </Stack>
  );
}
