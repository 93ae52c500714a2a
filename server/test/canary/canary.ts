/** Starts the canaries in a network namespace of their own. Needs root on Linux with `unshare` and `ip`. */
import { execFile, spawnSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { CANARY_ADDRESSES, GOOD_ADDRESS, type Heard } from "./addresses.ts";

const PREPARE = [
  "ip link set lo up",
  ...[GOOD_ADDRESS, ...CANARY_ADDRESSES]
    .filter((address) => address !== "127.0.0.1" && address !== "::1")
    .map((address) => `ip addr add ${address}/${address.includes(":") ? 128 : 32} dev lo`),
].join(" && ");

/** Why there can be no namespace here; null where there can. */
export function whyNoNamespace(): string | null {
  const tried = spawnSync("unshare", ["-n", "sh", "-c", PREPARE], { encoding: "utf8" });
  if (tried.status === 0) return null;
  return `this machine allows no network namespace: ${(tried.stderr ?? tried.error?.message ?? "").trim().slice(0, 200)}`;
}

/** Leads the outbound client to all of them; its name flips so often. */
export async function hearCanaries(flips: number): Promise<Heard> {
  const script = `${PREPARE} && exec "$0" "$@"`;
  const inside = join(import.meta.dirname, "inside.ts");
  const { stdout } = await promisify(execFile)(
    "unshare",
    ["-n", "sh", "-c", script, process.execPath, inside, String(flips)],
    {
      // With these a resolver that knows search domains would append one.
      env: { ...process.env, LOCALDOMAIN: "internal.test", RES_OPTIONS: "ndots:5" },
    },
  );
  return JSON.parse(stdout) as Heard;
}
