// Where a person goes after signing in. Pure.

/**
 * The page to return to: a path of this site, or the schedule. Anything else (another host, "//host", a backslash that
 * browsers read as a slash) is refused, so that a crafted link cannot lead away after the password was typed.
 */
export function safeReturnPath(wanted: unknown): string {
  if (typeof wanted !== "string" || !/^\/(?![/\\])/.test(wanted) || wanted.includes("\\")) return "/schedule";
  return /^\/(sign-in|forgot-password|reset-password)/.test(wanted) ? "/schedule" : wanted;
}
