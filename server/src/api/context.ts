/** What a route may reach for besides its request. Made once by app.ts; tests make their own with real parts. */
import type { Accounts } from "../accounts/accounts.ts";
import type { Clock } from "../clock.ts";
import type { TrustProxy } from "../config.ts";
import type { Db } from "../db/schema.ts";
import type { TestSend, TestSent } from "../delivery/test-send.ts";
import type { Egress } from "../egress/client.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { OutboxContext } from "../outbox/emit.ts";
import type { Seal } from "../seal/seal.ts";

export interface ApiContext {
  readonly db: Db;
  readonly seal: Seal;
  readonly clock: Clock;
  readonly log: Log;
  readonly outbox: OutboxContext;
  /** The one origin under which browsers may call with a cookie, such as `https://hooks.example.test`. */
  readonly publicUrl: string;
  /** Reverse proxies whose word on the client's address is believed; nobody's where there is none. */
  readonly trustProxy?: TrustProxy | undefined;
  /** Who is behind a cookie, and the routes by which one signs in and out; making staff without an invitation is not a route's. */
  readonly accounts: Omit<Accounts, "createStaff" | "makeResetLink" | "close">;
  /** Whether this server has a mail server to send e-mail by. */
  readonly sendsEmail: boolean;
  /** Which addresses are possible; sends nothing. */
  readonly egress: Pick<Egress, "check" | "vet">;
  /** Sends a test of one webhook and waits for its answer. */
  sendTest(test: TestSend): Promise<TestSent>;
  /** Development only: pages of this machine may hold the embedded page in a frame. */
  readonly allowLoopback: boolean;
  /** Where the test inbox receives, without the clinic's token: `http://localhost:4401/inbox/`. */
  readonly inboxUrlPrefix: string;
  /** The operator's setting; a clinic may keep events, attempts and finished deliveries for fewer days. */
  readonly retentionDays: number;
  /** Counts answers; undefined where nobody asked for metrics. */
  readonly metrics?: Metrics | undefined;
  /**
   * Wakes the dispatcher, for a clinic where one is known, and for the webhooks that the commit has woken where they are; to be
   * called after a commit that may have emitted. `command` does it by itself.
   */
  nudge(clinicId?: number, webhookIds?: readonly number[]): void;
}
