/** What short commands do around the database: open it, bring it up to date, and close it again. */
import type { Config } from "../config.ts";
import { startEmbedded } from "../db/embedded.ts";
import { migrate } from "../db/migrate.ts";
import { createKysely, createPools, type Pools } from "../db/pool.ts";
import type { Db } from "../db/schema.ts";
import type { Log } from "../log.ts";

/** Runs `work` with the owner's Kysely on the configured database, or on the embedded one, which no server may use meanwhile. */
export async function withOwner<Result>(
  config: Config,
  log: Log,
  work: (owner: Db, pools: Pools) => Promise<Result>,
): Promise<Result> {
  if (config.databaseUrl !== undefined) return at(config.databaseUrl, log, work);
  const embedded = await startEmbedded({ dataFolder: config.dataFolder, log });
  try {
    return await at(embedded.url, log, work);
  } finally {
    await embedded.stop();
  }
}

async function at<Result>(url: string, log: Log, work: (owner: Db, pools: Pools) => Promise<Result>): Promise<Result> {
  const pools = createPools({ url, log });
  try {
    await migrate({ owner: pools.owner, log });
    return await work(createKysely(pools.owner), pools);
  } finally {
    await pools.close();
  }
}
