/** Why nothing was connected, as a value that can be thrown through the HTTP client. Nothing of a body can have left. */

export type DialFailure =
  | "refused_address"
  | "name_not_found"
  | "connection_refused"
  | "unreachable"
  | "tls"
  | "timed_out";

/** A connection that was not made. `detail` names a code, never an address. */
export class DialError extends Error {
  readonly kind: DialFailure;
  readonly detail: string;
  /** RFC 3339, of a certificate that is no longer valid */
  readonly expiredAt: string | null;

  constructor(kind: DialFailure, detail: string, options: ErrorOptions & { expiredAt?: string | null } = {}) {
    super(`${kind}: ${detail}`, options);
    this.name = "DialError";
    this.kind = kind;
    this.detail = detail;
    this.expiredAt = options.expiredAt ?? null;
  }
}

/** The code of a system or library error, or its class; never its message, which can hold an address. */
export function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return error instanceof Error ? error.name : "unknown";
}
