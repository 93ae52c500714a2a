/** Connections that are never made. A listener that counts its connections is the witness. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { closeEgressAfterEach, LOOPBACK, openEgress, post, SHORT_DEADLINE_MS, STRICT } from "../../test/egress.ts";
import { createNameServer, type NameServer } from "../../test/name-server.ts";
import { createRawReceiver, type RawReceiver } from "../../test/raw-receiver.ts";
import { until } from "../../test/until.ts";
import { createAllowList } from "./allow-list.ts";
import { pastTime } from "./dial.ts";
import { TRIAL_LOOKUPS } from "./names.ts";

let receiver: RawReceiver;
let names: NameServer;
closeEgressAfterEach();
beforeEach(async () => {
  receiver = await createRawReceiver();
  names = await createNameServer({});
});
afterEach(async () => {
  await receiver.close();
  await names.close();
});

const REFUSED = { kind: "refused_address", bodySent: false };
const at = (host: string, scheme = "http") => `${scheme}://${host}:${receiver.port}/inbox/token`;
const open = (options: Parameters<typeof openEgress>[0] = {}) =>
  openEgress({ nameServers: [names.address], ...options });

describe("loopback", () => {
  test.each(["127.0.0.1", "localhost", "localhost.", "127.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"])(
    "is never connected to by the name %s unless the operator opened it",
    async (host) => {
      expect(await post(open({ rules: STRICT }), at(host))).toMatchObject(REFUSED);
      expect(await post(open({ rules: STRICT }), at(host, "https"))).toMatchObject(REFUSED);
      expect(receiver.connections).toBe(0);
    },
  );

  test("that merely stands behind a public-looking name is never connected to", async () => {
    names.names["hooks.example.test"] = ["127.0.0.1"];
    expect(await post(open({ rules: STRICT }), at("hooks.example.test"))).toMatchObject(REFUSED);
    expect(receiver.connections).toBe(0);
  });

  test("opened by the operator opens no other internal address", async () => {
    for (const host of ["10.0.0.1", "0.0.0.0", "[::ffff:127.0.0.1]", "169.254.169.254", "[fe80::1]"]) {
      expect(await post(open({ rules: LOOPBACK }), at(host))).toMatchObject(REFUSED);
    }
    expect(receiver.connections).toBe(0);
    expect(await post(open({ rules: LOOPBACK }), at("localhost"))).toMatchObject({ kind: "answered" });
  });
});

describe("the built-in test inbox", () => {
  const withInbox = () =>
    open({ rules: { allowLoopback: false, inboxUrlPrefix: at("localhost").replace("token", "") } });

  test("is reached in every mode", async () => {
    expect(await post(withInbox(), at("localhost"))).toMatchObject({ kind: "answered", answer: { status: 200 } });
  });

  test("opens no other port of its host", async () => {
    const other = await createRawReceiver();
    expect(await post(withInbox(), `http://localhost:${other.port}/inbox/token`)).toMatchObject(REFUSED);
    expect(other.connections).toBe(0);
    await other.close();
  });

  test("opens its port to no other name and no literal", async () => {
    names.names["hooks.example.test"] = ["127.0.0.1"];
    for (const host of ["127.0.0.1", "hooks.example.test", "[::1]"]) {
      expect(await post(withInbox(), at(host))).toMatchObject(REFUSED);
    }
    expect(receiver.connections).toBe(0);
  });
});

describe("a name", () => {
  test("is resolved and its vetted address connected to, the name itself in the Host header", async () => {
    names.names["hooks.example.test"] = ["127.0.0.1"];
    expect(await post(open(), at("hooks.example.test"))).toMatchObject({ kind: "answered" });
    expect(receiver.requests[0]).toMatch(new RegExp(`^host: hooks\\.example\\.test:${receiver.port}\r$`, "im"));
  });

  test("with one forbidden address among good ones is refused whole", async () => {
    names.names["hooks.example.test"] = ["127.0.0.1", "10.0.0.1"];
    expect(await post(open(), at("hooks.example.test"))).toMatchObject(REFUSED);
    names.names["hooks.example.test"] = ["127.0.0.1", "fd00:ec2::254"];
    expect(await post(open(), at("hooks.example.test"))).toMatchObject(REFUSED);
    names.names["hooks.example.test"] = ["8.8.8.8", "::ffff:a00:1"];
    expect(await post(open(), at("hooks.example.test"))).toMatchObject(REFUSED);
    expect(receiver.connections).toBe(0);
  });

  test("is resolved anew for each connection, so that an address that turns bad is refused", async () => {
    names.names["hooks.example.test"] = ["127.0.0.1"];
    const egress = open();
    expect(await post(egress, at("hooks.example.test"))).toMatchObject({ kind: "answered" });
    for (const socket of receiver.open) socket.end();
    await until("the connection is closed", () => receiver.open.size === 0);
    names.names["hooks.example.test"] = ["10.0.0.1"];
    expect(await post(egress, at("hooks.example.test"))).toMatchObject(REFUSED);
    expect(receiver.connections).toBe(1);
  });

  test("is asked for fully qualified, with and without its final dot", async () => {
    names.names["hooks.example.test"] = ["127.0.0.1"];
    expect(await post(open(), at("hooks.example.test."))).toMatchObject({ kind: "answered" });
    expect(await post(open(), at("nowhere.example.test"))).toMatchObject({ kind: "name_not_found", bodySent: false });
    expect(new Set(names.asked)).toEqual(new Set(["hooks.example.test", "nowhere.example.test"]));
  });

  test("that has no address, or more than 20, is not found", async () => {
    names.names["empty.example.test"] = [];
    names.names["many.example.test"] = Array.from({ length: 21 }, (_, n) => `127.0.0.${n + 1}`);
    for (const host of ["empty.example.test", "many.example.test"]) {
      expect(await post(open(), at(host))).toMatchObject({ kind: "name_not_found", bodySent: false });
    }
    expect(receiver.connections).toBe(0);
  });

  test("whose first address refuses is reached at its next one", async () => {
    names.names["hooks.example.test"] = ["127.0.0.2", "127.0.0.1"];
    expect(await post(open(), at("hooks.example.test"))).toMatchObject({ kind: "answered" });
  });

  test("whose name server is silent ends at the one deadline, with nothing sent", async () => {
    names.isSilent = true;
    const egress = open({ deadlineMs: SHORT_DEADLINE_MS });
    expect(await post(egress, at("hooks.example.test"))).toMatchObject({ kind: "timed_out", bodySent: false });
    expect(names.asked).not.toEqual([]);
  });
});

describe("a connection that ends elsewhere than at the address that was vetted", () => {
  // The system takes the unspecified address for this machine: what is dialled is 0.0.0.0, what is reached is 127.0.0.1.
  test.each(["0.0.0.0", "hooks.example.test"])("gets nothing sent, and is closed: %s", async (host) => {
    names.names["hooks.example.test"] = ["0.0.0.0"];
    // A mistake of the vetting, such as this list would be, which the configuration refuses.
    const opened = createAllowList({ networks: ["0.0.0.0/8"], ports: [], httpHosts: [] });
    const egress = open({ rules: { ...STRICT, opened } });
    expect(await post(egress, at(host))).toMatchObject(REFUSED);
    await until("it is closed", () => receiver.connections === 1 && receiver.open.size === 0);
    expect(receiver.requests).toEqual([]);
  });
});

describe("this machine's own addresses", () => {
  test("are refused however public they are, as a literal and behind a name, in whatever spelling", async () => {
    const egress = open({ rules: STRICT, ownAddresses: () => ["8.8.4.4", "2606:4700:0:0::1", "fe80::1%eth0"] });
    names.names["own.example.test"] = ["2606:4700::1"];
    names.names["other.example.test"] = ["8.8.8.8", "2606:4700::2"];
    for (const host of ["8.8.4.4", "[2606:4700::1]", "own.example.test"]) {
      expect(await egress.vet(new URL(`https://${host}/`))).toMatchObject({ ok: false, code: "blocked_address" });
    }
    for (const host of ["8.8.4.5", "[2606:4700::2]", "other.example.test"]) {
      expect(await egress.vet(new URL(`https://${host}/`))).toEqual({ ok: true });
    }
  });
});

describe("vetting", () => {
  test("resolves and connects to nothing", async () => {
    names.names["hooks.example.test"] = ["127.0.0.1"];
    expect(await open().vet(new URL(at("hooks.example.test")))).toEqual({ ok: true });
    expect(await open({ rules: STRICT }).vet(new URL(at("hooks.example.test")))).toMatchObject({
      code: "blocked_address",
    });
    expect(await open().vet(new URL(at("nowhere.example.test")))).toMatchObject({ ok: false, code: "name_not_found" });
    expect(receiver.connections).toBe(0);
  });

  test(`takes ${TRIAL_LOOKUPS.atOnce} look-ups at once and no delivery's place, however many names are tried`, async () => {
    names.names["hooks.example.test"] = ["127.0.0.1"];
    names.onQuestion = (name) => {
      names.isSilent = name !== "hooks.example.test";
    };
    const egress = open();
    for (let n = 0; n < 600; n++) void egress.vet(new URL(at(`n${n}.example.test`)));
    await until("the trials are under way", () => new Set(names.asked).size >= TRIAL_LOOKUPS.atOnce);
    expect(await post(egress, at("hooks.example.test"))).toMatchObject({ kind: "answered" });
    expect(new Set(names.asked).size).toBe(TRIAL_LOOKUPS.atOnce + 1);
  });
});

describe("a receiver that is not there", () => {
  test("is a refused connection, and nothing of the body has left", async () => {
    await receiver.close();
    expect(await post(open(), at("127.0.0.1"))).toMatchObject({ kind: "connection_refused", bodySent: false });
  });
});

test("a certificate's end is told where it is past, and not where another one of its chain has expired or nobody can read it", () => {
  const now = Date.parse("2026-11-02T09:00:00Z");
  expect(pastTime("Nov  2 08:59:59 2026 GMT", now)).toBe("2026-11-02T08:59:59.000Z");
  for (const other of ["Nov  2 09:00:01 2026 GMT", "Bad time value", "", undefined])
    expect(pastTime(other, now)).toBeNull();
});
