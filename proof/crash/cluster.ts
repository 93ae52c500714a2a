/**
 * A PostgreSQL of its own for a proof, durable as in production, behind proxies whose ports stay the same however often it is
 * started again. It can be stopped at once (as `pg_ctl stop -m immediate` does it), and its disk can be filled up: truly, where
 * root may mount a small file system for it; otherwise no file of its may grow for a while, which meets it in the same places.
 */
import { execFile } from "node:child_process";
import { chmod, mkdtemp, open, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { dial } from "../../server/src/db/embedded/holder.ts";
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
const START_LIMIT_MS = 60_000;
/** Less than a segment of the log, and than most tables: what would go beyond is refused. */
const GROWS_TO_BYTES = 1024 * 1024;
/** By twice as much. */
const GROW = `insert into growing select repeat('x', 1000) from generate_series(1, ${Math.ceil(GROWS_TO_BYTES / 500)})`;

/** How the disk is filled up, or why it cannot be. */
export type Disk = { how: "full" | "no file may grow"; problem: null } | { how: null; problem: string };

export class Cluster {
  readonly folder: string;
  disk: Disk = { how: null, problem: "it was not asked for" };
  readonly #proxies: WireProxy[] = [];
  #url = "";
  #stop: () => Promise<void> = async () => {};

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async start({ smallDisk }: { smallDisk: boolean }): Promise<Cluster> {
    const folder = await mkdtemp(join(tmpdir(), "hookwell-crash-"));
    await chmod(folder, 0o711); // root runs PostgreSQL as another user, which must be able to pass through
    const cluster = new Cluster(folder);
    const noMount = smallDisk ? await mountSmallDisk(folder) : null;
    await chmod(folder, 0o711);
    await cluster.#open();
    if (smallDisk) cluster.disk = await cluster.#chooseDisk(noMount);
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

  async #chooseDisk(noMount: string | null): Promise<Disk> {
    if (noMount === null) return { how: "full", problem: null };
    return this.#limitFiles("unlimited").then(
      () => ({ how: "no file may grow", problem: null }),
      (error: Error) => ({
        how: null,
        problem: `${noMount}, and the size of files cannot be limited: ${error.message}`,
      }),
    );
  }

  /** Of the server and all its processes; those that it starts have what it has. */
  async #limitFiles(bytes: number | "unlimited"): Promise<void> {
    const pid = await this.#pid();
    if (pid === null) throw new Error("PostgreSQL does not run: there is nothing to limit");
    // Another user's limits are not even root's to change in a container.
    const { uid, gid } = await stat(join(this.folder, "postgres"));
    const as = process.getuid?.() === 0 ? { uid, gid } : {};
    const limit = (of: string | number) => run("prlimit", ["--pid", String(of), `--fsize=${bytes}:`], as);
    await limit(pid);
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
    for (const child of children.split(" ").filter((text) => text !== "")) {
      await limit(child).catch((error: unknown) => {
        if (isRunning(Number(child))) throw error;
      });
    }
  }

  /**
   * Lets it write nothing more, keeps it so for a while, makes room again, and starts what has ended of it. Throws where a
   * table could grow all the same.
   */
  async fillDisk(whileFull: () => Promise<void>): Promise<void> {
    if (this.disk.how === null) throw new Error(this.disk.problem);
    const path = join(this.folder, "filler");
    const table = await openTable(this.#url);
    try {
      await (this.disk.how === "full" ? fill(path) : this.#limitFiles(GROWS_TO_BYTES));
      const grew = await table.query(GROW).then(
        () => true,
        () => false,
      );
      if (grew) throw new Error(`a table could grow, although the disk was made "${this.disk.how}"`);
      await whileFull();
    } finally {
      if (this.disk.how === "full") await rm(path, { force: true });
      else if ((await this.#pid()) !== null) await this.#limitFiles("unlimited");
      await table.end().catch(() => {});
    }
    await until("PostgreSQL takes connections again", () => this.#isBack(), START_LIMIT_MS);
  }

  /** It may have ended, or be about to, or recover from its log. */
  async #isBack(): Promise<boolean> {
    if ((await this.#pid()) === null) await this.#open();
    const client = await connect(this.#url);
    await client?.end();
    return client !== null;
  }

  async stop(): Promise<void> {
    for (const proxy of this.#proxies) await proxy.close();
    await this.#stop();
    if (this.disk.how === "full") await run("umount", [this.folder]);
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Null where the server does not take connections now. */
async function connect(url: string) {
  const dialled = await dial(url);
  return typeof dialled !== "string" && "client" in dialled ? dialled.client : null;
}

/** A connection with a table that has grown once. Temporary: it adds nothing to the log, and is gone with its connection. */
async function openTable(url: string) {
  const client = await connect(url);
  if (client === null) throw new Error("PostgreSQL takes no connection, before its disk is filled up");
  await client.query("create temporary table growing (line text)");
  await client.query(GROW);
  return client;
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
