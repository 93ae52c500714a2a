/** What the operator opened beyond https to the public Internet. Pure; the texts were checked with the configuration. */
import { BlockList, isIP } from "node:net";

export interface AllowListTexts {
  /** private networks in CIDR notation, such as `10.20.0.0/16` */
  readonly networks: readonly string[];
  /** ports for every host, besides 443 and most from 1024 up */
  readonly ports: readonly number[];
  /** hosts, without a port, that may be sent to over http */
  readonly httpHosts: readonly string[];
}

export interface AllowList {
  /** Whether an address that is not public may be dialled all the same. */
  opensAddress(address: string): boolean;
  opensPort(port: number): boolean;
  opensHttp(host: string): boolean;
}

export const NOTHING_OPENED: AllowList = createAllowList({ networks: [], ports: [], httpHosts: [] });

/** An address that merely embeds an opened one is not opened: each family has a list of its own. */
export function createAllowList({ networks, ports, httpHosts }: AllowListTexts): AllowList {
  const lists = { 4: new BlockList(), 6: new BlockList() };
  for (const subnet of networks) {
    const [network = "", prefix] = subnet.split("/");
    const family = isIP(network);
    if (family !== 4 && family !== 6) throw new RangeError("an opened network is no network");
    lists[family].addSubnet(network, Number(prefix), family === 4 ? "ipv4" : "ipv6");
  }
  return {
    opensAddress(address) {
      if (address.includes("%")) return false; // a zone leads to a link, not to a network
      const family = isIP(address);
      if (family === 4) return lists[4].check(address, "ipv4");
      return family === 6 && lists[6].check(address, "ipv6");
    },
    opensPort: (port) => ports.includes(port),
    opensHttp: (host) => httpHosts.includes(host),
  };
}
