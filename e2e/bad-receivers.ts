/**
 * Receivers that go wrong in every way of the table of causes, each at an address of its own: real sockets, real TLS with
 * certificates made for this run, and a name server that knows some names and not others. Nothing leaves the machine.
 */
import { X509Certificate } from "node:crypto";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { freePort } from "../server/src/db/embedded/free-port.ts";
import { type Certificate, type Certificates, makeCertificates } from "../server/test/certificates.ts";
import { createNameServer, type NameServer } from "../server/test/name-server.ts";
import { createRawReceiver, type RawReceiver } from "../server/test/raw-receiver.ts";
import { createReceiver, type Receiver } from "../server/test/receiver.ts";

const NAME = "hooks.example.test";
const OTHER_NAME = "other.example.test";
const INSIDE_NAME = "inside.example.test";
const ZAPIER = "hooks.zapier.com";
const MAKE = "hook.eu1.make.com";

export interface BadReceivers {
  /** An address for each way of going wrong, by its name. */
  addresses: Record<string, string>;
  /** Where the one that has moved says that it is now. */
  newAddress: string;
  /** Of the certificate that has expired. */
  expiredAt: Date;
  nameServer: string;
  close(): Promise<void>;
}

/** Opens all of them. The authorities of the good certificates are trusted until they are closed. */
export async function openBadReceivers(): Promise<BadReceivers> {
  const trustedBefore = getCACertificates("default");
  const [names, mine, zapier, make] = await Promise.all([
    createNameServer({
      ...Object.fromEntries([NAME, OTHER_NAME, ZAPIER, MAKE].map((name) => [name, ["127.0.0.1"]])),
      [INSIDE_NAME]: ["10.1.2.3"],
    }),
    ...[NAME, ZAPIER, MAKE].map(makeCertificates),
  ] as [Promise<NameServer>, Promise<Certificates>, Promise<Certificates>, Promise<Certificates>]);
  setDefaultCACertificates([...trustedBefore, mine.authority, zapier.authority, make.authority]);
  const newAddress = `https://new.${NAME}/hook`;
  const plain = await openPlain(newAddress);
  const broken = await createRawReceiver();
  broken.answer = (socket) => socket.resetAndDestroy();
  const servers = await openAll({ mine, zapier, make });
  return {
    addresses: { ...plainAddresses(plain), ...(await addressesOf(servers)), "breaks off": broken.url.href },
    newAddress,
    expiredAt: new Date(new X509Certificate(mine.expired.cert).validTo),
    nameServer: names.address,
    close: () => closeAll({ names, plain, broken, servers }, () => setDefaultCACertificates(trustedBefore)),
  };
}

/** One receiver for every mood: it answers with the status that its path names, or not at all. */
async function openPlain(newAddress: string): Promise<Receiver> {
  const receiver = await createReceiver();
  receiver.answer = ({ path }, response) => {
    if (path === "/silent") return;
    const status = Number(path.slice(1));
    response.writeHead(status, status === 302 ? { location: newAddress } : {}).end("said by an invented receiver");
  };
  return receiver;
}

const STATUSES = [302, 307, 401, 403, 404, 410, 422, 429, 503];

function plainAddresses({ url }: Receiver): Record<string, string> {
  const { origin } = new URL(url);
  return {
    ...Object.fromEntries(STATUSES.map((status) => [String(status), `${origin}/${status}`])),
    silent: `${origin}/silent`,
  };
}

interface Servers {
  expired: Server;
  selfSigned: Server;
  good: Server;
  zapier: Server;
  make: Server;
}

async function openAll(all: Record<"mine" | "zapier" | "make", Certificates>): Promise<Servers> {
  const { mine, zapier, make } = all;
  const wanted = [mine.expired, mine.selfSigned, mine.trusted, zapier.trusted, make.trusted];
  const [one, two, three, four, five] = (await Promise.all(wanted.map(openTls))) as [
    Server,
    Server,
    Server,
    Server,
    Server,
  ];
  return { expired: one, selfSigned: two, good: three, zapier: four, make: five };
}

async function openTls(certificate: Certificate): Promise<Server> {
  const server = createHttpsServer(certificate, (request, response) => {
    request.resume();
    request.on("end", () => response.writeHead(200).end("ok"));
  });
  await new Promise<void>((fulfil) => server.listen(0, "127.0.0.1", fulfil));
  return server;
}

async function addressesOf(servers: Servers): Promise<Record<string, string>> {
  const at = (name: string, server: Server) => `https://${name}:${(server.address() as AddressInfo).port}/hook`;
  return {
    expired: at(NAME, servers.expired),
    "self-signed": at(NAME, servers.selfSigned),
    "wrong name": at(OTHER_NAME, servers.good),
    zapier: at(ZAPIER, servers.zapier),
    make: at(MAKE, servers.make),
    "no such name": "https://nobody.example.test/hook",
    inside: `https://${INSIDE_NAME}/hook`,
    refuses: `http://127.0.0.1:${await freePort()}/hook`,
  };
}

interface Opened {
  names: NameServer;
  plain: Receiver;
  broken: RawReceiver;
  servers: Servers;
}

async function closeAll({ names, plain, broken, servers }: Opened, trustAsBefore: () => void): Promise<void> {
  trustAsBefore();
  const tls = Object.values(servers).map(
    (server: Server) => new Promise<void>((fulfil) => server.close(() => fulfil())),
  );
  await Promise.all([names.close(), plain.close(), broken.close(), ...tls]);
}
