/**
 * How values cross between SQL and TypeScript: Temporal instead of Date, int8 as an exact number or an error, dates as the
 * text `YYYY-MM-DD`. Bound to the connections that ask for it; pg's global parsers stay as they are.
 */
import pg from "pg";

/** How long plans are kept at first; twice as long each time that none of them was slow, up to the longest. */
const PLANS_KEPT_MS = 1_000;
const PLANS_KEPT_LONGEST_MS = 30_000;
/** Whatever took longer than this may have had a plan for tables that were smaller when it was made. */
const SLOW_STATEMENT_MS = 100;

const INT8 = 20;
const DATE = 1082;
const TIMESTAMPTZ = 1184;
const TEXT_ARRAY = 1009;
const INT8_ARRAY = 1016;
const DATE_ARRAY = 1182;
const TIMESTAMPTZ_ARRAY = 1185;

/** A point in time as the database holds it; its two infinities have no Temporal form. */
type DatabaseInstant = Temporal.Instant | "infinity" | "-infinity";

/** An int8 as a number. Throws beyond 2^53 − 1, where a number would silently be another one. */
function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`The int8 ${text} is beyond 2^53 - 1 and cannot be a number.`);
  return value;
}

/** `2026-03-01 09:30:00.25+00` → Instant, whatever the offset; years from 1 to 9999. */
function parseTimestamptz(text: string): DatabaseInstant {
  if (text === "infinity" || text === "-infinity") return text;
  return Temporal.Instant.from(text.replace(" ", "T"));
}

/** The parsers for a pool's `types`. */
export const temporalTypes = new pg.TypeOverrides();
const parseDate = (text: string) => text;
temporalTypes.setTypeParser(INT8, parseInt8);
temporalTypes.setTypeParser(DATE, parseDate);
temporalTypes.setTypeParser(TIMESTAMPTZ, parseTimestamptz);
temporalTypes.setTypeParser(INT8_ARRAY, arrayOf(parseInt8));
temporalTypes.setTypeParser(DATE_ARRAY, arrayOf(parseDate));
temporalTypes.setTypeParser(TIMESTAMPTZ_ARRAY, arrayOf(parseTimestamptz));

function arrayOf<Item>(parse: (text: string) => Item): (text: string) => (Item | null)[] {
  const parseTexts = pg.types.getTypeParser(TEXT_ARRAY as Parameters<typeof pg.types.getTypeParser>[0]) as (
    text: string,
  ) => (string | null)[];
  return (text) => parseTexts(text).map((item) => (item === null ? null : parse(item)));
}

/**
 * A client that closes its connection when an answer does not come in time. pg's own `query_timeout` only gives the caller an
 * error: the connection would go back to the pool and hold up whoever borrows it next.
 */
export class LimitedClient extends pg.Client {
  override query(...args: unknown[]): never {
    const plain = super.query as (...all: unknown[]) => unknown;
    const running = plain.apply(this, args);
    if (running instanceof Promise) running.catch((error: unknown) => this.#closeAfterTimeout(error));
    return running as never;
  }

  #closeAfterTimeout(error: unknown): void {
    if (!(error instanceof Error && error.message === "Query read timeout")) return;
    const { connection } = this as unknown as { connection: { stream: { destroy(): void } } };
    connection.stream.destroy();
  }
}

/**
 * A client that takes Temporal values as parameters. pg itself would send them as JSON, quotes included, and PostgreSQL
 * refuses a quoted time; patching Temporal's prototypes would reach into every other library.
 */
export class TemporalClient extends LimitedClient {
  // One signature for pg's many overloads: text or config, then values or callback.
  override query(...args: unknown[]): never {
    const [first, second, ...rest] = args;
    const values = Array.isArray(second) ? toParameters(second) : second;
    const plain = super.query as (...all: unknown[]) => unknown;
    return plain.call(this, named(first) ?? withParameters(first), values, ...rest) as never;
  }
}

/**
 * A client whose prepared statements are planned again after PLANS_KEPT_MS, then after twice as long each time, up to
 * PLANS_KEPT_LONGEST_MS; and from the start again after one that was slow. So they follow tables that go from empty to a
 * million rows and back (PostgreSQL itself plans anew what autovacuum has looked at), and whoever waits for a statement
 * seldom waits for its plan, which for the engine's takes ten times as long as the statement. Its parameters are never
 * Temporal values.
 */
