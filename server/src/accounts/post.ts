/**
 * Letters on their way to the mail server, beside the requests that caused them.
 *
 * Promises that no request waits for the mail server, so that neither its answer nor its time tells whether there was
 * somebody to write to; that a few are sent at once and a limited number waits; that what may pass is tried again; that whoever
 * asked to hear of a letter's end hears of it, whatever it was: no room, work that failed, or a process that ends. Keeps
 * nothing: what had not left when the process ended is asked for again by whoever misses it.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { MailOutcome, MailSender } from "../egress/mail.ts";
import { type Log, logEvent } from "../log.ts";
import type { AccountLetter } from "./letters.ts";

const AT_ONCE_MAX = 4;
export const LETTERS_WAITING_MAX = 1_000;
/** Before the second and the third try. */
const PAUSES_MS = [2_000, 15_000] as const;
/** What another try may change. */
const PASSES: ReadonlySet<MailOutcome["kind"]> = new Set(["deferred", "unreachable", "timed_out"]);

/** `sent` or `failed`, with the cause in the log alone. */
export type PostOutcome = "sent" | "failed";

/** Work that ends with a letter, or with none where there is nobody to write to. */
type Work = () => Promise<{ readonly to: string; readonly letter: AccountLetter } | null>;

type Then = (outcome: PostOutcome) => Promise<void>;

const NOBODY_ASKED: Then = async () => {};

export class Post {
  readonly #mail: MailSender | null;
  readonly #log: Log;
  readonly #waiting: (() => Promise<void>)[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #stop = new AbortController();

  constructor(mail: MailSender | null, log: Log) {
    this.#mail = mail;
    this.#log = log;
  }

  /** Whether the operator has set up a mail server at all. */
  get isOpen(): boolean {
    return this.#mail !== null;
  }

  /** How many wait for their turn in this process. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Does the work and sends its letter, later; `then` hears what came of it. Nothing is thrown to the caller. */
  later(work: Work, then: Then = NOBODY_ASKED): void {
    if (this.#stop.signal.aborted || this.#waiting.length >= LETTERS_WAITING_MAX) {
      logEvent(this.#log, "accounts.letter", { outcome: "no_room" }, "error");
      this.#run(() => this.#tell(then, "failed"));
      return;
    }
    this.#waiting.push(() => this.#do(work, then));
    this.#next();
  }

  /** Takes no more, lets what is being sent end without further tries, and lets the rest fail. */
  async close(): Promise<void> {
    this.#stop.abort();
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #next(): void {
    while (this.#running.size < AT_ONCE_MAX) {
      const job = this.#waiting.shift();
      if (job === undefined) return;
      this.#run(job);
    }
  }

  /** @param job never rejects */
  #run(job: () => Promise<void>): void {
    const running = job().finally(() => {
      this.#running.delete(running);
      this.#next();
    });
    this.#running.add(running);
  }

  async #do(work: Work, then: Then): Promise<void> {
    const outcome = this.#stop.signal.aborted ? "failed" : await this.#attempt(work);
    if (outcome !== null) await this.#tell(then, outcome);
  }

  /** Null where there is nobody to write to. */
  async #attempt(work: Work): Promise<PostOutcome | null> {
    try {
      const wanted = await work();
      return wanted === null ? null : await this.#send(wanted.to, wanted.letter);
    } catch (err) {
      logEvent(this.#log, "accounts.letter", { outcome: "failed", err }, "error");
      return "failed";
    }
  }

  async #tell(then: Then, outcome: PostOutcome): Promise<void> {
    try {
      await then(outcome);
    } catch (err) {
      logEvent(this.#log, "accounts.letter", { outcome: "not_noted", err }, "error");
    }
  }

  async #send(to: string, letter: AccountLetter): Promise<PostOutcome> {
    if (this.#mail === null) return "failed";
    const message = { to, ...letter, id: randomUUID() };
    for (const pauseMs of [...PAUSES_MS, null]) {
      const outcome = await this.#mail.send(message);
      if (outcome.kind === "accepted") return "sent";
      logEvent(this.#log, "accounts.letter", { outcome: outcome.kind, status: outcome.status }, "warn");
      if (pauseMs === null || !PASSES.has(outcome.kind) || !(await this.#waits(pauseMs))) break;
    }
    return "failed";
  }

  /** False where the process is ending. */
  async #waits(pauseMs: number): Promise<boolean> {
    try {
      await pause(pauseMs, undefined, { signal: this.#stop.signal });
      return true;
    } catch (error) {
      if (this.#stop.signal.aborted) return false;
      throw error;
    }
  }
}
