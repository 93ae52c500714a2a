/** `hookwell audit verify`: computes every clinic's chain of audit entries anew and says where one breaks. */
import { verifyChain } from "../audit/chain.ts";
import { type Config, ConfigError } from "../config.ts";
import { silentLog } from "../log.ts";
import { withOwner } from "./database.ts";

/** One line a clinic. Throws `ConfigError` naming the clinics whose trail is not whole. */
export async function verifyAudit(
  config: Config,
  { clinic, say }: { clinic: number | undefined; say: (line: string) => void },
): Promise<void> {
  await withOwner(config, silentLog(), async (owner) => {
    const all = await owner.selectFrom("clinics").select("id").orderBy("id").execute();
    const chosen = all.filter(({ id }) => clinic === undefined || id === clinic);
    if (chosen.length === 0 && clinic !== undefined) throw new ConfigError([`There is no clinic ${clinic}.`]);
    const broken: string[] = [];
    for (const { id } of chosen) {
      const verdict = await verifyChain(owner, { clinicId: id });
      if (verdict.complete)
        say(`clinic ${id}: complete, ${verdict.checked} entries, the last one's hash ${verdict.head.hash}`);
      else
        broken.push(`clinic ${id}: broken at entry ${verdict.sequence}; the ${verdict.checked} before it are whole.`);
    }
    if (broken.length > 0) throw new ConfigError(broken);
  });
}
