/**
 * Who watches which clinic for changes: `Watch`, one per process.
 *
 * Owns the look at a clinic's marks every POLL_MS while somebody watches it, and the limits on how many may. Promises that
 * nothing is asked for a clinic that nobody watches; that a watcher whose session or role has ended is let go at the next
 * look; that a watcher who does not read is let go; that everybody is let go when the process stops. It works with several
 * processes because each looks for itself. Does not know HTTP (stream.ts).
 */
import { ProblemError } from "../errors.ts";
import type { ChangeMarks } from "./change-marks.ts";

const POLL_MS = 1_000;
/** A browser opens six connections to a server at most (HTTP/1.1), and the page needs some for its requests. */
const PER_PERSON_MAX = 4;
const PER_CLINIC_MAX = 50;
const PER_PROCESS_MAX = 500;
const RETRY_AFTER_SECONDS = 60;

export interface Watcher {
  readonly clinicId: number;
  readonly userId: string;
  /** Whether the person may still look. */
  mayStay(): Promise<boolean>;
  /** The clinic's marks, after each look; false where the watcher does not read. */
  see(marks: ChangeMarks): boolean;
  /** Nothing more comes. */
  end(): void;
}

export interface WatchOptions {
  read(clinicId: number): Promise<ChangeMarks>;
  /** A look failed; the watchers of that clinic were let go, and come again by themselves. */
  onFailure(error: unknown, clinicId: number): void;
  readonly pollMs?: number;
}

interface Watched {
  readonly watchers: Set<Watcher>;
  timer: NodeJS.Timeout | undefined;
  isLooking: boolean;
  /** Somebody came during a look. */
  isAwaited: boolean;
}

export class Watch {
  readonly #options: WatchOptions;
  readonly #clinics = new Map<number, Watched>();
  #closed = false;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** How many clinics are looked at. */
  get clinics(): number {
    return this.#clinics.size;
  }

  /** Adds one, who sees the marks at once; returns how to leave. Throws 503 beyond a limit or while stopping. */
  enter(watcher: Watcher): () => void {
    this.#refuseTooMany(watcher);
    const { clinicId } = watcher;
    const watched = this.#clinics.get(clinicId) ?? newlyWatched();
    this.#clinics.set(clinicId, watched);
    watched.watchers.add(watcher);
    // Whoever comes sees where things stand without waiting for the next look, and so do the others.
    if (watched.isLooking) watched.isAwaited = true;
    else this.#lookIn(clinicId, watched, 0);
    return () => this.#leave(watched, watcher);
  }

  /** Lets everybody go and takes no one more. */
  close(): void {
    this.#closed = true;
    for (const [clinicId, watched] of this.#clinics) this.#letAllGo(clinicId, watched);
  }

  #refuseTooMany({ clinicId, userId }: Watcher): void {
    const all = [...this.#clinics.values()].flatMap(({ watchers }) => [...watchers]);
    const ofClinic = all.filter((other) => other.clinicId === clinicId);
    const ofPerson = ofClinic.filter((other) => other.userId === userId);
    if (this.#closed) throw tooMany("This server is stopping.");
    if (ofPerson.length >= PER_PERSON_MAX)
      throw tooMany(`You look at this clinic in ${PER_PERSON_MAX} windows already.`);
    if (ofClinic.length >= PER_CLINIC_MAX || all.length >= PER_PROCESS_MAX) {
      throw tooMany("Too many people look at once.");
    }
  }

  #lookIn(clinicId: number, watched: Watched, ms: number): void {
    clearTimeout(watched.timer);
    watched.timer = setTimeout(() => void this.#look(clinicId, watched), ms);
  }

  async #look(clinicId: number, watched: Watched): Promise<void> {
    watched.isLooking = true;
    watched.isAwaited = false;
    try {
      const [marks, ...stay] = await Promise.all([
        this.#options.read(clinicId),
        ...[...watched.watchers].map(async (watcher) => [watcher, await watcher.mayStay()] as const),
      ]);
      // Whoever came meanwhile was not asked yet, and has a look of his own coming.
      for (const [watcher, may] of stay) {
        if (!watched.watchers.has(watcher) || (may && watcher.see(marks))) continue;
        this.#leave(watched, watcher);
        watcher.end();
      }
    } catch (error) {
      this.#letAllGo(clinicId, watched);
      this.#options.onFailure(error, clinicId);
    }
    watched.isLooking = false;
    if (watched.watchers.size === 0) return;
    this.#lookIn(clinicId, watched, watched.isAwaited ? 0 : (this.#options.pollMs ?? POLL_MS));
  }

  #leave(watched: Watched, watcher: Watcher): void {
    watched.watchers.delete(watcher);
    if (watched.watchers.size === 0) this.#forget(watcher.clinicId, watched);
  }

  #letAllGo(clinicId: number, watched: Watched): void {
    const { watchers } = watched;
    this.#forget(clinicId, watched);
    for (const watcher of watchers) watcher.end();
    watchers.clear();
  }

  #forget(clinicId: number, watched: Watched): void {
    clearTimeout(watched.timer);
    if (this.#clinics.get(clinicId) === watched) this.#clinics.delete(clinicId);
  }
}

function newlyWatched(): Watched {
  return { watchers: new Set(), timer: undefined, isLooking: false, isAwaited: false };
}

function tooMany(why: string): ProblemError {
  return new ProblemError({
    status: 503,
    code: "too_many_streams",
    title: `${why} Ask for the lists themselves from time to time instead, or come back in a minute.`,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
