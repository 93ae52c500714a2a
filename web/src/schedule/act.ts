import { useQueryClient } from "@tanstack/react-query";
import { type Intent, useIntent } from "../intent.ts";

/** Runs an act on a consult, brings the week up to date, then says what was done. */
export function useAct<T = void>(act: (intent: Intent, value: T) => Promise<unknown>, done: () => void) {
  const queryClient = useQueryClient();
  return useIntent(act, {
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ["consults"] });
      done();
    },
  });
}
