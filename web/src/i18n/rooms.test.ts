/**
 * The words come room by room, each with the screen that needs it (setup.ts). What a screen says, with everything it imports,
 * has to be in the rooms that are named where the screen is loaded: else its words would be missing.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, it } from "vitest";
import { dictionary } from "./dictionary.ts";
import type { Words } from "./words.ts";

const ROOT = join(import.meta.dirname, "..");
const en = dictionary("en");
/** Looks for words by a server's code, and does without those that are not there. */
const ASKS_FIRST = "ui/problem-words.ts";

const sources = readdirSync(ROOT, { recursive: true, encoding: "utf8" }).filter((file) =>
  /(?<!\.test)\.tsx?$/.test(file),
);
const textOf = new Map(sources.map((file) => [file, readFileSync(join(ROOT, file), "utf8")]));

/** `withWords(["a", "b"], import("./File.tsx"))`. */
const WITH_WORDS = /withWords\(\s*\[([^\]]*)\],\s*import\(\s*"([^"]+)"\s*\)/g;

const at = (file: string, path: string) => relative(ROOT, join(ROOT, dirname(file), path));

function doors(): { file: string; rooms: string[] }[] {
  return [...textOf].flatMap(([file, text]) =>
    [...text.matchAll(WITH_WORDS)].map(([, rooms = "", path = ""]) => ({
      file: at(file, path),
      rooms: [...rooms.matchAll(/"([^"]+)"/g)].map(([, room]) => room as string),
    })),
  );
}

/** A file and all that comes with it, but for what brings its own words. */
function withImports(file: string, seen = new Set<string>()): Set<string> {
  const text = textOf.get(file);
  if (text === undefined || seen.has(file)) return seen;
  seen.add(file);
  const imports = text.replaceAll(WITH_WORDS, "").matchAll(/(?:from |import |import\()"(\.[^"]+\.tsx?)"/g);
  for (const [statement, path = ""] of imports) {
    const isType = new RegExp(`import type [^;]*${statement.replaceAll(/[.()]/g, "\\$&")}`).test(text);
    if (!isType) withImports(at(file, path), seen);
  }
  return seen;
}

/** Whether the dictionaries have it: a name of the server's may look like a key. */
function isThere(key: string): boolean {
  return key.split(".").reduce<unknown>((words, name) => (words as Words | undefined)?.[name], en) !== undefined;
}

/** The rooms of the keys that a file and all that comes with it name, whole or put together. */
function saidBy(file: string): string[] {
  const text = [...withImports(file)].map((one) => (one === ASKS_FIRST ? "" : textOf.get(one))).join("\n");
  const whole = [...text.matchAll(/"([a-z]\w*(?:\.[\w-]+)+)"/g)].map(([, key]) => key as string).filter(isThere);
  const made = [...text.matchAll(/`([a-z]\w*)\.[^`\s]*/g)].map(([, room]) => room as string);
  const rooms = [...whole.map((key) => key.split(".")[0] as string), ...made].filter((room) => room in en);
  return [...new Set(rooms)].sort();
}

it("every screen and dialog comes with the words of all rooms that it says something of", () => {
  expect(doors().length).toBeGreaterThan(30);
  const wanting = doors().map(({ file, rooms }) => {
    const missing = saidBy(file).filter((room) => room !== "shell" && !rooms.includes(room));
    return `${file}: ${missing.join(", ")}`;
  });
  expect(wanting.filter((one) => !one.endsWith(": "))).toEqual([]);
});

it("no screen comes with words that it never says", () => {
  const idle = doors().map(
    ({ file, rooms }) => `${file}: ${rooms.filter((room) => !saidBy(file).includes(room)).join(", ")}`,
  );
  expect(idle.filter((one) => !one.endsWith(": "))).toEqual([]);
});

it("what is shown before any screen says nothing but what the frame says", () => {
  expect(saidBy("main.tsx")).toEqual(["shell"]);
});
