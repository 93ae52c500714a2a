import { useTranslation } from "../i18n/words.ts";
import { useRefusalWords } from "../ui/refusals.ts";

/** What the server may say no to here, by its code; in the dictionaries under `academy.refusal`. */
const REFUSALS = [
  "no_academy",
  "free_item",
  "not_free",
  "already_participant",
  "item_inactive",
  "through_membership",
  "checkout_expired",
  "checkout_completed",
] as const;

/** One sentence for a person about anything that an act on the academy can throw. */
export function useAcademyWords(): (error: unknown) => string {
  const { t } = useTranslation();
  return useRefusalWords((code) => {
    const known = REFUSALS.find((refusal) => refusal === code);
    return known && t(`academy.refusal.${known}`);
  });
}
