/**
 * The simulated network and the receivers at its other end. A request travels, is heard or not, is answered or not; the
 * deadline is the sender's. What has left arrives, whatever becomes of its sender.
 */
import { DEADLINE_MS, type Egress, type OutboundRequest } from "../../src/egress/client.ts";
import type { Outcome } from "../../src/egress/outcome.ts";
import type { Process } from "./process.ts";
import type { SeededRandom } from "./random.ts";
import type { Timeline } from "./timeline.ts";

/** One request that a process handed to the network. */
export interface Post {
  process: Process;
  /** ms of simulated time at which the process began to send */
  atMs: number;
  /** whether the lease of the sending process reached the deadline in that moment, by the database's own clock */
  leaseReaches: boolean;
  /** its webhook was parked */
  isProbe: boolean;
  /** when the process heard what came of it; null while it has not */
  heardMs: number | null;
  id: string;
  webhook: number;
  /** where it went */
  host: string;
  subject: string;
  version: number;
  sequence: number;
  attempt: number;
  body: string;
  headers: Record<string, string>;
}

/** A request that a receiver has read to its end. */
export interface Reception extends Post {
  receivedMs: number;
  /** what it meant to answer */
  status: number;
  /** the answer got through to where the request had come from */
  isAnswered: boolean;
}

export interface ReceiverHabits {
  /** how likely an answer is a failure that asks to be tried again, while nothing else is wrong */
  fails: number;
  /** it fails, whatever comes, until then (ms of simulated time) */
  failsUntilMs: number;
  /** how likely it answers 410 */
  isGone: number;
  /** ms it takes to answer, at most */
  thinksMs: number;
}

export interface NetworkFaults {
  refuses: number;
  /** the request arrives and is read, and the answer never comes */
  hangs: number;
  /** the request never arrives, and nobody says so */
  swallows: number;
  /** the request was read and accepted, and the connection breaks before the answer is through */
  resetsAfterAccepting: number;
  /** the process stands still just as it sends */
  stalls: number;
}

export const NO_NETWORK_FAULTS: NetworkFaults = {
  refuses: 0,
  hangs: 0,
  swallows: 0,
  resetsAfterAccepting: 0,
  stalls: 0,
};
export const GOOD_HABITS: ReceiverHabits = { fails: 0, failsUntilMs: 0, isGone: 0, thinksMs: 50 };
/** What a 429 asks for. */
export const RETRY_AFTER_SECONDS = 60;
const FAILURES = [500, 503, 429, 404, 400, 302];

export class SimulatedNetwork {
  readonly #timeline: Timeline;
  readonly #random: SeededRandom;
  /** by host */
  readonly habits = new Map<string, ReceiverHabits>();
  readonly posts: Post[] = [];
  readonly receptions: Reception[] = [];
  faults = NO_NETWORK_FAULTS;
  inFlight = 0;
  /** by webhook: requests under way now, and the most there ever were */
  readonly #under = new Map<number, number>();
  readonly mostInFlight = new Map<number, number>();

  constructor(timeline: Timeline, random: SeededRandom) {
    this.#timeline = timeline;
    this.#random = random;
  }

  /** The way out of one process. What it believes of its lease and of the webhook is asked at the moment of sending. */
  egressOf(process: Process, asked: { leaseReaches: () => boolean; isParked: (webhook: number) => boolean }): Egress {
    return {
      check: (text) => ({ ok: true, url: new URL(text), loopback: false }),
      vet: async () => ({ ok: true }),
      post: (request) => this.#post(process, this.#read(process, request, asked)),
      reachedBy: () => null,
      close: async () => {},
    };
  }

  #read(
    process: Process,
    { url, headers, body }: OutboundRequest,
    asked: { leaseReaches: () => boolean; isParked: (webhook: number) => boolean },
  ): Post {
    const webhook = Number(url.pathname.slice(1));
    const named = Object.fromEntries(
      headers.flatMap((name, at) => (at % 2 === 0 ? [[name, headers[at + 1] ?? ""]] : [])),
    );
    const header = (name: string): string => named[name] ?? "";
    return {
      ...{ process, atMs: this.#timeline.nowMs, leaseReaches: asked.leaseReaches(), body, webhook, heardMs: null },
      isProbe: asked.isParked(webhook),
      headers: named,
      host: url.host,
      id: header("webhook-id"),
      subject: header("webhook-subject"),
      version: Number(header("webhook-subject-version")),
      sequence: Number(header("webhook-sequence")),
      attempt: Number(header("webhook-attempt")),
    };
  }

  #post(process: Process, post: Post): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    this.posts.push(post);
    this.#count(post.webhook, 1);
    if (this.#random.chance(this.faults.stalls)) process.standStill(this.#random.between(1_000, 60_000));
    let isOver = false;
    const end = (outcome: Sayable) => {
      if (isOver) return;
      isOver = true;
      this.#count(post.webhook, -1);
      callOff();
      const durationMs = Math.round(this.#timeline.nowMs - post.atMs);
      process.reach(() => {
        post.heardMs = this.#timeline.nowMs;
        resolve({ ...outcome, durationMs } as Outcome);
      });
    };
    const callOff = this.#timeline.after(DEADLINE_MS + process.stillForMs, () =>
      end({ kind: "timed_out", detail: "deadline", bodySent: true }),
    );
    this.#timeline.after(process.stillForMs + this.#random.between(1, 80), () => this.#arrive(post, end));
    return promise;
  }

  #count(webhook: number, by: number): void {
    this.inFlight += by;
    const under = (this.#under.get(webhook) ?? 0) + by;
    this.#under.set(webhook, under);
    this.mostInFlight.set(webhook, Math.max(under, this.mostInFlight.get(webhook) ?? 0));
  }

  #arrive(post: Post, end: (outcome: Sayable) => void): void {
    const { refuses, hangs, swallows, resetsAfterAccepting } = this.faults;
    const [drawn, habits] = [this.#random.next(), this.habits.get(post.host) ?? GOOD_HABITS];
    if (drawn < refuses) {
      end({ kind: "connection_refused", detail: "ECONNREFUSED", bodySent: false });
      return;
    }
    if (drawn < refuses + swallows) return;
    const status = this.#answerOf(habits);
    const [isHanging, isReset] = [
      drawn < refuses + swallows + hangs,
      drawn < refuses + swallows + hangs + resetsAfterAccepting,
    ];
    this.receptions.push({ ...post, receivedMs: this.#timeline.nowMs, status, isAnswered: !isReset });
    this.#timeline.trace(
      `${post.process.name} sent ${post.webhook}/${post.id}#${post.attempt} seq ${post.sequence} to ${post.host} → ${status}`,
    );
    if (isHanging) return;
    this.#timeline.after(this.#random.between(1, habits.thinksMs), () =>
      end(isReset ? { kind: "reset", detail: "ECONNRESET", bodySent: true } : answered(status)),
    );
  }

  #answerOf(habits: ReceiverHabits): number {
    const isFailing = this.#timeline.nowMs < habits.failsUntilMs || this.#random.chance(habits.fails);
    if (this.#random.chance(habits.isGone)) return 410;
    return isFailing ? this.#random.pick(FAILURES) : this.#random.pick([200, 200, 202, 204]);
  }
}

type Sayable = { kind: Outcome["kind"]; detail?: string; answer?: unknown; bodySent: boolean };

function answered(status: number): Sayable {
  const headers: Record<string, string> = status === 429 ? { "retry-after": String(RETRY_AFTER_SECONDS) } : {};
  return { kind: "answered", answer: { status, headers, text: "", truncated: false }, bodySent: true };
}
