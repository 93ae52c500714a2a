/** A rotation that finds another one running waits for half a minute, and then says so. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { createTestDatabase } from "../../test/database.ts";
import { ROTATION_LOCK_KEY } from "./keys.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/hookwell.mjs", import.meta.url));

test.each(["rotate", "retire"])(
  "keys %s gives way to a rotation that does not end, and changes nothing",
  async (verb) => {
    const database = await createTestDatabase();
    const folder = await mkdtemp(join(tmpdir(), "hookwell-keys-"));
    const holder = await database.pools.owner.connect();
    try {
      const keyFile = join(folder, "keys");
      const text = `${randomBytes(32).toString("base64")}\n${randomBytes(32).toString("base64")}\n`;
      await writeFile(keyFile, text, { mode: 0o600 });
      await holder.query("select pg_advisory_lock($1)", [ROTATION_LOCK_KEY]);
      const env = { ...process.env, DATABASE_URL: database.url, HOOKWELL_MASTER_KEY_FILE: keyFile };
      const child = spawn(process.execPath, [PROGRAM, "keys", verb], { env, stdio: ["ignore", "ignore", "pipe"] });
      let wrong = "";
      child.stderr.on("data", (chunk) => (wrong += chunk));
      const status = await new Promise((done) => child.once("close", done));
      expect([status, wrong]).toEqual([
        1,
        "Another rotation of the master key is running. Nothing was changed. Run it again later.\n",
      ]);
      expect(await readFile(keyFile, "utf8")).toBe(text);
    } finally {
      holder.release(true);
      await database.drop();
      await rm(folder, { recursive: true });
    }
  },
  90_000,
);
