/** What the operator opened, and that nothing beside it is open. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { closeEgressAfterEach, openEgress, post } from "../../test/egress.ts";
import { createNameServer, type NameServer } from "../../test/name-server.ts";
import { createAllowList } from "./allow-list.ts";
import { checkUrl, type EgressRules } from "./url.ts";

const opened = createAllowList({
  networks: ["10.20.0.0/16", "fd12:3456::/48"],
  ports: [81, 5432],
  httpHosts: ["intake.example.test", "10.20.0.5"],
});
const RULES: EgressRules = { allowLoopback: false, inboxUrlPrefix: null, opened };
const problemOf = (text: string) => {
  const checked = checkUrl(text, RULES);
  return checked.ok ? "ok" : checked.code;
};

describe("the operator's allow-list", () => {
  test.each([
    ...["https://10.20.0.1/", "https://10.20.255.255:8443/", "https://[fd12:3456::1]/", "https://0x0a140001/"],
    ...["https://hooks.example.test:81/", "https://hooks.example.test:5432/", "https://10.20.0.1:81/"],
    ...[
      "http://intake.example.test/",
      "http://intake.example.test.:8080/",
      "http://10.20.0.5/",
      "http://10.20.0.5:81/",
    ],
  ])("opens %s", (text) => expect(problemOf(text)).toBe("ok"));

  test.each([
    ["blocked_address", "https://10.21.0.1/"],
    ["blocked_address", "https://[fd12:3457::1]/"],
    ["blocked_address", "https://[::ffff:10.20.0.1]/"],
    ["blocked_address", "https://[64:ff9b::10.20.0.1]/"],
    ["blocked_address", "https://127.0.0.1/"],
    ["blocked_address", "https://169.254.169.254/"],
    ["not_https", "http://10.20.0.1/"],
    ["not_https", "http://hooks.example.test/"],
    ["not_https", "ws://intake.example.test/"],
    ["not_https", "http://intake.example.test.evil.example/"],
    ["port", "https://hooks.example.test:80/"],
    ["port", "http://intake.example.test:22/"],
    ["port", "http://intake.example.test:6379/"],
    ["not_https", "http://10.21.0.5/"],
  ])("refuses as %s what it does not name: %s", (code, text) => expect(problemOf(text)).toBe(code));

  test("opens no address by one that embeds it, whatever the form", () => {
    const byte = fc.integer({ min: 0, max: 255 });
    const hex = (high: number, low: number) => ((high << 8) | low).toString(16);
    const embeddings = [
      (tail: string) => `::ffff:${tail}`,
      (tail: string) => `::${tail}`,
      (tail: string) => `::ffff:0:${tail}`,
      (tail: string) => `64:ff9b::${tail}`,
      (tail: string) => `2002:${tail}::1`,
      (tail: string) => `2606:4700::5efe:${tail}`,
      (tail: string) => `fe80::${tail}`,
    ];
    fc.assert(
      fc.property(byte, byte, fc.constantFrom(...embeddings), (c, d, embed) => {
        expect(opened.opensAddress(`10.20.${c}.${d}`)).toBe(true);
        expect(opened.opensAddress(embed(`${hex(10, 20)}:${hex(c, d)}`))).toBe(false);
      }),
    );
    expect(opened.opensAddress("fd12:3456::1%eth0")).toBe(false);
  });
});

describe("a name", () => {
  let names: NameServer;
  closeEgressAfterEach();
  beforeEach(async () => {
    names = await createNameServer({
      "in.example.test": ["10.20.0.1"],
      "beside.example.test": ["10.20.0.1", "10.21.0.1"],
    });
  });
  afterEach(() => names.close());

  test("may lead into an opened network, and to nothing beside it; never to this machine itself", async () => {
    const vet = (host: string, own: string[] = []) =>
      openEgress({ rules: RULES, nameServers: [names.address], ownAddresses: () => own }).vet(
        new URL(`https://${host}/`),
      );
    expect(await vet("in.example.test")).toEqual({ ok: true });
    expect(await vet("beside.example.test")).toMatchObject({ code: "blocked_address" });
    expect(await vet("in.example.test", ["10.20.0.1"])).toMatchObject({ code: "blocked_address" });
    const closed = openEgress({ rules: { ...RULES, opened: undefined as never }, nameServers: [names.address] });
    expect(await post(closed, "https://in.example.test/")).toMatchObject({ kind: "refused_address", durationMs: 0 });
  });
});
