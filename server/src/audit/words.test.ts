import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { AUDIT_ACTIONS } from "./actions.ts";

test.each(["en", "fr-CA"])("every action has plain words in %s, and no word is left over", (language) => {
  const path = resolve(import.meta.dirname, `../../../web/src/i18n/${language}/audit.json`);
  const { actions } = JSON.parse(readFileSync(path, "utf8")) as { actions: Record<string, Record<string, string>> };
  const worded = Object.entries(actions).flatMap(([noun, verbs]) =>
    Object.keys(verbs).map((verb) => `${noun}.${verb}`),
  );
  expect(worded.toSorted()).toEqual([...AUDIT_ACTIONS].toSorted());
});
