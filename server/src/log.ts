/**
 * The log: JSON lines, one event each.
 *
 * Promises that no patient's name, no body, no secret and no address reaches it: every object that is logged, by whatever
 * call and whatever library, passes one allow-list, and an error is reduced to its kind, its code and where it arose,
 * since messages of databases and receivers quote the values they choke on. Does not decide what is worth logging.
 */
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { type DestinationStream, destination, type Logger, type LoggerOptions, pino } from "pino";

/** Every key that may stand in a log line. Add here, and nowhere else, after asking what its values can hold. */
const LOG_KEYS = [
  "attempt",
  "batch",
  "clinic_id",
  "code",
  "connections",
  "count",
  "delivery_id",
  "duration_ms",
  "event_id",
  "event_type",
  "fence",
  "host",
  "job_id",
  "key_id",
  "migration",
  "node_id",
  "nodes",
  "outcome",
  "path",
  "pid",
  "pool",
  "port",
  "reason",
  "request_id",
  "role",
  "route",
  "signal",
  "staff_id",
  "state",
  "status",
  "version",
  "webhook_id",
  "webhooks",
] as const;

type LogKey = (typeof LOG_KEYS)[number];
type LogValue = string | number | boolean | null | undefined;
export type LogFields = { readonly [key in LogKey]?: LogValue } & { readonly err?: unknown };
export type LogLevel = "debug" | "info" | "warn" | "error" | "fatal";
export type Log = Logger;

const LOG_VALUE_MAX_CHARACTERS = 200;
const STACK_MAX_FRAMES = 8;
const allowed: ReadonlySet<string> = new Set(LOG_KEYS);

export interface LogOptions {
  /** `stdout` for a service, a file for the demo, whose terminal belongs to its few friendly lines. */
  readonly destination: "stdout" | { readonly file: string } | DestinationStream;
  readonly level?: LogLevel | "silent";
}

/** Opens the log. A file is created with mode 0600, together with its folder; an unwritable one throws at once. */
export function createLog(options: LogOptions): Log {
  const log = pino(loggerOptions(options.level ?? "info"), openDestination(options.destination));
  // pino's own formatter for bindings is not asked for those of children.
  const child: (this: Log, bindings: pino.Bindings, options?: pino.ChildLoggerOptions) => Log = log.child;
  log.child = function allowedChild(this: Log, bindings: pino.Bindings, childOptions?: pino.ChildLoggerOptions) {
    return child.call(this, onlyAllowed(bindings), childOptions);
  } as unknown as typeof log.child;
  return log;
}

/** A log that drops everything, for tests and short commands. */
export function silentLog(): Log {
  return pino({ level: "silent" });
}

/**
 * Writes one line: `logEvent(log, "delivery.attempted", { clinic_id, webhook_id, outcome })`. Keys outside the allow-list
 * do not compile, and are dropped at run time. `err` may be anything that was thrown.
 */
export function logEvent(
  log: Log,
  name: `${string}.${string}`,
  fields: LogFields = {},
  level: LogLevel = "info",
): void {
  log[level](fields, name);
}

function loggerOptions(level: string): LoggerOptions {
  return {
    level,
    base: null,
    messageKey: "event",
    timestamp: () => `,"time":"${Temporal.Now.instant().toString({ smallestUnit: "millisecond" })}"`,
    // pino would run an error through a serializer of its own, message and all; ours has made it harmless by then.
    serializers: { err: (value: unknown) => value },
    formatters: { level: (label) => ({ level: label }), log: onlyAllowed },
    hooks: {
      // Without a text of ours, pino takes the error's own message as the text.
      logMethod(args, method) {
        const [first, text] = args as unknown as [unknown, unknown];
        const error = errorIn(first);
        if (error === undefined) return method.apply(this, args);
        const fields = first instanceof Error ? { err: first } : first;
        return method.apply(this, [fields as object, typeof text === "string" ? text : "error"] as never);
      },
    },
  };
}

function errorIn(value: unknown): Error | undefined {
  if (value instanceof Error) return value;
  const inner = typeof value === "object" && value !== null && "err" in value ? value.err : undefined;
  return inner instanceof Error ? inner : undefined;
}

function onlyAllowed(fields: Record<string, unknown>): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    if (key === "err") kept.err = describeError(value);
    else if (allowed.has(key) && isPlain(value)) kept[key] = shortened(value);
  }
  return kept;
}

function isPlain(value: unknown): value is LogValue {
  return value === null || ["string", "number", "boolean"].includes(typeof value);
}

function shortened(value: LogValue): LogValue {
  return typeof value === "string" ? value.slice(0, LOG_VALUE_MAX_CHARACTERS) : value;
}

/** What of a thrown thing may be logged: its kind, its code (an SQLSTATE, an errno name) and the places it came from. */
function describeError(thrown: unknown): Record<string, unknown> {
  if (!(thrown instanceof Error)) return { kind: typeof thrown };
  const code =
    "code" in thrown && (typeof thrown.code === "string" || typeof thrown.code === "number") ? thrown.code : undefined;
  const frames = (thrown.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return {
    kind: thrown.name.slice(0, LOG_VALUE_MAX_CHARACTERS),
    ...(code === undefined ? {} : { code: shortened(code) }),
    at: frames.slice(0, STACK_MAX_FRAMES).map((line) => line.trim().slice(3)),
    ...(thrown.cause instanceof Error ? { cause: describeError(thrown.cause) } : {}),
  };
}

function openDestination(target: LogOptions["destination"]): DestinationStream {
  if (target === "stdout") return destination({ fd: 1, sync: false });
  if (!("file" in target)) return target;
  mkdirSync(dirname(target.file), { recursive: true });
  closeSync(openSync(target.file, "a", 0o600));
  return destination({ dest: target.file, sync: false });
}
