/**
 * The database's folder. Promises that `<data folder>/postgres` is either absent or complete: it is made beside its place
 * and moved there in one step, so that a crash half-way leaves only rubbish that the next start clears away.
 */
import { randomBytes } from "node:crypto";
import { chown, lchown, link, mkdir, mkdtemp, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { finished, type Launcher } from "./account.ts";
import { type Binaries, EmbeddedError } from "./binaries.ts";

export const SUPERUSER = "hookwell";
const PASSWORD_BYTES = 24;
const INIT_LIMIT_MS = 120_000;
const HALF_MADE_PREFIX = "postgres-init-";

export interface ClusterOptions {
  readonly binaries: Binaries;
  readonly launcher: Launcher;
  readonly dataFolder: string;
  readonly clusterFolder: string;
  /** False only for tests, which never outlive a power cut. */
  readonly durable: boolean;
}

/** Makes the database folder unless it is there, and returns the superuser's password. Safe against a second start at once. */
export async function ensureCluster(options: ClusterOptions): Promise<{ password: string; created: boolean }> {
  const { clusterFolder } = options;
  if (await isCluster(clusterFolder)) {
    await takeOver(options);
    return { password: await readPassword(options.dataFolder), created: false };
  }
  if (await isThere(clusterFolder)) {
    throw new EmbeddedError(
      `${clusterFolder} is not a PostgreSQL folder. Move it away, or set HOOKWELL_DATA_FOLDER to another one.`,
    );
  }
  const password = await ensurePassword(options.dataFolder);
  return { password, created: await initialise(options, password) };
}

/** Clears away what earlier starts left half-made. Call it while holding the folder: a rival's work may be among it. */
export async function removeHalfMade(dataFolder: string): Promise<void> {
  const names = (await readdir(dataFolder)).filter((name) => name.startsWith(HALF_MADE_PREFIX));
  await Promise.all(names.map((name) => rm(join(dataFolder, name), { recursive: true, force: true, maxRetries: 3 })));
}

async function initialise(options: ClusterOptions, password: string): Promise<boolean> {
  const { dataFolder, clusterFolder, launcher } = options;
  const aside = await mkdtemp(join(dataFolder, HALF_MADE_PREFIX));
  try {
    const passwordFile = join(aside, "password");
    await writePrivate(passwordFile, password);
    for (const path of [aside, passwordFile]) await give(path, launcher);
    const { code, output } = await finished(spawnInitdb(options, join(aside, "cluster"), passwordFile));
    if (await isCluster(clusterFolder)) return false;
    if (code !== 0) {
      throw new EmbeddedError(
        `PostgreSQL could not make its database in ${clusterFolder}: ${lastLines(output)}\n` +
          "Check that the disk has room and can be written, or set HOOKWELL_DATA_FOLDER to another folder.",
      );
    }
    return await moveIntoPlace(join(aside, "cluster"), clusterFolder);
  } finally {
    await rm(aside, { recursive: true, force: true });
    await syncFolder(dataFolder);
  }
}

function spawnInitdb(options: ClusterOptions, folder: string, passwordFile: string) {
  const args = [
    `--pgdata=${folder}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${passwordFile}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--data-checksums",
    "--no-instructions",
    ...(options.durable ? [] : ["--no-sync"]),
  ];
  return options.launcher.spawn(options.binaries.initdb, args, {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: INIT_LIMIT_MS,
  });
}

/** False when a rival was there first: a folder is never moved over one that has something in it. */
async function moveIntoPlace(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (["ENOTEMPTY", "EEXIST"].includes(String(codeOf(error)))) return false;
    throw error;
  }
}

/** A folder that root has copied or restored belongs to root, and PostgreSQL would refuse it. */
async function takeOver({ clusterFolder, launcher }: ClusterOptions): Promise<void> {
  const { account } = launcher;
  if (account === undefined || (await stat(clusterFolder)).uid === account.uid) return;
  for (const entry of await readdir(clusterFolder, { recursive: true })) {
    await lchown(join(clusterFolder, entry), account.uid, account.gid);
  }
  await chown(clusterFolder, account.uid, account.gid);
}

async function give(path: string, { account }: Launcher): Promise<void> {
  if (account !== undefined) await chown(path, account.uid, account.gid);
}

async function isCluster(folder: string): Promise<boolean> {
  return isThere(join(folder, "PG_VERSION"));
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    if (codeOf(error) === "EACCES") throw notOurs(path);
    throw error;
  }
}

function passwordPath(dataFolder: string): string {
  return join(dataFolder, "postgres-password");
}

async function readPassword(dataFolder: string): Promise<string> {
  try {
    return (await readFile(passwordPath(dataFolder), "utf8")).trim();
  } catch (error) {
    if (codeOf(error) === "EACCES") throw notOurs(passwordPath(dataFolder));
    if (codeOf(error) !== "ENOENT") throw error;
    throw new EmbeddedError(
      `${passwordPath(dataFolder)} is missing, and the database opens with it only. Restore it from your backup.`,
    );
  }
}

/** The password is durable before the database that wants it, and two first starts at once end with the same one. */
async function ensurePassword(dataFolder: string): Promise<string> {
  const path = passwordPath(dataFolder);
  const aside = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  try {
    await writePrivate(aside, randomBytes(PASSWORD_BYTES).toString("base64url"));
    await link(aside, path);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  } finally {
    await rm(aside, { force: true });
  }
  return readPassword(dataFolder);
}

async function writePrivate(path: string, text: string): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(`${text}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function notOurs(path: string): EmbeddedError {
  return new EmbeddedError(
    `${path} belongs to another user. Start Hookwell as the user who made it, or set HOOKWELL_DATA_FOLDER to another folder.`,
  );
}

/** The end of a program's output, short enough for an error message. */
export function lastLines(text: string, count = 8): string {
  return text.trim().split("\n").slice(-count).join("\n");
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/** Makes the data folder itself; the folder of the database comes later. */
export async function makeDataFolder(dataFolder: string): Promise<void> {
  try {
    await mkdir(dataFolder, { recursive: true });
  } catch (error) {
    if (!["EACCES", "EROFS", "ENOTDIR", "EEXIST"].includes(String(codeOf(error)))) throw error;
    throw new EmbeddedError(
      `The data folder ${dataFolder} cannot be made. Set HOOKWELL_DATA_FOLDER to a folder that can be written.`,
    );
  }
}
