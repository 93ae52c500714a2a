import { defineConfig } from "vitest/config";

/** The long suites: the same guarantees as the short ones, with more runs and more faults. */
export default defineConfig({
  test: {
    include: ["e2e/**/*.long.test.ts", "server/**/*.long.test.ts", "proof/**/*.long.test.ts"],
    globalSetup: ["server/test/global-setup.ts", "e2e/global-setup.ts"],
    setupFiles: ["server/test/property-regressions.ts"],
    testTimeout: 900_000,
    // as in e2e/vitest.config.ts: a second, the default, is less than a busy machine takes to show a page
    expect: { poll: { timeout: 20_000 } },
    hookTimeout: 180_000,
    fileParallelism: false,
  },
});
