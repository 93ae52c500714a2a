/**
 * Which addresses a name has, asked of the name servers. Vets nothing: whoever dials vets what comes from here, each time.
 *
 * Promises: names are asked for as they are, fully qualified, with no search domain and no hosts file; a look-up has a
 * deadline of its own and never takes one of libuv's few threads (c-ares asks over its own sockets); one name is looked up
 * once at a time however many ask, and so many names at a time over all; an answer is kept for its time to live, two seconds
 * at most. A kept answer saves a question and opens no door: it is vetted anew for every connection, and the connection goes
 * to what was vetted, so a name that changes its mind in between changes nothing.
 */
import { Resolver } from "node:dns/promises";
import { codeOf, DialError } from "./failure.ts";

/** For one try at one name server; the next try comes after it. */
const TRY_MS = 2_000;
const TRIES = 2;
/** For all tries at all name servers together. */
export const LOOKUP_MS_MAX = 5_000;
export const LOOKUPS_AT_ONCE_MAX = 128;
export const LOOKUPS_WAITING_MAX = 2_000;
/** Of trials, which are no deliveries: whoever tries names of silent name servers takes the places of other trials at most. */
export const TRIAL_LOOKUPS: Places = { atOnce: 16, waiting: 32 };
export const ADDRESSES_MAX = 20;
export const ANSWER_KEPT_MS_MAX = 2_000;
/** That a name does not exist; its time to live is not told. */
export const NO_ANSWER_KEPT_MS = 1_000;
const ANSWERS_KEPT_MAX = 5_000;
/** What a name server says of a name, as against saying nothing or failing. */
const NO_SUCH_NAME = new Set(["ENOTFOUND", "ENODATA"]);

export interface NamesOptions {
  /** IP addresses with ports of the name servers to ask; the system's by default */
  nameServers?: readonly string[];
  /** ms that never run backwards */
  monotonicMs: () => number;
  /** shorter in tests only */
  lookupMs?: number;
  /** the places of deliveries, LOOKUPS_AT_ONCE_MAX and LOOKUPS_WAITING_MAX, by default */
  places?: Places;
}

export interface Places {
  readonly atOnce: number;
  readonly waiting: number;
}

interface Kept {
  answer: Answer;
  untilMs: number;
}

type Answer = { addresses: readonly string[]; ttlMs: number } | { error: DialError; ttlMs: number };

export class Names {
  readonly #resolver = new Resolver({ timeout: TRY_MS, tries: TRIES });
  readonly #options: NamesOptions;
  /** the oldest first */
  readonly #kept = new Map<string, Kept>();
  readonly #underWay = new Map<string, Promise<Answer>>();
  readonly #waiting: (() => void)[] = [];
  readonly #places: Places;
  #atOnce = 0;

  constructor(options: NamesOptions) {
    this.#options = options;
    this.#places = options.places ?? { atOnce: LOOKUPS_AT_ONCE_MAX, waiting: LOOKUPS_WAITING_MAX };
    if (options.nameServers) this.#resolver.setServers(options.nameServers);
  }

  /** All addresses of a name, of both families, at least one. Throws DialError `name_not_found` or `timed_out`. */
  async addressesOf(name: string): Promise<readonly string[]> {
    const answer = this.#keptAnswer(name) ?? (await this.#ask(name));
    if ("error" in answer) throw answer.error;
    return answer.addresses;
  }

  #keptAnswer(name: string): Answer | null {
    const kept = this.#kept.get(name);
    return kept !== undefined && this.#options.monotonicMs() < kept.untilMs ? kept.answer : null;
  }

  #ask(name: string): Promise<Answer> {
    const known = this.#underWay.get(name);
    if (known !== undefined) return known;
    if (this.#waiting.length >= this.#places.waiting) throw new DialError("timed_out", "too many look-ups");
    const asked = this.#inTurn(name);
    this.#underWay.set(name, asked);
    return asked;
  }

  /** Its deadline begins with the question, not with the wait for a place: that one ends with the caller's own deadline. */
  async #inTurn(name: string): Promise<Answer> {
    if (this.#atOnce < this.#places.atOnce) this.#atOnce++;
    else await new Promise<void>((fulfil) => this.#waiting.push(fulfil));
    const answered = lookUp(this.#resolver, name).finally(() => this.#leave());
    const answer = await within(answered, this.#options.lookupMs ?? LOOKUP_MS_MAX);
    this.#underWay.delete(name);
    if (answer.ttlMs > 0) this.#keep(name, answer);
    return answer;
  }

  /** A place is free when the question is over, which is later than its deadline where a name server is silent. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#atOnce--;
  }

  #keep(name: string, answer: Answer): void {
    this.#kept.delete(name);
    const oldest = this.#kept.size >= ANSWERS_KEPT_MAX ? this.#kept.keys().next().value : undefined;
    if (oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(name, { answer, untilMs: this.#options.monotonicMs() + answer.ttlMs });
  }
}

/** Both families; what one says counts where the other fails. Never rejects. */
async function lookUp(resolver: Resolver, name: string): Promise<Answer> {
  const ttl = { ttl: true } as const;
  const families = [async () => resolver.resolve4(name, ttl), async () => resolver.resolve6(name, ttl)];
  const answers = await Promise.allSettled(families.map((ask) => ask()));
  const records = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
  if (records.length === 0) {
    const codes = answers.map((answer) => (answer.status === "rejected" ? codeOf(answer.reason) : "ENODATA"));
    const isSaid = codes.every((code) => NO_SUCH_NAME.has(code));
    const kind = codes.includes("ETIMEOUT") ? "timed_out" : "name_not_found";
    return { error: new DialError(kind, codes[0] ?? "ENODATA"), ttlMs: isSaid ? NO_ANSWER_KEPT_MS : 0 };
  }
  if (records.length > ADDRESSES_MAX) return { error: new DialError("name_not_found", "too many addresses"), ttlMs: 0 };
  const ttlMs = Math.min(ANSWER_KEPT_MS_MAX, ...records.map((record) => record.ttl * 1_000));
  return { addresses: records.map(({ address }) => address), ttlMs };
}

function within(answered: Promise<Answer>, ms: number): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const late = setTimeout(() => resolve({ error: new DialError("timed_out", "name look-up"), ttlMs: 0 }), ms);
  void answered.then((answer) => {
    clearTimeout(late);
    resolve(answer);
  });
  return promise;
}
