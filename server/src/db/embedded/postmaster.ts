/**
 * The PostgreSQL server process: starting one, recognising one that already runs on our folder, ending it. Never signals a
 * process that it has not just proved to be the PostgreSQL of that folder, since process ids are used again.
 */
import type { ChildProcess } from "node:child_process";
import { closeSync, fchownSync, fstatSync, openSync } from "node:fs";
import { link, open, readFile, readlink, rename, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { finished, type Launcher } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { lastLines } from "./cluster.ts";
import { freePort } from "./free-port.ts";

const POLL_MS = 25;
const FAST_STOP_LIMIT_MS = 60_000;
const IMMEDIATE_STOP_LIMIT_MS = 30_000;
const LOG_FILE_MAX_BYTES = 10 * 1024 * 1024;
const LOG_TAIL_BYTES = 8 * 1024;

export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  /** The process that we started; undefined for one that was running already. */
  readonly child: ChildProcess | undefined;
  alive(): Promise<boolean>;
  /** What this one has written to its log since it was started by us. */
  said(): Promise<string>;
}

export interface PostmasterOptions {
  readonly binaries: Binaries;
  readonly launcher: Launcher;
  readonly clusterFolder: string;
  readonly logFile: string;
  /** PostgreSQL settings, by name. */
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * Starts PostgreSQL on a free port of the loopback interface; it may end again at once. It gets a session of its own, so
 * that Ctrl-C in the terminal reaches Node alone, which drains before it stops the database.
 */
export async function spawnPostmaster(options: PostmasterOptions): Promise<Postmaster> {
  const port = await freePort(); // should somebody take it first, PostgreSQL ends at once and another is tried
  const log = await openLog(options);
  try {
    const from = fstatSync(log).size;
    const args = ["-D", options.clusterFolder, "-p", String(port)];
    for (const [name, value] of Object.entries(options.settings)) args.push("-c", `${name}=${value}`);
    const child = options.launcher.spawn(options.binaries.postgres, args, {
      detached: true,
      stdio: ["ignore", log, log],
    });
    const ended = finished(child);
    let running = true;
    void ended.then(() => {
      running = false;
    });
    child.unref();
    return {
      pid: child.pid ?? 0,
      port,
      child,
      alive: async () => running,
      said: () => readTail(options.logFile, from),
    };
  } finally {
    closeSync(log);
  }
}

/** The PostgreSQL that already runs on this folder, as its postmaster.pid says and the process itself confirms. */
export async function findPostmaster(clusterFolder: string): Promise<Postmaster | undefined> {
  const file = join(clusterFolder, "postmaster.pid");
  for (;;) {
    const text = await readIfThere(file);
    const [pid, , , port] = (text ?? "").split("\n").map(Number);
    if (text === undefined || !isPositive(pid)) return undefined;
    if (!(await isPostmasterOf(pid, clusterFolder))) {
      if (isRunning(pid)) await removeStale(file, text);
      return undefined;
    }
    if (isPositive(port)) {
      return { pid, port, child: undefined, alive: () => isPostmasterOf(pid, clusterFolder), said: async () => "" };
    }
    // Just started by somebody, who has not got to the line with the port yet.
    await pause(POLL_MS);
  }
}

/** Ends it in the fast way: open transactions roll back, a checkpoint is written. Returns once the process is gone. */
export async function stopPostmaster(postmaster: Postmaster): Promise<"stopped" | "forced"> {
  if (await signalled(postmaster, "SIGINT", FAST_STOP_LIMIT_MS)) return "stopped";
  // Its disk may be so slow that the checkpoint takes minutes; without one the next start recovers from the log instead.
  if (await signalled(postmaster, "SIGQUIT", IMMEDIATE_STOP_LIMIT_MS)) return "forced";
  throw new Error(`PostgreSQL (process ${postmaster.pid}) does not stop.`);
}

async function signalled(postmaster: Postmaster, signal: NodeJS.Signals, limitMs: number): Promise<boolean> {
  if (!(await postmaster.alive())) return true;
  try {
    process.kill(postmaster.pid, signal);
  } catch (error) {
    if (codeOf(error) !== "ESRCH") throw error;
  }
  for (const end = performance.now() + limitMs; performance.now() < end; await pause(POLL_MS)) {
    if (!(await postmaster.alive())) return true;
  }
  return false;
}

async function isPostmasterOf(pid: number, clusterFolder: string): Promise<boolean> {
  if (!isRunning(pid)) return false;
  const args = await argumentsOf(pid);
  // A zombie has no arguments any more; neither has a process that belongs to the kernel.
  if (basename(args[0] ?? "") !== "postgres") return false;
  if (args.includes(clusterFolder)) return true;
  return process.platform === "linux" && (await workingFolderOf(pid)) === clusterFolder;
}

async function argumentsOf(pid: number): Promise<string[]> {
  if (process.platform === "linux") return ((await readIfThere(`/proc/${pid}/cmdline`)) ?? "").split("\0");
  const { spawn } = await import("node:child_process");
  const child = spawn("ps", ["-ww", "-o", "args=", "-p", String(pid)], { stdio: ["ignore", "pipe", "ignore"] });
  const { output } = await finished(child);
  const [program = "", ...rest] = output.split(/ (?=-)/);
  return [program, ...rest.map((argument) => argument.replace(/^-D /, ""))];
}

/** PostgreSQL goes into its folder; this still names it after the folder was renamed. */
async function workingFolderOf(pid: number): Promise<string | undefined> {
  try {
    return await readlink(`/proc/${pid}/cwd`);
  } catch (error) {
    if (["ENOENT", "EACCES", "EPERM", "ESRCH"].includes(String(codeOf(error)))) return undefined;
    throw error;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

/**
 * After a crash the number in postmaster.pid may belong to some other process by now (always so in containers, where they
 * are handed out in the same order), or to a zombie; PostgreSQL would refuse to start because of it. Whether backends of
 * the dead server are still at work it finds out by itself, from the shared memory. The file is taken aside first: had a
 * rival put a fresh one there in between, it goes back.
 */
async function removeStale(file: string, text: string): Promise<void> {
  const aside = `${file}.stale.${process.pid}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  const fresh = (await readFile(aside, "utf8")) !== text;
  if (fresh) await link(aside, file);
  await rm(aside);
}

async function openLog({ logFile: path, launcher: { account } }: PostmasterOptions): Promise<number> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size > LOG_FILE_MAX_BYTES) await rename(path, `${path}.1`);
  const log = openSync(path, "a", 0o600);
  // So that the owner of the folder can start the program again after root has done so once.
  if (account !== undefined) fchownSync(log, account.uid, account.gid);
  return log;
}

async function readTail(path: string, from: number): Promise<string> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const start = Math.max(from, size - LOG_TAIL_BYTES);
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(size - start), position: start });
    return lastLines(buffer.toString("utf8", 0, bytesRead));
  } finally {
    await file.close();
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes(String(codeOf(error)))) return undefined;
    throw error;
  }
}

function isPositive(value: number | undefined): value is number {
  return value !== undefined && Number.isSafeInteger(value) && value > 0;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
