import fc from "fast-check";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { describe, expect, test } from "vitest";
import { choices, facts } from "../test/arbitrary-facts.ts";
import { render } from "./project.ts";
import { decodeSecret, generateSecret, type HeaderSource, sign, type VerifyInput, verify } from "./signature.ts";
import { createSigner } from "./signature-node.ts";

/** The example that Standard Webhooks and its libraries publish. */
const PUBLISHED = {
  secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
  timestamp: 1614265330,
  body: '{"test": 2432232314}',
  signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
};
const { secret, id, timestamp, body, signature } = PUBLISHED;
const OTHER = generateSecret();

function headers(changed: Record<string, string | undefined> = {}): Record<string, string | undefined> {
  return { "webhook-id": id, "webhook-timestamp": `${timestamp}`, "webhook-signature": signature, ...changed };
}

async function outcome(changed: Partial<VerifyInput> = {}): Promise<string> {
  const result = await verify({ headers: headers(), body, secrets: secret, nowSeconds: timestamp, ...changed });
  if (!result.ok) expect(result.message).toMatch(/^[A-Z].*\.$/);
  return result.ok ? "ok" : result.reason;
}

const messages = fc.record({
  id: fc.stringMatching(/^[!-\-/-~]{1,60}$/),
  timestampSeconds: fc.integer({ min: 0, max: 4_000_000_000 }),
  body: fc.string({ unit: "binary" }),
  secrets: fc.array(fc.nat(5), { minLength: 1, maxLength: 3 }),
});
const SECRETS = Array.from({ length: 6 }, generateSecret);

describe("signing", () => {
  test("gives the published signature, portable and on Node alike", async () => {
    expect(await sign({ secrets: secret, id, timestampSeconds: timestamp, body })).toBe(signature);
    expect(createSigner(secret)(id, timestamp, body)).toBe(signature);
    const bytes = new TextEncoder().encode(body);
    expect(await sign({ secrets: [secret], id, timestampSeconds: timestamp, body: bytes })).toBe(signature);
    expect(createSigner([secret])(id, timestamp, bytes)).toBe(signature);
  });

  test("makes one entry per live secret, the same on both paths, and verifies with each secret alone", async () => {
    await fc.assert(
      fc.asyncProperty(messages, async ({ secrets: picks, ...message }) => {
        const secrets = picks.map((pick) => SECRETS[pick] ?? "");
        const made = await sign({ secrets, ...message });
        expect(createSigner(secrets)(message.id, message.timestampSeconds, message.body)).toBe(made);
        expect(made.split(" ")).toHaveLength(secrets.length);
        const sentHeaders = {
          "webhook-id": message.id,
          "webhook-timestamp": `${message.timestampSeconds}`,
          "webhook-signature": made,
        };
        for (const one of secrets) {
          const given = { headers: sentHeaders, body: message.body, secrets: one };
          const expected = { ok: true, id: message.id, timestamp: message.timestampSeconds };
          expect(await verify({ ...given, nowSeconds: message.timestampSeconds })).toEqual(expected);
        }
      }),
    );
  });

  test("refuses an id that could be read two ways in the signed text, and a time that is not whole seconds", async () => {
    const signer = createSigner(secret);
    for (const bad of ["", "a.b", "a b", "a\n", "é", "x".repeat(256)]) {
      expect(() => signer(bad, timestamp, body)).toThrow(TypeError);
      await expect(sign({ secrets: secret, id: bad, timestampSeconds: timestamp, body })).rejects.toThrow(TypeError);
    }
    for (const bad of [1.5, -1, Number.NaN, Infinity, 1e21]) expect(() => signer(id, bad, body)).toThrow(TypeError);
  });
});

