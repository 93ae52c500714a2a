/** Whether the master keys are those of the database. */
import { ConfigError } from "../config.ts";
import type { Db } from "../db/schema.ts";
import { type Seal, SealBrokenError } from "./seal.ts";

/** Nothing that is sealed would open with another key, and each node with a data folder of its own would make its own. */
export async function refuseForeignKey(owner: Db, seal: Seal): Promise<void> {
  const clinic = await owner.selectFrom("clinics").select("id").orderBy("id").limit(1).executeTakeFirst();
  if (clinic === undefined) return;
  try {
    await seal.forClinic(owner, clinic.id);
  } catch (error) {
    if (!(error instanceof SealBrokenError)) throw error;
    throw new ConfigError([
      "The master key does not open what is in this database: it was sealed with another one. Give every server of a " +
        "database the same key, with HOOKWELL_MASTER_KEY or HOOKWELL_MASTER_KEY_FILE.",
    ]);
  }
}
