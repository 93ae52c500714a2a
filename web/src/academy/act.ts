import { useQueryClient } from "@tanstack/react-query";
import { ACADEMY } from "./queries.ts";

/** What was done last; `subject` is null where nothing was sent because of it. */
export interface Said {
  text: string;
  subject: string | null;
}

export type OnSaid = (said: Said) => void;

/** Brings everything of the academy up to date. */
export function useRefresh(): () => Promise<void> {
  const queryClient = useQueryClient();
  return () => queryClient.invalidateQueries({ queryKey: ACADEMY });
}
