/**
 * Errors that are somebody's bad input rather than our bug.
 *
 * Owns the one exception that a command may throw to say "no, because …". Promises a status, a stable code and a message
 * that names the field and the remedy. Does not know HTTP documents: `api/problem.ts` turns it into RFC 9457.
 */

/** What may be wrong with a field, as a word that programs may switch on and say in another language. Add here only. */
export const FIELD_CODES = [
  // any field
  ...["missing", "unknown_field", "wrong_type", "empty", "too_long", "too_many", "too_small", "too_big"],
  ...["not_one_of", "not_found", "control_characters", "invalid"],
  // an address; the words of the check of addresses
  ...["not_a_url", "not_https", "credentials", "fragment", "port", "host", "blocked_address"],
  // times and lengths
  ...["not_a_time", "not_a_date", "year_range", "duration_range", "day_range"],
  // people, services, consults
  ...["not_an_email", "capacity_range", "already_there", "time_zone", "currency"],
  // money
  ...["amount_decimals", "rate_decimals", "does_not_add_up"],
  // webhooks
  ...["recipient_missing", "country", "header_name", "header_value", "header_reserved", "header_twice"],
  ...["no_academy", "no_events", "already_saved"],
  // embedded pages
  ...["origin", "patient_data_locked"],
  // imports
  ...["ambiguous", "twice", "cell_count"],
  // accounts
  ...["wrong_password"],
  // how a request is made
  ...["cursor", "limit_range", "idempotency_key"],
] as const;

export type FieldCode = (typeof FIELD_CODES)[number];

/** One thing wrong with one field; `field` is a path as the caller wrote it, such as `participants.2.patient_id`. */
export interface FieldProblem {
  readonly field: string;
  readonly message: string;
  /** one of FIELD_CODES; of a 409 the problem's own */
  readonly code?: string;
}

export interface ProblemOptions {
  /** HTTP status, 400–599. */
  readonly status: number;
  /** Stable snake_case word that programs may switch on. */
  readonly code: string;
  /** The sentence a person reads: what is wrong and what to do. */
  readonly title: string;
  readonly fields?: readonly FieldProblem[];
  readonly retryAfterSeconds?: number;
}

const CODE_PATTERN = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;

/** Bad input, refused. Anything else that is thrown is a bug or an outage and becomes a 500. */
export class ProblemError extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly fields: readonly FieldProblem[];
  readonly retryAfterSeconds: number | undefined;

  constructor(options: ProblemOptions) {
    super(options.title);
    if (!CODE_PATTERN.test(options.code)) throw new TypeError(`A problem's code is a snake_case word: ${options.code}`);
    this.name = "ProblemError";
    this.status = options.status;
    this.code = options.code;
    this.title = options.title;
    this.fields = options.fields ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** 400: one field is wrong. The message names the remedy: `invalid("capacity", "Choose fewer places.", "capacity_range")`. */
export function invalid(field: string, message: string, code?: FieldCode): ProblemError {
  return invalidFields([{ field, message, ...(code === undefined ? {} : { code }) }]);
}

/** 400: several fields are wrong; all are named at once so that nobody has to fix them one by one. */
export function invalidFields(fields: readonly [FieldProblem, ...FieldProblem[]]): ProblemError {
  return new ProblemError({
    status: 400,
    code: "invalid_request",
    title: fields.map(({ field, message }) => `${field}: ${message}`).join(" "),
    fields,
  });
}

/** The same problem for a body in which the fields stand one level deeper: `below("changes", problem)`. */
export function below(path: string, problem: ProblemError): ProblemError {
  const [first, ...others] = problem.fields.map((one) => ({ ...one, field: `${path}.${one.field}` }));
  return first === undefined || problem.status !== 400 ? problem : invalidFields([first, ...others]);
}

const CHECK_THE_ID = "Check the id, and that it belongs to this clinic.";

/**
 * 404: there is no such thing in this clinic. Another clinic's id gives the same answer, so that ids tell nothing. `field`
 * where the id stood in the body rather than in the path; `remedy` where it was found by something else than its id.
 */
export function notFound(what: string, field?: string, remedy = CHECK_THE_ID): ProblemError {
  const message = `The ${what.replace(/^the /, "")} was not found. ${remedy}`;
  return new ProblemError({
    status: 404,
    code: "not_found",
    title: message,
    ...(field === undefined ? {} : { fields: [{ field, message, code: "not_found" as const }] }),
  });
}

/** 409: the request is well formed but the present state forbids it, e.g. `conflict("consult_cancelled", "…")`. */
export function conflict(code: string, message: string, field?: string): ProblemError {
  return new ProblemError({
    status: 409,
    code,
    title: message,
    ...(field === undefined ? {} : { fields: [{ field, message, code }] }),
  });
}

type Checks = Readonly<Record<string, () => unknown>>;

/**
 * Checks several fields and returns what each check returns; what they refuse is refused at once, so that nobody has to put
 * one field right after the other: `together({ name: () => cleanName("name", name), email: () => … })`.
 */
export function together<Of extends Checks>(checks: Of): { [Name in keyof Of]: ReturnType<Of[Name]> } {
  const values: Record<string, unknown> = {};
  const wrong: FieldProblem[] = [];
  for (const [name, check] of Object.entries(checks)) {
    try {
      values[name] = check();
    } catch (error) {
      if (!(error instanceof ProblemError) || error.status !== 400 || error.fields.length === 0) throw error;
      wrong.push(...error.fields);
    }
  }
  const [first, ...others] = wrong;
  if (first !== undefined) throw invalidFields([first, ...others]);
  return values as { [Name in keyof Of]: ReturnType<Of[Name]> };
}

/** 403: the credential is good but may not do this. The message says who may. */
export function forbidden(message: string): ProblemError {
  return new ProblemError({ status: 403, code: "forbidden", title: message });
}
