/**
 * The connector of the outbound client: it resolves a name, vets every answer and dials only what it vetted.
 *
 * One bad answer rejects all. The certificate is checked against the name, the connection goes to the address, and the
 * socket's own remote address is compared once more after connecting (security.md, Egress).
 */
import { isIP, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import type { TLSSocket } from "node:tls";
import { buildConnector } from "undici";
import { isLoopbackAddress, isPublicAddress, networkOf } from "./addresses.ts";
import { NOTHING_OPENED } from "./allow-list.ts";
import { codeOf, DialError } from "./failure.ts";
import { Names, type NamesOptions, TRIAL_LOOKUPS } from "./names.ts";
import { type EgressRules, hostOf } from "./url.ts";

const CONNECT_TIMEOUT_MS = 8_000;
const ADDRESSES_DIALLED_MAX = 3;
const REACHED_KEPT_MAX = 50_000;
/** As checkUrl says of an address that is refused by its spelling: one cannot be told from the other. */
const REFUSED_DETAIL = "blocked_address";

export interface Dialler {
  /** The addresses of a host, all of them vetted, for a trial: it takes no delivery's place. Throws DialError. */
  vettedAddresses(host: string): Promise<readonly string[]>;
  connect: buildConnector.connector;
  /** The network to which the last connection to a host went: an IPv4 address, 64 bits of IPv6. Null: none, or this machine. */
  reachedBy(host: string): string | null;
}

export interface DiallerOptions extends NamesOptions {
  rules: EgressRules;
  ownAddresses?: () => readonly string[];
}

/** A dialler under the operator's rules. */
export function createDialler(options: DiallerOptions): Dialler {
  const { rules, ownAddresses = interfaceAddresses } = options;
  const opened = rules.opened ?? NOTHING_OPENED;
  const names = new Names(options);
  const trialNames = new Names({ ...options, places: TRIAL_LOOKUPS });
  const base = buildConnector({
    allowH2: false,
    timeout: CONNECT_TIMEOUT_MS,
    minVersion: "TLSv1.2",
    rejectUnauthorized: true,
  });
  const inbox = rules.inboxUrlPrefix === null ? null : new URL(rules.inboxUrlPrefix);
  const inboxName = inbox === null ? null : hostOf(inbox);

  async function vettedAddresses(host: string, names: Names): Promise<readonly string[]> {
    const name = nameOf(host);
    const addresses = isIP(name) !== 0 ? [name] : name === "localhost" ? ["127.0.0.1"] : await names.addressesOf(name);
    const own = new Set(ownAddresses().map(normalised));
    for (const address of addresses) {
      const allowed = isLoopbackAddress(address)
        ? rules.allowLoopback || inboxName === name
        : (isPublicAddress(address) || opened.opensAddress(address)) && !own.has(normalised(address));
      if (!allowed) throw new DialError("refused_address", REFUSED_DETAIL);
    }
    return addresses;
  }

  /** by name; whoever was reached longest ago makes room */
  const reached = new Map<string, string>();
  function noteReached(name: string, address: string): void {
    reached.delete(name);
    const [oldest] = reached.size >= REACHED_KEPT_MAX ? reached.keys() : [];
    if (oldest !== undefined) reached.delete(oldest);
    reached.set(name, networkOf(address));
  }

  async function dial(options: buildConnector.Options): Promise<Socket> {
    const host = options.hostname;
    const addresses = await vettedAddresses(host, names);
    // Loopback is open for the test inbox alone, unless the operator opened it: exactly its port, too.
    if (addresses.some(isLoopbackAddress) && !rules.allowLoopback && options.port !== inbox?.port) {
      throw new DialError("refused_address", REFUSED_DETAIL);
    }
    let last: unknown;
    for (const address of addresses.slice(0, ADDRESSES_DIALLED_MAX)) {
      try {
        const socket = await connectTo(base, options, address);
        if (!isLoopbackAddress(address)) noteReached(nameOf(host), address);
        return socket;
      } catch (error) {
        last = error;
      }
    }
    throw last;
  }

  return {
    vettedAddresses: (host) => vettedAddresses(host, trialNames),
    reachedBy: (host) => reached.get(nameOf(host)) ?? null,
    connect: (options, callback) => {
      dial(options).then(
        (socket) => callback(null, socket),
        (error: unknown) => callback(toDialError(error), null),
      );
    },
  };
}

function connectTo(base: buildConnector.connector, options: buildConnector.Options, address: string): Promise<Socket> {
  const name = nameOf(options.hostname);
  const target: buildConnector.Options = { ...options, hostname: address };
  // undici reads a server name beside an http address as a wish for a look-up of its own.
  if (options.protocol === "https:" && isIP(name) === 0) target.servername = name;
  else delete target.servername;
  return new Promise((fulfil, reject) => {
    let certificate: ReturnType<TLSSocket["getPeerX509Certificate"]>;
    // The type does not say that the socket is returned. After a refusal its certificate can no longer be asked for.
    const dialled = base(target, (error, socket) => {
      if (error) return reject(toDialError(error, certificate?.validTo));
      if (normalised(socket.remoteAddress) !== normalised(address)) {
        socket.destroy();
        return reject(new DialError("refused_address", "connected elsewhere"));
      }
      fulfil(socket);
    }) as unknown as Socket;
    if (options.protocol !== "https:") return;
    // Ahead of Node's own listener, which verifies, and which alone decides.
    dialled.prependOnceListener("secure", () => {
      certificate = (dialled as TLSSocket).getPeerX509Certificate();
    });
  });
}

/** The host without brackets and without the final dot of a fully qualified name. */
function nameOf(host: string): string {
  return host.replace(/^\[|\]$/g, "").replace(/\.$/, "");
}

/** What is reachable on this machine's own addresses was not meant for the world, however public the addresses are. */
function interfaceAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((several) => (several ?? []).map((one) => one.address));
}

function normalised(address: string | undefined): string | null {
  if (address === undefined) return null;
  return isIP(address) === 6 && !address.includes("%") ? new URL(`http://[${address}]/`).hostname : address;
}

/** `validTo` as the certificate has it, where one was shown. */
function toDialError(error: unknown, validTo?: string): DialError {
  if (error instanceof DialError) return error;
  const code = codeOf(error);
  if (code === "ECONNREFUSED") return new DialError("connection_refused", code, { cause: error });
  if (code === "UND_ERR_CONNECT_TIMEOUT" || code === "ETIMEDOUT")
    return new DialError("timed_out", "connect", { cause: error });
  if (
    /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_|SELF_SIGNED|DEPTH_ZERO|EPROTO|ERR_OSSL|HOSTNAME_|CRL_|INVALID_|PATH_LENGTH|ERROR_IN_)/.test(
      code,
    )
  ) {
    const expiredAt = code === "CERT_HAS_EXPIRED" ? pastTime(validTo, Date.now()) : null;
    return new DialError("tls", code, { cause: error, expiredAt });
  }
  return new DialError("unreachable", code, { cause: error });
}

/**
 * When the certificate expired, as ISO 8601; null where its time cannot be read, or has not come: then it is another one of
 * its chain that has expired.
 */
export function pastTime(validTo: string | undefined, nowMs: number): string | null {
  const ms = Date.parse(validTo ?? "");
  return ms < nowMs ? new Date(ms).toISOString() : null;
}
