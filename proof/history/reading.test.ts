/** How a receiver's line becomes evidence: what signed it, and where it arrived. */
import { generateSecret, sign } from "@hookwell/sdk";
import { generateKeyPair } from "@hookwell/sdk/signature-node";
import { expect, test } from "vitest";
import { secret } from "./by-hand.ts";
import { type ReceiverLine, toReception } from "./reading.ts";

const timestampSeconds = 1_900_000_000;
const body = "[]";
const own = generateSecret();
const pair = generateKeyPair();
const known = [
  { ...secret, secret: own },
  { ...secret, name: "pair", secret: pair.publicKey },
];

async function signedBy(...secrets: string[]) {
  const signature = await sign({ secrets, id: "msg_1", timestampSeconds, body });
  const headers = {
    ...{ "webhook-id": "msg_1", "webhook-timestamp": String(timestampSeconds), "webhook-signature": signature },
  };
  const line: ReceiverLine = { webhook: "7", address: "x", headers, body, atMs: timestampSeconds * 1_000, status: 200 };
  return toReception(line, known);
}

test.each([
  { what: "a secret and a key pair", secrets: [own, pair.privateKey], by: ["one", "pair"] },
  { what: "a secret alone", secrets: [own], by: ["one"] },
  { what: "a secret and a key pair of nobody's", secrets: [own, generateKeyPair().privateKey], by: ["one"] },
  { what: "a key pair alone", secrets: [pair.privateKey], by: ["pair"] },
])("of a message that $what signed it is known who did, and how many did", async ({ secrets, by }) => {
  const { signed, address } = await signedBy(...secrets);
  expect(signed).toEqual({ by, entries: secrets.length });
  expect(address).toBe("x");
});
