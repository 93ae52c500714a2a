/** Passwords of people who are no staff: the same rules and the same hash (scrypt with a salt of its own) as for staff. */
import { hashPassword as scryptHash } from "better-auth/crypto";
import { invalid } from "../errors.ts";
import { PASSWORD_MAX_CHARACTERS, PASSWORD_MIN_CHARACTERS } from "./auth.ts";

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
