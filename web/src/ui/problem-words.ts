import { useTranslation } from "react-i18next";
import { ProblemError } from "../api.ts";

/** The server's words for what is wrong with an address; the dictionaries have them under `webhooks.urlProblem`. */
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

/** The same of other fields, under `shell.field`. */
const FIELD_PROBLEMS = [
  "missing",
  "empty",
  "too_long",
  "too_many",
  "not_found",
  "control_characters",
  "not_a_time",
  "year_range",
  "duration_range",
  "recipient_missing",
  "country",
  "no_academy",
  "amount_decimals",
  "rate_decimals",
  "too_small",
  "too_big",
  "not_a_date",
  "not_one_of",
  "patient_data_locked",
  "origin",
] as const;

/** `field` is missing where it can only be an address. */
export type FieldWords = (error: { field?: string; code?: string; message: string }) => string;

/** One sentence about one field, in the page's language; a kind that this page does not know yet is told as it came. */
export function useFieldWords(): FieldWords {
  const { t } = useTranslation();
  return ({ field: name = "url", code, message }) => {
    const known = code === "refused_address" ? "blocked_address" : code;
    const url = name.endsWith("url") ? URL_PROBLEMS.find((problem) => problem === known) : undefined;
    if (url !== undefined) return t(`webhooks.urlProblem.${url}`);
    const field = FIELD_PROBLEMS.find((problem) => problem === known);
    return field === undefined ? message : t(`shell.field.${field}`);
  };
}

/** Refusals that have words of ours, by their code; under `shell.problem`. */
const REFUSALS = [
  "changed_meanwhile",
  "rotation_running",
  "nothing_to_revoke",
  "idempotency_key_reused",
  "webhook_deleted",
  "sending_paused",
  "too_many_tests",
  "missing_capability",
  "not_embedded",
  "embed_session_ended",
  "patient_data_locked",
] as const;

/** One sentence for a person about anything that a call to the server can throw. */
export function useProblemWords(): (error: unknown) => string {
  const { t } = useTranslation();
  const fieldWords = useFieldWords();
  return (error) => {
    if (!(error instanceof ProblemError)) return t("shell.problem.server");
    if (error.status === 0) return t("shell.noConnection");
    const refusal = REFUSALS.find((code) => code === error.code);
    if (refusal !== undefined) return t(`shell.problem.${refusal}`);
    if (error.status === 403) return t("shell.problem.manager_only");
    if (error.status === 404) return t("shell.problem.not_found");
    if (error.status === 429) return t("shell.problem.too_many");
    if (error.status >= 500) return t("shell.problem.server");
    const [first] = error.fieldErrors;
    return first === undefined ? error.message : fieldWords(first);
  };
}
