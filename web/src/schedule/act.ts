import { useQueryClient } from "@tanstack/react-query";
import { type Intent, useIntent } from "../intent.ts";

/** Where to say what was done: about this consult, or about several of its series. */
export type OnSaid = (said: string, about?: "series") => void;

/** Runs an act on a consult, brings the schedule up to date, then says what was done. */
export function useAct<Answer, T = void>(
  act: (intent: Intent, value: T) => Promise<Answer>,
  done: (answer: Answer) => void,
) {
  const queryClient = useQueryClient();
  return useIntent(act, {
    onSuccess: async (answer) => {
      await queryClient.invalidateQueries({ queryKey: ["consults"] });
      done(answer);
    },
  });
}
