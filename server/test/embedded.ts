/** For tests that kill: the embedded database opened by a Node process of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("./embedded-process.ts", import.meta.url));

/** One line of what the process prints. */
export interface Said {
  readonly url?: string;
  readonly adopted?: boolean;
  readonly error?: string;
  readonly lost?: string;
  readonly stopped?: boolean;
}

export interface Program {
  readonly child: ChildProcess;
  next(): Promise<Said>;
  /** Sends the signal to the whole process group, as a terminal does (kill -9 by default), and waits until it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts the process; its first line has the address of the database or the reason why there is none. */
export function openInProcess(dataFolder: string): Program {
  const child = spawn(process.execPath, [PROGRAM, dataFolder], {
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  const gone = once(child, "exit");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    child,
    async next() {
      const { value, done } = await lines.next();
      if (done) throw new Error("The process has ended without a word.");
      return JSON.parse(value) as Said;
    },
    async kill(signal = "SIGKILL") {
      try {
        if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid ?? 0), signal);
      } catch (error) {
        // It has ended by itself, and Node has not heard of it yet.
        if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
      }
      await gone;
    },
  };
}

/** Whether a process is at work; a zombie that nobody has collected is not. */
export async function works(pid: number): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return state !== "" && !/\) [ZX] /.test(state);
}
