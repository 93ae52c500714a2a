/** Every way that is known to write, or to hide, an internal address. */

/** Of 127.0.0.1 and 169.254.169.254: decimal, octal, hexadecimal, short, mixed, with dots, other digits, escapes. */
export const SPELLINGS = [
  ...[
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "017700000001",
    "0177.0.0.01",
    "127.1",
    "127.0.1",
    "127.0.0.1.",
    "0",
    "0x0",
  ],
  ...["2852039166", "0xa9fea9fe", "0xa9.0xfe.0xa9.0xfe", "0251.0376.0251.0376", "169.254.43518", "169.16689662"],
  ...["%31%32%37.0.0.1", "%31%36%39.254.169.254", "１２７.0.0.1", "①②⑦.⓪.⓪.①", "127。0。0。1", "169。254。169。254"],
  ...[
    "localhost",
    "localhost.",
    "LOCALHOST",
    "x.localhost",
    "lоcalhost.",
    "127.0.0.1%2f.example.test",
    "0.0.0.0",
    "[::]",
  ],
  ...["hooks.example.test@127.0.0.1", "127.0.0.1#.example.test", "127.0.0.1?.example.test", "127.0.0.1\\.example.test"],
];

const hex = (high: number, low: number) => ((high << 8) | low).toString(16);

/** An IPv4 address in every known form of IPv6. */
function embeddingsOf(ipv4: string): string[] {
  const [a = 0, b = 0, c = 0, d = 0] = ipv4.split(".").map(Number);
  const tail = `${hex(a, b)}:${hex(c, d)}`;
  const flipped = `${hex(a ^ 255, b ^ 255)}:${hex(c ^ 255, d ^ 255)}`;
  return [
    ...[`::ffff:${tail}`, `::ffff:${ipv4}`, `::${tail}`, `::ffff:0:${tail}`, `64:ff9b::${tail}`, `64:ff9b:1::${tail}`],
    ...[`2002:${tail}::1`, `2001:0:${tail}::1`, `2001:0:4136:e378:8000:63bf:${flipped}`, `2606:4700::5efe:${tail}`],
  ];
}

export const EMBEDDED = ["127.0.0.1", "10.21.0.1", "169.254.169.254"].flatMap(embeddingsOf);

/** Names behind which such addresses stand: alone, after a good one, and embedded. */
export function namesOf(addresses: readonly string[]): Record<string, string[]> {
  const names: Record<string, string[]> = {};
  for (const [n, address] of addresses.entries()) {
    names[`alone-${n}.example.test`] = [address];
    names[`mixed-${n}.example.test`] = ["8.8.8.8", "2606:4700::1111", address];
  }
  for (const [n, address] of EMBEDDED.entries()) {
    if (!address.includes(".")) names[`embedded-${n}.example.test`] = [address];
  }
  return names;
}
