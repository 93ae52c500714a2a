// What a person starts with one click. It owns two promises: nothing runs twice at once, however fast the clicks, and
// trying the same thing again after a failure is the same request to the server, which then does it once.
import { useMutation } from "@tanstack/react-query";
import { useRef } from "react";

/** Built without `randomUUID`, which browsers offer on https and localhost only. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** One wish of a person. Equal requests made for it carry the same Idempotency-Key; a changed one gets its own. */
export class Intent {
  readonly #keys = new Map<string, string>();

  keyFor(path: string, body: string): string {
    const request = `${path} ${body}`;
    const key = this.#keys.get(request) ?? randomKey();
    this.#keys.set(request, key);
    return key;
  }
}

interface Ends<Answer> {
  onSuccess?: (answer: Answer) => unknown;
  onError?: (error: Error) => unknown;
}

/**
 * A mutation that a person starts. A second start while the first is under way does nothing; after a success the next one
 * is a new wish.
 */
export function useIntent<Answer, Values = void>(
  run: (intent: Intent, values: Values) => Promise<Answer>,
  { onSuccess, onError }: Ends<Answer> = {},
) {
  const intent = useRef(new Intent());
  const underWay = useRef(false);
  const { mutate, ...mutation } = useMutation({
    mutationFn: async (values: Values) => {
      try {
        const answer = await run(intent.current, values);
        intent.current = new Intent();
        return answer;
      } finally {
        underWay.current = false;
      }
    },
    onSuccess: async (answer) => {
      await onSuccess?.(answer);
    },
    onError: (error) => {
      onError?.(error);
    },
  });
  const start = (values: Values) => {
    // Asked here and not of `isPending`, which a click in the same moment does not see yet.
    if (underWay.current) return;
    underWay.current = true;
    mutate(values);
  };
  return { ...mutation, start };
}
