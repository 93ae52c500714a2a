/** Custom headers: what a manager may add to every request of a webhook (contract §6, security.md). Pure. */
import type { FieldProblem } from "../errors.ts";

export const CUSTOM_HEADERS_MAX = 10;
export const HEADER_NAME_MAX_CHARACTERS = 100;
export const HEADER_VALUE_MAX_CHARACTERS = 1_000;

export interface CustomHeader {
  readonly name: string;
  readonly value: string;
}

/** Names that say where, how long or to whom: whoever could set them could send something else than was signed. */
const DENIED_NAMES = new Set([
  ...["host", "connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "expect"],
  ...["cookie", "set-cookie", "forwarded", "via", "date", "user-agent", "accept-encoding", "origin", "referer"],
]);
const DENIED_PREFIXES = ["content-", "proxy-", "webhook-", "x-forwarded-", "sec-", ":"];

/** A token of RFC 9110 §5.6.2. */
const NAME_PATTERN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Visible ASCII, with spaces and tabs inside only. */
const VALUE_PATTERN = /^[\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?$/;

/** All that is wrong with the headers, each with its field. */
export function checkHeaders(headers: readonly CustomHeader[]): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (headers.length > CUSTOM_HEADERS_MAX) {
    problems.push({
      field: "headers",
      message: `At most ${CUSTOM_HEADERS_MAX} headers are possible. Remove some.`,
      code: "too_many",
    });
  }
  const seen = new Set<string>();
  for (const [index, { name, value }] of headers.entries()) {
    const wrongName = nameProblem(name, seen);
    if (wrongName !== null) problems.push({ field: `headers.${index}.name`, ...wrongName });
    if (!VALUE_PATTERN.test(value) || value.length > HEADER_VALUE_MAX_CHARACTERS) {
      const message = `A value is 1 to ${HEADER_VALUE_MAX_CHARACTERS} plain letters, digits and signs, without a line break.`;
      problems.push({ field: `headers.${index}.value`, message, code: "header_value" });
    }
    seen.add(name.toLowerCase());
  }
  return problems;
}

function nameProblem(name: string, seen: ReadonlySet<string>): Omit<FieldProblem, "field"> | null {
  const lower = name.toLowerCase();
  if (!NAME_PATTERN.test(name) || name.length > HEADER_NAME_MAX_CHARACTERS) {
    const message = `A header's name is 1 to ${HEADER_NAME_MAX_CHARACTERS} letters, digits and hyphens, such as X-Api-Key.`;
    return { message, code: "header_name" };
  }
  if (DENIED_NAMES.has(lower) || DENIED_PREFIXES.some((prefix) => lower.startsWith(prefix))) {
    const message =
      "This header is set by Hookwell or by the connection itself. Choose another name, such as X-Api-Key.";
    return { message, code: "header_reserved" };
  }
  return seen.has(lower) ? { message: "This header is there twice. Keep one of the two.", code: "header_twice" } : null;
}
