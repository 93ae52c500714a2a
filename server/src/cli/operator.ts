/** What commands of the operator have at hand: the database as its owner and as the program, and the keys that fit it. */
import type { KeyObject } from "node:crypto";
import { InvalidArgumentError } from "commander";
import type pg from "pg";
import type { Config } from "../config.ts";
import { createKysely } from "../db/pool.ts";
import type { Db } from "../db/schema.ts";
import { silentLog } from "../log.ts";
import { refuseForeignKey } from "../seal/foreign-key.ts";
import { loadMasterKeys } from "../seal/master-keys.ts";
import { Seal } from "../seal/seal.ts";
import { withOwner } from "./database.ts";

/** From where an act was asked for, as it is written down. */
export const COMMAND_LINE = "command line";

export interface Operator {
  readonly authPool: pg.Pool;
  readonly masterKeys: readonly KeyObject[];
  readonly config: Config;
  readonly owner: Db;
  readonly app: Db;
  readonly seal: Seal;
}

/** Runs `work` on the database. @throws ConfigError where the master keys are not those of the database */
export async function withOperator(config: Config, work: (operator: Operator) => Promise<void>): Promise<void> {
  // Before a database is made that would then have another one.
  const masterKeys = await loadMasterKeys(config);
  const seal = new Seal(masterKeys);
  await withOwner(config, silentLog(), async (owner, pools) => {
    await refuseForeignKey(owner, seal);
    await work({ config, owner, app: createKysely(pools.app), authPool: pools.auth, seal, masterKeys });
  });
}

/** An id on the command line. */
export function toId(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Write the number of its id.");
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
