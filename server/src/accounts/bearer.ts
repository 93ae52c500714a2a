/**
 * What a program shows to say who it is: random, with a prefix by which people and scanners know the kind, and a check by
 * which a mistyped one is told from a wrong one without asking the database. Only its SHA-256 is ever kept.
 */
import { hash, randomBytes, timingSafeEqual } from "node:crypto";

/** 256 bits. */
const RANDOM_BYTES = 32;
const CHECK_CHARACTERS = 6;
const BODY = /^[A-Za-z0-9_-]{49}$/;

/** A new one of a kind. @param prefix such as `hk_` */
export function newBearer(prefix: string): string {
  const body = randomBytes(RANDOM_BYTES).toString("base64url");
  return `${prefix}${body}${checkOf(body)}`;
}

/** Whether it looks like one of this kind; a cheap question before the others. */
export function hasBearerShape(prefix: string, text: string): boolean {
  return text.startsWith(prefix) && BODY.test(text.slice(prefix.length));
}

/** Whether it is whole: one that was cut or mistyped is not. */
export function isWholeBearer(prefix: string, text: string): boolean {
  if (!hasBearerShape(prefix, text)) return false;
  const body = text.slice(prefix.length, -CHECK_CHARACTERS);
  return timingSafeEqual(Buffer.from(checkOf(body)), Buffer.from(text.slice(-CHECK_CHARACTERS)));
}

export function sha256Of(text: string): Buffer {
  return hash("sha256", text, "buffer");
}

/** Adds no secrecy and takes none away. */
function checkOf(body: string): string {
  return hash("sha256", body, "base64url").slice(0, CHECK_CHARACTERS);
}
