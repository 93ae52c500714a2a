import { defineConfig } from "vitest/config";

/** Journeys against the real server, started by its entry as a person does. Each has a server and a database of its own. */
export default defineConfig({
  test: {
    dir: "e2e",
    include: ["**/*.test.ts"],
    exclude: ["**/*.long.test.ts"],
    globalSetup: ["e2e/global-setup.ts"],
    testTimeout: 120_000,
    hookTimeout: 180_000,
    maxWorkers: 2,
  },
});
