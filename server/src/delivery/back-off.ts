/** For how long a held webhook is left alone because its receiver fails again and again (health.ts says when). No I/O. */
import { backOffMs, FAILURES_TO_PARK, type Health, type Observed } from "./health.ts";

export class BackOff {
  /** by what was observed it has failed so often that it may be left alone after the next attempt */
  isOn = false;
  #untilMs = Number.NEGATIVE_INFINITY;
  /** the webhook was changed: what its receiver did before is of another one */
  #isOver = false;

  /** One more attempt, and the health after it. */
  observed({ verdict, endedMs }: Observed, health: Health): void {
    this.#untilMs = endedMs + backOffMs(health, verdict);
    this.isOn = health.failures >= FAILURES_TO_PARK;
  }

  /** Its webhook was changed, most likely mended: it is asked at once, whatever comes of what was asked before. */
  end(): void {
    this.#isOver = true;
  }

  /** ms for which nothing is begun. */
  leftMs(nowMs: number): number {
    return this.#isOver ? 0 : Math.max(0, this.#untilMs - nowMs);
  }
}
