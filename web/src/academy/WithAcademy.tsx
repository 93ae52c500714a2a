import IconSchool from "@tabler/icons-react/dist/esm/icons/IconSchoolOff.mjs";
import type { ReactNode } from "react";
import { SectionNav } from "../billing/SectionNav.tsx";
import { useTranslation } from "../i18n/words.ts";
import { useMe } from "../session/queries.ts";
import { PageHeader } from "../ui/PageHeader.tsx";
import { Empty } from "../ui/states.tsx";

/** Shows the page where the clinic has Clinic Academy; others read why there is nothing. */
export function WithAcademy({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  if (useMe().clinic.has_academy) return children;
  return (
    <>
      <PageHeader title={t("academy.title")} />
      <Empty icon={IconSchool} title={t("academy.none.title")} text={t("academy.none.text")} />
    </>
  );
}

/** Courses and webinars, and their checkouts. */
export function AcademyNav() {
  const { t } = useTranslation();
  return (
    <SectionNav
      label={t("academy.title")}
      steps={[
        ["/academy", t("academy.items")],
        ["/academy/checkouts", t("academy.checkouts")],
      ]}
    />
  );
}
