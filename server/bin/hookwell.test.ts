import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const PROGRAM = fileURLToPath(new URL("./hookwell.mjs", import.meta.url));

test("an older Node is told in one sentence what is needed and what brings it, before any TypeScript is parsed", () => {
  const olderNode = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.11.1" } });`;
  const started = spawnSync(process.execPath, ["--import", `data:text/javascript,${olderNode}`, PROGRAM, "migrate"]);
  expect(started.status).toBe(1);
  expect(started.stdout.toString()).toBe("");
  expect(started.stderr.toString()).toBe(
    "Hookwell needs Node 24 or newer and was started with Node 20.11.1. " +
      "Use `npm start`, which brings the right one, or install a newer Node.\n",
  );
});

test("a configuration that cannot be used ends with 1 and names the variable, without a stack", () => {
  const started = spawnSync(process.execPath, [PROGRAM, "migrate"], { env: { HOOKWELL_PORT: "http" } });
  expect(started.status).toBe(1);
  expect(started.stderr.toString()).toMatch(/^HOOKWELL_PORT must be a number from 0 to 65535, such as 4400\.\n$/);
});
