import { useTranslation } from "../i18n/words.ts";
import { useRefusalWords } from "../ui/refusals.ts";

/** What the server may say no to here, by its code; in the dictionaries under `import.refusal`. */
const REFUSALS = ["too_many_imports", "import_not_ready"] as const;

/** One sentence for a person about anything that an import can throw. What is wrong with a file is told as it came. */
export function useImportWords(): (error: unknown) => string {
  const { t } = useTranslation();
  return useRefusalWords((code) => {
    const known = REFUSALS.find((refusal) => refusal === code);
    return known && t(`import.refusal.${known}`);
  });
}
