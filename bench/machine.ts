/** On what the figures were made: without it they mean nothing to anybody else. */
import { readFileSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { arch, cpus, loadavg, release, totalmem, type } from "node:os";
import { join } from "node:path";
import type { BenchServer } from "./database.ts";
import { median, rounded } from "./statistics.ts";

const SYNCS = 50;
const PAGE_BYTES = 8_192;

export interface Machine {
  cores: number;
  cpu: string;
  memory_gb: number;
  kernel: string;
  /** How long the disk takes to make one page durable: what every commit waits for, at least. */
  fsync_ms: number;
  /** Of the last minute, before anything was measured: above 0.2 or so somebody else was at work, too. */
  load_average: number;
  node: string;
  postgres: string;
  packages: Record<string, string>;
}

export async function describeMachine(server: BenchServer): Promise<Machine> {
  const [row] = await server.query<{ version: string }>("select current_setting('server_version') as version");
  const names = ["undici", "pg", "pg-boss", "graphile-worker"];
  return {
    cores: cpus().length,
    cpu: cpus()[0]?.model ?? "unknown",
    memory_gb: rounded(totalmem() / 1e9),
    kernel: `${type()} ${release()} ${arch()}`,
    fsync_ms: await fsyncMs(server.folder),
    load_average: rounded(loadavg()[0] ?? 0, 2),
    node: process.version,
    postgres: row?.version ?? "unknown",
    packages: Object.fromEntries(names.map((name) => [name, versionOf(name)])),
  };
}

function versionOf(name: string): string {
  const path = join(import.meta.dirname, "../node_modules", name, "package.json");
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}

async function fsyncMs(folder: string): Promise<number> {
  const path = join(folder, "fsync");
  const file = await open(path, "w");
  try {
    const times: number[] = [];
    for (let n = 0; n < SYNCS; n += 1) {
      await file.write(Buffer.alloc(PAGE_BYTES, n), 0, PAGE_BYTES, 0);
      const before = performance.now();
      await file.datasync();
      times.push(performance.now() - before);
    }
    return rounded(median(times));
  } finally {
    await file.close();
    await rm(path);
  }
}
