import { useTranslation } from "../i18n/words.ts";

/** The kinds of subjects that have words; under `deliveries.subject`. */
const KINDS = ["consult", "invoice", "patient", "membership", "course-access", "webinar-access"] as const;

/** What a delivery is about, in words: "consult:6" is "Consult 6", "invoice:6" by its number. An unknown kind stays as it is. */
export function useSubjectWords(): (subject: string, name?: string | null) => string {
  const { t } = useTranslation();
  return (subject, name) => {
    const [kind, id = ""] = subject.split(":");
    const known = KINDS.find((name) => name === kind);
    return known === undefined ? subject : t(`deliveries.subject.${known}`, { id: name ?? id });
  };
}
