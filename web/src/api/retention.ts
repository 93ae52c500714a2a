import type { Intent } from "../intent.ts";
import { call } from "./call.ts";

export interface Retention {
  /** The clinic's own choice; null where it has none. */
  days: number | null;
  /** Nothing is kept longer than this. */
  operator_days: number;
  /** What holds. */
  kept_days: number;
}

export const retention = {
  get: (signal?: AbortSignal) => call<Retention>("/v1/retention", { signal }),
  change: (days: number | null, intent: Intent) =>
    call<Retention>("/v1/retention", { method: "PATCH", body: { days }, intent }),
};
