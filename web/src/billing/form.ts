// A form about money: as every form (ui/form.ts), with billing's words, and with everything brought up to date that an act on
// money may have changed before it is said to be done.
import { useQueryClient } from "@tanstack/react-query";
import type { FieldError } from "../api.ts";
import { useTranslation } from "../i18n/words.ts";
import type { Intent } from "../intent.ts";
import { type FormErrors, useForm as useAnyForm } from "../ui/form.ts";
import type { LineMistake } from "./lines.ts";
import { BILLING } from "./queries.ts";
import { useBillingWords } from "./words.ts";

/** What the page can tell before the server is asked; in the dictionaries under `billing.mistake`. */
type Mistake =
  | LineMistake
  | ("patient" | "date" | "zero" | "tooMuch" | "name" | "days" | "payments" | "code" | "choose");
/** By the server's own paths. */
export type Mistakes = Readonly<Record<string, Mistake>>;
export type Errors = FormErrors;

interface Wanted<Typed, Answer> {
  start: () => Typed;
  fields: readonly string[];
  mistakes: (typed: Typed) => Mistakes;
  send: (typed: Typed, intent: Intent) => Promise<Answer>;
  done: (answer: Answer) => void;
  say?: (error: FieldError) => string | undefined;
}

/** Brings everything up to date that an act on money may have changed. */
export function useRefresh(): () => Promise<void> {
  const queryClient = useQueryClient();
  return () => queryClient.invalidateQueries({ queryKey: BILLING });
}

/** See the head of this file. */
export function useForm<Typed extends object, Answer>({ mistakes, done, ...wanted }: Wanted<Typed, Answer>) {
  const { t } = useTranslation();
  const refresh = useRefresh();
  const words = useBillingWords();
  return useAnyForm<Typed, Answer>({
    ...wanted,
    words,
    mistakes: (typed) => {
      const found = Object.entries(mistakes(typed));
      return Object.fromEntries(found.map(([field, mistake]) => [field, t(`billing.mistake.${mistake}`)]));
    },
    done: async (answer) => {
      await refresh();
      done(answer);
    },
  });
}
