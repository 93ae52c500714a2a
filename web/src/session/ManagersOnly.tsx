import IconLock from "@tabler/icons-react/dist/esm/icons/IconLock.mjs";
import type { ReactNode } from "react";
import { useTranslation } from "../i18n/words.ts";
import { PageHeader } from "../ui/PageHeader.tsx";
import { Empty } from "../ui/states.tsx";
import { useMe } from "./queries.ts";

/** Shows the page to managers, and where other software holds it in a frame; others read that it exists and who can open it. The server refuses them by itself. */
export function ManagersOnly({
  what,
  children,
}: {
  what: "webhooks" | "deliveries" | "inbox" | "import" | "apiKeys" | "retention" | "notices" | "history" | "staff";
  children: ReactNode;
}) {
  const { t } = useTranslation();
  const me = useMe();
  if (me.role === "manager" || me.role === "embedded") return children;
  return (
    <>
      <PageHeader title={t(`shell.nav.${what}`)} />
      <Empty
        icon={IconLock}
        title={t("shell.managersOnly.title")}
        text={t(`shell.managersOnly.${what}`, { clinic: me.clinic.name })}
      />
    </>
  );
}
