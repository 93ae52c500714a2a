/**
 * The one way into the database for transactions of the feed: a program that sends more than can be stored waits, or is
 * turned away, and takes no connection from the people of its own clinic or of another.
 *
 * Owns who of the feed has his turn in this process. Promises: never more than TURNS_AT_ONCE_MAX, nor more than
 * TURNS_OF_A_CLINIC_MAX for one clinic; whoever waits gets his turn in the order of his clinic, and the clinics one after the
 * other; beyond what may wait a request is turned away at once: with 429 where
 * it is its own clinic that sends too much, with 503 where all together do. Does not know what is done in a turn.
 */
import { ProblemError } from "../../errors.ts";

/** Of the app's 20 connections (db/pool.ts): the rest is for people. */
const TURNS_AT_ONCE_MAX = 8;
const TURNS_OF_A_CLINIC_MAX = 2;
const WAITING_MAX = 1_000;
const WAITING_OF_A_CLINIC_MAX = 100;
const BUSY_RETRY_AFTER_SECONDS = 1;

interface Clinic {
  readonly id: number;
  /** Each begins the turn of one that waits. */
  readonly waiting: (() => void)[];
  turns: number;
}

/** One per process. */
export class FeedGate {
  /** Only clinics that have a turn or wait for one; the next in line first. */
  readonly #clinics = new Map<number, Clinic>();
  #turns = 0;
  #waiting = 0;

  /** Does `work` when it is the clinic's turn. @throws ProblemError 429 when too many of it wait, 503 when too many of all, and what `work` throws */
  async run<Result>(clinicId: number, work: () => Promise<Result>): Promise<Result> {
    const clinic = this.#clinics.get(clinicId) ?? { id: clinicId, waiting: [], turns: 0 };
    if (this.#isFree(clinic)) this.#begin(clinic);
    else await this.#wait(clinic);
    try {
      return await work();
    } finally {
      this.#end(clinic);
    }
  }

  #isFree(clinic: Clinic): boolean {
    return this.#turns < TURNS_AT_ONCE_MAX && clinic.turns < TURNS_OF_A_CLINIC_MAX;
  }

  #begin(clinic: Clinic): void {
    this.#clinics.set(clinic.id, clinic);
    this.#turns += 1;
    clinic.turns += 1;
  }

  #wait(clinic: Clinic): Promise<void> {
    if (clinic.waiting.length >= WAITING_OF_A_CLINIC_MAX) throw clinicBusy();
    if (this.#waiting >= WAITING_MAX) throw busy();
    this.#clinics.set(clinic.id, clinic);
    this.#waiting += 1;
    return new Promise((fulfil) => clinic.waiting.push(fulfil));
  }

  /** The clinic goes to the end of the line, so that none keeps the others out. */
  #end(clinic: Clinic): void {
    this.#turns -= 1;
    clinic.turns -= 1;
    this.#clinics.delete(clinic.id);
    if (clinic.waiting.length > 0 || clinic.turns > 0) this.#clinics.set(clinic.id, clinic);
    for (const next of this.#clinics.values()) {
      if (this.#turns >= TURNS_AT_ONCE_MAX) return;
      this.#beginNext(next);
    }
  }

  #beginNext(clinic: Clinic): void {
    if (!this.#isFree(clinic)) return;
    const begin = clinic.waiting.shift();
    if (begin === undefined) return;
    this.#waiting -= 1;
    this.#begin(clinic);
    begin();
  }
}

/** 429: this clinic's programs send more than their share. Nothing was stored, and the same request may be sent again. */
export function clinicBusy(): ProblemError {
  return new ProblemError({
    status: 429,
    code: "too_many_requests",
    title: "Your programs send more than can be stored at once. Send the same request again in a moment.",
    retryAfterSeconds: BUSY_RETRY_AFTER_SECONDS,
  });
}

/** 503: nothing was stored, and the same request may be sent again. */
export function busy(): ProblemError {
  return new ProblemError({
    status: 503,
    code: "busy",
    title: "More is waiting than can be stored at once. Send the same request again in a moment.",
    retryAfterSeconds: BUSY_RETRY_AFTER_SECONDS,
  });
}
