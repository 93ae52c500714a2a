/** Certificates: always verified, by name, TLS 1.2 or better. Nothing of a body leaves before that. */
import { X509Certificate } from "node:crypto";
import { getCACertificates, setDefaultCACertificates, type TLSSocket, type TlsOptions } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Certificates, makeCertificates } from "../../test/certificates.ts";
import { closeEgressAfterEach, openEgress, post, SHORT_DEADLINE_MS } from "../../test/egress.ts";
import { createNameServer, type NameServer } from "../../test/name-server.ts";
import { createRawReceiver, type RawReceiver } from "../../test/raw-receiver.ts";

const NAME = "hooks.example.test";
const TLS_FAILED = { kind: "tls", bodySent: false };
let certificates: Certificates;
let names: NameServer;
let receiver: RawReceiver;
const trustedBefore = getCACertificates("default");

closeEgressAfterEach();
beforeAll(async () => {
  certificates = await makeCertificates(NAME);
  names = await createNameServer({ [NAME]: ["127.0.0.1"], "other.example.test": ["127.0.0.1"] });
  setDefaultCACertificates([...trustedBefore, certificates.authority]);
});
afterEach(() => receiver.close());
afterAll(async () => {
  setDefaultCACertificates(trustedBefore);
  await names.close();
});

async function postTo(host: string, tls: TlsOptions | undefined, deadlineMs?: number) {
  receiver = await createRawReceiver(tls);
  const egress = openEgress({ nameServers: [names.address], ...(deadlineMs === undefined ? {} : { deadlineMs }) });
  return post(egress, `https://${host}:${receiver.port}/hook`);
}

describe("a receiver's certificate", () => {
  test("of a trusted authority for the very name lets the body through, and the name goes along as SNI", async () => {
    let asked: string | false | null = null;
    const SNICallback: TlsOptions["SNICallback"] = (name, callback) => {
      asked = name;
      callback(null);
    };
    expect(await postTo(NAME, { ...certificates.trusted, SNICallback })).toMatchObject({ kind: "answered" });
    expect(asked).toBe(NAME);
  });

  test("with the name's final dot in the address is the same", async () => {
    expect(await postTo(`${NAME}.`, certificates.trusted)).toMatchObject({ kind: "answered" });
  });

  test("that it signed itself is refused", async () => {
    expect(await postTo(NAME, certificates.selfSigned)).toMatchObject({
      ...TLS_FAILED,
      detail: "DEPTH_ZERO_SELF_SIGNED_CERT",
    });
    expect(receiver.requests).toEqual([]);
    expect(receiver.connections).toBeGreaterThan(0);
  });

  test("that has expired is refused, and it is told since when", async () => {
    const expiredAt = new Date(new X509Certificate(certificates.expired.cert).validTo).toISOString();
    const expired = { ...TLS_FAILED, detail: "CERT_HAS_EXPIRED", expiredAt };
    expect(await postTo(NAME, certificates.expired)).toMatchObject(expired);
    expect(receiver.requests).toEqual([]);
  });

  test("for another name is refused, and so it is for a bare IP address", async () => {
    const wrongName = { ...TLS_FAILED, detail: "ERR_TLS_CERT_ALTNAME_INVALID" };
    expect(await postTo("other.example.test", certificates.trusted)).toMatchObject(wrongName);
    expect(receiver.requests).toEqual([]);
    await receiver.close();
    expect(await postTo("127.0.0.1", certificates.trusted)).toMatchObject(wrongName);
    expect(receiver.requests).toEqual([]);
  });

  test("is verified even where the environment says otherwise", async () => {
    const emitWarning = process.emitWarning;
    process.emitWarning = () => {}; // Node's own, about exactly this
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    try {
      expect(await postTo(NAME, certificates.selfSigned)).toMatchObject(TLS_FAILED);
      expect(receiver.requests).toEqual([]);
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      process.emitWarning = emitWarning;
    }
  });
});

describe("a receiver", () => {
  test.each(["TLSv1.2", "TLSv1.3"] as const)("that speaks %s is spoken to, in HTTP/1.1", async (version) => {
    const sockets: TLSSocket[] = [];
    const tls = {
      ...certificates.trusted,
      minVersion: version,
      maxVersion: version,
      ALPNProtocols: ["h2", "http/1.1"],
    };
    receiver = await createRawReceiver(tls);
    receiver.answer = (socket) => {
      sockets.push(socket as TLSSocket);
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    };
    const egress = openEgress({ nameServers: [names.address] });
    expect(await post(egress, `https://${NAME}:${receiver.port}/`)).toMatchObject({ kind: "answered" });
    expect(sockets.map((s) => [s.getProtocol(), s.alpnProtocol])).toEqual([[version, "http/1.1"]]);
  });

  test("that speaks only an older TLS is refused", async () => {
    const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
    expect(await postTo(NAME, { ...certificates.trusted, ...old })).toMatchObject(TLS_FAILED);
    expect(receiver.requests).toEqual([]);
  });

  test("that speaks no TLS at all is refused", async () => {
    receiver = await createRawReceiver();
    const egress = openEgress({ nameServers: [names.address] });
    receiver.answerAtOnce = (socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    expect(await post(egress, `https://${NAME}:${receiver.port}/`)).toMatchObject(TLS_FAILED);
  });

  test("that accepts and never shakes hands ends at the one deadline, with nothing sent", async () => {
    expect(await postTo(NAME, undefined, SHORT_DEADLINE_MS)).toMatchObject({ kind: "timed_out", bodySent: false });
    expect(receiver.connections).toBe(1);
    expect(receiver.requests).toEqual([]);
  });

  test("that hangs up in the middle of the handshake is out of reach, with nothing sent", async () => {
    receiver = await createRawReceiver();
    receiver.answerAtOnce = (socket) => socket.resetAndDestroy();
    const egress = openEgress({ nameServers: [names.address] });
    expect(await post(egress, `https://${NAME}:${receiver.port}/`)).toMatchObject({
      kind: "unreachable",
      bodySent: false,
    });
  });
});
