// All words of a language as they lie in its folder, for tests: the page loads them room by room (setup.ts).
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Language } from "./languages.ts";
import type { Tree } from "./pseudo.ts";

/** By room. */
export function dictionary(language: Language): Record<string, Tree> {
  const folder = join(import.meta.dirname, language);
  const read = (file: string) => JSON.parse(readFileSync(join(folder, file), "utf8")) as Tree;
  return Object.fromEntries(readdirSync(folder).map((file) => [basename(file, ".json"), read(file)]));
}
