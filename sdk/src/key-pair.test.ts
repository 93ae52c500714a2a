/** `v1a`: what the sender signs with its private key, everybody with the public key can check, and nobody else can make. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign as nodeSign,
  verify as nodeVerify,
} from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { choices, facts } from "../test/arbitrary-facts.ts";
import { decodePrivateKey, decodePublicKey } from "./key-pair.ts";
import { render } from "./project.ts";
import { generateSecret, sign, type VerifyInput, verify } from "./signature.ts";
import { createSigner, generateKeyPair } from "./signature-node.ts";

/** The example that the reference server for Standard Webhooks is tested with. */
const PUBLISHED = {
  privateKey: "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==",
  publicKey: "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
  id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
  timestamp: 1614265330,
  body: '{"test": 2432232314}',
  signature: "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
};
const { privateKey, publicKey, id, timestamp, body, signature } = PUBLISHED;
const PAIRS = Array.from({ length: 4 }, generateKeyPair);
const SECRET = generateSecret();

function headers(value: string, seconds = timestamp) {
  return { "webhook-id": id, "webhook-timestamp": `${seconds}`, "webhook-signature": value };
}

async function outcome(changed: Partial<VerifyInput> = {}): Promise<string> {
  const given = { headers: headers(signature), body, secrets: publicKey, nowSeconds: timestamp, ...changed };
  const result = await verify(given);
  return result.ok ? "ok" : result.reason;
}

/** The platform's own check, which knows nothing of this program. */
function nodeAccepts(key: string, text: string, entry: string): boolean {
  const x = Buffer.from(key.slice("whpk_".length), "base64").toString("base64url");
  const opened = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  return nodeVerify(null, Buffer.from(text), opened, Buffer.from(entry.slice("v1a,".length), "base64"));
}

describe("a v1a signature", () => {
  test("is the published one, portable and on Node alike, and the published public key fits it", async () => {
    expect(createSigner(privateKey)(id, timestamp, body)).toBe(signature);
    expect(createSigner(privateKey)(id, timestamp, new TextEncoder().encode(body))).toBe(signature);
    expect(await sign({ secrets: privateKey, id, timestampSeconds: timestamp, body })).toBe(signature);
    expect(await outcome()).toBe("ok");
    expect(nodeAccepts(publicKey, `${id}.${timestamp}.${body}`, signature)).toBe(true);
  });

  test("of every body that we send is accepted by verify and by Node's own check, and by no other key", async () => {
    const pairs = fc.constantFrom(...PAIRS);
    await fc.assert(
      fc.asyncProperty(facts, choices, pairs, async (given, choice, pair) => {
        const text = render(given, choice);
        const made = createSigner(pair.privateKey)(id, timestamp, text);
        expect(await sign({ secrets: pair.privateKey, id, timestampSeconds: timestamp, body: text })).toBe(made);
        const message = { headers: headers(made), body: text };
        expect(await outcome({ ...message, secrets: pair.publicKey })).toBe("ok");
        expect(nodeAccepts(pair.publicKey, `${id}.${timestamp}.${text}`, made)).toBe(true);
        const others = PAIRS.filter((other) => other !== pair).map((other) => other.publicKey);
        expect(await outcome({ ...message, secrets: others })).toBe("mismatch");
      }),
      { numRuns: 25 },
    );
  });

  test("that Node made by itself, with a key of its own, is accepted", async () => {
    const pair = generateKeyPairSync("ed25519");
    const x = Buffer.from(pair.publicKey.export({ format: "jwk" }).x ?? "", "base64url").toString("base64");
    const made = nodeSign(null, Buffer.from(`${id}.${timestamp}.${body}`), pair.privateKey).toString("base64");
    expect(await outcome({ headers: headers(`v1a,${made}`), secrets: `whpk_${x}` })).toBe("ok");
  });

  test("fits no message of which a byte was changed: of body, id, time or the signature itself", async () => {
    const change = (text: string, at: number, by: number) => {
      const bytes = Buffer.from(text);
      bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ by;
      return bytes;
    };
    const raw = Buffer.from(signature.slice("v1a,".length), "base64");
    await fc.assert(
      fc.asyncProperty(fc.nat(999), fc.integer({ min: 1, max: 255 }), async (at, by) => {
        expect(await outcome({ body: change(body, at, by) })).toBe("mismatch");
        const turned = Buffer.from(raw);
        turned[at % raw.length] = (raw[at % raw.length] ?? 0) ^ by;
        expect(await outcome({ headers: headers(`v1a,${turned.toString("base64")}`) })).toBe("mismatch");
      }),
    );
    expect(await outcome({ headers: headers(signature, timestamp + 1) })).toBe("mismatch");
    expect(await outcome({ headers: { ...headers(signature), "webhook-id": "msg_other" } })).toBe("mismatch");
  });

  test("is judged by the same rules of time as v1", async () => {
    const at = (offset: number) => outcome({ nowSeconds: timestamp + offset });
    expect(await Promise.all([at(300), at(301), at(-301)])).toEqual(["ok", "too-old", "too-new"]);
    expect(await outcome({ nowSeconds: timestamp + 9_999, body: "{}" })).toBe("mismatch");
  });
});