export class PlanKeepingClient extends LimitedClient {
  readonly #monotonicMs: () => number;
  #plannedMs: number;
  #keptMs = PLANS_KEPT_MS;
  /** since its statements were planned last */
  #hasRun = false;
  #wasSlow = false;

  constructor(config?: string | pg.ClientConfig, monotonicMs: () => number = () => performance.now()) {
    super(config);
    this.#monotonicMs = monotonicMs;
    this.#plannedMs = monotonicMs();
  }

  override query(...args: unknown[]): never {
    const begunMs = this.#monotonicMs();
    // It goes out before the statement that follows; where it fails that one does, too, and says so to whoever asked.
    if (this.#isOutdated(begunMs)) super.query("discard plans", () => {});
    this.#hasRun = true;
    const noteEnd = () => {
      this.#wasSlow ||= this.#monotonicMs() - begunMs > SLOW_STATEMENT_MS;
    };
    const callback = args.at(-1);
    if (typeof callback === "function") {
      const noteAndTell = (...answer: unknown[]) => {
        noteEnd();
        callback(...answer);
      };
      return super.query(...args.slice(0, -1), noteAndTell);
    }
    const running: unknown = super.query(...args);
    if (running instanceof Promise) running.then(noteEnd, noteEnd);
    return running as never;
  }

  /** Whether what was planned is to be planned anew; then it counts as planned now. */
  #isOutdated(nowMs: number): boolean {
    if (!this.#hasRun || !(this.#wasSlow || nowMs - this.#plannedMs >= this.#keptMs)) return false;
    this.#keptMs = this.#wasSlow ? PLANS_KEPT_MS : Math.min(this.#keptMs * 2, PLANS_KEPT_LONGEST_MS);
    this.#plannedMs = nowMs;
    this.#hasRun = false;
    this.#wasSlow = false;
    return true;
  }
}

const PREPARED = /^\/\* prepared (\w+) \*\//;

/**
 * A statement whose text begins with `/* prepared <name> *\/` is parsed and planned once a connection. One name has one text.
 * Only for statements whose plan may stay the same however the tables and the parameters grow.
 */
function named(query: unknown): { name: string; text: string } | undefined {
  const name = typeof query === "string" ? PREPARED.exec(query)?.[1] : undefined;
  return name === undefined ? undefined : { name, text: query as string };
}

function withParameters(query: unknown): unknown {
  if (typeof query !== "object" || query === null || "submit" in query) return query;
  return "values" in query && Array.isArray(query.values) ? { ...query, values: toParameters(query.values) } : query;
}

function toParameters(values: readonly unknown[]): unknown[] {
  return values.map((value) => {
    if (isTemporal(value)) return value.toString();
    return Array.isArray(value) ? toParameters(value) : value;
  });
}

function isTemporal(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  return String(Reflect.get(value, Symbol.toStringTag)).startsWith("Temporal.");
}

/** What an entry of an array's text may be without quotes and backslashes: numbers, booleans, uuids, the program's own words. */
const UNQUOTED = /^[\w+.-]+$/;

/**
 * An array parameter as PostgreSQL's own text (`{1,2,NULL}`), several times faster than pg's, which escapes entry by entry.
 * @throws TypeError for text that would need quotes, among them the word null: only numbers, booleans, uuids and words of the
 * program's own may be given
 */
export function arrayText(values: readonly (number | boolean | string | null)[]): string {
  return `{${values.map(entryText).join(",")}}`;
}

function entryText(value: number | boolean | string | null): string | number | boolean {
  if (value === null) return "NULL";
  if (typeof value !== "string") return value;
  const isPlain = UNQUOTED.test(value) && !(value.length === 4 && value.toUpperCase() === "NULL");
  if (!isPlain) throw new TypeError("an entry of an array parameter needs quotes");
  return value;
}

/** The same for bytea[]. */
export function byteaArrayText(values: readonly (Buffer | null)[]): string {
  return `{${values.map((value) => (value === null ? "NULL" : `"\\\\x${value.toString("hex")}"`)).join(",")}}`;
}