describe("other people's libraries", () => {
  const now = Math.floor(Date.now() / 1000);
  const libraries = [
    ["standardwebhooks", StandardWebhook],
    ["svix", SvixWebhook],
  ] as const;

  test.each(libraries)("%s verifies every body that we sign, with either secret of a rotation", (_, Library) => {
    fc.assert(
      fc.property(facts, choices, (given, choice) => {
        const text = render(given, choice);
        const made = createSigner([secret, OTHER])("evt_1", now, text);
        const sentHeaders = { "webhook-id": "evt_1", "webhook-timestamp": `${now}`, "webhook-signature": made };
        for (const one of [secret, OTHER]) expect(() => new Library(one).verify(text, sentHeaders)).not.toThrow();
        expect(() => new Library(generateSecret()).verify(text, sentHeaders)).toThrow();
      }),
      { numRuns: 25 },
    );
  });

  test.each(libraries)("%s signs what we verify", async (_, Library) => {
    const made = new Library(OTHER).sign(id, new Date(timestamp * 1000), body);
    expect(await outcome({ headers: headers({ "webhook-signature": made }), secrets: [secret, OTHER] })).toBe("ok");
    expect(await outcome({ headers: headers({ "webhook-signature": made }), secrets: secret })).toBe("mismatch");
  });
});

describe("verifying", () => {
  test("reads headers of any case from Headers, a plain object, and what Node's requests hold", async () => {
    const sources: HeaderSource[] = [
      headers(),
      new Headers(headers() as Record<string, string>),
      { "Webhook-Id": id, "WEBHOOK-TIMESTAMP": `${timestamp}`, "Webhook-Signature": [signature] },
      { ...headers(), "set-cookie": ["a", "b"], accept: undefined },
    ];
    expect(await Promise.all(sources.map((source) => outcome({ headers: source })))).toEqual(["ok", "ok", "ok", "ok"]);
  });

  test("takes the body as text, bytes or a buffer", async () => {
    const bytes = new TextEncoder().encode(body);
    const bodies = [body, bytes, bytes.buffer, Buffer.from(body)];
    expect(await Promise.all(bodies.map((one) => outcome({ body: one })))).toEqual(["ok", "ok", "ok", "ok"]);
  });

  test("says so when the body was parsed, or was never read", async () => {
    for (const parsed of [JSON.parse(body), [], 7, null, undefined]) {
      expect(await outcome({ body: parsed })).toBe("body-was-parsed");
    }
  });

  test("says mismatch when one character of body, id, time or signature is another", async () => {
    const other = `v1,h${signature.slice(4)}`;
    expect(await outcome({ body: body.replace("test", "tost") })).toBe("mismatch");
    expect(await outcome({ body: body.replace(" ", "") })).toBe("mismatch");
    expect(await outcome({ headers: headers({ "webhook-id": id.replace("p5", "p6") }) })).toBe("mismatch");
    expect(await outcome({ headers: headers({ "webhook-timestamp": `${timestamp + 1}` }) })).toBe("mismatch");
    expect(await outcome({ headers: headers({ "webhook-signature": other }) })).toBe("mismatch");
    expect(await outcome({ secrets: [OTHER, generateSecret()] })).toBe("mismatch");
  });

  test("never passes a message with one bit of its body turned", async () => {
    const bytes = new TextEncoder().encode(body);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const turned = bytes.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      expect(await outcome({ body: turned })).toBe("mismatch");
    }
  });

  test("says no-signature where there is none, or only of a version that is not v1", async () => {
    const missing = [undefined, "", "v1a,abcd", `v2,${signature.slice(3)}`, signature.slice(3)];
    for (const value of missing) {
      expect(await outcome({ headers: headers({ "webhook-signature": value }) })).toBe("no-signature");
    }
    expect(await outcome({ headers: new Headers() })).toBe("no-signature");
  });

  test("finds the fitting entry among those of other versions and other secrets", async () => {
    const foreign = await sign({ secrets: OTHER, id, timestampSeconds: timestamp, body });
    const value = `v1a,YWJj v1,!! ${foreign} ${signature} v9,x`;
    expect(await outcome({ headers: headers({ "webhook-signature": value }) })).toBe("ok");
  });

  test("says malformed-header for headers that are missing, doubled or unreadable", async () => {
    const bad: HeaderSource[] = [
      headers({ "webhook-id": undefined }),
      headers({ "webhook-id": "a.b" }),
      headers({ "webhook-timestamp": undefined }),
      ...["soon", "1e9", "-5", "0161", "1.5", " 1", "9".repeat(13)].map((text) =>
        headers({ "webhook-timestamp": text }),
      ),
      headers({ "Webhook-Id": "another" }),
      { ...headers(), "webhook-signature": [signature, signature] },
      headers({ "webhook-signature": "v1,not-base64" }),
      headers({ "webhook-signature": "v1,c2hvcnQ=" }),
      headers({ "webhook-signature": signature.replace("OE=", "OF=") }),
      headers({ "webhook-signature": Array(21).fill(signature).join(" ") }),
    ];
    for (const source of bad)
      expect([source, await outcome({ headers: source })]).toEqual([source, "malformed-header"]);
  });

  test("judges the time by the tolerance, edges included, and only of a genuine message", async () => {
    const at = (offset: number, toleranceSeconds?: number) =>
      outcome({ nowSeconds: timestamp + offset, ...(toleranceSeconds === undefined ? {} : { toleranceSeconds }) });
    expect(await Promise.all([at(300), at(301), at(-300), at(-301)])).toEqual(["ok", "too-old", "ok", "too-new"]);
    expect(await Promise.all([at(0, 0), at(1, 0), at(-1, 0), at(9_999, Infinity)])).toEqual([
      "ok",
      "too-old",
      "too-new",
      "ok",
    ]);
    expect(await outcome({ nowSeconds: timestamp + 9_999, body: "{}" })).toBe("mismatch");
  });

  test("never throws for what comes from outside", async () => {
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(id, `${timestamp}`, signature));
    const names = fc.constantFrom("webhook-id", "webhook-timestamp", "webhook-signature", "Webhook-Signature");
    const sources = fc.dictionary(names, fc.oneof(text, fc.array(text)));
    await fc.assert(
      fc.asyncProperty(sources, fc.anything(), async (source, raw) => {
        expect(await outcome({ headers: source, body: raw as string })).not.toBe("ok");
      }),
    );
  });
});

