import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { longestFirst } from "./server/test/longest-first.ts";

const exclude = ["**/*.long.test.ts", "**/node_modules/**"];
/** They change nothing of their process and keep nothing outside a database of their own, so one worker takes file after file. */
const SHARED = [
  "sdk/**/*.test.ts",
  "web/src/**/*.test.ts",
  "server/src/{accounts,api,audit,clinic,notices,outbox,seal,webhooks}/**/*.test.ts",
];
const APART = ["server/**/*.test.ts", "proof/**/*.test.ts", "bench/**/*.test.ts"];
const LONGEST = [
  "delivery/parking.test.ts",
  "cli/keys.test.ts",
  "delivery/nodes.test.ts",
  "test/event-paths.test.ts",
  "canary/flow.test.ts",
  "db/embedded.test.ts",
  "delivery/model.test.ts",
  "cli/process.test.ts",
  "fuzz/fuzz.test.ts",
  "accounts/second-factor.test.ts",
  "src/app.test.ts",
];

export default defineConfig({
  test: {
    globalSetup: ["server/test/global-setup.ts"],
    setupFiles: ["server/test/property-regressions.ts"],
    testTimeout: 30_000,
    // as long as until() waits; a second, the default, is less than a busy machine takes to start a process
    expect: { poll: { timeout: 20_000 } },
    hookTimeout: 60_000,
    // On two cores: each file waits for PostgreSQL, timers and sockets a third of its time.
    maxWorkers: 3,
    sequence: { sequencer: longestFirst(LONGEST) },
    // Also for the processes that tests start: nothing is compiled twice.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules/.cache/compiled") },
    projects: [
      { extends: true, test: { name: "shared", include: SHARED, exclude, isolate: false } },
      { extends: true, test: { name: "apart", include: APART, exclude: [...exclude, ...SHARED] } },
    ],
  },
});
