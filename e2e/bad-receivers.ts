/**
 * Receivers that go wrong in every way of the table of causes, each at an address of its own: real sockets, real TLS with
 * certificates made for this run, and a name server that knows some names and not others. Nothing leaves the machine.
 */
import { X509Certificate } from "node:crypto";
import type { ServerResponse } from "node:http";
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
const GOOGLE = "script.google.com";
const GOOGLE_OUTPUT = "https://script.googleusercontent.com/macros/echo";

export interface BadReceivers {
  /** An address for each way of going wrong, by its name. */
  addresses: Record<string, string>;
  /** Where the one that has moved says that it is now. */
  newAddress: string;
  /** Of the certificate that has expired. */
  expiredAt: Date;
  nameServer: string;
  /** From now on the one that answers well does not answer, until it is released. */
  hold(): void;
  release(): void;
  close(): Promise<void>;
}

/** Opens all of them. The authorities of the good certificates are trusted until they are closed. */
export async function openBadReceivers(): Promise<BadReceivers> {
  const trustedBefore = getCACertificates("default");
  const names = await createNameServer({
    ...Object.fromEntries([NAME, OTHER_NAME, ZAPIER, MAKE, GOOGLE].map((name) => [name, ["127.0.0.1"]])),
    [INSIDE_NAME]: ["10.1.2.3"],
  });
  const certificates = await makeAll();
  const { strange: _untrusted, ...trusted } = certificates;
  setDefaultCACertificates([...trustedBefore, ...Object.values(trusted).map(({ authority }) => authority)]);
  const newAddress = `https://new.${NAME}/hook`;
  const { plain, hold, release } = await openPlain(newAddress);
  const [broken, garbled] = [await createRawReceiver(), await createRawReceiver()];
  broken.answer = (socket) => socket.resetAndDestroy();
  garbled.answer = (socket) => socket.end("what is this\r\n\r\n");
  const servers = await openAll(certificates);
  const raw = { "breaks off": broken.url.href, garbled: garbled.url.href };
  const opened = { names, plain, raw: [broken, garbled], servers };
  return {
    addresses: { ...plainAddresses(plain), ...(await addressesOf(servers)), ...raw },
    ...{ newAddress, hold, release },
    expiredAt: new Date(new X509Certificate(certificates.mine.expired.cert).validTo),
    nameServer: names.address,
    close: () => closeAll(opened, () => setDefaultCACertificates(trustedBefore)),
  };
}

type Owner = "mine" | "zapier" | "make" | "google" | "strange";

/** Of each an authority and what it has signed. */
async function makeAll(): Promise<Record<Owner, Certificates>> {
  const names: Record<Owner, string> = { mine: NAME, zapier: ZAPIER, make: MAKE, google: GOOGLE, strange: NAME };
  const made = Object.entries(names).map(async ([owner, name]) => [owner, await makeCertificates(name)] as const);
  return Object.fromEntries(await Promise.all(made)) as Record<Owner, Certificates>;
}

interface Plain {
  readonly plain: Receiver;
  hold(): void;
  release(): void;
}

/** One receiver for every mood: it answers with the status that its path names, or not at all. */
async function openPlain(newAddress: string): Promise<Plain> {
  const plain = await createReceiver();
  let held: (() => void)[] | null = null;
  plain.answer = ({ path }, response) => {
    if (path === "/silent") return;
    const status = Number(path.slice(1));
    const say = () =>
      response.writeHead(status, status === 302 ? { location: newAddress } : {}).end("said by an invented receiver");
    if (status === 200 && held !== null) held.push(say);
    else say();
  };
  return {
    plain,
    hold() {
      held ??= [];
    },
    release() {
      for (const say of held ?? []) say();
      held = null;
    },
  };
}

const STATUSES = [200, 302, 307, 401, 403, 404, 410, 422, 429, 503];

function plainAddresses({ url }: Receiver): Record<string, string> {
  const { origin } = new URL(url);
  return {
    ...Object.fromEntries(STATUSES.map((status) => [String(status), `${origin}/${status}`])),
    silent: `${origin}/silent`,
  };
}

type Servers = Record<"expired" | "selfSigned" | "strange" | "good" | "zapier" | "make" | "google", Server>;

async function openAll({ mine, strange, zapier, make, google }: Record<Owner, Certificates>): Promise<Servers> {
  return {
    expired: await openTls(mine.expired),
    selfSigned: await openTls(mine.selfSigned),
    strange: await openTls(strange.trusted),
    good: await openTls(mine.trusted),
    zapier: await openTls(zapier.trusted),
    make: await openTls(make.trusted),
    google: await openTls(google.trusted, (response) => response.writeHead(302, { location: GOOGLE_OUTPUT }).end()),
  };
}

type Answer = (response: ServerResponse) => void;

const ok: Answer = (response) => response.writeHead(200).end("ok");

async function openTls(certificate: Certificate, answer = ok): Promise<Server> {
  const server = createHttpsServer(certificate, (request, response) => {
    request.resume();
    request.on("end", () => answer(response));
  });
  await new Promise<void>((fulfil) => server.listen(0, "127.0.0.1", fulfil));
  return server;
}

async function addressesOf(servers: Servers): Promise<Record<string, string>> {
  const at = (name: string, server: Server, path = "/hook") =>
    `https://${name}:${(server.address() as AddressInfo).port}${path}`;
  return {
    expired: at(NAME, servers.expired),
    "self-signed": at(NAME, servers.selfSigned),
    "wrong name": at(OTHER_NAME, servers.good),
    "strange authority": at(NAME, servers.strange),
    "seal damaged": at(NAME, servers.good),
    zapier: at(ZAPIER, servers.zapier),
    make: at(MAKE, servers.make),
    google: at(GOOGLE, servers.google, "/macros/s/invented/exec"),
    "no such name": "https://nobody.example.test/hook",
    inside: `https://${INSIDE_NAME}/hook`,
    refuses: `http://127.0.0.1:${await freePort()}/hook`,
  };
}

interface Opened {
  names: NameServer;
  plain: Receiver;
  raw: RawReceiver[];
  servers: Servers;
}

async function closeAll({ names, plain, raw, servers }: Opened, trustAsBefore: () => void): Promise<void> {
  trustAsBefore();
  const tls = Object.values(servers).map(
    (server: Server) => new Promise<void>((fulfil) => server.close(() => fulfil())),
  );
  await Promise.all([names.close(), plain.close(), ...raw.map((one) => one.close()), ...tls]);
}