describe("a secret", () => {
  test("that we make is 32 random bytes in the form whsec_, another each time", () => {
    const made = Array.from({ length: 100 }, generateSecret);
    expect(new Set(made).size).toBe(100);
    for (const one of made) {
      expect(one).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
      expect(decodeSecret(one)).toHaveLength(32);
    }
  });

  test("is taken from 24 to 64 bytes and refused outside", () => {
    const ofBytes = (length: number) => `whsec_${Buffer.alloc(length, 7).toString("base64")}`;
    expect([24, 32, 64].map((length) => decodeSecret(ofBytes(length)).length)).toEqual([24, 32, 64]);
    for (const length of [0, 1, 23, 65, 1000]) expect(() => decodeSecret(ofBytes(length))).toThrow(/24 to 64 bytes/);
  });

  test("with junk in it is refused instead of cut short, and the message does not repeat it", async () => {
    const plain = secret.slice("whsec_".length);
    const junk = [
      plain,
      `WHSEC_${plain}`,
      ` ${secret}`,
      `${secret}\n`,
      `${secret}=`,
      `whsec_${plain.slice(0, 16)} ${plain.slice(16)}`,
      `whsec_${plain.slice(0, -1)}`,
      `whsec_${plain.slice(0, -1)}*`,
      `whsec_${plain.replaceAll("M", "-")}`,
      `whsec_${Buffer.alloc(25, 7).toString("base64").replace("w==", "x==")}`,
      undefined,
    ] as string[];
    for (const bad of junk) {
      const refused = expect.objectContaining({ message: expect.not.stringContaining(plain.slice(0, 8)) });
      expect(() => createSigner(bad)).toThrow(refused);
      await expect(sign({ secrets: bad, id, timestampSeconds: timestamp, body })).rejects.toEqual(refused);
      await expect(outcome({ secrets: bad })).rejects.toBeInstanceOf(TypeError);
    }
  });

  test("is needed, and more than ten at once are a mistake", () => {
    expect(() => createSigner([])).toThrow(TypeError);
    expect(() => createSigner(Array(11).fill(secret))).toThrow(TypeError);
  });
});
