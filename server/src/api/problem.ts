/**
 * The one place where an error becomes a response (RFC 9457).
 *
 * Promises: bad input answers with plain words, its field and the remedy; a database that is busy or away answers 503 with
 * `Retry-After`; a bug answers 500 with the request's id and nothing else, and is logged. No message ever quotes a value.
 */
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { hasZodFastifySchemaValidationErrors } from "fastify-type-provider-zod";
import { type FieldCode, type FieldProblem, ProblemError } from "../errors.ts";
import { type Log, logEvent } from "../log.ts";

const PROBLEM_TYPE = "application/problem+json; charset=utf-8";
const BUSY_RETRY_AFTER_SECONDS = 5;
const FIELD_PROBLEMS_MAX = 50;

interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  request_id?: string;
  errors?: FieldProblem[];
}

/** SQLSTATEs and errno names by which the database says "not now": locks, time limits, connections, shutting down. */
const BUSY_CODES = new Set(["55P03", "57014", "40001", "40P01", "53300", "57P01", "57P02", "57P03", "25P03"]);
const BUSY_CLASSES = ["08"];
const BUSY_ERRNO = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "ENOTFOUND"]);

const TITLES: Readonly<Record<number, string>> = {
  400: "The request cannot be understood",
  401: "Sign in first",
  403: "Not allowed",
  404: "Not found",
  405: "Method not allowed",
  409: "Not possible now",
  410: "No longer valid",
  413: "Too large",
  415: "Wrong content type",
  429: "Too many requests",
  500: "Something went wrong on our side",
  503: "Busy",
};

/** The error handler of the server: `app.setErrorHandler(problemHandler(log))`. */
export function problemHandler(log: Log) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const problem = problemOf(error);
    if (problem !== null) return sendProblem(reply, problem);
    if (isDatabaseBusy(error)) {
      logEvent(
        log,
        "http.database_busy",
        { request_id: request.id, route: request.routeOptions.url, err: error },
        "warn",
      );
      return sendProblem(reply, busy());
    }
    logEvent(log, "http.failed", { request_id: request.id, route: request.routeOptions.url, err: error }, "error");
    return sendProblem(reply, bug(), request.id);
  };
}

/** Writes a problem document. `requestId` is given for bugs only, so that a report of one can be found in the log. */
export function sendProblem(reply: FastifyReply, problem: ProblemError, requestId?: string): FastifyReply {
  if (problem.retryAfterSeconds !== undefined) reply.header("retry-after", String(problem.retryAfterSeconds));
  const document: ProblemDocument = {
    type: "about:blank",
    title: TITLES[problem.status] ?? TITLES[problem.status < 500 ? 400 : 500] ?? "",
    status: problem.status,
    detail: problem.title,
    code: problem.code,
    ...(requestId === undefined ? {} : { request_id: requestId }),
    ...(problem.fields.length === 0 ? {} : { errors: problem.fields.slice(0, FIELD_PROBLEMS_MAX) }),
  };
  return reply
    .code(problem.status)
    .type(PROBLEM_TYPE)
    .serializer((body: unknown) => JSON.stringify(body))
    .send(document);
}

/** What a thrown thing says to the caller; null where it says nothing that the caller could do something about. */
function problemOf(error: unknown): ProblemError | null {
  if (error instanceof ProblemError) return error;
  if (hasZodFastifySchemaValidationErrors(error)) return invalidRequest(error);
  if (!(error instanceof Error) || !("statusCode" in error)) return null;
  return problemOfFastify(error as FastifyError);
}

const FASTIFY_PROBLEMS: Readonly<Record<string, { code: string; title: string }>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    code: "too_large",
    title:
      "The body is larger than this address takes: 256 KiB, 1 MiB for a snapshot, 8 MiB for events. Send less at once.",
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: "wrong_content_type",
    title: "The body must be sent with Content-Type: application/json.",
  },
  FST_ERR_BAD_URL: { code: "invalid_request", title: "The address is not a valid one. Check its percent signs." },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: "invalid_request",
    title: "The body's length is not what Content-Length says.",
  },
};

function problemOfFastify(error: FastifyError): ProblemError | null {
  const status = error.statusCode ?? 500;
  if (status < 400 || status > 499) return null;
  const known = FASTIFY_PROBLEMS[error.code];
  return new ProblemError({
    status,
    code: known?.code ?? "invalid_request",
    title: known?.title ?? "The request cannot be understood. Check its address, headers and body.",
  });
}

type ZodProblems = { validation: readonly ZodIssue[]; validationContext?: string | undefined };
interface ZodIssue {
  keyword: string;
  instancePath: string;
  message?: string;
  params?: unknown;
}

