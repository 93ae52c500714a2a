import type { KeyObject } from "node:crypto";
import { randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readConfig } from "../config.ts";
import { addMasterKey, keepNewestMasterKey, loadMasterKeys } from "./master-keys.ts";

const KEY = randomBytes(32).toString("base64");
const OTHER_KEY = randomBytes(32).toString("base64");
let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "hookwell-keys-"));
});
afterAll(() => rm(root, { recursive: true }));

const read = (env: Record<string, string>) => readConfig(env, { currentFolder: root });
const texts = (keys: readonly KeyObject[]) => keys.map((key) => key.export().toString("base64"));

describe("the master key", () => {
  const folderConfig = async (env: Record<string, string> = {}) => {
    const dataFolder = await mkdtemp(join(root, "data-"));
    return read({ HOOKWELL_DATA_FOLDER: dataFolder, ...env });
  };

  test("is made on the first start, for this user only, and is the same ever after", async () => {
    const config = await folderConfig();
    const first = await loadMasterKeys(config);
    const path = join(config.dataFolder, "master.key");
    expect(first.map((key) => key.symmetricKeySize)).toEqual([32]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(texts(await loadMasterKeys(config))).toEqual(texts(first));
    expect(await readdir(config.dataFolder)).toEqual(["master.key"]);
  });

  test("is one, however many first starts there are at once", async () => {
    const config = await folderConfig();
    const keys = await Promise.all(Array.from({ length: 8 }, () => loadMasterKeys(config)));
    expect(new Set(keys.map((loaded) => texts(loaded).join())).size).toBe(1);
    expect(await readdir(config.dataFolder)).toEqual(["master.key"]);
  });

  test("is not made anew for a database that was sealed with another", async () => {
    const config = await folderConfig();
    await mkdir(join(config.dataFolder, "postgres"));
    await expect(loadMasterKeys(config)).rejects.toThrow(/not its master\.key.*Restore master\.key from your backup/);
    expect(await readdir(config.dataFolder)).toEqual(["postgres"]);
  });

  test("is not made where the operator has named a file", async () => {
    const config = await folderConfig({ HOOKWELL_MASTER_KEY_FILE: join(root, "absent") });
    await expect(loadMasterKeys(config)).rejects.toThrow(
      /HOOKWELL_MASTER_KEY_FILE names .*absent, which does not exist/,
    );
  });

  test("comes from the named file, or from the environment", async () => {
    const file = join(root, "named.key");
    await writeFile(file, `${KEY}\n`);
    const fromFile = await loadMasterKeys(await folderConfig({ HOOKWELL_MASTER_KEY_FILE: file }));
    const fromEnvironment = await loadMasterKeys(await folderConfig({ HOOKWELL_MASTER_KEY: KEY }));
    expect([texts(fromFile), texts(fromEnvironment)]).toEqual([[KEY], [KEY]]);
  });

  test("is refused when others can read our file, or when the file is broken", async () => {
    const config = await folderConfig();
    await loadMasterKeys(config);
    const path = join(config.dataFolder, "master.key");
    await chmod(path, 0o640);
    await expect(loadMasterKeys(config)).rejects.toThrow(/can be read by others\. Run: chmod 600/);
    await writeFile(path, (await readFile(path, "utf8")).slice(0, 20));
    await expect(loadMasterKeys(config)).rejects.toThrow(/master\.key must be base64/);
  });

  test("may be several, the newest first, on lines or between blanks", async () => {
    const file = join(root, "several.key");
    await writeFile(file, `${OTHER_KEY}\n${KEY}\n`);
    const fromFile = await loadMasterKeys(await folderConfig({ HOOKWELL_MASTER_KEY_FILE: file }));
    const fromEnvironment = await loadMasterKeys(await folderConfig({ HOOKWELL_MASTER_KEY: `${OTHER_KEY} ${KEY}` }));
    expect([texts(fromFile), texts(fromEnvironment)]).toEqual([
      [OTHER_KEY, KEY],
      [OTHER_KEY, KEY],
    ]);
  });

  test.each([
    ["one twice", `${KEY} ${KEY}`, /same key twice/],
    ["no keys", `${KEY} short`, /must be base64/],
    ["too many", Array.from({ length: 5 }, () => randomBytes(32).toString("base64")).join(" "), /more than 4 keys/],
  ])("are refused where they are %s", (_what, text, words) => {
    expect(() => read({ HOOKWELL_MASTER_KEY: text })).toThrow(words);
    expect(() => read({ HOOKWELL_MASTER_KEY: text })).not.toThrow(KEY);
  });

  test("are changed whole or not at all, and stay this user's alone", async () => {
    const config = await folderConfig();
    const [first] = texts(await loadMasterKeys(config));
    const source = config.masterKey;
    if (source.from !== "file") throw new Error("the keys of a data folder are in a file");
    const both = await addMasterKey(source, await loadMasterKeys(config));
    expect(texts(both)).toEqual([expect.not.stringMatching(`^${first}$`), first]);
    expect(texts(await loadMasterKeys(config))).toEqual(texts(both));
    await keepNewestMasterKey(source, both);
    expect(texts(await loadMasterKeys(config))).toEqual(texts(both).slice(0, 1));
    expect((await stat(source.path)).mode & 0o777).toBe(0o600);
    expect(await readdir(config.dataFolder)).toEqual(["master.key"]);
  });

  test("are not changed by whoever read the file before somebody else changed it", async () => {
    const config = await folderConfig();
    const stale = await loadMasterKeys(config);
    const source = config.masterKey;
    if (source.from !== "file") throw new Error("the keys of a data folder are in a file");
    const now = texts(await addMasterKey(source, stale));
    await expect(addMasterKey(source, stale)).rejects.toThrow(/changed by somebody else/);
    await expect(keepNewestMasterKey(source, stale)).rejects.toThrow(/changed by somebody else/);
    expect(texts(await loadMasterKeys(config))).toEqual(now);
  });
});
