/**
 * The configuration: one typed object, validated as a whole.
 *
 * Owns every environment variable of the server; the environment is read once, at the edge, by `readConfig`. Promises that
 * an error names each wrong variable and its remedy. Opens no database, no port and no file; the keys are in seal/master-keys.ts.
 */
import { createSecretKey, type KeyObject } from "node:crypto";
import { isIP } from "node:net";
import { join, resolve } from "node:path";
import { z } from "zod";
import { type AllowedByOperator, allowedHttpHosts, allowedNetworks, allowedPorts } from "./config/allow.ts";
import { mailFrom, smtpUrl } from "./config/mail.ts";

const MASTER_KEY_BYTES = 32;
/** The newest, and those that a rotation has not yet made superfluous. */
const MASTER_KEYS_MAX = 4;
const AUTH_SECRET_MIN_CHARACTERS = 32;
const OPERATOR_KEY_MIN_CHARACTERS = 32;
const PORT_MAX = 65_535;
const HOST_PACE_MAX_PER_SECOND = 100_000;
const RETENTION_DAYS_MAX = 3_650;
const DEFAULT_PORT = 4400;

/** What a process does: `api` answers requests, `worker` delivers, `all` does both. */
export const ROLES = ["api", "worker", "all"] as const;
type Role = (typeof ROLES)[number];

export interface Config {
  /** PostgreSQL to use; undefined means the embedded one in the data folder. */
  readonly databaseUrl: string | undefined;
  /** Absolute path of the folder that holds the embedded database, the key file and the log. */
  readonly dataFolder: string;
  readonly host: string;
  readonly port: number;
  /** Origin under which browsers and receivers see this server; no slash at the end. */
  readonly publicUrl: string;
  readonly inboxPort: number;
  readonly masterKey: MasterKeySource;
  /** Undefined means: one of its own is kept in the database, sealed; see seal/kept-secrets.ts. */
  readonly authSecret: KeyObject | undefined;
  /** Development only: webhooks may be sent to this machine itself. */
  readonly allowLoopback: boolean;
  /** With it the operator pauses sending from afar; undefined means that nobody does. */
  readonly operatorKey: KeyObject | undefined;
  /** What webhooks may reach beyond https to the public Internet. */
  readonly allowed: AllowedByOperator;
  readonly role: Role;
  /** Requests a second to one host, over all clinics and nodes. */
  readonly hostPacePerSecond: number;
  /** How many days events, attempts and finished deliveries are kept; a clinic may choose fewer. */
  readonly retentionDays: number;
  /** Reverse proxies whose word on the client's address is believed; undefined: nobody's. */
  readonly trustProxy?: TrustProxy | undefined;
  /** The operator's mail server; undefined means that no e-mail is sent. */
  readonly mail: MailConfig | undefined;
  /** Where `/metrics` listens; undefined: nowhere. */
  readonly metrics?: { readonly host: string; readonly port: number } | undefined;
}

/** How many proxies stand in front, or their addresses and networks. */
export type TrustProxy = number | readonly string[];

interface MailConfig {
  /** Holds a password, so nothing can print it. */
  readonly smtpUrl: KeyObject;
  /** `hooks@example.test` or `Hookwell <hooks@example.test>` */
  readonly from: string;
}

/** Keys are `KeyObject`s so that no log line, error or inspection can print them. */
export type MasterKeySource =
  | { readonly from: "environment"; readonly keys: readonly KeyObject[] }
  | { readonly from: "file"; readonly path: string; readonly createIfMissing: boolean };

/** A configuration that cannot be used. Its message has one line per problem and is meant for the operator's eyes. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "ConfigError";
    this.problems = problems;
  }
}

const port = (example: string) =>
  z
    .string()
    .regex(/^\d{1,5}$/, { error: `must be a number from 0 to ${PORT_MAX}, such as ${example}` })
    .transform(Number)
    .refine((value) => value <= PORT_MAX, { error: `must be at most ${PORT_MAX}` });

const days = z
  .string()
  .regex(/^\d{1,4}$/, { error: `must be a number of days from 0 to ${RETENTION_DAYS_MAX}, such as 30` })
  .transform(Number)
  .refine((value) => value <= RETENTION_DAYS_MAX, { error: `must be at most ${RETENTION_DAYS_MAX}` });

const flag = z.enum(["true", "false"], { error: "must be true or false" }).transform((value) => value === "true");

const oneMasterKey = z
  .base64({ error: "must be base64 of 32 random bytes; make one with: openssl rand -base64 32" })
  .transform((text) => Buffer.from(text, "base64"))
  .refine((bytes) => bytes.length === MASTER_KEY_BYTES, {
    error: "must be base64 of exactly 32 bytes; make one with: openssl rand -base64 32",
  })
  .transform((bytes) => createSecretKey(bytes));

/** One key, or several between blanks or line ends, the newest first: see docs/keys.md. */
export const masterKeysText = z
  .string()
  .transform((text) => text.trim().split(/\s+/))
  .refine((texts) => new Set(texts).size === texts.length, { error: "holds the same key twice; keep one of the two" })
  .pipe(
    z
      .array(oneMasterKey)
      .min(1)
      .max(MASTER_KEYS_MAX, { error: `holds more than ${MASTER_KEYS_MAX} keys` }),
  );