function invalidRequest(error: ZodProblems): ProblemError {
  // The first problem of a field is the one to mend; what a check says of a value of the wrong kind only confuses.
  const all = error.validation.flatMap((issue) => fieldsOf(issue));
  const fields = [...new Map(all.toReversed().map((field) => [field.field, field])).values()]
    .toReversed()
    .slice(0, FIELD_PROBLEMS_MAX);
  return new ProblemError({
    status: 400,
    code: "invalid_request",
    title:
      fields.map(({ field, message }) => `${field || "The request"}: ${message}`).join(" ") ||
      "The request is not valid.",
    fields,
  });
}

/** One entry per field; a key that the API does not know is itself the field. */
function fieldsOf(issue: ZodIssue): FieldProblem[] {
  const path = issue.instancePath.split("/").filter((part) => part !== "");
  const unknownKeys = (issue.params as { keys?: unknown } | undefined)?.keys;
  if (issue.keyword === "unrecognized_keys" && Array.isArray(unknownKeys)) {
    return unknownKeys.map((key) => ({
      field: [...path, String(key)].join("."),
      message: NAMED_OTHERWISE.get(String(key)) ?? "There is no such field here. Leave it out, or check its spelling.",
      code: "unknown_field" as const,
    }));
  }
  return [{ field: path.join("."), message: plainWords(issue.message ?? ""), code: codeOf(issue) }];
}

/** Fields that are easily taken for ones that may be sent, and what to send instead. */
const NAMED_OTHERWISE: ReadonlyMap<string, string> = new Map([
  ["end_time", "The end follows from start_time and duration. Send duration, in minutes, instead."],
]);

/** By zod's word for the issue, and for the first two by what was measured. */
const MEASURED: Readonly<Record<string, Readonly<Record<string, FieldCode>>>> = {
  too_small: { string: "empty", array: "empty", number: "too_small", int: "too_small" },
  too_big: { string: "too_long", array: "too_many", number: "too_big", int: "too_big" },
};
const CODES: Readonly<Record<string, FieldCode>> = { invalid_type: "wrong_type", invalid_value: "not_one_of" };

function codeOf({ keyword, message = "", params }: ZodIssue): FieldCode {
  if (/received undefined$/.test(message)) return "missing";
  const origin = (params as { origin?: unknown } | undefined)?.origin;
  return MEASURED[keyword]?.[String(origin)] ?? CODES[keyword] ?? "invalid";
}

/** zod's own sentences, as a person would say them; what a schema says itself stays. */
const PLAIN_WORDS: readonly (readonly [RegExp, string])[] = [
  [/^Invalid input: expected .+, received undefined$/, "This field is missing. Add it."],
  [/^Invalid input: expected (int|number).*$/, "This must be a number."],
  [/^Invalid input: expected string.*$/, "This must be text in quotes."],
  [/^Invalid input: expected boolean.*$/, "This must be true or false."],
  [/^Invalid input: expected array.*$/, "This must be a list."],
  [/^Invalid input: expected (?:object|record).*$/, "This must be an object."],
  [/^Invalid input: expected (".*")$/, "This must be $1."],
  [/^Invalid option: expected one of (.+)$/, "This must be one of $1."],
  [/^Too small: expected string to have >=1 characters$/, "This must not be empty."],
  [/^Too (?:small|big): expected .+ to (?:be|have) >=?(.+)$/, "This must be at least $1."],
  [/^Too (?:small|big): expected .+ to (?:be|have) <=?(.+)$/, "This must be at most $1."],
];

function plainWords(message: string): string {
  const found = PLAIN_WORDS.find(([pattern]) => pattern.test(message));
  if (found !== undefined) return message.replace(found[0], found[1]);
  return message === "" ? "This value is not valid." : message;
}

function isDatabaseBusy(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // pg gives its own time limit on connecting no code at all.
  if (/timeout exceeded when trying to connect/.test(error.message)) return true;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return (
    BUSY_CODES.has(code) || BUSY_ERRNO.has(code) || BUSY_CLASSES.some((c) => code.length === 5 && code.startsWith(c))
  );
}

/** 503: nothing was changed, and the same request may be sent again. */
function busy(): ProblemError {
  return new ProblemError({
    status: 503,
    code: "busy",
    title: "The server is busy and has changed nothing. Try again in a few seconds.",
    retryAfterSeconds: BUSY_RETRY_AFTER_SECONDS,
  });
}

function bug(): ProblemError {
  return new ProblemError({
    status: 500,
    code: "internal_error",
    title: "Something went wrong on our side. Try again; if it stays, give the request id to whoever runs this server.",
  });
}
