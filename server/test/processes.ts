/** Hookwell as operators run it: processes of their own, by their entry, on one database. For tests that stop and kill them. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hear } from "./canary/watch.ts";

const PROGRAM = fileURLToPath(new URL("../bin/hookwell.mjs", import.meta.url));

export interface ProcessOptions {
  readonly role: "api" | "worker" | "all";
  readonly databaseUrl: string;
  /** base64 */
  readonly masterKey: string;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ServerProcess {
  readonly pid: number;
  readonly origin: string;
  /** Its log so far. */
  said(): string;
  signal(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
  /** Sends SIGTERM and waits until it has ended. */
  stop(): Promise<Ended>;
}

/** Starts `hookwell serve` on free ports and returns once it is ready. Its data folder goes when it has ended. */
export async function startProcess({ role, databaseUrl, masterKey }: ProcessOptions): Promise<ServerProcess> {
  const folder = await mkdtemp(join(tmpdir(), "hookwell-process-"));
  const env = {
    ...process.env,
    DATABASE_URL: databaseUrl,
    HOOKWELL_MASTER_KEY: masterKey,
    HOOKWELL_DATA_FOLDER: folder,
    HOOKWELL_PORT: "0",
    HOOKWELL_INBOX_PORT: "0",
    HOOKWELL_ALLOW_LOOPBACK: "true",
  };
  const child = spawn(process.execPath, [PROGRAM, "serve", "--role", role], { env, stdio: ["ignore", "pipe", "pipe"] });
  const { promise: ready, resolve, reject } = Promise.withResolvers<number>();
  let said = "";
  const read = (chunk: Buffer) => {
    said += chunk.toString("utf8");
    const port = /"port":(\d+)[^\n]*"event":"server\.started"/.exec(said)?.[1];
    if (port !== undefined) resolve(Number(port));
  };
  child.stdout.on("data", read);
  child.stderr.on("data", read);
  const ended = endOf(child, folder).finally(() => hear("log of a process", said));
  ended.then(({ code }) => reject(new Error(`it ended with ${code} before it was ready: ${said}`)), reject);
  const port = await ready;
  return {
    pid: child.pid ?? 0,
    origin: `http://127.0.0.1:${port}`,
    said: () => said,
    signal: (signal) => void child.kill(signal),
    ended,
    stop() {
      child.kill("SIGTERM");
      return ended;
    },
  };
}

async function endOf(child: ChildProcess, folder: string): Promise<Ended> {
  const ended = await new Promise<Ended>((fulfil) => child.once("exit", (code, signal) => fulfil({ code, signal })));
  await rm(folder, { recursive: true, force: true });
  return ended;
}
