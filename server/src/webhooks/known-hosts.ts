/**
 * Services whose addresses are recognised: for a tip in the form, and for a pace that the service bears. One table; a host
 * that is not in it gets the defaults.
 */

export const PACE_DEFAULT_PER_SECOND = 50;
export const CONCURRENCY_DEFAULT = 8;

export type KnownHost = "zapier" | "make" | "n8n" | "n8n_test" | "slack" | "power_automate" | "google_script";

interface KnownHostRow {
  readonly name: KnownHost;
  /** Against the host name in lower case. */
  readonly host: RegExp;
  /** Against the path; any where it is left out. */
  readonly path?: RegExp;
  readonly pacePerSecond: number;
  readonly concurrency: number;
}

/** The first row that fits counts. */
const KNOWN_HOSTS: readonly KnownHostRow[] = [
  // Takes 30 a second for each hook, and answers 429 beyond.
  { name: "zapier", host: /^hooks\.zapier\.com$/, pacePerSecond: 25, concurrency: 8 },
  { name: "make", host: /^hook\.([a-z0-9-]+\.)?(make\.com|integromat\.com)$/, pacePerSecond: 20, concurrency: 4 },
  // An address that n8n answers only while somebody watches the editor; the live one has no "-test".
  { name: "n8n_test", host: /./, path: /(^|\/)webhook-test\//, pacePerSecond: 1, concurrency: 1 },
  { name: "n8n", host: /(^|\.)n8n\.cloud$|^n8n\./, pacePerSecond: 20, concurrency: 4 },
  { name: "slack", host: /^hooks\.slack\.com$/, pacePerSecond: 1, concurrency: 1 },
  {
    name: "power_automate",
    host: /\.(logic\.azure\.com|powerplatform\.com|powerautomate\.com)$/,
    pacePerSecond: 10,
    concurrency: 4,
  },
  { name: "google_script", host: /^script\.google\.com$/, path: /^\/macros\//, pacePerSecond: 5, concurrency: 4 },
];

/** The service behind an address; null where it is none of those we know. */
export function knownHost(url: URL): KnownHost | null {
  return rowOf(url)?.name ?? null;
}

export interface Pace {
  readonly pacePerSecond: number;
  readonly concurrency: number;
}

/** What to begin with for this address (contract §6: by known host, else the defaults). */
export function paceFor(url: URL): Pace {
  const { pacePerSecond, concurrency } = rowOf(url) ?? {
    pacePerSecond: PACE_DEFAULT_PER_SECOND,
    concurrency: CONCURRENCY_DEFAULT,
  };
  return { pacePerSecond, concurrency };
}

/**
 * The pace after a move to another address. What nobody chose, since it is the old service's, becomes the new one's; what
 * was chosen stays, but is no more than a known service bears: it was chosen for another one.
 */
export function paceAfterMove(current: Pace, from: URL, to: URL): Pace {
  const service = rowOf(to);
  if (service === rowOf(from)) return current;
  const before = paceFor(from);
  const after = paceFor(to);
  const moved = (limit: keyof Pace) => {
    if (current[limit] === before[limit]) return after[limit];
    return service === undefined ? current[limit] : Math.min(current[limit], after[limit]);
  };
  return { pacePerSecond: moved("pacePerSecond"), concurrency: moved("concurrency") };
}

function rowOf(url: URL): KnownHostRow | undefined {
  const host = url.hostname.toLowerCase().replace(/\.$/, "");
  return KNOWN_HOSTS.find((row) => row.host.test(host) && (row.path === undefined || row.path.test(url.pathname)));
}
