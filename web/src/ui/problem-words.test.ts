import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LANGUAGES } from "@hookwell/sdk";
import { expect, it } from "vitest";
import { dictionary } from "../i18n/dictionary.ts";
import { REFUSAL_PLACES } from "./problem-words.ts";

const DICTIONARIES = { en: dictionary("en"), "fr-CA": dictionary("fr-CA") };
const SERVER = join(import.meta.dirname, "../../../server/src");

/** The codes with which the server refuses what the present state forbids. */
function refusals(): string[] {
  const files = readdirSync(SERVER, { recursive: true, encoding: "utf8" });
  const sources = files.filter(
    (file) => /(?<!\.test)\.ts$/.test(file) && !/^(cli\/|clinic\/feed\/|errors\.)/.test(file),
  );
  const codes = sources.flatMap((file) =>
    [...readFileSync(join(SERVER, file), "utf8").matchAll(/\bconflict\(\s*"(\w+)"/g)].map(([, code]) => code as string),
  );
  return [...new Set(codes)].sort();
}

it("every refusal of the server has words in every language, so that nobody reads the server's English", () => {
  expect(refusals().length).toBeGreaterThan(30);
  for (const language of LANGUAGES) {
    const at = (place: string) =>
      place.split(".").reduce<unknown>((tree, key) => (tree as Record<string, unknown>)?.[key], DICTIONARIES[language]);
    const places = REFUSAL_PLACES.map((place) => at(place) as Record<string, string>);
    expect(refusals().filter((code) => !places.some((words) => code in words))).toEqual([]);
  }
});
