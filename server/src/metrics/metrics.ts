/**
 * What an operator needs to see of one process, and of the database that all share.
 *
 * Owns the names of all metrics and what their labels can be. Promises: every label's values are of a closed set that the
 * code itself lists (outcomes, states, route patterns, methods, statuses, pools); no address, name, host, id or anything of a
 * clinic gets in. Does not listen (listener.ts), alarm or decide.
 */
import { readFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Counter, Gauge, Histogram, type Labels, OTHER, pageOf } from "./registry.ts";
import type { Snapshot } from "./snapshot.ts";

/** From a receiver in the same house to the deadline of 15 s. */
const ATTEMPT_BOUNDS_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15];
const REQUEST_BOUNDS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const STATUSES = new Set(["1xx", "2xx", "3xx", "4xx", "5xx", "none"]);
const HTTP_STATUSES = new Set(Array.from({ length: 500 }, (_, at) => String(at + 100)));
const ENDINGS = new Set(["delivered", "given_up", "cancelled"]);
const NANOSECONDS = 1e9;
const LOOP_RESOLUTION_MS = 20;
const MANIFEST = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};
const { version: VERSION } = MANIFEST;

export interface PoolFigures {
  /** of a closed set: the pools of db/pool.ts */
  readonly pool: string;
  readonly open: number;
  readonly idle: number;
  readonly waiting: number;
}

export interface MetricsOptions {
  readonly role: string;
  /** every outcome that an attempt can have */
  readonly outcomes: readonly string[];
  pools(): readonly PoolFigures[];
  /** letters about accounts that wait in this process */
  lettersWaiting(): number;
}

/** One attempt of the engine that was written down; tests are none. */
export interface CountedAttempt {
  readonly outcome: string;
  readonly status: number | null;
  readonly durationMs: number;
  /** how the delivery ended by it; null where it is tried again, or where the result came too late to count */
  readonly ended: string | null;
}

export interface AnsweredRequest {
  readonly method: string;
  /** the pattern, never a path */
  readonly route: string;
  readonly status: number;
  readonly durationMs: number;
}

export class Metrics {
  readonly #options: MetricsOptions;
  readonly #loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  readonly #routes = new Set<string>();
  readonly #attempts: Counter;
  readonly #ended = new Counter(
    { name: "hookwell_deliveries_ended_total", help: "Deliveries that ended by an attempt of this process." },
    { state: ENDINGS },
  );
  readonly #attemptSeconds = new Histogram(
    { name: "hookwell_attempt_duration_seconds", help: "From the look-up of the name to the end of the answer." },
    ATTEMPT_BOUNDS_SECONDS,
  );
  readonly #requests = new Counter(
    { name: "hookwell_http_requests_total", help: "Requests that this process answered." },
    { method: METHODS, route: this.#routes, status: HTTP_STATUSES },
  );
  readonly #requestSeconds = new Histogram(
    { name: "hookwell_http_request_duration_seconds", help: "How long requests to this process took." },
    REQUEST_BOUNDS_SECONDS,
  );
  #snapshot: Snapshot | null = null;

  constructor(options: MetricsOptions) {
    this.#options = options;
    this.#attempts = new Counter(
      { name: "hookwell_attempts_total", help: "Attempts to deliver by what came of them; tests are not counted." },
      { outcome: new Set(options.outcomes), status: STATUSES },
    );
    this.#loop.enable();
  }

  /** The route patterns of a server, which are the labels that requests can have. */
  knowRoutes(patterns: Iterable<string>): void {
    for (const pattern of patterns) this.#routes.add(pattern);
  }

  attempted({ outcome, status, durationMs, ended }: CountedAttempt): void {
    const ofHundred = status === null ? "none" : `${Math.floor(status / 100)}xx`;
    this.#attempts.add({ outcome, status: ofHundred });
    this.#attemptSeconds.observe(durationMs / 1_000);
    if (ended !== null) this.#ended.add({ state: ended });
  }

  answered({ method, route, status, durationMs }: AnsweredRequest): void {
    this.#requests.add({ method, route, status: String(status) });
    this.#requestSeconds.observe(durationMs / 1_000);
  }

  /** @param snapshot what the database says at this moment; null where it does not answer */
  text(snapshot: Snapshot | null): string {
    this.#snapshot = snapshot;
    const counted = [this.#ended, this.#attempts, this.#attemptSeconds, this.#requests, this.#requestSeconds];
    return pageOf([...counted, ...this.#shared(), ...this.#ofThisProcess()]);
  }

  stop(): void {
    this.#loop.disable();
  }

  /** Of the database, the same in every process. */
  #shared(): Gauge[] {
    const of = (name: string, help: string, read: (snapshot: Snapshot) => number) =>
      new Gauge({ name: `hookwell_${name}`, help }, () => (this.#snapshot === null ? null : read(this.#snapshot)));
    return [
      new Gauge({ name: "hookwell_database_up", help: "1 where the database answered this scrape." }, () =>
        this.#snapshot === null ? 0 : 1,
      ),
      of("due_oldest_seconds", "How long the delivery that is due first has waited.", ({ ages }) => ages.dueSeconds),
      of(
        "snapshot_oldest_seconds",
        "Age of the oldest transaction that holds a snapshot.",
        ({ ages }) => ages.snapshotSeconds,
      ),
      of("nodes_alive", "Processes that deliver.", ({ figures }) => figures.liveNodes),
      of("webhooks_parked", "Webhooks that are only probed.", ({ figures }) => figures.parkedWebhooks),
      of("sending_pauses", "Pauses that the operator has made.", ({ figures }) => figures.pauses),
      of("notices_waiting", "E-mails and operational calls that wait.", ({ figures }) => figures.noticesWaiting),
    ];
  }

  #ofThisProcess(): Gauge[] {
    const { pools, lettersWaiting, role } = this.#options;
    const perPool = (read: (pool: PoolFigures) => number) => () =>
      pools().map((one) => ({ labels: { pool: one.pool }, value: read(one) }));
    const memory = process.memoryUsage();
    const labels: Labels = { version: VERSION, node: process.version, role };
    const gauge = (name: string, help: string, read: ConstructorParameters<typeof Gauge>[1]) =>
      new Gauge({ name: `hookwell_${name}`, help }, read);
    return [
      gauge("letters_waiting", "E-mails about accounts that wait in this process.", lettersWaiting),
      gauge(
        "pool_connections",
        "Open connections to the database.",
        perPool(({ open }) => open),
      ),
      gauge(
        "pool_idle_connections",
        "Those that nobody uses.",
        perPool(({ idle }) => idle),
      ),
      gauge(
        "pool_waiting",
        "Who waits for a connection.",
        perPool(({ waiting }) => waiting),
      ),
      gauge("event_loop_delay_p99_seconds", "Since the scrape before.", () => this.#takeLoopDelay()),
      gauge("process_resident_memory_bytes", "Of the process.", () => memory.rss),
      gauge("process_heap_used_bytes", "Of its JavaScript heap.", () => memory.heapUsed),
      gauge("process_uptime_seconds", "Since its start.", () => process.uptime()),
      gauge("build_info", "What runs here.", () => [{ labels, value: 1 }]),
    ];
  }

  #takeLoopDelay(): number {
    const p99 = this.#loop.percentile(99) / NANOSECONDS;
    this.#loop.reset();
    return Math.max(0, p99 - LOOP_RESOLUTION_MS / 1_000);
  }
}

/** The pattern of a request that no route knew. */
export const UNKNOWN_ROUTE = OTHER;
