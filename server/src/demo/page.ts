/**
 * The page's build, made again only when something it is made of has changed, so that `npm start` needs no second command
 * and a restart costs nothing.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../../..");
const FINGERPRINT_FILE = join(ROOT, "web/dist/.built-from");
const DOCUMENTS = ["web/index.html", "web/embed.html"];
const INPUTS = ["web/src", "web/public", ...DOCUMENTS, "web/vite.config.ts", "sdk/src", "package-lock.json"];
const OUTPUT_KEPT_MAX_CHARACTERS = 4_000;

/** The page cannot be built; the message holds what the builder said, for the operator. */
export class PageBuildError extends Error {
  override readonly name = "PageBuildError";
}

/** Builds the page where it is missing or older than its sources. Returns whether it had to. Throws `PageBuildError`. */
export async function buildPageIfStale(): Promise<boolean> {
  const fingerprint = await fingerprintOf(INPUTS);
  if ((await readIfThere(FINGERPRINT_FILE)) === fingerprint) return false;
  await runVite(["build", "web", "--logLevel", "warn"]);
  await writeFile(FINGERPRINT_FILE, fingerprint);
  return true;
}

/** Vite's command line, run by this very Node. A build is for people, in whatever surroundings it is made. */
export function spawnVite(args: readonly string[]) {
  const vite = join(createRequire(import.meta.url).resolve("vite/package.json"), "../bin/vite.js");
  return spawn(process.execPath, [vite, ...args], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    ...(args[0] === "build" && { env: { ...process.env, NODE_ENV: "production" } }),
  });
}

function runVite(args: readonly string[]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const child = spawnVite(args);
  let output = "";
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString("utf8")).slice(-OUTPUT_KEPT_MAX_CHARACTERS);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  child.once("error", reject);
  child.once("close", (code) => {
    if (code === 0) resolve();
    else reject(new PageBuildError(`The page could not be built:\n${output}`));
  });
  return promise;
}

async function fingerprintOf(inputs: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const input of inputs) {
    for (const file of await filesOf(input)) {
      hash.update(`${file}\0`);
      hash.update(await readFile(join(ROOT, file)));
    }
  }
  return hash.digest("hex");
}

async function filesOf(input: string): Promise<string[]> {
  if (/\.\w+$/.test(input)) return [input];
  const entries = await readdir(join(ROOT, input), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1))
    .sort();
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}
