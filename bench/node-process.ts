/** The server under test: the real one, started as an operator would, in a process of its own, with the Node that runs this. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const ENTRY = join(import.meta.dirname, "../server/bin/hookwell.mjs");
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 60_000;
const POLL_MS = 25;
const LOG_TAIL_LINES = 5;

export interface NodeOptions {
  readonly databaseUrl: string;
  readonly role: "api" | "worker" | "all";
  /** base64 of 32 bytes */
  readonly masterKey: string;
  /** Its data folder is made in here. */
  readonly folder: string;
  readonly name: string;
  /** Where its CPU profile is written when it ends. */
  readonly cpuProf?: string | undefined;
}

export interface NodeProcess {
  readonly pid: number;
  readonly port: number;
  /** Throws with the end of its log when it has ended by itself. */
  assertAlive(): Promise<void>;
  /** SIGTERM, as an operator would; returns once it has ended. Throws when it did not end well. */
  stop(): Promise<void>;
}

/** Starts the server and returns once it answers. Its log goes into a file, as a service's would. */
export async function startNode(options: NodeOptions): Promise<NodeProcess> {
  const logFile = join(options.folder, `${options.name}.log`);
  const log = openSync(logFile, "w");
  const profiling = options.cpuProf === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${options.cpuProf}`];
  const child = spawn(process.execPath, [...profiling, ENTRY, "serve"], {
    env: { ...withoutSettings(), ...settingsOf(options) },
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  const ended = new Promise<void>((fulfil) => child.once("exit", () => fulfil()));
  const tail = async () => (await readFile(logFile, "utf8")).split("\n").slice(-LOG_TAIL_LINES).join("\n");
  const assertAlive = async () => {
    if (child.exitCode === null && child.signalCode === null) return;
    throw new Error(`the ${options.role} process ended by itself. The end of its log:\n${await tail()}`);
  };
  try {
    const port = await portOf(logFile, assertAlive);
    return { pid: child.pid ?? 0, port, assertAlive, stop: () => stopped(child, ended, tail) };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

async function portOf(logFile: string, assertAlive: () => Promise<void>): Promise<number> {
  for (const giveUpAt = performance.now() + START_LIMIT_MS; performance.now() < giveUpAt; await pause(POLL_MS)) {
    await assertAlive();
    const started = (await readFile(logFile, "utf8")).split("\n").find((line) => line.includes('"server.started"'));
    if (started !== undefined) return (JSON.parse(started) as { port: number }).port;
  }
  throw new Error(`the server did not start within ${START_LIMIT_MS} ms`);
}

async function stopped(child: ChildProcess, ended: Promise<void>, tail: () => Promise<string>): Promise<void> {
  child.kill("SIGTERM");
  const limit = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
  await ended;
  clearTimeout(limit);
  if (child.exitCode !== 0)
    throw new Error(`the server ended with ${child.exitCode ?? child.signalCode}:\n${await tail()}`);
}

/** This process' environment without anything that would change what is measured. */
function withoutSettings(): NodeJS.ProcessEnv {
  const isSetting = (name: string) => /^(HOOKWELL_|PG|NODE_OPTIONS$|DATABASE_URL$)/.test(name);
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isSetting(name)));
}

function settingsOf({ databaseUrl, role, masterKey, folder, name }: NodeOptions): NodeJS.ProcessEnv {
  return {
    DATABASE_URL: databaseUrl,
    HOOKWELL_ROLE: role,
    HOOKWELL_MASTER_KEY: masterKey,
    HOOKWELL_DATA_FOLDER: join(folder, name),
    HOOKWELL_PORT: "0",
    HOOKWELL_INBOX_PORT: "0",
    HOOKWELL_PUBLIC_URL: "http://localhost:4400",
    HOOKWELL_ALLOW_LOOPBACK: "true",
    HOOKWELL_HOST_PACE: "100000",
  };
}
