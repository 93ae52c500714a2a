/**
 * One PostgreSQL for a whole run of the tests, with a template database that has every migration. Each test file makes its
 * own database from it, see database.ts.
 */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startEmbedded } from "../src/db/embedded.ts";
import { migrate } from "../src/db/migrate.ts";
import { createPools } from "../src/db/pool.ts";
import { silentLog } from "../src/log.ts";

/** The tests' database need not survive a power cut, and several test files use it at once. */
const SETTINGS = { fsync: "off", full_page_writes: "off", synchronous_commit: "off", max_connections: "300" };

declare module "vitest" {
  export interface ProvidedContext {
    /** Of the template database; nobody may stay connected to it. */
    postgresUrl: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataFolder = await mkdtemp(join(tmpdir(), "hookwell-test-"));
  // Root runs PostgreSQL as another user, which must be able to pass through.
  await chmod(dataFolder, 0o711);
  const log = silentLog();
  const database = await startEmbedded({ dataFolder, log, settings: SETTINGS });
  const teardown = async () => {
    await database.stop();
    await rm(dataFolder, { recursive: true, force: true });
  };
  try {
    const pools = createPools({ url: database.url, log });
    await migrate({ owner: pools.owner, log });
    await pools.close();
  } catch (error) {
    await teardown();
    throw error;
  }
  project.provide("postgresUrl", database.url);
  return teardown;
}
