// Going over to another of one's clinics; only for who has several. It is another session: nothing stays in memory.
import { NativeSelect } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { account } from "../api/accounts.ts";
import { useTranslation } from "../i18n/words.ts";
import { useMe } from "../session/queries.ts";
import { dropAllDrafts } from "../webhooks/kept-draft.ts";

export function ClinicSwitch() {
  const { t } = useTranslation();
  const { clinic, clinics } = useMe();
  const go = useMutation({
    mutationFn: account.switchClinic,
    onSuccess: () => {
      dropAllDrafts();
      window.location.assign("/schedule");
    },
  });
  return (
    <NativeSelect
      size="sm"
      aria-label={t("shell.clinic")}
      disabled={go.isPending}
      error={go.isError && t("shell.problem.server")}
      value={String(clinic.id)}
      data={clinics.map(({ id, name }) => ({ value: String(id), label: name }))}
      onChange={(event) => go.mutate(Number(event.currentTarget.value))}
    />
  );
}
