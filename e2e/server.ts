/** The demo server as a process of its own, started by its entry as `npm start` does, with a data folder that is removed. */
import { type ChildProcess, spawn } from "node:child_process";
import { chmod, cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { freePort } from "../server/src/db/embedded/free-port.ts";

const START_TIMEOUT_MS = 120_000;
const root = resolve(import.meta.dirname, "..");

export interface DemoServer {
  origin: string;
  dataFolder: string;
  email: string;
  password: string;
  /** what it printed on its standard output since its last start */
  printed(): string;
  /** Ends the process at once, as kill -9 does; its database is left behind. */
  kill(): Promise<void>;
  /** Starts it again on the same data folder and ports. */
  start(): Promise<void>;
  /** Ends it in order; its data stays. */
  stop(): Promise<void>;
  /** Ends it in order and removes its data. */
  close(): Promise<void>;
}

export interface DemoServerOptions {
  env?: Record<string, string>;
  /** a data folder of a demo that has ended, which is copied; an empty one by default, as at a first start */
  from?: string;
}

export async function startDemo(options: DemoServerOptions = {}): Promise<DemoServer> {
  const dataFolder = await mkdtemp(join(tmpdir(), "hookwell-e2e-"));
  if (options.from !== undefined) await cp(options.from, dataFolder, { recursive: true });
  await chmod(dataFolder, 0o711); // root runs PostgreSQL as another user, which must be able to pass through
  const [port, inboxPort] = [await freePort(), await freePort()];
  const env = {
    ...process.env,
    HOOKWELL_DATA_FOLDER: dataFolder,
    HOOKWELL_PORT: String(port),
    HOOKWELL_INBOX_PORT: String(inboxPort),
    ...options.env,
  };
  let child: ChildProcess | null = null;
  let printed = "";
  const demo: DemoServer = {
    origin: `http://localhost:${port}`,
    dataFolder,
    email: "",
    password: "",
    printed: () => printed,
    async start() {
      printed = "";
      child = spawn(process.execPath, [join(root, "server/bin/hookwell.mjs"), "demo"], {
        cwd: root,
        env,
        stdio: ["ignore", "pipe", "pipe"],
      });
      const read = (chunk: Buffer) => {
        printed += chunk.toString("utf8");
      };
      child.stdout?.on("data", read);
      child.stderr?.on("data", read);
      await untilReady(child, demo.origin, () => printed);
      Object.assign(demo, wayIn(printed));
    },
    kill: () => end(child, "SIGKILL"),
    stop: () => end(child, "SIGTERM"),
    async close() {
      await demo.stop();
      await refusePeopleInLog(join(dataFolder, "hookwell.log")).finally(() =>
        rm(dataFolder, { recursive: true, force: true }),
      );
    },
  };
  await demo.start();
  return demo;
}

/** Whatever a journey did: nobody's name or e-mail address is in the server's log. Its people have addresses as they are in tests. */
async function refusePeopleInLog(file: string): Promise<void> {
  const lines = (await readFile(file, "utf8")).split("\n");
  const found = lines.filter((line) => /[\w.+-]+@[\w-]+\.\w|Test Patient|Sam Sample|whsec_|hk_[\w-]{20}/i.test(line));
  if (lines.length < 2) throw new Error("the server's log is empty, and so proves nothing");
  if (found.length > 0)
    throw new Error(`people or secrets stand in the server's log:\n${found.slice(0, 5).join("\n")}`);
}

/** How to sign in, out of the lines that the demo prints. Throws where they do not say. */
export function wayIn(printed: string): { email: string; password: string } {
  const [, email, password] = /(\S+@example\.test)\D*?password:?\s+(\S+)/i.exec(printed) ?? [];
  if (!email || !password) throw new Error(`the server printed no way to sign in:\n${printed}`);
  return { email, password };
}

async function untilReady(child: ChildProcess, origin: string, printed: () => string): Promise<void> {
  const giveUpAt = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    const ready = await fetch(`${origin}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready && printed().includes("@example.test")) return;
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${printed()}`);
    if (performance.now() > giveUpAt) throw new Error(`the server did not become ready:\n${printed()}`);
    await new Promise((fulfil) => setTimeout(fulfil, 50));
  }
}

async function end(child: ChildProcess | null, signal: NodeJS.Signals): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((fulfil) => child.once("exit", fulfil));
  child.kill(signal);
  await ended;
}
