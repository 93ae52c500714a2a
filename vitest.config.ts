import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      "sdk/**/*.test.ts",
      "server/**/*.test.ts",
      "proof/**/*.test.ts",
      "web/src/**/*.test.ts",
      "bench/**/*.test.ts",
    ],
    exclude: ["**/*.long.test.ts", "**/node_modules/**"],
    globalSetup: ["server/test/global-setup.ts"],
    testTimeout: 30_000,
    // as long as until() waits; a second, the default, is less than a busy machine takes to start a process
    expect: { poll: { timeout: 20_000 } },
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
});
