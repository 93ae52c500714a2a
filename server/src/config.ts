/**
 * The configuration: one typed object, validated as a whole.
 *
 * Owns every environment variable of the server; the environment is read once, at the edge, by `readConfig`. Promises that
 * an error names each wrong variable and its remedy. Opens no database and no port; the only file it touches is the key.
 */
import { createSecretKey, hkdfSync, type KeyObject, randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { type AllowedByOperator, allowedHttpHosts, allowedNetworks, allowedPorts } from "./config/allow.ts";

const MASTER_KEY_BYTES = 32;
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
  /** Undefined means: derived from the master key, see `loadAuthSecret`. */
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
  /** The operator's mail server; undefined means that no e-mail is sent. */
  readonly mail: MailConfig | undefined;
}

interface MailConfig {
  /** Holds a password, so nothing can print it. */
  readonly smtpUrl: KeyObject;
  /** `hooks@example.test` or `Hookwell <hooks@example.test>` */
  readonly from: string;
}

/** Keys are `KeyObject`s so that no log line, error or inspection can print them. */
type MasterKeySource =
  | { readonly from: "environment"; readonly key: KeyObject }
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

const masterKeyText = z
  .base64({ error: "must be base64 of 32 random bytes; make one with: openssl rand -base64 32" })
  .transform((text) => Buffer.from(text, "base64"))
  .refine((bytes) => bytes.length === MASTER_KEY_BYTES, {
    error: "must be base64 of exactly 32 bytes; make one with: openssl rand -base64 32",
  })
  .transform((bytes) => createSecretKey(bytes));

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
const smtpUrl = z
  .string()
  .refine((text) => isSmtpUrl(text), {
    error: "must look like smtp://user:password@mail.example.test:587 or smtps://…, with nothing behind the port",
  })
  .transform((text) => createSecretKey(Buffer.from(text, "utf8")));

const MAILBOX = String.raw`[^\s@<>,;:"()\[\]\\]+@[^\s@<>,;:"()\[\]\\]+`;
const mailFrom = z.string().regex(new RegExp(String.raw`^(${MAILBOX}|[^\p{Cc}<>@,;:"\\]{1,100} <${MAILBOX}>)$`, "u"), {
  error: "must look like hooks@example.test or Hookwell <hooks@example.test>",
});

const variables = z.object({
  DATABASE_URL: databaseUrl,
  HOOKWELL_DATA_FOLDER: z.string().default(".hookwell"),
  HOOKWELL_HOST: z.string().default("127.0.0.1"),
  HOOKWELL_PORT: port("4400").optional(),
  HOOKWELL_PUBLIC_URL: publicUrl.optional(),
  HOOKWELL_INBOX_PORT: port("4401").default(4401),
  HOOKWELL_MASTER_KEY: masterKeyText.optional(),
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
    throw new ConfigError(parsed.error.issues.map(({ path, message }) => `${path.join(".")} ${message}.`));
  return toConfig(parsed.data, options.currentFolder ?? process.cwd());
}

function* conflictsBetween(values: Variables): Generator<[name: keyof Variables, message: string]> {
  if (portOf(values) !== 0 && portOf(values) === values.HOOKWELL_INBOX_PORT) {
    yield ["HOOKWELL_INBOX_PORT", "must differ from HOOKWELL_PORT, since the test inbox listens on a port of its own"];
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
    mail: mailOf(values),
  };
}

function mailOf({ HOOKWELL_SMTP_URL: smtpUrl, HOOKWELL_MAIL_FROM: from }: Variables): MailConfig | undefined {
  return smtpUrl === undefined || from === undefined ? undefined : { smtpUrl, from };
}

function masterKeySource(values: Variables, folders: { dataFolder: string; currentFolder: string }): MasterKeySource {
  if (values.HOOKWELL_MASTER_KEY !== undefined) return { from: "environment", key: values.HOOKWELL_MASTER_KEY };
  const named = values.HOOKWELL_MASTER_KEY_FILE;
  if (named !== undefined) return { from: "file", path: resolve(folders.currentFolder, named), createIfMissing: false };
  return { from: "file", path: join(folders.dataFolder, "master.key"), createIfMissing: true };
}

function isSmtpUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !/^smtps?:$/.test(url.protocol) || url.hostname === "") return false;
  return (url.pathname === "" || url.pathname === "/") && url.search === "" && url.hash === "";
}

function isOrigin(text: string): boolean {
  const url = new URL(text);
  return url.pathname === "/" && url.search === "" && url.hash === "" && url.username === "" && url.password === "";
}

/**
 * The 32-byte key that wraps every clinic's key. Call it before the embedded database is started: the file is made on the
 * very first start only, and a data folder that has a database but no key is refused rather than given a second key that
 * opens nothing. Throws `ConfigError`.
 */
export async function loadMasterKey(config: Pick<Config, "masterKey" | "dataFolder">): Promise<KeyObject> {
  const source = config.masterKey;
  if (source.from === "environment") return source.key;
  const existing = await readKeyFile(source.path);
  if (existing !== undefined) return parseKeyFile(existing, source);
  if (!source.createIfMissing) {
    throw new ConfigError([
      `HOOKWELL_MASTER_KEY_FILE names ${source.path}, which does not exist. Put the key file there.`,
    ]);
  }
  if (await exists(join(config.dataFolder, "postgres"))) {
    throw new ConfigError([
      `${config.dataFolder} holds a database but not its master.key, so nothing sealed in it can be read. ` +
        "Restore master.key from your backup, or set HOOKWELL_MASTER_KEY.",
    ]);
  }
  await writeNewKeyFile(source.path);
  return parseKeyFile((await readKeyFile(source.path)) ?? "", source);
}

/** The secret that signs sessions: the configured one, otherwise derived from the master key (HKDF-SHA-256). */
export function loadAuthSecret(config: Pick<Config, "authSecret">, masterKey: KeyObject): string {
  if (config.authSecret !== undefined) return config.authSecret.export().toString("utf8");
  const derived = hkdfSync("sha256", masterKey, Buffer.alloc(0), "hookwell auth secret v1", MASTER_KEY_BYTES);
  return Buffer.from(derived).toString("base64url");
}

async function parseKeyFile(text: string, source: { path: string; createIfMissing: boolean }): Promise<KeyObject> {
  const parsed = masterKeyText.safeParse(text.trim());
  if (!parsed.success)
    throw new ConfigError([`The key file ${source.path} ${parsed.error.issues[0]?.message ?? "is broken"}.`]);
  // A file that an orchestrator mounts has whatever mode that gives it; ours must be private.
  if (source.createIfMissing && process.platform !== "win32") {
    const { mode } = await stat(source.path);
    if ((mode & 0o077) !== 0) {
      throw new ConfigError([`The key file ${source.path} can be read by others. Run: chmod 600 '${source.path}'`]);
    }
  }
  return parsed.data;
}

async function readKeyFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    if (codeOf(error) !== "EACCES") throw error;
    throw new ConfigError([
      `The key file ${path} cannot be read by this user. Start Hookwell as the user who owns it.`,
    ]);
  }
}

/** Written aside and then linked into place: two first starts at once end with one key, and a crash leaves no half of one. */
async function writeNewKeyFile(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const aside = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  const file = await open(aside, "wx", 0o600);
  try {
    await file.writeFile(`${randomBytes(MASTER_KEY_BYTES).toString("base64")}\n`);
    await file.sync();
    await link(aside, path);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  } finally {
    await file.close();
    await rm(aside, { force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error) => {
      if (codeOf(error) === "ENOENT") return false;
      throw error;
    },
  );
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
