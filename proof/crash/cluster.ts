/**
 * A PostgreSQL of its own for a proof, durable as in production, behind proxies whose ports stay the same however often it is
 * started again. It can be stopped at once (as `pg_ctl stop -m immediate` does it), and its disk can be filled up where root
 * may mount a small file system for it.
 */
import { execFile } from "node:child_process";
import { chmod, mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { startEmbedded } from "../../server/src/db/embedded.ts";
import { silentLog } from "../../server/src/log.ts";
import { until } from "../../server/test/until.ts";
import { WireProxy } from "./wire-proxy.ts";

const run = promisify(execFile);
const SMALL_DISK_MB = 700;
const FILL_CHUNK_BYTES = 4 * 1024 * 1024;
/** 300 idle connections besides the nodes' own; a small log so that a small disk holds it. */
const SETTINGS = { max_connections: "450", max_wal_size: "96MB", min_wal_size: "32MB" };
const STOP_LIMIT_MS = 30_000;

export class Cluster {
  readonly folder: string;
  /** why the disk cannot be filled up; null where it can */
  readonly diskProblem: string | null;
  readonly #proxies: WireProxy[] = [];
  #url = "";
  #stop: () => Promise<void> = async () => {};

  private constructor(folder: string, diskProblem: string | null) {
    this.folder = folder;
    this.diskProblem = diskProblem;
  }

  static async start({ smallDisk }: { smallDisk: boolean }): Promise<Cluster> {
    const folder = await mkdtemp(join(tmpdir(), "hookwell-crash-"));
    await chmod(folder, 0o711); // root runs PostgreSQL as another user, which must be able to pass through
    const cluster = new Cluster(folder, smallDisk ? await mountSmallDisk(folder) : "it was not asked for");
    await chmod(folder, 0o711);
    await cluster.#open();
    return cluster;
  }

  /** An address that stays the same, and the proxy behind it. */
  async address(): Promise<{ url: string; proxy: WireProxy }> {
    const proxy = await WireProxy.listen(Number(new URL(this.#url).port));
    this.#proxies.push(proxy);
    return { url: proxy.urlFor(this.#url), proxy };
  }

  async #open(): Promise<void> {
    const { url, stop } = await startEmbedded({ dataFolder: this.folder, log: silentLog(), settings: SETTINGS });
    this.#url = url;
    this.#stop = stop;
    for (const proxy of this.#proxies) proxy.retarget(Number(new URL(url).port));
  }

  /** Ends it without a word to anybody and without a checkpoint, and starts it again: it recovers from its log. */
  async crash(signal: "SIGQUIT" | "SIGKILL"): Promise<void> {
    const pid = await this.#pid();
    if (pid !== null) {
      process.kill(pid, signal);
      await until("PostgreSQL has ended", () => !isRunning(pid), STOP_LIMIT_MS);
    }
    await this.#open();
  }

  async #pid(): Promise<number | null> {
    const text = await readFile(join(this.folder, "postgres/postmaster.pid"), "utf8").catch(() => "");
    const pid = Number(text.split("\n")[0]);
    return pid > 0 && isRunning(pid) ? pid : null;
  }

  /** Writes until no byte is left, keeps it so for a while, makes room again, and starts what has ended of it. */
  async fillDisk(whileFull: () => Promise<void>): Promise<void> {
    if (this.diskProblem !== null) throw new Error(this.diskProblem);
    const path = join(this.folder, "filler");
    try {
      await fill(path);
      await whileFull();
    } finally {
      await rm(path, { force: true });
    }
    if ((await this.#pid()) === null) await this.#open();
  }

  async stop(): Promise<void> {
    for (const proxy of this.#proxies) await proxy.close();
    await this.#stop();
    if (this.diskProblem === null) await run("umount", [this.folder]);
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function mountSmallDisk(folder: string): Promise<string | null> {
  if (process.getuid?.() !== 0) return "only root may mount a small disk";
  return run("mount", ["-t", "tmpfs", "-o", `size=${SMALL_DISK_MB}m`, "tmpfs", folder]).then(
    () => null,
    (error: Error) => `a small disk cannot be mounted here: ${error.message.split("\n").at(-2) ?? error.message}`,
  );
}

async function fill(path: string): Promise<void> {
  const file = await open(path, "a");
  try {
    for (let bytes = FILL_CHUNK_BYTES; bytes >= 1; ) {
      const isFull = await file.write(Buffer.alloc(bytes)).then(
        ({ bytesWritten }) => bytesWritten < bytes,
        (error: NodeJS.ErrnoException) => {
          if (error.code !== "ENOSPC") throw error;
          return true;
        },
      );
      if (isFull) bytes = Math.floor(bytes / 16);
    }
  } finally {
    await file.close();
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
