/**
 * `hookwell keys rotate` and `hookwell keys retire`: a new master key takes over, and the old ones go when nothing needs them.
 *
 * One at a time works on a database, and reads the key file only then. A rotation may be killed at any step and begun again (seal/rotation.ts). The key file has the new key, on the disk, before
 * anything is wrapped by it, and keeps the old ones until `retire` has looked at everything itself.
 */
import type { KeyObject } from "node:crypto";
import type pg from "pg";
import { refuseConfigured, renewAuthSecret } from "../accounts/session-secret.ts";
import { type Config, ConfigError } from "../config.ts";
import type { Db } from "../db/schema.ts";
import { silentLog } from "../log.ts";
import { addMasterKey, keepNewestMasterKey, loadMasterKeys } from "../seal/master-keys.ts";
import { countWrapped, rewrapAll } from "../seal/rotation.ts";
import { Seal, SealBrokenError } from "../seal/seal.ts";
import { withOwner } from "./database.ts";

/** Any number that nothing else locks. */
export const ROTATION_LOCK_KEY = 7_130_402;
/** How long a command waits for another one to end. */
const ROTATION_LOCK_WAIT_MS = 30_000;
const LOCK_NOT_AVAILABLE = "55P03";

type Say = (line: string) => void;

const BACK_UP = "Back up the key file now: with the old keys it still opens older backups of the database.";

/**
 * Wraps everything by the newest master key; where the key file holds one only, a new one is made first. With `sessions` the
 * secret that signs sessions is made anew at the end.
 */
export async function rotateKeys(config: Config, say: Say, { sessions = false } = {}): Promise<void> {
  if (sessions) refuseConfigured(config);
  await alone(config, async (owner, before) => {
    await plainly(countWrapped(owner, new Seal(before)));
    const keys = await withNewKey(config, before, say);
    const seal = new Seal(keys);
    let count = 0;
    for await (const _step of rewrapAll(owner, seal)) count += 1;
    const { all, older } = await countWrapped(owner, seal);
    if (older > 0)
      throw new ConfigError([`${older} of ${all} keys were wrapped by an older key meanwhile. Run it again.`]);
    say(`${count} of ${all} keys were wrapped anew; all ${all} are under the newest master key.`);
    if (sessions) {
      const ended = await renewAuthSecret(config, { owner, seal, masterKeys: keys });
      say(`The secret that signs sessions is a new one: ${ended} sessions have ended, and everybody signs in again.`);
    }
    say(lastStep(config));
  });
}

/** Runs `work` while no other rotation of this database runs, with the master keys as they are from then on. */
async function alone(config: Config, work: (owner: Db, keys: readonly KeyObject[]) => Promise<void>): Promise<void> {
  // Before a database is made that would then have another key; what counts is read again below.
  await loadMasterKeys(config);
  await withOwner(config, silentLog(), async (owner, pools) => {
    const holder = await pools.owner.connect();
    try {
      await lockRotation(holder);
      await work(owner, await loadMasterKeys(config));
    } finally {
      // Closed, and the lock with it: it belongs to the connection.
      holder.release(true);
    }
  });
}

async function lockRotation(holder: pg.PoolClient): Promise<void> {
  await holder.query(`set lock_timeout = ${ROTATION_LOCK_WAIT_MS}`);
  try {
    await holder.query("select pg_advisory_lock($1)", [ROTATION_LOCK_KEY]);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === LOCK_NOT_AVAILABLE)) throw error;
    throw new ConfigError(["Another rotation of the master key is running. Nothing was changed. Run it again later."]);
  }
}

async function withNewKey(config: Config, keys: readonly KeyObject[], say: Say): Promise<readonly KeyObject[]> {
  const source = config.masterKey;
  // With several keys a rotation is under way, or has ended and the old ones were not yet retired.
  if (keys.length > 1) return keys;
  if (source.from === "environment") {
    throw new ConfigError([
      "HOOKWELL_MASTER_KEY holds one key only. Put a new one in front of it, with a blank between them, on every server, " +
        "start the servers anew, and run this again. Make a key with: openssl rand -base64 32",
    ]);
  }
  const all = await addMasterKey(source, keys);
  say(`A new master key stands first in ${source.path}. ${BACK_UP}`);
  return all;
}

function lastStep({ masterKey }: Config): string {
  return masterKey.from === "file"
    ? "Start servers that were running anew, then take the old keys out with: hookwell keys retire"
    : "Take the old keys out of HOOKWELL_MASTER_KEY on every server and start them anew; nothing needs the old ones.";
}

/** Takes the old keys out of the key file, after looking at everything: what only an old one opens stops it. */
export async function retireKeys(config: Config, say: Say): Promise<void> {
  await alone(config, async (owner, keys) => {
    const { all, older } = await plainly(countWrapped(owner, new Seal(keys)));
    if (older > 0) {
      throw new ConfigError([`${older} of ${all} keys still need an old master key. Run: hookwell keys rotate`]);
    }
    await retire(config, keys, say);
  });
}

async function retire({ masterKey }: Config, keys: readonly KeyObject[], say: Say): Promise<void> {
  if (keys.length === 1) return say("There is one master key only; nothing was to be taken out.");
  if (masterKey.from === "environment") return say("Nothing needs the old keys. Take them out of HOOKWELL_MASTER_KEY.");
  await keepNewestMasterKey(masterKey, keys);
  return say(`${keys.length - 1} old master key(s) taken out of ${masterKey.path}.`);
}

/** Keys that do not belong to this database are the operator's to put right. */
async function plainly<Result>(counting: Promise<Result>): Promise<Result> {
  try {
    return await counting;
  } catch (error) {
    if (!(error instanceof SealBrokenError)) throw error;
    throw new ConfigError(["The master keys do not open all that is in this database. Nothing was changed."]);
  }
}
