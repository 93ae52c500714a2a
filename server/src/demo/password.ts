/** The demo's password: random, made once, kept beside its data, so that it is the same after a restart. */
import { randomInt } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Without those that are taken for one another; 16 of 31 are 79 bits. */
const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";
const GROUPS = 4;
const GROUP_CHARACTERS = 4;

/** Reads it, or makes it with mode 0600. `isNew` tells which. */
export async function demoPassword(dataFolder: string): Promise<{ password: string; isNew: boolean }> {
  const path = join(dataFolder, "demo-password");
  try {
    const password = (await readFile(path, "utf8")).trim();
    if (password !== "") return { password, isNew: false };
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  const password = Array.from({ length: GROUPS }, newGroup).join("-");
  await mkdir(dataFolder, { recursive: true });
  await writeFile(path, `${password}\n`, { mode: 0o600 });
  return { password, isNew: true };
}

function newGroup(): string {
  return Array.from({ length: GROUP_CHARACTERS }, () => LETTERS[randomInt(LETTERS.length)]).join("");
}
