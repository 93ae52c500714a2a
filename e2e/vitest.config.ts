import { defineConfig } from "vitest/config";

/** Journeys against the real server, started the way a person starts it. One at a time: each has its own server. */
export default defineConfig({
  test: {
    dir: "e2e",
    include: ["**/*.test.ts"],
    exclude: ["**/*.long.test.ts"],
    testTimeout: 120_000,
    // a second, the default, is less than a busy machine takes to show a page
    expect: { poll: { timeout: 20_000 } },
    hookTimeout: 180_000,
    fileParallelism: false,
  },
});
