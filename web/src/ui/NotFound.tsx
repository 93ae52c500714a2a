import IconMapOff from "@tabler/icons-react/dist/esm/icons/IconMapOff.mjs";
import { useTranslation } from "../i18n/words.ts";
import { ButtonLink } from "./links.tsx";
import { PageHeader } from "./PageHeader.tsx";
import { Empty } from "./states.tsx";

/** No page lives at this address. */
export function NotFound() {
  const { t } = useTranslation();
  return (
    <>
      <PageHeader title={t("shell.notFound.title")} />
      <Empty icon={IconMapOff} title={t("shell.notFound.text")}>
        <ButtonLink to="/schedule" variant="default" mt="sm">
          {t("shell.notFound.home")}
        </ButtonLink>
      </Empty>
    </>
  );
}
