import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isLoopbackAddress, isPublicAddress } from "./addresses.ts";

/** One address at each end of every special-purpose block, and the known doors to clouds' metadata. */
const FORBIDDEN = [
  ...["0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1"],
  ...["127.255.255.255", "169.254.0.0", "169.254.255.255", "172.16.0.0", "172.31.255.255", "192.0.0.0"],
  ...["192.0.0.255", "192.0.2.0", "192.0.2.255", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.0.0"],
  ...["192.168.255.255", "192.175.48.1", "198.18.0.0", "198.19.255.255", "198.51.100.7", "203.0.113.7"],
  ...["224.0.0.0", "239.255.255.255", "240.0.0.0", "255.255.255.254", "255.255.255.255"],
  // metadata and platform services: the usual one, and those of particular clouds
  ...["169.254.169.254", "169.254.170.2", "169.254.169.123", "100.100.100.200", "192.0.0.192", "168.63.129.16"],
  ...["fd00:ec2::254", "fd20:ce::254", "fe80::a9fe:a9fe"],
  // IPv6: unspecified, loopback, mapped, compatible, translated, NAT64 (both), discard-only, dummy, segment routing
  ...["::", "::1", "::ffff:8.8.8.8", "::8.8.8.8", "::ffff:0:8.8.8.8", "64:ff9b::8.8.8.8", "64:ff9b:1::8.8.8.8"],
  ...["100::1", "100:0:0:1::1", "5f00::1", "1fff:ffff::1", "4000::1"],
  // Teredo, benchmarking, AMT, AS112, ORCHID (both), DRIP, documentation (both), 6to4, direct delegation AS112
  ...["2001::1", "2001:1::1", "2001:2::1", "2001:3::1", "2001:4:112::1", "2001:10::1", "2001:20::1", "2001:30::1"],
  ...["2001:1ff:ffff::1", "2001:db8::1", "3fff::1", "3fff:fff:ffff::1", "2002:808:808::1", "2620:4f:8000::1"],
  // unique local, site-local, link-local, multicast
  ...["fc00::1", "fdff::1", "fec0::1", "fe80::1", "febf::1", "ff02::1", "ff0e::1"],
  // an IPv4 address behind an ISATAP interface identifier, and an address with a zone
  ...["2606:4700::5efe:10.0.0.1", "2606:4700:0:0:200:5efe:a00:1", "2606:4700::1%eth0", "fe80::1%1"],
];
const PUBLIC = [
  ...["1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255"],
  ...["128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.3.0"],
  ...["192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "203.0.112.255", "223.255.255.255"],
  ...["168.63.129.15", "2606:4700::1111", "2a00:1450:4009::200e", "2001:4860:4860::8888", "2001:200::1", "2003::1"],
  ...["2620:4f:7fff::1", "2620:4f:8001::1", "2606:4700::1:5efe:a00:1", "2606:4700:0:0:100:5efe:a00:1"],
];

describe("an address that may be dialled", () => {
  test.each(FORBIDDEN)("is not %s", (address) => expect(isPublicAddress(address)).toBe(false));
  test.each(PUBLIC)("is %s", (address) => expect(isPublicAddress(address)).toBe(true));
  test.each(["", "localhost", "example.com", "1.2.3", "010.0.0.1", "0x8.8.8.8", "8.8.8.8 ", "[2606:4700::1]", "1"])(
    "is not the text %j, which is no address",
    (text) => {
      expect(isPublicAddress(text)).toBe(false);
      expect(isLoopbackAddress(text)).toBe(false);
    },
  );
});

describe("loopback", () => {
  test.each(["127.0.0.1", "127.255.255.255", "::1", "0:0:0:0:0:0:0:1"])("is %s", (address) =>
    expect(isLoopbackAddress(address)).toBe(true),
  );
  test.each(["::ffff:127.0.0.1", "0:0:0:0:0:ffff:7f00:1", "::127.0.0.1", "64:ff9b::7f00:1", "0.0.0.0", "::", "::2"])(
    "is not %s, which merely embeds it or leads to it",
    (address) => expect(isLoopbackAddress(address)).toBe(false),
  );
});

const hex = (high: number, low: number) => ((high << 8) | low).toString(16);
type Quad = [number, number, number, number];

/** Every known way to write an IPv4 address into an IPv6 one. */
const EMBEDDINGS: Record<string, (quad: Quad) => string> = {
  mapped: ([a, b, c, d]) => `::ffff:${hex(a, b)}:${hex(c, d)}`,
  "mapped, in dots": ([a, b, c, d]) => `::ffff:${a}.${b}.${c}.${d}`,
  compatible: ([a, b, c, d]) => `::${hex(a, b)}:${hex(c, d)}`,
  translated: ([a, b, c, d]) => `::ffff:0:${hex(a, b)}:${hex(c, d)}`,
  NAT64: ([a, b, c, d]) => `64:ff9b::${hex(a, b)}:${hex(c, d)}`,
  "local NAT64": ([a, b, c, d]) => `64:ff9b:1:7:8:9:${hex(a, b)}:${hex(c, d)}`,
  "6to4": ([a, b, c, d]) => `2002:${hex(a, b)}:${hex(c, d)}:1::1`,
  "Teredo server": ([a, b, c, d]) => `2001:0:${hex(a, b)}:${hex(c, d)}:8000:63bf:3fff:fdd2`,
  "Teredo client": ([a, b, c, d]) => `2001:0:4136:e378:8000:63bf:${hex(a ^ 255, b ^ 255)}:${hex(c ^ 255, d ^ 255)}`,
  ISATAP: ([a, b, c, d]) => `2606:4700:1:2:0:5efe:${hex(a, b)}:${hex(c, d)}`,
  "ISATAP, in dots": ([a, b, c, d]) => `2606:4700::5efe:${a}.${b}.${c}.${d}`,
  "ISATAP, global": ([a, b, c, d]) => `2a00:1450:4009:0:200:5efe:${hex(a, b)}:${hex(c, d)}`,
};

describe.each(Object.entries(EMBEDDINGS))("an IPv4 address embedded as %s", (_name, embed) => {
  const byte = fc.integer({ min: 0, max: 255 });
  const forbidden = fc.constantFrom(
    ...FORBIDDEN.filter((a) => /^[\d.]+$/.test(a)).map((a) => a.split(".").map(Number)),
  );

  test("is never more allowed than the address itself", () => {
    fc.assert(
      fc.property(fc.oneof(fc.tuple(byte, byte, byte, byte), forbidden as fc.Arbitrary<Quad>), (quad) => {
        const embedded = embed(quad);
        expect(new URL(`http://[${embedded}]/`).hostname).toBeTruthy(); // it is an address at all
        expect(isPublicAddress(embedded) && !isPublicAddress(quad.join("."))).toBe(false);
        expect(isLoopbackAddress(embedded) && quad.join(".") !== "0.0.0.1").toBe(false);
      }),
    );
  });
});
