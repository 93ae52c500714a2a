import { type Intent, useIntent } from "../intent.ts";
import { useRefresh } from "./form.ts";

/** An act that takes one click: it brings billing up to date, then says what was done. */
export function useAct<Answer, T = void>(
  act: (intent: Intent, value: T) => Promise<Answer>,
  done: (answer: Answer) => void,
) {
  const refresh = useRefresh();
  return useIntent(act, {
    onSuccess: async (answer) => {
      await refresh();
      done(answer);
    },
  });
}