const databaseUrl = z
  .url({ protocol: /^postgres(ql)?$/, error: "must look like postgres://user:password@host:5432/database" })
  .optional();

const publicUrl = z
  .url({
    protocol: /^https?$/,
    error: "must be an http or https address, such as https://hooks.example.test",
    abort: true,
  })
  .refine((text) => isOrigin(text), { error: "must be an origin only, without path, query or credentials" })
  .transform((text) => new URL(text).origin);

const hostPace = z
  .string()
  .regex(/^[1-9]\d{0,5}$/, { error: `must be a number from 1 to ${HOST_PACE_MAX_PER_SECOND}, such as 1000` })
  .transform(Number)
  .refine((value) => value <= HOST_PACE_MAX_PER_SECOND, { error: `must be at most ${HOST_PACE_MAX_PER_SECOND}` });

const PROXY_HOPS = /^[1-9]$/;
const trustProxy = z
  .string()
  .refine((text) => PROXY_HOPS.test(text) || text.split(",").every((part) => isNetwork(part.trim())), {
    error:
      "must name your reverse proxies, such as 10.0.0.5 or 10.0.0.0/24,fd00::/64, or say how many stand in a row (1 to 9)",
  })
  .transform((text): TrustProxy => (PROXY_HOPS.test(text) ? Number(text) : text.split(",").map((part) => part.trim())));

const variables = z.object({
  DATABASE_URL: databaseUrl,
  HOOKWELL_DATA_FOLDER: z.string().default(".hookwell"),
  HOOKWELL_HOST: z.string().default("127.0.0.1"),
  HOOKWELL_PORT: port("4400").optional(),
  HOOKWELL_PUBLIC_URL: publicUrl.optional(),
  HOOKWELL_INBOX_PORT: port("4401").default(4401),
  HOOKWELL_MASTER_KEY: masterKeysText.optional(),
  HOOKWELL_MASTER_KEY_FILE: z.string().optional(),
  HOOKWELL_AUTH_SECRET: z
    .string()
    .min(AUTH_SECRET_MIN_CHARACTERS, {
      error: `must have at least ${AUTH_SECRET_MIN_CHARACTERS} characters; leave it out to derive it from the master key`,
    })
    .transform((text) => createSecretKey(Buffer.from(text, "utf8")))
    .optional(),
  HOOKWELL_OPERATOR_KEY: z
    .string()
    .regex(/^\S+$/, { error: "must hold no spaces" })
    .min(OPERATOR_KEY_MIN_CHARACTERS, {
      error: `must have at least ${OPERATOR_KEY_MIN_CHARACTERS} characters; make one with: openssl rand -hex 32`,
    })
    .transform((text) => createSecretKey(Buffer.from(text, "utf8")))
    .optional(),
  HOOKWELL_ALLOW_LOOPBACK: flag.default(false),
  HOOKWELL_ALLOW_NETWORKS: allowedNetworks.default([]),
  HOOKWELL_ALLOW_PORTS: allowedPorts.default([]),
  HOOKWELL_ALLOW_HTTP_HOSTS: allowedHttpHosts.default([]),
  HOOKWELL_ROLE: z.enum(ROLES, { error: "must be api, worker or all" }).default("all"),
  HOOKWELL_HOST_PACE: hostPace.default(1_000),
  HOOKWELL_RETENTION_DAYS: days.default(30),
  HOOKWELL_TRUST_PROXY: trustProxy.optional(),
  HOOKWELL_METRICS_PORT: port("9464").optional(),
  HOOKWELL_METRICS_HOST: z.string().default("127.0.0.1"),
  HOOKWELL_SMTP_URL: smtpUrl.optional(),
  HOOKWELL_MAIL_FROM: mailFrom.optional(),
});

type Variables = z.output<typeof variables>;

const environment = variables.check((context) => {
  for (const [name, message] of conflictsBetween(context.value)) {
    context.issues.push({ code: "custom", input: context.value, path: [name], message });
  }
});

export interface ReadConfigOptions {
  /** Relative folders are taken from here; the current directory by default. */
  readonly currentFolder?: string;
}

/** Reads and checks the environment as a whole. An empty variable counts as unset. Throws `ConfigError`. */
export function readConfig(env: NodeJS.ProcessEnv, options: ReadConfigOptions = {}): Config {
  const present = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ""));
  const parsed = environment.safeParse(present);
  if (!parsed.success)
    throw new ConfigError(parsed.error.issues.map(({ path, message }) => `${String(path[0])} ${message}.`));
  return toConfig(parsed.data, options.currentFolder ?? process.cwd());
}

