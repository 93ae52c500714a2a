/** The threat model names the test that proves each control: each of them exists. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");

test("docs/security.md names a test for each control, and only tests that exist", () => {
  const text = readFileSync(join(root, "docs/security.md"), "utf8");
  const controls = text.split("\n").filter((line) => line.startsWith("| ") && !/^\| (\*\*|Way in)/.test(line));
  expect(controls.length).toBeGreaterThan(20);
  for (const control of controls) {
    const tests = [...control.matchAll(/`([\w./-]+\.test\.ts)`/g)].map(([, path]) => path ?? "");
    expect(tests, control).not.toEqual([]);
    expect(tests.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  }
});
