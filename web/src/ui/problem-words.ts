import { ProblemError } from "../api.ts";
import { useTranslation } from "../i18n/words.ts";

/** The server's words for what is wrong with an address; the dictionaries have them under `shell.urlProblem`. */
const URL_PROBLEMS = [
  "not_a_url",
  "too_long",
  "not_https",
  "credentials",
  "fragment",
  "port",
  "host",
  "blocked_address",
  "name_not_found",
] as const;

/** `field` is missing where it can only be an address. */
export type FieldWords = (error: { field?: string; code?: string; message: string }) => string;

/** Where the dictionaries have words for a refusal, by its code; what is not in a screen's own place is in `shell.problem`. */
export const REFUSAL_PLACES = [
  "shell.problem",
  "schedule.refusal",
  "billing.refusal",
  "memberships.refusal",
  "academy.refusal",
  "import.refusal",
  "deliveries.recover.refusal",
  "settings.staff.refusal",
  "settings.apiKeys.refusal",
] as const;

/** Says words of which only the place is known beforehand: undefined where the dictionaries have none. */
function useWordsAt(): (places: readonly string[], code: string | undefined) => string | undefined {
  const { t, has } = useTranslation();
  return (places, code) => {
    const key = places.map((place) => `${place}.${code}`).find(has);
    return key === undefined ? undefined : t(key);
  };
}

/** The server speaks English: where the page has no words of its own, a reader of another language gets a general sentence. */
function useServerWords(): (message: string, otherwise: "shell.field.other" | "shell.problem.refused") => string {
  const { t, language } = useTranslation();
  return (message, otherwise) => (language === "en" ? message : t(otherwise));
}

/** One sentence about one field, in the page's language. */
export function useFieldWords(): FieldWords {
  const { t } = useTranslation();
  const at = useWordsAt();
  const serverWords = useServerWords();
  return ({ field: name = "url", code, message }) => {
    const known = code === "refused_address" ? "blocked_address" : code;
    const url = name.endsWith("url") ? URL_PROBLEMS.find((problem) => problem === known) : undefined;
    if (url !== undefined) return t(`shell.urlProblem.${url}`);
    return at(["shell.field"], known) ?? serverWords(message, "shell.field.other");
  };
}

/** One sentence for a person about anything that a call to the server can throw. */
export function useProblemWords(): (error: unknown) => string {
  const { t } = useTranslation();
  const fieldWords = useFieldWords();
  const at = useWordsAt();
  const serverWords = useServerWords();
  return (error) => {
    if (!(error instanceof ProblemError)) return t("shell.problem.server");
    if (error.status === 0) return t("shell.noConnection");
    const refusal = at(REFUSAL_PLACES, error.code);
    if (refusal !== undefined) return refusal;
    if (error.status === 403) return t("shell.problem.manager_only");
    if (error.status === 404) return t("shell.problem.not_found");
    if (error.status === 429) return t("shell.problem.too_many");
    if (error.status >= 500) return t("shell.problem.server");
    const [first] = error.fieldErrors;
    return first === undefined ? serverWords(error.message, "shell.problem.refused") : fieldWords(first);
  };
}
