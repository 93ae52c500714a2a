/**
 * Which web addresses a webhook may have: everything that can be said without asking a name server. Pure.
 * Source: contract §6 (url), security.md (Egress).
 */
import { isIP } from "node:net";
import { isLoopbackAddress, isPublicAddress } from "./addresses.ts";
import { type AllowList, NOTHING_OPENED } from "./allow-list.ts";

export const URL_MAX_CHARACTERS = 2_048;
const HTTPS_PORT = 443;
const FREE_PORTS_FROM = 1_024;
/** Bad ports of the Fetch standard from 1024 up, and the usual ports of databases, caches, brokers and admin interfaces. */
const DENIED_PORTS = new Set([
  1433, 1434, 1521, 1719, 1720, 1723, 1883, 2049, 2181, 2375, 2376, 2379, 2380, 3306, 3389, 3659, 4045, 4190, 4222,
  4369, 5060, 5061, 5432, 5433, 5601, 5671, 5672, 5900, 5984, 6000, 6379, 6443, 6566, 6665, 6666, 6667, 6668, 6669,
  6679, 6697, 8086, 8500, 8529, 8883, 9042, 9092, 9160, 9200, 9300, 9418, 10080, 10250, 10255, 11211, 15672, 26257,
  27017, 27018, 28015, 50000, 61616,
]);

/** What the operator opened beyond the public Internet; nothing by default. */
export interface EgressRules {
  /** Development only: http and any port on loopback addresses. */
  allowLoopback: boolean;
  /** The built-in test inbox: exactly this scheme, host, port and path prefix, in every mode. Null where there is none. */
  inboxUrlPrefix: string | null;
  /** Networks, ports and hosts for http of the operator's allow-list. */
  opened?: AllowList;
}

export type UrlCheck = { ok: true; url: URL; loopback: boolean } | { ok: false; code: UrlProblem; message: string };

export type UrlProblem =
  | "not_a_url"
  | "too_long"
  | "not_https"
  | "credentials"
  | "fragment"
  | "port"
  | "host"
  | "blocked_address";

const MESSAGES: Record<UrlProblem, string> = {
  not_a_url: "This is not a web address. Paste the whole address, beginning with https://.",
  too_long: `The address is too long. At most ${URL_MAX_CHARACTERS} characters are possible.`,
  not_https: "The address must begin with https://, so that nobody on the way can read along.",
  credentials: "The address must not hold a user name or password. Use a custom header instead.",
  fragment: "Leave out everything from the # sign on: it would not be sent.",
  port: "This port is not possible. Use an address without a port, or one with a port from 1024 up that is made for web traffic.",
  host: "The address needs a full name with a dot in it, such as hooks.example.com.",
  blocked_address: "For safety we don’t send to internal addresses. Ask your administrator.",
};

/** Parses and vets an address without any request or look-up. The URL it returns is the one to store and to dial. */
export function checkUrl(text: string, rules: EgressRules): UrlCheck {
  if (text.length > URL_MAX_CHARACTERS) return refuse("too_long");
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return refuse("not_a_url");
  const url = URL.parse(text);
  if (url === null) return refuse("not_a_url");
  if (url.username !== "" || url.password !== "") return refuse("credentials");
  if (url.hash !== "" || text.includes("#")) return refuse("fragment");
  if (url.href.length > URL_MAX_CHARACTERS) return refuse("too_long");
  if (rules.inboxUrlPrefix !== null && isBelow(url, rules.inboxUrlPrefix)) return { ok: true, url, loopback: true };
  const host = hostOf(url);
  if (rules.allowLoopback && (host === "localhost" || isLoopbackAddress(host))) {
    return url.protocol === "https:" || url.protocol === "http:"
      ? { ok: true, url, loopback: true }
      : refuse("not_https");
  }
  return checkPublicUrl(url, host, rules.opened ?? NOTHING_OPENED);
}

function checkPublicUrl(url: URL, host: string, opened: AllowList): UrlCheck {
  const isHttp = url.protocol === "http:" && opened.opensHttp(host);
  if (url.protocol !== "https:" && !isHttp) return refuse("not_https");
  if (isIP(host) !== 0) {
    if (!isPublicAddress(host) && !opened.opensAddress(host)) return refuse("blocked_address");
  } else if (host === "localhost" || host.endsWith(".localhost")) {
    return refuse("blocked_address");
  } else if (!/^(?=.{4,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}$/.test(host)) {
    return refuse("host");
  }
  // Empty: the scheme's own.
  const isFree = url.port === "" || (Number(url.port) >= FREE_PORTS_FROM && !DENIED_PORTS.has(Number(url.port)));
  const isHttps443 = url.port === String(HTTPS_PORT);
  if (!isFree && !isHttps443 && !opened.opensPort(Number(url.port))) return refuse("port");
  return { ok: true, url, loopback: false };
}

/** Below the prefix as a folder, on exactly its origin; never a path that merely begins with the same letters. */
function isBelow(url: URL, prefix: string): boolean {
  const { origin, pathname } = new URL(prefix);
  const folder = pathname.endsWith("/") ? pathname : `${pathname}/`;
  // An encoded slash could climb out of the folder at a receiver that decodes before it looks.
  return url.origin === origin && url.pathname.startsWith(folder) && !/%(2f|5c)/i.test(url.pathname);
}

/** The host without brackets and without the final dot of a fully qualified name. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
}

function refuse(code: UrlProblem): UrlCheck {
  return { ok: false, code, message: MESSAGES[code] };
}