function* conflictsBetween(values: Variables): Generator<[name: keyof Variables, message: string]> {
  if (portOf(values) !== 0 && portOf(values) === values.HOOKWELL_INBOX_PORT) {
    yield ["HOOKWELL_INBOX_PORT", "must differ from HOOKWELL_PORT, since the test inbox listens on a port of its own"];
  }
  const metricsPort = values.HOOKWELL_METRICS_PORT;
  if (metricsPort && [portOf(values), values.HOOKWELL_INBOX_PORT].includes(metricsPort)) {
    yield ["HOOKWELL_METRICS_PORT", "must differ from the ports of the API and of the test inbox"];
  }
  if (values.HOOKWELL_MASTER_KEY !== undefined && values.HOOKWELL_MASTER_KEY_FILE !== undefined) {
    yield ["HOOKWELL_MASTER_KEY_FILE", "stands beside HOOKWELL_MASTER_KEY; keep one of the two"];
  }
  if ((values.HOOKWELL_SMTP_URL === undefined) !== (values.HOOKWELL_MAIL_FROM === undefined)) {
    const missing = values.HOOKWELL_SMTP_URL === undefined ? "HOOKWELL_SMTP_URL" : "HOOKWELL_MAIL_FROM";
    yield [missing, "is missing: e-mail needs both HOOKWELL_SMTP_URL and HOOKWELL_MAIL_FROM"];
  }
  if (values.HOOKWELL_ROLE !== "all" && values.DATABASE_URL === undefined) {
    const alone = values.HOOKWELL_ROLE === "api" ? "would deliver nothing" : "would have nothing to deliver";
    yield [
      "DATABASE_URL",
      `is needed for the role ${values.HOOKWELL_ROLE}: the embedded database belongs to one process, which ${alone}. Name a PostgreSQL that all processes share, or use the role all`,
    ];
  }
}

/** A worker's is for probes alone: where nobody asks for a certain one, any will do, so that it stands beside others. */
function portOf({ HOOKWELL_PORT: asked, HOOKWELL_ROLE: role }: Variables): number {
  return asked ?? (role === "worker" ? 0 : DEFAULT_PORT);
}

function toConfig(values: Variables, currentFolder: string): Config {
  const dataFolder = resolve(currentFolder, values.HOOKWELL_DATA_FOLDER);
  return {
    databaseUrl: values.DATABASE_URL,
    dataFolder,
    host: values.HOOKWELL_HOST,
    port: portOf(values),
    publicUrl: values.HOOKWELL_PUBLIC_URL ?? `http://localhost:${portOf(values)}`,
    inboxPort: values.HOOKWELL_INBOX_PORT,
    masterKey: masterKeySource(values, { dataFolder, currentFolder }),
    authSecret: values.HOOKWELL_AUTH_SECRET,
    operatorKey: values.HOOKWELL_OPERATOR_KEY,
    allowLoopback: values.HOOKWELL_ALLOW_LOOPBACK,
    allowed: {
      networks: values.HOOKWELL_ALLOW_NETWORKS,
      ports: values.HOOKWELL_ALLOW_PORTS,
      httpHosts: values.HOOKWELL_ALLOW_HTTP_HOSTS,
    },
    role: values.HOOKWELL_ROLE,
    hostPacePerSecond: values.HOOKWELL_HOST_PACE,
    retentionDays: values.HOOKWELL_RETENTION_DAYS,
    trustProxy: values.HOOKWELL_TRUST_PROXY,
    mail: mailOf(values),
    metrics: metricsOf(values),
  };
}

function mailOf({ HOOKWELL_SMTP_URL: smtpUrl, HOOKWELL_MAIL_FROM: from }: Variables): MailConfig | undefined {
  return smtpUrl === undefined || from === undefined ? undefined : { smtpUrl, from };
}

function metricsOf({ HOOKWELL_METRICS_HOST: host, HOOKWELL_METRICS_PORT: asked }: Variables): Config["metrics"] {
  return asked === undefined ? undefined : { host, port: asked };
}

function masterKeySource(values: Variables, folders: { dataFolder: string; currentFolder: string }): MasterKeySource {
  if (values.HOOKWELL_MASTER_KEY !== undefined) return { from: "environment", keys: values.HOOKWELL_MASTER_KEY };
  const named = values.HOOKWELL_MASTER_KEY_FILE;
  if (named !== undefined) return { from: "file", path: resolve(folders.currentFolder, named), createIfMissing: false };
  return { from: "file", path: join(folders.dataFolder, "master.key"), createIfMissing: true };
}

/** An address or a network, but never one that holds every address: that would believe everybody. */
function isNetwork(text: string): boolean {
  const [address = "", bits, ...rest] = text.split("/");
  const kind = isIP(address);
  if (kind === 0 || rest.length > 0) return false;
  return bits === undefined || (/^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= (kind === 4 ? 32 : 128));
}

function isOrigin(text: string): boolean {
  const url = new URL(text);
  return url.pathname === "/" && url.search === "" && url.hash === "" && url.username === "" && url.password === "";
}
