import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { longestFirst } from "../server/test/longest-first.ts";

const LONGEST = ["accessibility.test.ts", "journey.test.ts", "configure.test.ts", "accounts.test.ts"];

/** Journeys against the real server, started by its entry as a person does. Each has a server and a database of its own. */
export default defineConfig({
  test: {
    dir: "e2e",
    include: ["**/*.test.ts"],
    exclude: ["**/*.long.test.ts"],
    globalSetup: [join(import.meta.dirname, "global-setup.ts")],
    testTimeout: 120_000,
    // a second, the default, is less than a busy machine takes to show a page
    expect: { poll: { timeout: 20_000 } },
    hookTimeout: 180_000,
    maxWorkers: 2,
    sequence: { sequencer: longestFirst(LONGEST) },
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, "../node_modules/.cache/compiled") },
  },
});
