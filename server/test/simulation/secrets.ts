/** The signing secrets of the simulated webhooks: two are live during a rotation, for a day (contract §6). */
import { generateSecret } from "@hookwell/sdk";

const OVERLAP_MS = 24 * 3_600_000;
const LIVE_MAX = 2;

export interface SimulatedSecret {
  webhookId: number;
  id: number;
  secret: string;
  /** of simulated time: made, and taken away before its time */
  fromMs: number;
  revokedMs: number;
  /** of the database's clock; infinite for the current one */
  retiresAt: number;
}

export class SimulatedSecrets {
  readonly all: SimulatedSecret[] = [];
  readonly #clock: { nowMs: number; at(ms: number): number };
  readonly #timeline: { nowMs: number };

  constructor(timeline: { nowMs: number }, clock: { nowMs: number; at(ms: number): number }) {
    this.#timeline = timeline;
    this.#clock = clock;
  }

  add(webhookId: number): void {
    const open = {
      fromMs: this.#timeline.nowMs,
      revokedMs: Number.POSITIVE_INFINITY,
      retiresAt: Number.POSITIVE_INFINITY,
    };
    this.all.push({ webhookId, id: this.all.length + 1, secret: generateSecret(), ...open });
  }

  /** The newest first; as of a moment of simulated time. */
  live(webhookId: number, ms = this.#timeline.nowMs): SimulatedSecret[] {
    const isLive = (one: SimulatedSecret) =>
      one.webhookId === webhookId && one.fromMs <= ms && ms < one.revokedMs && this.#clock.at(ms) < one.retiresAt;
    return this.all.filter(isLive).reverse();
  }

  /** Returns whether it could: a third live one is refused. */
  rotate(webhookId: number): boolean {
    const live = this.live(webhookId);
    if (live.length >= LIVE_MAX) return false;
    for (const one of live) one.retiresAt = this.#clock.nowMs + OVERLAP_MS;
    this.add(webhookId);
    return true;
  }

  /** Returns whether there was an old one to take away. */
  revoke(webhookId: number): boolean {
    const [, ...old] = this.live(webhookId);
    for (const one of old) one.revokedMs = this.#timeline.nowMs;
    return old.length > 0;
  }
}
