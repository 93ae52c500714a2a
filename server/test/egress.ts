/** Outbound clients for tests, closed after each one. */
import { afterEach } from "vitest";
import { systemClock } from "../src/clock.ts";
import { createEgress, type Egress, type EgressOptions } from "../src/egress/client.ts";
import type { Outcome } from "../src/egress/outcome.ts";
import type { EgressRules } from "../src/egress/url.ts";

export const LOOPBACK: EgressRules = { allowLoopback: true, inboxUrlPrefix: null };
export const STRICT: EgressRules = { allowLoopback: false, inboxUrlPrefix: null };
/** Short enough for a test that waits for it, long enough for any honest answer on loopback. */
export const SHORT_DEADLINE_MS = 400;

const opened: Egress[] = [];

/** A client with the usual deadline unless the test wants it short. */
export function openEgress(options: Partial<EgressOptions> = {}): Egress {
  const egress = createEgress({ rules: LOOPBACK, monotonicMs: systemClock.monotonicMs, ...options });
  opened.push(egress);
  return egress;
}

/** To be called once at the top of a test file. */
export function closeEgressAfterEach(): void {
  afterEach(async () => {
    for (const egress of opened.splice(0)) await egress.close();
  });
}

/** Sends a small JSON body, whatever checkUrl would say of the address. */
export function post(egress: Egress, url: URL | string): Promise<Outcome> {
  return egress.post({ url: new URL(url), headers: ["content-type", "application/json"], body: '{"a":1}' });
}
