/** Imports go one way through the rooms (ARCHITECTURE.md), and only egress and the listeners touch the network. */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const src = join(root, "server/src");

/** Each room and the rooms that it may import besides itself. A room that is not listed may import nothing. */
const ALLOWED: Record<string, readonly string[]> = {
  errors: [],
  clock: [],
  log: [],
  config: ["errors"],
  db: ["errors", "config", "clock", "log"],
  seal: ["errors", "config", "clock", "log", "db"],
  audit: ["errors", "config", "clock", "log", "db", "seal"],
  egress: ["errors", "config", "clock", "log"],
  operator: ["errors", "config", "clock", "log", "db", "audit"],
  webhooks: ["errors", "config", "clock", "log", "db", "seal", "audit", "egress"],
  outbox: ["errors", "config", "clock", "log", "db", "seal"],
  clinic: ["errors", "config", "clock", "log", "db", "seal", "audit", "outbox"],
  delivery: ["errors", "config", "clock", "log", "db", "seal", "audit", "webhooks", "outbox", "egress"],
  notices: ["errors", "config", "clock", "log", "db", "seal", "audit", "egress", "webhooks", "outbox"],
  scheduler: ["errors", "config", "clock", "log", "db", "seal", "audit", "outbox", "clinic"],
  inbox: ["errors", "config", "clock", "log", "db", "seal", "outbox"],
  accounts: ["errors", "config", "clock", "log", "db", "seal", "audit", "egress"],
  maintenance: ["log", "delivery"],
  metrics: ["clock", "log", "db", "delivery"],
};
const ABOVE = ["api", "demo", "app", "cli"];
const everythingBelow = (room: string) => [...Object.keys(ALLOWED), ...ABOVE.slice(0, ABOVE.indexOf(room))];

const files = globSync("**/*.ts", { cwd: src }).filter((file) => !file.endsWith(".test.ts"));

function roomOf(file: string): string {
  return (file.split("/")[0] ?? "").replace(/\.ts$/, "");
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(src, file), "utf8");
  return [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1] ?? "");
}

describe("the rooms of the server", () => {
  test("are all known", () => {
    const known = new Set([...Object.keys(ALLOWED), ...ABOVE]);
    expect([...new Set(files.map(roomOf))].filter((room) => !known.has(room))).toEqual([]);
  });

  test("import one way only", () => {
    const wrong: string[] = [];
    for (const file of files) {
      const room = roomOf(file);
      const allowed = ALLOWED[room] ?? everythingBelow(room);
      for (const specifier of importsOf(file).filter((s) => s.startsWith("."))) {
        const target = roomOf(relative(src, resolve(src, dirname(file), specifier)));
        if (target !== room && !allowed.includes(target)) wrong.push(`${file} imports ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test("reach other workspaces by name, and only the SDK", () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((s) => s.startsWith("@hookwell/") && !s.startsWith("@hookwell/sdk"))
        .map((s) => `${file} imports ${s}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe("the SDK", () => {
  test("depends on nothing", () => {
    const manifest = JSON.parse(readFileSync(join(root, "sdk/package.json"), "utf8")) as { dependencies?: object };
    expect(manifest.dependencies ?? {}).toEqual({});
  });
});

describe("the browser", () => {
  test("imports the SDK, its own files and libraries, never the server's code at run time", () => {
    const web = join(root, "web/src");
    const wrong = globSync("**/*.{ts,tsx}", { cwd: web }).flatMap((file) =>
      [...readFileSync(join(web, file), "utf8").matchAll(/import (type )?[^;]*?from "([^"]+)"/g)]
        .filter((match) => /server\//.test(match[2] ?? "") && match[1] === undefined)
        .map((match) => `${file} imports ${match[2]}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe("outgoing connections", () => {
  const NETWORK =
    /import (?!type )([^;]+?) from "(?:undici|nodemailer|node:(?:http|https|net|tls|dgram|http2|dns|dns\/promises))"/gs;
  const GLOBALS = /\b(?:fetch|WebSocket|EventSource)\(/;
  /** However else a module could be had. */
  const INDIRECT =
    /(?:import|require|getBuiltinModule)\(\s*["'](?:undici|nodemailer|(?:node:)?(?:http|https|net|tls|dgram|http2|dns|dns\/promises))["']/;
  /** What opens no connection: listening and reading addresses. */
  const HARMLESS = new Set(["createServer", "isIP", "BlockList"]);

  function opensConnections(file: string): boolean {
    const text = readFileSync(join(src, file), "utf8").replace(/\/\*.*?\*\/|\/\/[^\n]*/gs, "");
    if (GLOBALS.test(text) || INDIRECT.test(text)) return true;
    const named = [...text.matchAll(NETWORK)].flatMap((match) => (match[1] ?? "").replace(/[{}]/g, "").split(","));
    return named.map((name) => name.trim()).some((name) => name && !name.startsWith("type ") && !HARMLESS.has(name));
  }

  test("are made in egress alone", () => {
    expect(files.filter((file) => roomOf(file) !== "egress" && opensConnections(file))).toEqual([]);
  });
});
