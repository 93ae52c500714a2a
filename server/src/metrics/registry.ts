/**
 * Counters, gauges and histograms, and the text in which Prometheus reads them (text format 0.0.4). Pure: no clock, no I/O.
 *
 * Promises that a label has values out of a closed set only: what is outside becomes `other`, and of one metric at most
 * SERIES_MAX lines are kept, so that neither a person's data nor a flood of names can get in by a label.
 */

/** Of one metric; routes × methods × statuses stay well below. */
const SERIES_MAX = 2_000;
export const OTHER = "other";

export type Labels = Readonly<Record<string, string>>;

interface Described {
  readonly name: string;
  readonly help: string;
}

interface Metric {
  text(): string;
}

/** Something that only rises. */
export class Counter implements Metric {
  readonly #described: Described;
  readonly #allowed: Readonly<Record<string, ReadonlySet<string>>>;
  readonly #values = new Map<string, number>();

  /** @param allowed the values of each label, all of which are shown as 0 at once where there is one label only */
  constructor(described: Described, allowed: Readonly<Record<string, ReadonlySet<string>>> = {}) {
    this.#described = described;
    this.#allowed = allowed;
    const [only, ...more] = Object.entries(allowed);
    if (only === undefined) this.#values.set("", 0);
    else if (more.length === 0) for (const value of only[1]) this.#values.set(labelText({ [only[0]]: value }), 0);
  }

  add(labels: Labels = {}, count = 1): void {
    const closed = Object.fromEntries(
      Object.entries(this.#allowed).map(([name, values]) => [name, within(values, labels[name] ?? OTHER)]),
    );
    const key = labelText(closed);
    if (!this.#values.has(key) && this.#values.size >= SERIES_MAX) return;
    this.#values.set(key, (this.#values.get(key) ?? 0) + count);
  }

  text(): string {
    return block(
      this.#described,
      "counter",
      [...this.#values].map(([labels, value]) => [labels, value] as const),
    );
  }
}

/** What is read at the moment of asking; `null` leaves the metric out. */
export class Gauge implements Metric {
  readonly #described: Described;
  readonly #read: () => number | null | readonly { readonly labels: Labels; readonly value: number }[];

  /** @param read its labels come from our own code alone, never from a row */
  constructor(described: Described, read: () => number | null | readonly { labels: Labels; value: number }[]) {
    this.#described = described;
    this.#read = read;
  }

  text(): string {
    const value = this.#read();
    if (value === null) return "";
    const rows = typeof value === "number" ? [{ labels: {}, value }] : value;
    return block(
      this.#described,
      "gauge",
      rows.map((row) => [labelText(row.labels), row.value] as const),
    );
  }
}

/** How something is spread, in seconds. */
export class Histogram implements Metric {
  readonly #described: Described;
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;
  #count = 0;

  /** @param bounds upper ends in seconds, rising; the last one, without end, is added */
  constructor(described: Described, bounds: readonly number[]) {
    this.#described = described;
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  observe(seconds: number): void {
    const at = this.#bounds.findIndex((bound) => seconds <= bound);
    if (at >= 0) this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sum += seconds;
    this.#count += 1;
  }

  text(): string {
    const { name, help } = this.#described;
    let below = 0;
    const buckets = this.#bounds.map((bound, at) => {
      below += this.#counts[at] ?? 0;
      return `${name}_bucket{le="${bound}"} ${below}`;
    });
    const all = [...buckets, `${name}_bucket{le="+Inf"} ${this.#count}`, `${name}_sum ${this.#sum}`];
    return [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`, ...all, `${name}_count ${this.#count}`, ""].join(
      "\n",
    );
  }
}

/** The whole page. */
export function pageOf(metrics: readonly Metric[]): string {
  return metrics.map((metric) => metric.text()).join("");
}

function block({ name, help }: Described, type: string, values: readonly (readonly [string, number])[]): string {
  const lines = values.map(([labels, value]) => `${name}${labels} ${value}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ""].join("\n");
}

function within(values: ReadonlySet<string>, value: string): string {
  return values.has(value) ? value : OTHER;
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value.replaceAll(/[\\"\n]/g, "_")}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
