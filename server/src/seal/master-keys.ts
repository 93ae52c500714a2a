/**
 * The master keys: 32 bytes each, from the environment or a file, the newest first. The newest wraps; the others still open.
 *
 * Owns the key file. Promises: it is made on the very first start only; a change of it is whole or not at all, whenever the
 * process is killed, and is made to what the caller has read or not at all; and a file of ours is nobody else's to read.
 * Does not keep two changes at once apart: whoever changes it holds the lock of cli/keys.ts.
 * What the keys wrap is in seal.ts and kept-secrets.ts.
 */
import { createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Config, ConfigError, type MasterKeySource, masterKeysText } from "../config.ts";

const MASTER_KEY_BYTES = 32;

interface Change {
  /** What the caller has read from the file. */
  readonly held: readonly KeyObject[];
  readonly keys: readonly KeyObject[];
}

type FileSource = Extract<MasterKeySource, { from: "file" }>;

/**
 * The keys that wrap every clinic's key, newest first. Call it before the embedded database is started: the file is made on
 * the very first start only, and a data folder that has a database but no key is refused rather than given a second key that
 * opens nothing. Throws `ConfigError`.
 */
export async function loadMasterKeys(config: Pick<Config, "masterKey" | "dataFolder">): Promise<readonly KeyObject[]> {
  const source = config.masterKey;
  if (source.from === "environment") return source.keys;
  const existing = await readKeyFile(source.path);
  if (existing !== undefined) return parseKeyFile(existing, source);
  if (!source.createIfMissing) {
    throw new ConfigError([
      `HOOKWELL_MASTER_KEY_FILE names ${source.path}, which does not exist. Put the key file there.`,
    ]);
  }
  if (await exists(join(config.dataFolder, "postgres"))) {
    throw new ConfigError([
      `${config.dataFolder} holds a database but not its master.key, so nothing sealed in it can be read. ` +
        "Restore master.key from your backup, or set HOOKWELL_MASTER_KEY.",
    ]);
  }
  await writeNewKeyFile(source.path);
  return parseKeyFile((await readKeyFile(source.path)) ?? "", source);
}

/**
 * Puts a new key in front of `keys`, which the file holds; it is on the disk when this returns. Returns them all. Throws
 * `ConfigError` where the file holds others by now.
 */
export async function addMasterKey(source: FileSource, keys: readonly KeyObject[]): Promise<readonly KeyObject[]> {
  const all = [createSecretKey(randomBytes(MASTER_KEY_BYTES)), ...keys];
  await replaceKeyFile(source, { held: keys, keys: all });
  return all;
}

/**
 * Leaves nothing but the newest of `keys`, which the file holds. To be called when nothing needs the others any more. Throws
 * `ConfigError` where the file holds others by now.
 */
export async function keepNewestMasterKey(source: FileSource, keys: readonly KeyObject[]): Promise<void> {
  await replaceKeyFile(source, { held: keys, keys: keys.slice(0, 1) });
}

async function parseKeyFile(text: string, source: FileSource): Promise<readonly KeyObject[]> {
  const parsed = masterKeysText.safeParse(text);
  if (!parsed.success)
    throw new ConfigError([`The key file ${source.path} ${parsed.error.issues[0]?.message ?? "is broken"}.`]);
  // A file that an orchestrator mounts has whatever mode that gives it; ours must be private.
  if (source.createIfMissing && process.platform !== "win32") {
    const { mode } = await stat(source.path);
    if ((mode & 0o077) !== 0) {
      throw new ConfigError([`The key file ${source.path} can be read by others. Run: chmod 600 '${source.path}'`]);
    }
  }
  return parsed.data;
}

async function readKeyFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    if (codeOf(error) !== "EACCES") throw error;
    throw new ConfigError([
      `The key file ${path} cannot be read by this user. Start Hookwell as the user who owns it.`,
    ]);
  }
}

/** Written aside and then linked into place: two first starts at once end with one key, and a crash leaves no half of one. */
async function writeNewKeyFile(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const key = createSecretKey(randomBytes(MASTER_KEY_BYTES));
  await written({ path, keys: [key], mode: 0o600 }, async (aside) => {
    try {
      await link(aside, path);
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
    }
  });
}

/** A key that somebody else put into the file since it was read may wrap something already: it is never written over. */
async function replaceKeyFile(source: FileSource, { held, keys }: Change): Promise<void> {
  const { path } = source;
  const now = await parseKeyFile((await readKeyFile(path)) ?? "", source);
  if (now.length !== held.length || !now.every((key, place) => held[place]?.equals(key))) {
    throw new ConfigError([`The key file ${path} was changed by somebody else meanwhile. It is left as it is.`]);
  }
  const { mode } = await stat(path);
  await written({ path, keys, mode: mode & 0o777 }, (aside) => rename(aside, path));
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Writes the keys to a file beside `path`, to the disk, and hands it over to be put into place. */
async function written(
  { path, keys, mode }: { path: string; keys: readonly KeyObject[]; mode: number },
  put: (aside: string) => Promise<void>,
): Promise<void> {
  const aside = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  const file = await open(aside, "wx", mode);
  try {
    await file.writeFile(keys.map((key) => `${key.export().toString("base64")}\n`).join(""));
    await file.sync();
    await put(aside);
  } finally {
    await file.close();
    await rm(aside, { force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error) => {
      if (codeOf(error) === "ENOENT") return false;
      throw error;
    },
  );
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
