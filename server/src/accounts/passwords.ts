/** Passwords of people who are no staff: the same rules and the same hash (scrypt with a salt of its own) as for staff. */

import { randomBytes } from "node:crypto";
import { hashPassword as scryptHash, verifyPassword as scryptVerify } from "better-auth/crypto";
import { invalid } from "../errors.ts";
import { PASSWORD_MAX_CHARACTERS, PASSWORD_MIN_CHARACTERS } from "./auth.ts";

const NOBODYS_BYTES = 32;

/** @throws ProblemError naming `password` */
export function checkPassword(password: string): void {
  if (password.length < PASSWORD_MIN_CHARACTERS) {
    const message = `A password has at least ${PASSWORD_MIN_CHARACTERS} characters. Write a longer one.`;
    throw invalid("password", message, password === "" ? "missing" : "too_small");
  }
  if (password.length > PASSWORD_MAX_CHARACTERS || !password.isWellFormed()) {
    const message = `A password has at most ${PASSWORD_MAX_CHARACTERS} characters. Write a shorter one.`;
    throw invalid("password", message, "too_long");
  }
}

/** What is stored of a password. It takes some tenths of a second, on a thread of its own. */
export function hashPassword(password: string): Promise<string> {
  return scryptHash(password);
}

let nobodys: Promise<string> | undefined;

/** Whether it is the stored one's password. Where there is none, no: after the same work, so that time tells nothing. */
export async function verifyPassword(stored: string | null, password: string): Promise<boolean> {
  nobodys ??= scryptHash(randomBytes(NOBODYS_BYTES).toString("base64url"));
  const fits = await scryptVerify({ hash: stored ?? (await nobodys), password });
  return stored !== null && fits;
}
