import { useTranslation } from "../i18n/words.ts";

const REFUSALS = ["recovery_active", "nothing_to_recover", "recovery_ended"] as const;

/** The words of this screen for a refusal of the server, by its code. */
export function useRecoverWords(): (code: string) => string | undefined {
  const { t } = useTranslation();
  return (code) => {
    const known = REFUSALS.find((one) => one === code);
    return known === undefined ? undefined : t(`deliveries.recover.refusal.${known}`);
  };
}
