/**
 * Runs in a network namespace of its own, in which this machine has addresses of every internal kind and one listener hears
 * on all of them: the outbound client is led there by every way that is known, and what was heard is printed as JSON.
 * Started by canary.ts; argument: how often the name flips.
 */
import { type AddressInfo, connect, createServer } from "node:net";
import { createAllowList } from "../../src/egress/allow-list.ts";
import { createEgress } from "../../src/egress/client.ts";
import { createNameServer } from "../name-server.ts";
import { CANARY_ADDRESSES, GOOD_ADDRESS, type Heard } from "./addresses.ts";
import { EMBEDDED, namesOf, SPELLINGS } from "./ways.ts";

const flips = Number(process.argv[2]);
const heard: Record<string, number> = {};
const requests = { redirects: 0 };
/** Time that passes between two flips, so that what is kept for a while is forgotten in between, now and then. */
let passedMs = 0;
const BETWEEN_FLIPS_MS = 400;

const listener = createServer((socket) => {
  const address = (socket.localAddress ?? "").replace(/^::ffff:/, "");
  heard[address] = (heard[address] ?? 0) + 1;
  socket.on("error", () => {});
  socket.on("data", (data) => {
    if (data.includes("POST /redirect")) requests.redirects++;
    const to = data.includes("POST /redirect")
      ? `HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254:${port}/\r\n`
      : "HTTP/1.1 200 OK\r\n";
    socket.end(`${to}Connection: close\r\nContent-Length: 0\r\n\r\n`);
  });
});
await new Promise<void>((fulfil) => listener.listen(0, "::", fulfil));
const { port } = listener.address() as AddressInfo;

const names = await createNameServer(namesOf(CANARY_ADDRESSES));
const egress = createEgress({
  rules: {
    allowLoopback: false,
    inboxUrlPrefix: null,
    opened: createAllowList({ networks: [`${GOOD_ADDRESS}/32`], ports: [], httpHosts: ["flip.example.test"] }),
  },
  monotonicMs: () => performance.now() + passedMs,
  nameServers: [names.address],
  ownAddresses: () => [], // by their kind alone they have to be refused
});

/** As a manager's address goes: checked, looked up, sent to; and sent to unchecked, as one that was stored long ago. */
async function tryAll(host: string): Promise<string> {
  let last = "";
  for (const scheme of ["https", "http"]) {
    const text = `${scheme}://${host}:${port}/hook`;
    const checked = egress.check(text);
    if (checked.ok) await egress.vet(checked.url);
    const url = URL.parse(text);
    if (url !== null) last = (await egress.post({ url, headers: [], body: "{}" })).kind;
  }
  return last;
}

for (const host of [...SPELLINGS, ...CANARY_ADDRESSES.map(literal), ...EMBEDDED.map(literal)]) await tryAll(host);
for (const name of Object.keys(names.names)) await tryAll(name);

// With a search domain (see canary.ts) the short look-up would find it.
names.names["lost.example.test.internal.test"] = [GOOD_ADDRESS];
const lost = await tryAll("lost.example.test");

names.names["flip.example.test"] = [GOOD_ADDRESS];
await egress.post({ url: new URL(`http://flip.example.test:${port}/redirect`), headers: [], body: "{}" });

// A second name of the same receiver is the same receiver to the caps.
names.names["second.example.test"] = [GOOD_ADDRESS];
await egress.post({ url: new URL(`http://second.example.test:${port}/hook`), headers: [], body: "{}" });
const reached = ["flip", "second", "lost"].map((name) => egress.reachedBy(`${name}.example.test`));

const outcomes: Record<string, number> = {};
let questions = 0;
names.onQuestion = (name) => {
  if (name !== "flip.example.test") return;
  const bad = CANARY_ADDRESSES[questions % CANARY_ADDRESSES.length] ?? "";
  // Good, bad, good and bad; in steps that are no multiple of the two questions of a look-up. Kept for a second now and then.
  names.ttlSeconds = questions % 7 === 0 ? 1 : 0;
  names.names[name] = [[GOOD_ADDRESS], [GOOD_ADDRESS], [bad], [GOOD_ADDRESS, bad], [GOOD_ADDRESS]][questions % 5] ?? [];
  questions++;
};
for (let n = 0; n < flips; n++) {
  passedMs += BETWEEN_FLIPS_MS;
  const checked = egress.check(`http://flip.example.test:${port}/hook`);
  if (!checked.ok) throw new Error("the flipping name is one that may be tried");
  if (n % 10 === 0) await egress.vet(checked.url);
  const { kind } = await egress.post({ url: checked.url, headers: [], body: "{}" });
  outcomes[kind] = (outcomes[kind] ?? 0) + 1;
}
const { [GOOD_ADDRESS]: good = 0, ...canaries } = { ...heard };

// The witness is awake: whoever does connect is heard, on every one of these addresses.
for (const address of CANARY_ADDRESSES) {
  await new Promise<void>((fulfil, reject) => {
    const socket = connect({ host: address, port }, () => socket.destroy());
    socket.on("error", reject).on("close", () => fulfil());
  });
}
const awake = CANARY_ADDRESSES.filter(
  (address) => (heard[address.split("%")[0] ?? ""] ?? 0) > (canaries[address] ?? 0),
);
const report: Heard = {
  canaries,
  good,
  outcomes,
  lost,
  ...{ redirects: requests.redirects, reached },
  searched: names.asked.filter((name) => name.includes("internal.test")),
  deaf: CANARY_ADDRESSES.filter((address) => !awake.includes(address)),
};
process.stdout.write(JSON.stringify(report));
process.exit(0);

function literal(address: string): string {
  return address.includes(":") ? `[${address.split("%")[0]}]` : address;
}
