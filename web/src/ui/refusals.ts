import { ProblemError } from "../api.ts";
import { useProblemWords } from "./problem-words.ts";

/**
 * One sentence for a person about anything that a call can throw. `say` has the screen's own words for a code of the server,
 * where it has some.
 */
export function useRefusalWords(say: (code: string) => string | undefined): (error: unknown) => string {
  const words = useProblemWords();
  return (error) => (error instanceof ProblemError ? say(error.code) : undefined) ?? words(error);
}
