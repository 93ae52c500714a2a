/**
 * Which IP addresses may be dialled. Default deny: IPv4 outside the special-purpose registry, IPv6 only inside 2000::/3 less
 * what is reserved there (IANA special-purpose address registries; security.md, Egress).
 */
import { BlockList, isIP } from "node:net";

const DENIED_IPV4 = [
  "0.0.0.0/8", // this network
  "10.0.0.0/8", // private
  "100.64.0.0/10", // carrier-grade NAT; cloud metadata of some providers lives here
  "127.0.0.0/8", // loopback
  "169.254.0.0/16", // link-local; cloud metadata
  "172.16.0.0/12", // private
  "192.0.0.0/24", // protocol assignments
  "192.0.2.0/24", // documentation
  "192.31.196.0/24", // AS112
  "192.52.193.0/24", // AMT
  "192.88.99.0/24", // 6to4 relays
  "192.168.0.0/16", // private
  "192.175.48.0/24", // AS112
  "198.18.0.0/15", // benchmarking
  "198.51.100.0/24", // documentation
  "203.0.113.0/24", // documentation
  "168.63.129.16/32", // a cloud's platform services
  "224.0.0.0/4", // multicast
  "240.0.0.0/4", // reserved and broadcast
];
const DENIED_IPV6 = [
  "2001::/23", // protocol assignments, Teredo, ORCHID, benchmarking
  "2001:db8::/32", // documentation
  "2002::/16", // 6to4: embeds IPv4
  "2620:4f:8000::/48", // AS112
  "3fff::/20", // documentation
];

function blockList(subnets: readonly string[], family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [network = "", prefix] = subnet.split("/");
    list.addSubnet(network, Number(prefix), family);
  }
  return list;
}

const deniedIpv4 = blockList(DENIED_IPV4, "ipv4");
const deniedIpv6 = blockList(DENIED_IPV6, "ipv6");
const globalIpv6 = blockList(["2000::/3"], "ipv6");
const loopbackIpv4 = blockList(["127.0.0.0/8"], "ipv4");
// Lists of their own: a list with IPv4 ranges would also match what is mapped into IPv6, and that is never loopback here.
const loopbackIpv6 = blockList(["::1/128"], "ipv6");

/** Whether an address (a literal, as the resolver or the socket gives it) lies in the public Internet. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !deniedIpv4.check(address, "ipv4");
    case 6:
      return globalIpv6.check(address, "ipv6") && !deniedIpv6.check(address, "ipv6") && !isIsatap(address);
    default:
      return false;
  }
}

/** 127.0.0.0/8 and ::1, and nothing that merely embeds them. */
export function isLoopbackAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  return family === 4 ? loopbackIpv4.check(address, "ipv4") : loopbackIpv6.check(address, "ipv6");
}

/** ISATAP (RFC 5214): an IPv4 address embedded below any prefix, behind 0:5efe or 200:5efe. A zone counts as such, too. */
function isIsatap(address: string): boolean {
  if (address.includes("%")) return true;
  const compressed = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [left = [], right] = compressed.split("::").map((half) => (half === "" ? [] : half.split(":")));
  const groups = right ? [...left, ...Array<string>(8 - left.length - right.length).fill("0"), ...right] : left;
  return /^(0|200)$/.test(groups[4] ?? "") && groups[5] === "5efe";
}

/**
 * What counts as one network, of a client or a receiver: of IPv6 the first 64 bits, which one household has as a whole and could go through address by
 * address; of IPv4 the address.
 */
export function networkOf(address: string): string {
  const [ip = ""] = address.split("%", 1);
  const [, mapped] = /^::ffff:(\d+(?:\.\d+){3})$/i.exec(ip) ?? [];
  if (mapped !== undefined) return mapped;
  if (isIP(ip) !== 6) return ip;
  const [head = "", tail] = new URL(`http://[${ip}]/`).hostname.slice(1, -1).split("::");
  const groups = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const missing = Array.from({ length: 8 - groups.length - after.length }, () => "0");
  return [...groups, ...missing, ...after].slice(0, 4).join(":");
}
