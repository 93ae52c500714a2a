import { createSecretKey, randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConfigError, loadAuthSecret, loadMasterKey, readConfig } from "./config.ts";

const KEY = randomBytes(32).toString("base64");
const MAIL = { HOOKWELL_SMTP_URL: "smtp://mail.example.test:587", HOOKWELL_MAIL_FROM: "Hookwell <hooks@example.test>" };
let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "hookwell-config-"));
});

afterAll(() => rm(root, { recursive: true }));

const read = (env: Record<string, string>) => readConfig(env, { currentFolder: root });

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    read(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe("the environment", () => {
  test("may be empty", () => {
    expect(read({})).toEqual({
      databaseUrl: undefined,
      dataFolder: join(root, ".hookwell"),
      host: "127.0.0.1",
      port: 4400,
      publicUrl: "http://localhost:4400",
      inboxPort: 4401,
      masterKey: { from: "file", path: join(root, ".hookwell", "master.key"), createIfMissing: true },
      authSecret: undefined,
      allowLoopback: false,
      operatorKey: undefined,
      allowed: { networks: [], ports: [], httpHosts: [] },
      role: "all",
      hostPacePerSecond: 1_000,
      retentionDays: 30,
      mail: undefined,
    });
  });

  test("counts an empty variable as unset", () => {
    expect(read({ HOOKWELL_PORT: "", DATABASE_URL: "" })).toEqual(read({}));
  });

  test("sets everything", () => {
    const config = read({
      DATABASE_URL: "postgres://someone:secret@db.example.test:5432/hookwell",
      HOOKWELL_DATA_FOLDER: "elsewhere",
      HOOKWELL_HOST: "0.0.0.0",
      HOOKWELL_PORT: "8080",
      HOOKWELL_INBOX_PORT: "8081",
      HOOKWELL_PUBLIC_URL: "https://hooks.example.test/",
      HOOKWELL_MASTER_KEY_FILE: "keys/master",
      HOOKWELL_ALLOW_LOOPBACK: "true",
      HOOKWELL_ALLOW_NETWORKS: "10.20.0.0/16, fd12:3456::/48",
      HOOKWELL_ALLOW_PORTS: "81,8443",
      HOOKWELL_ALLOW_HTTP_HOSTS: "Intake.example.test",
      HOOKWELL_ROLE: "worker",
      HOOKWELL_HOST_PACE: "250",
      HOOKWELL_RETENTION_DAYS: "0",
    });
    expect(config).toMatchObject({
      dataFolder: join(root, "elsewhere"),
      port: 8080,
      publicUrl: "https://hooks.example.test",
      masterKey: { from: "file", path: join(root, "keys/master"), createIfMissing: false },
      allowLoopback: true,
      allowed: { networks: ["10.20.0.0/16", "fd12:3456::/48"], ports: [81, 8443], httpHosts: ["intake.example.test"] },
      role: "worker",
      hostPacePerSecond: 250,
      retentionDays: 0,
    });
  });

  test("gives a worker any free port where none is asked for, since only probes use it", () => {
    const DATABASE_URL = "postgres://db.example.test/hookwell";
    expect(read({ DATABASE_URL, HOOKWELL_ROLE: "worker" }).port).toBe(0);
    expect(read({ DATABASE_URL, HOOKWELL_ROLE: "worker", HOOKWELL_PORT: "4410" }).port).toBe(4410);
    expect(read({ DATABASE_URL, HOOKWELL_ROLE: "api" }).port).toBe(4400);
  });

  test.for([
    [{ HOOKWELL_RETENTION_DAYS: "-1" }, /^HOOKWELL_RETENTION_DAYS must be a number of days from 0 to 3650/],
    [{ HOOKWELL_RETENTION_DAYS: "3651" }, /^HOOKWELL_RETENTION_DAYS must be at most 3650/],
    [{ HOOKWELL_PORT: "http" }, /^HOOKWELL_PORT must be a number from 0 to 65535/],
    [{ HOOKWELL_PORT: "70000" }, /^HOOKWELL_PORT must be at most 65535/],
    [{ HOOKWELL_HOST_PACE: "0" }, /^HOOKWELL_HOST_PACE must be a number from 1 to 100000/],
    [{ HOOKWELL_INBOX_PORT: "4400" }, /^HOOKWELL_INBOX_PORT must differ from HOOKWELL_PORT/],
    [{ DATABASE_URL: "mysql://x/y" }, /^DATABASE_URL must look like postgres:\/\//],
    [{ HOOKWELL_PUBLIC_URL: "hooks.example.test" }, /^HOOKWELL_PUBLIC_URL must be an http or https address/],
    [{ HOOKWELL_PUBLIC_URL: "https://a:b@hooks.example.test" }, /^HOOKWELL_PUBLIC_URL must be an origin only/],
    [{ HOOKWELL_PUBLIC_URL: "https://hooks.example.test/app" }, /^HOOKWELL_PUBLIC_URL must be an origin only/],
    [{ HOOKWELL_MASTER_KEY: "short" }, /^HOOKWELL_MASTER_KEY must be base64 .*openssl rand -base64 32/],
    [{ HOOKWELL_MASTER_KEY: "c2hvcnQ=" }, /^HOOKWELL_MASTER_KEY must be base64 of exactly 32 bytes/],
    [{ HOOKWELL_MASTER_KEY: KEY, HOOKWELL_MASTER_KEY_FILE: "x" }, /^HOOKWELL_MASTER_KEY_FILE .*keep one/],
    [{ HOOKWELL_AUTH_SECRET: "short" }, /^HOOKWELL_AUTH_SECRET must have at least 32 characters/],
    ...[
      ...["8.8.8.0/24", "127.0.0.0/8", "169.254.0.0/16", "0.0.0.0/0", "10.0.0.0/7", "::/0", "fe80::/10", "::1/128"],
      ...["100.64.0.0/10", "fd00:ec2::/32", "::ffff:10.0.0.0/104", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/8/8", "x/8"],
    ].map(
      (network) => [{ HOOKWELL_ALLOW_NETWORKS: network }, /^HOOKWELL_ALLOW_NETWORKS must be private networks/] as const,
    ),
    [{ HOOKWELL_ALLOW_PORTS: "80,0" }, /^HOOKWELL_ALLOW_PORTS must be ports/],
    [{ HOOKWELL_ALLOW_PORTS: "65536" }, /^HOOKWELL_ALLOW_PORTS must be ports/],
    [{ HOOKWELL_ALLOW_HTTP_HOSTS: "http://a.example.test" }, /^HOOKWELL_ALLOW_HTTP_HOSTS must be hosts without a port/],
    [{ HOOKWELL_ALLOW_HTTP_HOSTS: "intake" }, /^HOOKWELL_ALLOW_HTTP_HOSTS must be hosts without a port/],
    [{ HOOKWELL_ALLOW_LOOPBACK: "yes" }, /^HOOKWELL_ALLOW_LOOPBACK must be true or false/],
    [{ HOOKWELL_ROLE: "boss" }, /^HOOKWELL_ROLE must be api, worker or all/],
    [{ HOOKWELL_SMTP_URL: "smtp://mail.example.test" }, /^HOOKWELL_MAIL_FROM is missing: e-mail needs both/],
    [{ HOOKWELL_MAIL_FROM: "hooks@example.test" }, /^HOOKWELL_SMTP_URL is missing: e-mail needs both/],
    [{ ...MAIL, HOOKWELL_SMTP_URL: "http://mail.example.test" }, /^HOOKWELL_SMTP_URL must look like smtp:/],
    [{ ...MAIL, HOOKWELL_SMTP_URL: "smtp://mail.example.test?ignoreTLS=true" }, /^HOOKWELL_SMTP_URL must look like/],
    [{ ...MAIL, HOOKWELL_MAIL_FROM: "a@example.test\r\nBcc: b@example.test" }, /^HOOKWELL_MAIL_FROM must look like/],
    [{ ...MAIL, HOOKWELL_MAIL_FROM: "a@example.test, b@example.test" }, /^HOOKWELL_MAIL_FROM must look like/],
    [{ HOOKWELL_ROLE: "api" }, /^DATABASE_URL is needed for the role api: .* or use the role all/],
  ] as [Record<string, string>, RegExp][])("%o is refused with its name and a remedy", ([env, message]) => {
    expect(problemsOf(env)).toEqual([expect.stringMatching(message)]);
  });

  test("has all its problems named at once", () => {
    expect(problemsOf({ HOOKWELL_PORT: "x", HOOKWELL_ROLE: "y" })).toHaveLength(2);
  });

  test("never has a key repeated in an error or an inspection", () => {
    const secret = "not-base64-but-somebody's-secret!";
    expect(problemsOf({ HOOKWELL_MASTER_KEY: secret }).join()).not.toContain(secret);
    expect(problemsOf({ HOOKWELL_SMTP_URL: `mailto:${secret}` }).join()).not.toContain(secret);
    const smtp = { ...MAIL, HOOKWELL_SMTP_URL: "smtps://post:mail-password@mail.example.test" };
    const config = read({ HOOKWELL_MASTER_KEY: KEY, HOOKWELL_AUTH_SECRET: "s".repeat(40), ...smtp });
    const printed = inspect(config, { depth: null, showHidden: true }) + JSON.stringify(config);
    expect(printed).not.toContain(KEY);
    expect(printed).not.toContain("s".repeat(40));
    expect(printed).not.toContain("mail-password");
    expect(config.mail?.smtpUrl.export().toString("utf8")).toBe(smtp.HOOKWELL_SMTP_URL);
  });
});

describe("the master key", () => {
  const folderConfig = async (env: Record<string, string> = {}) => {
    const dataFolder = await mkdtemp(join(root, "data-"));
    return read({ HOOKWELL_DATA_FOLDER: dataFolder, ...env });
  };

  test("is made on the first start, for this user only, and is the same ever after", async () => {
    const config = await folderConfig();
    const first = await loadMasterKey(config);
    const path = join(config.dataFolder, "master.key");
    expect(first.symmetricKeySize).toBe(32);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await loadMasterKey(config)).equals(first)).toBe(true);
    expect(await readdir(config.dataFolder)).toEqual(["master.key"]);
  });

  test("is one, however many first starts there are at once", async () => {
    const config = await folderConfig();
    const keys = await Promise.all(Array.from({ length: 8 }, () => loadMasterKey(config)));
    expect(new Set(keys.map((key) => key.export().toString("hex"))).size).toBe(1);
    expect(await readdir(config.dataFolder)).toEqual(["master.key"]);
  });

  test("is not made anew for a database that was sealed with another", async () => {
    const config = await folderConfig();
    await mkdir(join(config.dataFolder, "postgres"));
    await expect(loadMasterKey(config)).rejects.toThrow(/not its master\.key.*Restore master\.key from your backup/);
    expect(await readdir(config.dataFolder)).toEqual(["postgres"]);
  });

  test("is not made where the operator has named a file", async () => {
    const config = await folderConfig({ HOOKWELL_MASTER_KEY_FILE: join(root, "absent") });
    await expect(loadMasterKey(config)).rejects.toThrow(
      /HOOKWELL_MASTER_KEY_FILE names .*absent, which does not exist/,
    );
  });

  test("comes from the named file, or from the environment", async () => {
    const file = join(root, "named.key");
    await writeFile(file, `${KEY}\n`);
    const expected = createSecretKey(Buffer.from(KEY, "base64"));
    const fromFile = await loadMasterKey(await folderConfig({ HOOKWELL_MASTER_KEY_FILE: file }));
    const fromEnvironment = await loadMasterKey(await folderConfig({ HOOKWELL_MASTER_KEY: KEY }));
    expect([fromFile.equals(expected), fromEnvironment.equals(expected)]).toEqual([true, true]);
  });

  test("is refused when others can read our file, or when the file is broken", async () => {
    const config = await folderConfig();
    await loadMasterKey(config);
    const path = join(config.dataFolder, "master.key");
    await chmod(path, 0o640);
    await expect(loadMasterKey(config)).rejects.toThrow(/can be read by others\. Run: chmod 600/);
    await writeFile(path, (await readFile(path, "utf8")).slice(0, 20));
    await expect(loadMasterKey(config)).rejects.toThrow(/master\.key must be base64/);
  });

  test("gives the auth secret, always the same one, unless that is configured", async () => {
    const key = createSecretKey(Buffer.alloc(32, 7));
    const derived = loadAuthSecret(read({}), key);
    expect(derived).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(loadAuthSecret(read({}), key)).toBe(derived);
    expect(loadAuthSecret(read({}), createSecretKey(Buffer.alloc(32, 8)))).not.toBe(derived);
    expect(loadAuthSecret(read({ HOOKWELL_AUTH_SECRET: "é".repeat(32) }), key)).toBe("é".repeat(32));
  });
});
