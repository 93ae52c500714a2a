import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { chooseLauncher, finished } from "./account.ts";
import { type Binaries, findBinaries } from "./binaries.ts";
import { ensureCluster } from "./cluster.ts";
import { spawnPostmaster, stopPostmaster } from "./postmaster.ts";

const isRoot = process.getuid?.() === 0;
let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "hookwell-account-"));
});

afterEach(() => rm(root, { recursive: true }));

/** Only the programs are copied; what else they need is found through links, as it stays readable. */
async function copyOfBinaries(folder: string): Promise<Binaries> {
  const { postgres } = await findBinaries();
  const native = dirname(dirname(postgres));
  await mkdir(folder);
  await cp(join(native, "bin"), join(folder, "bin"), { recursive: true });
  for (const name of ["lib", "share"]) await symlink(join(native, name), join(folder, name));
  const sampleFile = join(folder, "share/postgresql/postgres.bki");
  return { initdb: join(folder, "bin/initdb"), postgres: join(folder, "bin/postgres"), sampleFile };
}

describe.runIf(isRoot)("root", () => {
  test("lends PostgreSQL another account, which gets none of our variables", async () => {
    await chmod(root, 0o755);
    const binaries = await findBinaries();
    const launcher = await chooseLauncher({ binaries, dataFolder: root, clusterFolder: join(root, "postgres") });
    const child = launcher.spawn("/bin/sh", ["-c", "id -u; id -G; env; grep CapEff /proc/self/status"], {
      stdio: "pipe",
    });
    const { output } = await finished(child);
    const [uid, groups, ...rest] = output.split("\n");
    expect(Number(uid)).toBe(launcher.account?.uid);
    expect(Number(uid)).toBeGreaterThan(0);
    expect(groups).toBe(String(launcher.account?.gid));
    const names = rest.filter((line) => line.includes("=")).map((line) => line.split("=")[0]);
    expect(names.filter((name) => !["PWD", "OLDPWD", "SHLVL", "_"].includes(name ?? "")).sort()).toEqual([
      "LC_ALL",
      "PATH",
      "TZ",
    ]);
    expect(rest.at(-1)).toMatch(/CapEff:\s+0+$/);
  });

  test("runs a database although program and data lie below a folder that only root may pass", async () => {
    await chmod(root, 0o700);
    const binaries = await copyOfBinaries(join(root, "native"));
    const dataFolder = join(root, "data");
    await mkdir(dataFolder);
    const clusterFolder = join(dataFolder, "postgres");
    const launcher = await chooseLauncher({ binaries, dataFolder, clusterFolder });
    await ensureCluster({ binaries, launcher, dataFolder, clusterFolder, durable: false });
    const logFile = join(dataFolder, "postgres.log");
    const settings = { listen_addresses: "127.0.0.1", unix_socket_directories: "", fsync: "off" };
    const postmaster = await spawnPostmaster({ binaries, launcher, clusterFolder, logFile, settings });
    await expect.poll(() => readFile(logFile, "utf8"), { timeout: 20_000 }).toContain("ready to accept connections");
    expect(await stopPostmaster(postmaster)).toBe("stopped");
  });
});

test("files that an install script should have completed are named as the cause, with the remedy", async () => {
  await chmod(root, 0o755);
  const binaries = await copyOfBinaries(join(root, "native"));
  await rm(join(root, "native/lib"));
  await mkdir(join(root, "native/lib"));
  const start = chooseLauncher({ binaries, dataFolder: root, clusterFolder: join(root, "postgres") });
  await expect(start).rejects.toThrow(
    /install script of their package has not run\. Run: npm ci, with install scripts allowed/,
  );
});

test("a program that cannot be reached at all is an error with a remedy", async () => {
  const binaries = { initdb: join(root, "initdb"), postgres: join(root, "postgres"), sampleFile: join(root, "sample") };
  const start = chooseLauncher({ binaries, dataFolder: root, clusterFolder: join(root, "postgres") });
  await expect(start).rejects.toThrow(/cannot reach .* Set HOOKWELL_DATA_FOLDER .* or set DATABASE_URL/);
});
