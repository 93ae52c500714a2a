/**
 * The simulated database: the model's transactions with a way there and back, on which everything may go wrong.
 *
 * A statement travels to the database, is carried out in one moment (take and refill in two: they see what was there when
 * they began, and change what is there when they have their locks), and its answer travels back. It may fail before it is
 * carried out, or after (the caller hears of an error, and yet it was committed), or its answer may never come: then the
 * caller's own limit ends the wait. A statement that was sent is carried out even if its sender is dead by then.
 */
import type { EngineStore } from "../../src/delivery/engine-store.ts";
import type { ModelStore, Seen } from "../model/model-store.ts";
import type { Process } from "./process.ts";
import type { SeededRandom } from "./random.ts";
import type { Timeline } from "./timeline.ts";

/** The pool's own limit on an answer (db/pool.ts). */
const ANSWER_LIMIT_MS = 20_000;

export interface DatabaseFaults {
  /** ms of one way, at most, when nothing is wrong */
  latencyMs: number;
  /** how likely a statement … */
  failsBefore: number;
  failsAfterCommit: number;
  losesItsAnswer: number;
  isSlow: number;
  /** take and refill: waits for a lock between looking and changing */
  waitsForLock: number;
  /** for so many ms at most */
  lockMs: number;
}

export const NO_DATABASE_FAULTS: DatabaseFaults = {
  latencyMs: 3,
  failsBefore: 0,
  failsAfterCommit: 0,
  losesItsAnswer: 0,
  isSlow: 0,
  waitsForLock: 0,
  lockMs: 0,
};

type Fate = "well" | "before" | "after commit" | "no answer";

export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

export class SimulatedDatabase {
  readonly #timeline: Timeline;
  readonly #random: SeededRandom;
  faults = NO_DATABASE_FAULTS;
  /** while it is down every statement fails: before it is carried out, or at its commit */
  downUntilMs = 0;
  /** called after each statement: what has to hold at every moment is looked at then */
  watch: () => void = () => {};
  /** statements that failed although they were committed */
  failedAfterCommit = 0;

  constructor(timeline: Timeline, random: SeededRandom) {
    this.#timeline = timeline;
    this.#random = random;
  }

  /** Carries out one statement for a process. `look` is what it sees first; `work` changes, in one moment. */
  call<Sight, Answer>(
    process: Process,
    name: string,
    statement: { look: () => Sight; work: (sight: Sight) => Answer | Promise<Answer> },
  ): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const fate = this.#fate();
    const answer = (ms: number, give: () => void) => this.#timeline.after(ms, () => process.reach(give));
    const fail = (ms: number) => answer(ms, () => reject(new ConnectionLost(`${name}: the connection was lost`)));
    const [there, locks, back] = [this.#way(), this.#lockWait(), this.#way()];
    this.#timeline.after(there, () => {
      if (fate === "before" || this.#isDown()) {
        this.#timeline.trace(`${process.name} ${name} failed`);
        fail(back);
        return;
      }
      const sight = statement.look();
      this.#timeline.after(locks, () => {
        // The model has done it by the time it returns; only the value comes as a promise.
        const done = Promise.resolve(statement.work(sight));
        done.then(
          (value) => {
            this.watch();
            this.#timeline.trace(`${process.name} ${name} ${fate === "well" ? "" : fate} ${describe(value)}`);
            if (fate === "well") return answer(back, () => resolve(value));
            this.failedAfterCommit++;
            fail(fate === "no answer" ? ANSWER_LIMIT_MS : back);
          },
          (error: unknown) => this.#timeline.fail(error),
        );
      });
    });
    return promise;
  }

  #isDown(): boolean {
    return this.#timeline.nowMs < this.downUntilMs;
  }

  #fate(): Fate {
    const { failsBefore, failsAfterCommit, losesItsAnswer } = this.faults;
    const drawn = this.#random.next();
    if (drawn < failsBefore) return "before";
    if (drawn < failsBefore + failsAfterCommit) return "after commit";
    return drawn < failsBefore + failsAfterCommit + losesItsAnswer ? "no answer" : "well";
  }

  #way(): number {
    const slow = this.#random.chance(this.faults.isSlow) ? this.#random.between(500, 12_000) : 0;
    return slow + this.#random.between(0.1, this.faults.latencyMs);
  }

  #lockWait(): number {
    return this.#random.chance(this.faults.waitsForLock) ? this.#random.between(1, this.faults.lockMs) : 0;
  }
}

/** The store as one process has it. */
export function storeOf(database: SimulatedDatabase, model: ModelStore, process: Process): EngineStore {
  const nothing = () => undefined;
  // One statement, one transaction.
  const call = <Answer>(name: string, work: () => Answer | Promise<Answer>) =>
    database.call(process, name, { look: nothing, work });
  const scan = <Answer>(name: string, work: (seen: Seen) => Answer | Promise<Answer>) =>
    database.call(process, name, { look: () => model.snapshot(), work });
  const reap = async () => {
    await call("rest", () => model.rest());
    return call("reap", () => model.giveBack());
  };
  return {
    take: (owner, request) => scan(`take by ${owner}`, (seen) => model.takeAsSeen(seen, { ...request, owner })),
    refill: (owner, requests) => scan(`refill by ${owner}`, (seen) => model.refillAsSeen(seen, { owner, requests })),
    settle: (results, health) => call(`settle ${results.length}`, () => model.settle(results, health)),
    warn: (owner, warning) => call(`warn ${warning.warned}`, () => model.warn(owner, warning)),
    release: (owner, runs) => call(`release ${runs.length} by ${owner}`, () => model.release(owner, runs)),
    turnOff: (key, turning) => call("turn off", () => model.turnOff(key, turning)),
    register: (name, leaseMs) => call("register", () => model.register(name, leaseMs)),
    unbegin: (begun) => call(`unbegin ${begun.length}`, () => model.unbegin(begun)),
    beat: (owner, beat) => call(`beat ${owner}`, () => model.beat(owner, beat)),
    reap,
    retire: async (owner) => {
      await call(`retire ${owner}`, () => model.forget(owner));
      return reap();
    },
    retireAllOthers: () => Promise.reject(new Error("these nodes are not alone")),
    sweep: () => call("sweep", () => model.sweep()),
  };
}

function describe(done: unknown): string {
  if (typeof done !== "object" || done === null) return String(done);
  if (Array.isArray(done)) return done.map((one) => `${one.webhookId}/${one.id}`).join(" ");
  if (!("begun" in done)) return "";
  const scan = done as Awaited<ReturnType<EngineStore["take"]>>;
  const begun = scan.begun.map((b) => `${b.webhookId}/${b.id}#${b.attempt} seq ${b.sequence}`).join(", ");
  return `runs ${scan.runs.map((r) => `${r.webhookId}f${r.fence}`).join(",")} begun ${begun}`;
}
