/** What an authenticator app does with the address that it is given (RFC 6238). */
import { createHmac } from "node:crypto";

const STEP_MS = 30_000;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** The code of now, or so many steps of 30 s from now. @param key base32; spaces do not count */
export function codeOfKey(key: string, steps = 0): string {
  const letters = [...key.replaceAll(/\s/g, "")];
  const bits = letters.map((letter) => LETTERS.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const bytes = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / STEP_MS) + steps));
  const digest = createHmac("sha1", bytes).update(counter).digest();
  const number = digest.readUInt32BE((digest.at(-1) ?? 0) & 15) & 0x7fff_ffff;
  return String(number % 1_000_000).padStart(6, "0");
}

/** The same of an `otpauth:` address. */
export function codeOf(uri: string, steps = 0): string {
  return codeOfKey(new URL(uri).searchParams.get("secret") ?? "", steps);
}