describe("secrets and keys together", () => {
  test("make one entry each, in one header, and each receiver finds the one that it can check", async () => {
    const [old, current] = [PAIRS[0], PAIRS[1]] as [(typeof PAIRS)[0], (typeof PAIRS)[0]];
    const other = generateSecret();
    const secrets = [SECRET, other, current.privateKey, old.privateKey];
    const made = createSigner(secrets)(id, timestamp, body);
    expect(made.split(" ").map((entry) => entry.split(",")[0])).toEqual(["v1", "v1", "v1a", "v1a"]);
    expect(await sign({ secrets, id, timestampSeconds: timestamp, body })).toBe(made);
    for (const one of [SECRET, other, current.publicKey, old.publicKey, [generateSecret(), old.publicKey]]) {
      expect(await outcome({ headers: headers(made), secrets: one })).toBe("ok");
    }
    const strangers = [generateSecret(), PAIRS[2]?.publicKey ?? ""];
    expect(await outcome({ headers: headers(made), secrets: strangers })).toBe("mismatch");
  });

  test("of one kind do not vouch for a message that is signed with the other alone: no-signature", async () => {
    const v1 = createSigner(SECRET)(id, timestamp, body);
    expect(await outcome({ headers: headers(v1) })).toBe("no-signature");
    expect(await outcome({ secrets: SECRET })).toBe("no-signature");
    expect(await outcome({ secrets: [SECRET, publicKey] })).toBe("ok");
    // The right signature under the other kind's word is none.
    expect(await outcome({ headers: headers(signature.replace("v1a,", "v1,")) })).toBe("no-signature");
    const swapped = headers(signature.replace("v1a,", "v1,"));
    expect(await outcome({ headers: swapped, secrets: SECRET })).toBe("malformed-header");
  });

  test("have the same limit on entries and on secrets, and an unreadable entry is malformed", async () => {
    const filler = Array(19).fill("v1a,YWJj");
    expect(await outcome({ headers: headers([...filler, signature].join(" ")) })).toBe("ok");
    expect(await outcome({ headers: headers([...filler, "v1,x", signature].join(" ")) })).toBe("malformed-header");
    for (const bad of ["v1a,", "v1a,!", "v1a,c2hvcnQ=", signature.replace("Ag==", "Ah==")]) {
      expect(await outcome({ headers: headers(bad) })).toBe("malformed-header");
    }
    await expect(outcome({ secrets: Array(11).fill(publicKey) })).rejects.toBeInstanceOf(TypeError);
    expect(() => createSigner(Array(11).fill(privateKey))).toThrow(TypeError);
  });
});

describe("a key pair", () => {
  test("that we make is another each time, and its halves belong together", () => {
    const made = Array.from({ length: 50 }, generateKeyPair);
    expect(new Set(made.map((pair) => pair.publicKey)).size).toBe(50);
    for (const pair of made) {
      expect(pair.privateKey).toMatch(/^whsk_[A-Za-z0-9+/]{86}==$/);
      expect(decodePrivateKey(pair.privateKey).publicKey).toEqual(decodePublicKey(pair.publicKey));
    }
  });

  test("is refused where it is malformed, on the wrong side, or its halves do not fit, and never repeated", async () => {
    const own = privateKey.slice("whsk_".length);
    const otherHalf = Buffer.from(own, "base64").fill(7, 32).toString("base64");
    const bad = [
      `whsk_${own.slice(0, 44)}`,
      `whsk_${own.slice(0, -4)}`,
      `whsk_${otherHalf}`,
      ` ${privateKey}`,
      publicKey,
    ];
    const refused = expect.objectContaining({
      name: "TypeError",
      message: expect.not.stringContaining(own.slice(0, 8)),
    });
    for (const one of bad) {
      expect(() => createSigner(one)).toThrow(refused);
      await expect(sign({ secrets: one, id, timestampSeconds: timestamp, body })).rejects.toEqual(refused);
    }
    for (const one of [`${publicKey}=`, publicKey.slice(0, -1), `whpk_${own}`, "whpk_", privateKey]) {
      await expect(outcome({ secrets: one })).rejects.toEqual(refused);
    }
  });

  test("holds a private key that other programs can read: the seed is PKCS #8's", () => {
    const { seed } = decodePrivateKey(privateKey);
    const jwk = { kty: "OKP", crv: "Ed25519", d: Buffer.from(seed).toString("base64url"), x: "" };
    jwk.x = Buffer.from(decodePublicKey(publicKey)).toString("base64url");
    const opened = createPrivateKey({ key: jwk, format: "jwk" });
    const made = nodeSign(null, Buffer.from(`${id}.${timestamp}.${body}`), opened).toString("base64");
    expect(`v1a,${made}`).toBe(signature);
  });
});
