import { isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isPublicAddress } from "./addresses.ts";
import { checkUrl, type EgressRules, hostOf, URL_MAX_CHARACTERS, type UrlProblem } from "./url.ts";

const STRICT: EgressRules = { allowLoopback: false, inboxUrlPrefix: null };
const DEVELOPMENT: EgressRules = { allowLoopback: true, inboxUrlPrefix: null };
const WITH_INBOX: EgressRules = { allowLoopback: false, inboxUrlPrefix: "http://localhost:4401/inbox/" };

function problemOf(text: string, rules = STRICT): UrlProblem | "ok" {
  const checked = checkUrl(text, rules);
  return checked.ok ? "ok" : checked.code;
}

describe("an address of a webhook", () => {
  test.each([
    "https://hooks.example.com/",
    "https://hooks.example.com:443/a?b=c",
    "https://hooks.example.com:8443/",
    "https://hooks.example.com./path",
    "https://HOOKS.EXAMPLE.COM/",
    "https://_dmarc.example.com/",
    "https://bücher.example.com/",
    "https://xn--bcher-kva.example/",
    "https://8.8.8.8/",
    "https://[2606:4700::1111]:8443/",
    "https://a.io/",
  ])("may be %s", (text) => expect(problemOf(text)).toBe("ok"));

  test.each<[UrlProblem, string]>([
    ["not_a_url", ""],
    ["not_a_url", "hooks.example.com"],
    ["not_a_url", "https:hooks.example.com"],
    ["not_a_url", "https:/hooks.example.com"],
    ["not_a_url", " https://hooks.example.com"],
    ["not_a_url", "ht\ntps://hooks.example.com"],
    ["not_a_url", "//hooks.example.com"],
    ["not_a_url", "javascript:alert(1)"],
    ["not_a_url", "https://"],
    ["not_a_url", "https://256.1.1.1/"],
    ["not_a_url", "https://1.2.3.4.5/"],
    ["not_a_url", "https://[fe80::1%25eth0]/"],
    ["not_https", "http://hooks.example.com/"],
    ["not_https", "ftp://hooks.example.com/"],
    ["not_https", "file:///etc/passwd"],
    ["not_https", "ws://hooks.example.com/"],
    ["not_https", "gopher://hooks.example.com:70/"],
    ["credentials", "https://user@hooks.example.com/"],
    ["credentials", "https://user:word@hooks.example.com/"],
    ["credentials", "https://:word@hooks.example.com/"],
    ["credentials", "https://hooks.example.com%2f@10.0.0.1/"],
    ["fragment", "https://hooks.example.com/#part"],
    ["fragment", "https://hooks.example.com/#"],
    ["port", "https://hooks.example.com:80/"],
    ["port", "https://hooks.example.com:22/"],
    ["port", "https://hooks.example.com:1/"],
    ["port", "https://hooks.example.com:0/"],
    ["port", "https://hooks.example.com:1023/"],
    ["port", "https://hooks.example.com:5432/"],
    ["port", "https://hooks.example.com:6379/"],
    ["port", "https://hooks.example.com:10080/"],
    ["host", "https://intranet/"],
    ["host", "https://intranet./"],
    ["host", "https://a..example.com/"],
    ["host", "https://hooks.example.com../"],
    ["host", "https://-hooks.example.com/"],
    ["host", `https://${"a".repeat(64)}.example.com/`],
    ["host", `https://${"a.".repeat(126)}com/`],
    ["blocked_address", "https://localhost/"],
    ["blocked_address", "https://localhost./"],
    ["blocked_address", "https://LOCALHOST:8443/"],
    ["blocked_address", "https://hooks.localhost/"],
  ])("is refused as %s: %j", (code, text) => expect(problemOf(text)).toBe(code));

  test.each([
    ...["127.0.0.1", "127.1", "127.0.1", "127.0.0.1.", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.1"],
    ...[
      "0300.0250.1.1",
      "0xa9.0xfe.0xa9.0xfe",
      "2852039166",
      "%31%32%37.0.0.1",
      "１２７.0.0.1",
      "①②⑦.⓪.⓪.①",
      "0",
      "0x0",
    ],
    ...["127。0。0。1", "[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::127.0.0.1]", "[::ffff:7f00:1]"],
    ...[
      "[64:ff9b::169.254.169.254]",
      "[2002:7f00:1::]",
      "[2001:0:7f00:1::]",
      "[fd00:ec2::254]",
      "[2606:4700::5efe:a00:1]",
    ],
  ])("is refused as an internal address in the spelling %s", (host) => {
    expect(problemOf(`https://${host}/`)).toBe("blocked_address");
    expect(problemOf(`https://${host}:8443/a?b`)).toBe("blocked_address");
  });

  test(`has at most ${URL_MAX_CHARACTERS} characters, before and after it is normalised`, () => {
    const base = "https://hooks.example.com/";
    expect(problemOf(base + "a".repeat(URL_MAX_CHARACTERS - base.length))).toBe("ok");
    expect(problemOf(base + "a".repeat(URL_MAX_CHARACTERS - base.length + 1))).toBe("too_long");
    expect(problemOf(base + "é".repeat(URL_MAX_CHARACTERS - base.length))).toBe("too_long"); // %C3%A9 each
  });

  test("is never anything but https to a public address or a dotted name, whatever is written", () => {
    const piece = fc.constantFrom(
      "https://",
      "http://",
      "localhost",
      "127.1",
      "[::1]",
      "@",
      ".",
      ":",
      "/",
      "#",
      "a",
      "\\",
      "%2e",
      "com",
      "0x7f",
      "443",
      "?",
      "\t",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
        const checked = checkUrl(`https://${pieces.join("")}`, STRICT);
        if (!checked.ok) return;
        expect(checked.url.protocol).toBe("https:");
        expect(checked.url.username + checked.url.password + checked.url.hash).toBe("");
        const host = hostOf(checked.url);
        expect(host).toMatch(/\.|:/);
        expect(isIP(host) === 0 || isPublicAddress(host)).toBe(true);
        expect(host).not.toMatch(/(^|\.)localhost$/);
        expect(checked.loopback).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("development", () => {
  test.each([
    "http://localhost:3000/",
    "https://localhost/",
    "http://127.0.0.1:80/x",
    "http://[::1]:9999/",
    "http://localhost.:22/",
  ])("opens %s", (text) => expect(checkUrl(text, DEVELOPMENT)).toMatchObject({ ok: true, loopback: true }));
  test.each<[UrlProblem, string]>([
    ["not_https", "ws://localhost:3000/"],
    ["not_https", "http://hooks.example.com/"],
    ["not_https", "http://10.0.0.1/"],
    ["blocked_address", "https://10.0.0.1/"],
    ["blocked_address", "https://0.0.0.0/"],
    ["blocked_address", "https://[::ffff:127.0.0.1]/"],
    ["credentials", "http://user@localhost:3000/"],
  ])("still refuses as %s: %s", (code, text) => expect(problemOf(text, DEVELOPMENT)).toBe(code));
});

describe("the built-in test inbox", () => {
  test.each([
    "http://localhost:4401/inbox/token",
    "http://LOCALHOST:4401/inbox/token?a=b",
    "http://localhost:4401/x/../inbox/token",
    "http://localhost:4401\\inbox\\token",
  ])("is open at %s in every mode", (text) =>
    expect(checkUrl(text, WITH_INBOX)).toMatchObject({ ok: true, loopback: true, url: { port: "4401" } }),
  );

  test.each([
    "http://localhost:4401/",
    "http://localhost:4401/inbox",
    "http://localhost:4401/inboxes/token",
    "http://localhost:4401/inbox/../x",
    "http://localhost:4401/inbox/%2e%2e/x",
    "http://localhost:4401/inbox/..%2fx",
    "http://localhost:4401/inbox/..%5Cx",
    "http://localhost:4401/inbox\\..\\x",
    "http://localhost:44010/inbox/token",
    "http://localhost:4402/inbox/token",
    "http://localhost.:4401/inbox/token",
    "http://127.0.0.1:4401/inbox/token",
    "https://localhost:4401/inbox/token",
    "http://localhost:4401.example.com/inbox/token",
    "http://user@localhost:4401/inbox/token",
    "http://localhost:4401/inbox/token#x",
  ])("opens nothing beside it: %s", (text) => expect(checkUrl(text, WITH_INBOX).ok).toBe(false));

  test("whose prefix lacks the last slash opens no path that merely begins alike", () => {
    const rules = { ...WITH_INBOX, inboxUrlPrefix: "http://localhost:4401/inbox" };
    expect(problemOf("http://localhost:4401/inboxes/token", rules)).not.toBe("ok");
    expect(problemOf("http://localhost:4401/inbox/token", rules)).toBe("ok");
    expect(
      problemOf("http://localhost:44010/inbox/token", { ...rules, inboxUrlPrefix: "http://localhost:4401" }),
    ).not.toBe("ok");
  });
});
