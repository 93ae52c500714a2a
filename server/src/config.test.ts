import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConfigError, readConfig } from "./config.ts";

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
      trustProxy: undefined,
      mail: undefined,
    });
  });

  test("names the reverse proxies that are believed, or how many there are", () => {
    const proxies = (text: string) => read({ HOOKWELL_TRUST_PROXY: text }).trustProxy;
    expect(proxies("10.0.0.5, fd00::/64")).toEqual(["10.0.0.5", "fd00::/64"]);
    expect(proxies("2")).toBe(2);
    for (const wrong of ["true", "0", "*", "0.0.0.0/0", "::/0", "proxy.example.test", "10.0.0.0/33", "10.0.0.1,"]) {
      expect(problemsOf({ HOOKWELL_TRUST_PROXY: wrong }), wrong).toEqual([
        expect.stringMatching(/^HOOKWELL_TRUST_PROXY must name your reverse proxies/),
      ]);
    }
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
