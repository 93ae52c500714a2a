/** A database of its own for a test file, with every migration applied. */
import { randomBytes } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import { createPools, type Pools } from "../src/db/pool.ts";
import type { Log } from "../src/log.ts";
import { refuseCanaries, type SearchOptions, watchedLog } from "./canary/watch.ts";

export interface TestDatabase {
  readonly url: string;
  readonly pools: Pools;
  /** Closes the pools, searches the database for canaries and removes it, whoever is still connected. */
  drop(): Promise<void>;
}

export interface TestDatabaseOptions extends SearchOptions {
  /** An empty one, without migrations. */
  readonly empty?: boolean;
  readonly log?: Log;
}

/** Makes the database from the run's template; takes some 50 ms. Call `drop` in `afterAll`. */
export async function createTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const templateUrl = new URL(inject("postgresUrl"));
  const template = options.empty ? "template0" : templateUrl.pathname.slice(1);
  const name = `test_${randomBytes(8).toString("hex")}`;
  await onServer(templateUrl, `create database ${name} template ${template}`);
  const url = new URL(templateUrl);
  url.pathname = `/${name}`;
  const pools = createPools({ url: url.href, log: options.log ?? watchedLog() });
  return {
    url: url.href,
    pools,
    async drop() {
      await pools.close();
      try {
        await refuseCanaries(url.href, options);
      } finally {
        await onServer(templateUrl, `drop database ${name} with (force)`);
      }
    },
  };
}

async function onServer(templateUrl: URL, statement: string): Promise<void> {
  const url = new URL(templateUrl);
  url.pathname = "/postgres";
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
