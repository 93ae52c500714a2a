/**
 * `hookwell keys rotate` and `hookwell keys retire`: a new master key takes over, and the old ones go when nothing needs them.
 *
 * A rotation may be killed at any step and begun again (seal/rotation.ts). The key file has the new key, on the disk, before
 * anything is wrapped by it, and keeps the old ones until `retire` has looked at everything itself.
 */
import type { KeyObject } from "node:crypto";
import { type Config, ConfigError } from "../config.ts";
import { silentLog } from "../log.ts";
import { addMasterKey, keepNewestMasterKey, loadMasterKeys } from "../seal/master-keys.ts";
import { countWrapped, rewrapAll } from "../seal/rotation.ts";
import { Seal, SealBrokenError } from "../seal/seal.ts";
import { withOwner } from "./database.ts";

type Say = (line: string) => void;

const BACK_UP = "Back up the key file now: with the old keys it still opens older backups of the database.";

/** Wraps everything by the newest master key; where the key file holds one only, a new one is made first. */
export async function rotateKeys(config: Config, say: Say): Promise<void> {
  const before = await loadMasterKeys(config);
  await withOwner(config, silentLog(), async (owner) => {
    await plainly(countWrapped(owner, new Seal(before)));
    const keys = await withNewKey(config, before, say);
    const seal = new Seal(keys);
    let count = 0;
    for await (const _step of rewrapAll(owner, seal)) count += 1;
    const { all, older } = await countWrapped(owner, seal);
    if (older > 0)
      throw new ConfigError([`${older} of ${all} keys were wrapped by an older key meanwhile. Run it again.`]);
    say(`${count} of ${all} keys were wrapped anew; all ${all} are under the newest master key.`);
    say(lastStep(config));
  });
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
  const keys = await loadMasterKeys(config);
  await withOwner(config, silentLog(), async (owner) => {
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
