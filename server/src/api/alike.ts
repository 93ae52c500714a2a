/** Refusals that cannot be told apart by how long they take: of an address inside, whatever is or is not behind it. */
import type { Clock } from "../clock.ts";

/** Longer than a look-up usually takes. One that takes longer still is answered at the next multiple. */
export const REFUSED_AFTER_MS = 500;

/** Waits until a refusal of what was begun at `begunMs` (monotonic) may be told. */
export async function untilAlike(clock: Pick<Clock, "monotonicMs" | "after">, begunMs: number): Promise<void> {
  const elapsedMs = clock.monotonicMs() - begunMs;
  const waitMs = (Math.floor(elapsedMs / REFUSED_AFTER_MS) + 1) * REFUSED_AFTER_MS - elapsedMs;
  await new Promise<void>((fulfil) => clock.after(waitMs, fulfil));
}
