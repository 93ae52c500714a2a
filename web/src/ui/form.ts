// One form in a dialog or on a page: what is typed, what is wrong with it and where, and sending it once. What is wrong is
// said at its field, by the server's own names, whether the page or the server found it; the first such field gets the focus.
import { type FormEvent, useEffect, useRef, useState } from "react";
import { type FieldError, ProblemError } from "../api.ts";
import { type Intent, useIntent } from "../intent.ts";
import { useTyped } from "./leaving.tsx";
import { useFieldWords } from "./problem-words.ts";

/** What is wrong, in words, by field; `other` is about the whole. */
export type FormErrors = Readonly<Record<string, string>>;

interface Wanted<Typed, Answer> {
  start: () => Typed;
  /** Where errors have a place; `*` stands for a position in a list, as in `line_items.*.units`. */
  fields: readonly string[];
  /** What the page can tell before the server is asked. */
  mistakes: (typed: Typed) => FormErrors;
  send: (typed: Typed, intent: Intent) => Promise<Answer>;
  done: (answer: Answer, typed: Typed) => unknown;
  /** One sentence about a refusal of the whole. */
  words: (error: unknown) => string;
  /** Words of the form's own for something that the server says of a field. */
  say?: (error: FieldError) => string | undefined;
}

function useErrorPlaces({ fields, words, say }: Pick<Wanted<unknown, unknown>, "fields" | "words" | "say">) {
  const fieldWords = useFieldWords();
  const hasPlace = (field: string) => fields.includes(field.replace(/\.\d+(?=\.)/g, ".*"));
  return (error: unknown): FormErrors => {
    if (!(error instanceof ProblemError) || error.fieldErrors.length === 0) return { other: words(error) };
    const errors: Record<string, string> = {};
    for (const one of error.fieldErrors) {
      const place = hasPlace(one.field) ? one.field : "other";
      // A refusal by the present state is worded by its code, wherever it stands.
      errors[place] ??= say?.(one) ?? (error.status === 409 ? words(error) : fieldWords(one));
    }
    return errors;
  };
}

/** See the head of this file. Within an AskingDialog, it asks before what was typed is lost. */
export function useForm<Typed extends object, Answer>(wanted: Wanted<Typed, Answer>) {
  const [empty, setEmpty] = useState(wanted.start);
  const [typed, setTyped] = useState(empty);
  const [errors, setErrors] = useState<FormErrors>({});
  const letGo = useTyped(JSON.stringify(typed) !== JSON.stringify(empty));
  const place = useErrorPlaces(wanted);
  const element = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (Object.keys(errors).length > 0) element.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [errors]);
  const sending = useIntent((intent) => wanted.send(typed, intent), {
    onSuccess: async (answer) => {
      letGo();
      await wanted.done(answer, typed);
    },
    onError: (error) => setErrors(place(error)),
  });
  const type = (changes: Partial<Typed>) => {
    setErrors({});
    setTyped({ ...typed, ...changes });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const found = wanted.mistakes(typed);
    setErrors(found);
    if (Object.keys(found).length === 0) sending.start();
  };
  /** Back to the beginning, for a form that stays on its page. */
  const clear = () => {
    const fresh = wanted.start();
    setEmpty(fresh);
    setTyped(fresh);
    setErrors({});
  };
  return { typed, type, errors, submit, element, clear, isPending: sending.isPending };
}

/** What the frame of a form needs of it. */
export type FormFrame = Pick<ReturnType<typeof useForm>, "errors" | "submit" | "element" | "isPending">;
