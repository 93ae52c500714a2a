// The Configure dialog's state: the draft with its errors, which event the preview shows, testing and saving.

import { EVENT_NAMES, type EventName, eventsOfGroup } from "@hookwell/sdk";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { ProblemError } from "../api.ts";
import type { Webhook } from "../api-types.ts";
import { useTranslation } from "../i18n/words.ts";
import { useIntent } from "../intent.ts";
import { type FieldWords, useFieldWords } from "../ui/problem-words.ts";
import { type Draft, FIELDS, type Field, type FieldErrors, missingFields, placeErrors } from "./draft.ts";
import { type Form, fieldId } from "./form.ts";
import { keepDraft } from "./kept-draft.ts";
import { webhooksQuery } from "./queries.ts";
import type { Created } from "./SecretOnce.tsx";
import { type Editing, makeCreator, makeEditor, type Saver } from "./save.ts";
import type { Target } from "./WebhooksPage.tsx";

export type OpenForm = Form & { setErrors: (errors: FieldErrors) => void };

/** The draft and its errors. An error goes when anything is changed that could mend it. */
export function useForm(start: Draft, storageKey: string): OpenForm {
  const [draft, setDraft] = useState(start);
  const [errors, setErrors] = useState<FieldErrors>({});
  const change = (changes: Partial<Draft>) => {
    const next = { ...draft, ...changes };
    setDraft(next);
    keepDraft(storageKey, next);
    setErrors({});
  };
  useFocusOnError(errors);
  return { draft, change, errors, setErrors };
}

/** Puts the focus where the first error stands, once it is on the page. */
function useFocusOnError(errors: FieldErrors): void {
  useEffect(() => {
    const first = FIELDS.find((field) => errors[field] !== undefined);
    if (first !== undefined) document.getElementById(fieldId(first))?.focus();
  }, [errors]);
}

/** The events that the preview can show: what is ticked; before that, the group's or all. */
function choicesOf(draft: Draft, target: Target): readonly EventName[] {
  if (draft.events.length > 0) return EVENT_NAMES.filter((event) => draft.events.includes(event));
  return target.group === null ? EVENT_NAMES : eventsOfGroup(target.group);
}

/** The event that is shown: the one somebody wanted, as long as it is among the choices; else the first. */
export function useShown(draft: Draft, target: Target) {
  const [wanted, show] = useState<EventName | null>(null);
  const choices = choicesOf(draft, target);
  const shown = choices.find((event) => event === wanted) ?? choices[0];
  if (shown === undefined) throw new Error("The catalogue of events is empty.");
  return { choices, shown, show };
}

/** One for each opening. However the dialog or the page is left, the draft that a test made on the server goes with it. */
export function useSaver(webhook: Webhook | null): { saver: Saver; editing: Editing | null } {
  const [made] = useState(() => {
    if (webhook === null) return { saver: makeCreator(), editing: null };
    const editor = makeEditor(webhook);
    return { saver: editor, editing: editor };
  });
  useEffect(() => {
    const close = made.saver.open();
    window.addEventListener("pagehide", made.saver.drop);
    return () => {
      window.removeEventListener("pagehide", made.saver.drop);
      close();
    };
  }, [made]);
  return made;
}

/** What the server says of fields stands at the fields. */
function errorsOf(error: unknown, words: FieldWords): FieldErrors | null {
  return error instanceof ProblemError && error.fieldErrors.length > 0 ? placeErrors(error.fieldErrors, words) : null;
}

/** Acts only once nothing of `needed` is missing; else says at each field what is. */
export function useChecked({ draft, setErrors }: OpenForm, needed: readonly Field[]): (act: () => void) => void {
  const { t } = useTranslation();
  return (act) => {
    const missing = missingFields(draft).filter((field) => needed.includes(field));
    if (missing.length === 0) act();
    else setErrors(Object.fromEntries(missing.map((field) => [field, t(`webhooks.missing.${field}`)])));
  };
}

export function useTest(saver: Saver, { draft, setErrors }: OpenForm, event: EventName) {
  const words = useFieldWords();
  return useIntent((intent) => saver.test(draft, event, intent), {
    onError: (error) => {
      const errors = errorsOf(error, words);
      if (errors !== null) setErrors(errors);
    },
  });
}

export function useSave(saver: Saver, { draft, setErrors }: OpenForm, done: (created: Created | null) => void) {
  const queryClient = useQueryClient();
  const words = useFieldWords();
  return useIntent((intent) => saver.save(draft, intent), {
    onSuccess: async (created) => {
      await queryClient.invalidateQueries({ queryKey: webhooksQuery.queryKey });
      done(created);
    },
    onError: (error) => {
      const errors = errorsOf(error, words);
      if (errors !== null) setErrors(errors);
    },
  });
}
