import type { Page } from "../api-types.ts";
import type { Intent } from "../intent.ts";
import { call, part, post, query } from "./call.ts";

/** `failed`: given up. `off`: never sent, because the webhook was off. */
export type RecoveredState = "failed" | "off";

/** When the events happened; local to the clinic, without an offset. */
export interface RecoverRange {
  from: string;
  /** Up to now where absent. */
  to?: string;
  states: RecoveredState[];
}

export interface RecoverCount {
  found: number;
  /** Not among `found`: their content is no longer kept. */
  left_out: number;
  /** False: there are at least so many. */
  counted_all: boolean;
}

export interface Recovery extends RecoverCount {
  id: number;
  state: "running" | "paused" | "done" | "cancelled";
  waits_for: "webhook_off" | "webhook_parked" | null;
  queued: number;
  waiting: number;
  /** Of the queued ones, those that have arrived since, and those that have failed once more. */
  delivered: number;
  failed: number;
  started_by: string;
  created_at: string;
}

export type RecoveryStep = "pause" | "resume" | "cancel";

const path = (webhook: number) => `/v1/webhooks/${part(webhook)}/recover`;

export const recoveries = {
  /** The one that was started last, if any. */
  last: async (webhook: number, signal?: AbortSignal) =>
    (await call<Page<Recovery>>(`${path(webhook)}${query({ limit: 1 })}`, { signal })).data[0] ?? null,
  count: (webhook: number, range: RecoverRange, signal?: AbortSignal) =>
    call<RecoverCount>(`${path(webhook)}/count`, { method: "POST", body: range, signal }),
  start: (webhook: number, range: RecoverRange, intent: Intent) => post<Recovery>(path(webhook), range, intent),
  step: (webhook: number, id: number, step: RecoveryStep) => post<Recovery>(`${path(webhook)}/${part(id)}/${step}`, {}),
};
