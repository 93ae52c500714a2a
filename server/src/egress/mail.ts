/**
 * The one way for e-mail to leave: to the operator's own mail server, and to no other.
 *
 * Promises: exactly the configured host and port are dialled (it may be an internal one: the operator named it); TLS from the
 * first byte with smtps, STARTTLS wherever it is offered, and no password goes over an open line but on this machine itself;
 * one deadline over everything; nothing of a message is fetched from files or addresses. What comes of a message is a value
 * that holds no address and no text of the server. Does not: retry, compose or decide.
 */
import type { KeyObject } from "node:crypto";
import { createTransport } from "nodemailer";
import { isLoopbackAddress } from "./addresses.ts";
import { codeOf } from "./failure.ts";
import { hostOf } from "./url.ts";

/** One deadline over name look-up, connecting, TLS, login and the message itself. */
export const MAIL_DEADLINE_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;
const SMTPS_PORT = 465;
const SUBMISSION_PORT = 587;
/** What SMTP can carry as an address (RFC 5321), without the quoted forms that nobody has. */
const MAILBOX = /^[\p{L}\p{N}.!#$%&'*+/=?^_`{|}~-]{1,64}@[\p{L}\p{N}.-]{1,255}$/u;

export interface MailSettings {
  /** `smtp://user:password@host:587`; a `KeyObject` so that nothing can print it */
  readonly smtpUrl: KeyObject;
  /** `hooks@example.test` or `Hookwell <hooks@example.test>` */
  readonly from: string;
}

export interface MailMessage {
  /** one mailbox, without a name */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** What a mail program tells two copies of one message by; local part only. */
  readonly id: string;
}

/** `refused_recipient`: for good. Everything else may pass. */
export type MailOutcome =
  | { readonly kind: "accepted" }
  | {
      readonly kind:
        | "refused_recipient"
        | "refused"
        | "deferred"
        | "login"
        | "unreachable"
        | "timed_out"
        | "tls"
        | "failed_here";
      /** What the mail server answered, where it did. */
      readonly status: number | null;
    };

export interface MailSender {
  send(message: MailMessage): Promise<MailOutcome>;
}

export interface MailOptions extends MailSettings {
  /** shorter in tests only */
  readonly deadlineMs?: number;
}

/** A sender over the operator's mail server. Dials nothing before the first message. */
export function createMailSender(options: MailOptions): MailSender {
  const url = new URL(options.smtpUrl.export().toString("utf8"));
  const domain = /@([^@>]+)>?$/.exec(options.from)?.[1] ?? "localhost";
  const transport = createTransport(serverOf(url));
  const deadlineMs = options.deadlineMs ?? MAIL_DEADLINE_MS;
  return {
    async send({ to, subject, text, html, id }) {
      if (!MAILBOX.test(to)) return { kind: "refused_recipient", status: null };
      try {
        await transport.sendMail({
          from: options.from,
          to: { name: "", address: to },
          ...{ subject: oneLine(subject), text, html },
          messageId: `<${id}@${domain}>`,
          // Nobody's holiday answer shall come back to a program (RFC 3834).
          headers: { "auto-submitted": "auto-generated", "x-auto-response-suppress": "All" },
          signal: AbortSignal.timeout(deadlineMs),
          disableFileAccess: true,
          disableUrlAccess: true,
        });
        return { kind: "accepted" };
      } catch (error) {
        return outcomeOf(error);
      }
    },
  };
}

/** The server by its parts: no parameter of the URL reaches the library, where one could switch off TLS checks. */
export function serverOf(url: URL) {
  const secure = url.protocol === "smtps:";
  const host = hostOf(url);
  const isHere = host === "localhost" || isLoopbackAddress(host);
  const auth =
    url.username === "" ? null : { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) };
  return {
    host,
    port: Number(url.port) || (secure ? SMTPS_PORT : SUBMISSION_PORT),
    secure,
    requireTLS: !secure && auth !== null && !isHere,
    tls: { minVersion: "TLSv1.2", rejectUnauthorized: !isHere } as const,
    ...(auth === null ? {} : { auth }),
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: MAIL_DEADLINE_MS,
    dnsTimeout: CONNECT_TIMEOUT_MS,
    logger: false,
  };
}

/** A name with a line break in it would begin a header of its own. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ");
}

function outcomeOf(error: unknown): MailOutcome {
  const status = statusOf(error);
  const code = codeOf(error);
  if (code === "EENVELOPE" && commandOf(error) === "RCPT TO" && status !== null && status >= 500)
    return { kind: "refused_recipient", status };
  if (code === "EAUTH" || code === "ENOAUTH") return { kind: "login", status };
  if (code === "ETIMEDOUT" || code === "EABORT" || code === "TimeoutError") return { kind: "timed_out", status };
  if (status !== null) return { kind: status >= 500 ? "refused" : "deferred", status };
  if (/^(ETLS|ERR_TLS|ERR_SSL|CERT_|UNABLE_|SELF_SIGNED|DEPTH_ZERO)/.test(code)) return { kind: "tls", status };
  if (/^(ECONFIG|ESTREAM|EFILEACCESS|EURLACCESS|TypeError|RangeError|Error)$/.test(code))
    return { kind: "failed_here", status };
  return { kind: "unreachable", status };
}

function statusOf(error: unknown): number | null {
  const status = error instanceof Error && "responseCode" in error ? error.responseCode : null;
  return typeof status === "number" && status >= 400 && status <= 599 ? status : null;
}

function commandOf(error: unknown): unknown {
  return error instanceof Error && "command" in error ? error.command : undefined;
}
