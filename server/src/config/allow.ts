/** The operator's allow-list as it stands in the environment: what webhooks may reach beyond https to the public Internet. */
import { BlockList, isIP } from "node:net";
import { z } from "zod";

const ENTRIES_MAX = 100;
const PORT_MAX = 65_535;
/** Beyond these nothing can be opened: not this machine, not link-local addresses, behind which clouds keep their credentials. */
const PRIVATE_NETWORKS = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"];
/** Metadata services of clouds that lie inside them. */
const METADATA_ADDRESSES = ["100.100.100.200", "fd00:ec2::254", "fd20:ce::254"];

/** What was opened; nothing by default. */
export interface AllowedByOperator {
  readonly networks: readonly string[];
  readonly ports: readonly number[];
  readonly httpHosts: readonly string[];
}

const entries = z
  .string()
  .transform((text) => text.split(",").map((entry) => entry.trim()))
  .refine((list) => list.length <= ENTRIES_MAX, { error: `must have at most ${ENTRIES_MAX} entries` });

export const allowedNetworks = entries.refine((list) => list.every(isPrivateNetwork), {
  error:
    "must be private networks such as 10.20.0.0/16,fd12:3456::/48, separated by commas, without a cloud's metadata service in them",
});

export const allowedPorts = entries
  .refine((list) => list.every((entry) => /^\d{1,5}$/.test(entry) && Number(entry) >= 1 && Number(entry) <= PORT_MAX), {
    error: "must be ports such as 8080,9000, separated by commas",
  })
  .transform((list) => list.map(Number));

export const allowedHttpHosts = entries
  .transform((list) => list.map((entry) => entry.toLowerCase().replace(/^\[|\]$/g, "")))
  .refine((list) => list.every(isHost), {
    error: "must be hosts without a port, such as intake.clinic.example,10.20.0.5, separated by commas",
  });

function isPrivateNetwork(text: string): boolean {
  const [network = "", prefixText = "", ...rest] = text.split("/");
  const family = isIP(network);
  if (family === 0 || rest.length > 0 || network.includes("%") || !/^\d{1,3}$/.test(prefixText)) return false;
  const prefix = Number(prefixText);
  if (prefix > (family === 4 ? 32 : 128)) return false;
  const contains = (subnet: string, address: string) => listOf(subnet).check(address, typeOf(address));
  const isInside = PRIVATE_NETWORKS.some((wide) => {
    const [wideNetwork = "", widePrefix] = wide.split("/");
    return isIP(wideNetwork) === family && prefix >= Number(widePrefix) && contains(wide, network);
  });
  return isInside && !METADATA_ADDRESSES.some((address) => isIP(address) === family && contains(text, address));
}

function listOf(subnet: string): BlockList {
  const [network = "", prefix] = subnet.split("/");
  const list = new BlockList();
  list.addSubnet(network, Number(prefix), typeOf(network));
  return list;
}

function typeOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 4 ? "ipv4" : "ipv6";
}

function isHost(text: string): boolean {
  return isIP(text) !== 0 || /^(?=.{4,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}$/.test(text);
}
