/** What better-auth's refusals mean to a person, as problem documents: one table from its codes to ours. */
import { PASSWORD_MAX_CHARACTERS, PASSWORD_MIN_CHARACTERS, WRONG_CODES_WAIT_SECONDS } from "../accounts/auth.ts";
import { signInFirst } from "../accounts/door.ts";
import { tooManyTries } from "../accounts/limits.ts";
import { conflict, invalid, notFound, ProblemError } from "../errors.ts";

const MINUTE_SECONDS = 60;

const refusal = (status: number, code: string, title: string) => new ProblemError({ status, code, title });

/** By better-auth's code. */
const MEANINGS: Readonly<Record<string, () => ProblemError>> = {
  INVALID_EMAIL_OR_PASSWORD: () => signInRefused(),
  INVALID_CODE: () => refusal(401, "wrong_code", "This code is wrong, or was used before. Wait for the next one."),
  INVALID_BACKUP_CODE: () =>
    refusal(401, "wrong_code", "This backup code is wrong, or was used before. Use another one."),
  INVALID_TWO_FACTOR_COOKIE: () => signInAgain(),
  TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE: () => signInAgain(),
  ACCOUNT_TEMPORARILY_LOCKED: () => tooManyTries(WRONG_CODES_WAIT_SECONDS),
  INVALID_TOKEN: () => refusal(400, "link_over", "This link was used or is over. Ask for a new one."),
  TOTP_ALREADY_ENABLED: () => conflict("second_factor_on", "The second step is on already. Turn it off first."),
  TOTP_NOT_ENABLED: () => secondFactorOff(),
  TWO_FACTOR_NOT_ENABLED: () => secondFactorOff(),
  BACKUP_CODES_NOT_ENABLED: () => secondFactorOff(),
  UNAUTHORIZED: signInFirst,
  NOT_FOUND: () => notFound("the clinic", "clinic_id", "You do not belong to it. Choose one of your clinics."),
  PASSWORD_TOO_SHORT: () =>
    invalid("new_password", `Choose at least ${PASSWORD_MIN_CHARACTERS} characters.`, "too_small"),
  PASSWORD_TOO_LONG: () => invalid("new_password", `Choose at most ${PASSWORD_MAX_CHARACTERS} characters.`, "too_long"),
};

/** @param url the route's pattern */
export async function problemOfAuth(url: string, response: Response): Promise<ProblemError> {
  const { status } = response;
  if (status >= 500) throw new Error(`better-auth answered ${status}`);
  const code = codeOf(await response.text());
  if (code === "INVALID_PASSWORD") return wrongPassword(url);
  const known = code === null ? undefined : MEANINGS[code];
  if (known !== undefined) return known();
  if (status === 429) {
    const told = Number(response.headers.get("x-retry-after") ?? "");
    return tooManyTries(Number.isSafeInteger(told) && told > 0 ? told : MINUTE_SECONDS);
  }
  if (status === 401 || status === 403) return url.endsWith("/sign-in/email") ? signInRefused() : signInFirst();
  if (status === 404)
    return notFound("the clinic", "clinic_id", "You do not belong to it. Choose one of your clinics.");
  return refusal(status, "invalid_request", "The request was refused. Check what was sent.");
}

function codeOf(text: string): string | null {
  try {
    const { code } = JSON.parse(text) as { code?: unknown };
    return typeof code === "string" ? code : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function signInRefused(): ProblemError {
  return refusal(
    401,
    "sign_in_refused",
    "This e-mail address and password do not fit together. Check both and try again.",
  );
}

function wrongPassword(url: string): ProblemError {
  const field = url.endsWith("/change-password") ? "current_password" : "password";
  return invalid(field, "This is not your password. Check it and try again.", "wrong_password");
}

function signInAgain(): ProblemError {
  return refusal(
    401,
    "sign_in_again",
    "The sign-in took too long, or too many codes were wrong. Begin with your password.",
  );
}

function secondFactorOff(): ProblemError {
  return conflict("second_factor_off", "The second step is not on for this account. Turn it on first.");
}
