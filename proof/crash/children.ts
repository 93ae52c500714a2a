/** The processes that a proof starts: each is ended by its own id, and none outlives its starter. */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";

const HERE = import.meta.dirname;
const ROOT = resolve(HERE, "../..");
const START_LIMIT_MS = 60_000;

export interface NodeSettings {
  databaseUrl: string;
  /** base64 */
  masterKey: string;
  dataFolder: string;
  logFile: string;
}

function environment({ databaseUrl, masterKey, dataFolder }: NodeSettings): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...{ DATABASE_URL: databaseUrl, HOOKWELL_MASTER_KEY: masterKey, HOOKWELL_DATA_FOLDER: dataFolder },
    ...{ HOOKWELL_ROLE: "worker", HOOKWELL_ALLOW_LOOPBACK: "true", HOOKWELL_PORT: "0", HOOKWELL_INBOX_PORT: "0" },
  };
}

/** A node whose clock can be moved; see node-process.ts. */
export function forkNode(settings: NodeSettings): ChildProcess {
  return fork(join(HERE, "node-process.ts"), [settings.logFile], { env: environment(settings), silent: true });
}

/** `hookwell serve`, as an operator starts it: a worker, unless its environment says otherwise. Its log comes on its standard output. */
export function serveNode(settings: NodeSettings, more: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(process.execPath, [join(ROOT, "server/bin/hookwell.mjs"), "serve"], {
    env: { ...environment(settings), ...more },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** A program of this folder. */
export function forkProgram(file: string, ...args: string[]): ChildProcess {
  return fork(join(HERE, file), args, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
}

/** The first message that fits; throws when the process ends before, or says nothing of the kind. */
export async function message<Message>(child: ChildProcess, fits: (message: Message) => boolean): Promise<Message> {
  const { promise, resolve: fulfil, reject } = Promise.withResolvers<Message>();
  const onMessage = (one: unknown) => fits(one as Message) && fulfil(one as Message);
  const onExit = () => reject(new Error(`process ${child.pid} ended before it was ready`));
  const limit = setTimeout(() => reject(new Error(`process ${child.pid} was not ready in time`)), START_LIMIT_MS);
  child.on("message", onMessage);
  child.once("exit", onExit);
  return promise.finally(() => {
    clearTimeout(limit);
    child.off("message", onMessage);
    child.off("exit", onExit);
  });
}

export const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

/** Sends a signal and returns when the process is gone. */
export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return;
  const gone = once(child, "exit");
  child.kill(signal);
  await gone;
}
