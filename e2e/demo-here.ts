/** The demo in this very process, for a test that steers what a process of its own could not be told: name servers, whom to trust. */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApp } from "../server/src/app.ts";
import { readConfig } from "../server/src/config.ts";
import type { Db } from "../server/src/db/schema.ts";
import { buildPageIfStale } from "../server/src/demo/page.ts";
import { DEMO_MANAGER_EMAIL, seedDemo } from "../server/src/demo/seed.ts";
import { silentLog } from "../server/src/log.ts";
import type { DemoServer } from "./server.ts";

const PASSWORD = "correct horse battery staple";

export interface DemoHere extends Pick<DemoServer, "origin" | "email" | "password" | "close"> {
  /** Its database, as whoever owns the tables. */
  readonly owner: Db;
}

/** Starts it on any free port, with loopback open. */
export async function startDemoHere(nameServer: string): Promise<DemoHere> {
  await buildPageIfStale();
  const dataFolder = await mkdtemp(join(tmpdir(), "hookwell-e2e-"));
  await chmod(dataFolder, 0o711); // root runs PostgreSQL as another user, which must be able to pass through
  const config = readConfig({
    HOOKWELL_DATA_FOLDER: dataFolder,
    HOOKWELL_PORT: "0",
    HOOKWELL_INBOX_PORT: "0",
    HOOKWELL_ALLOW_LOOPBACK: "true",
  });
  const app = await createApp(config, { log: silentLog(), nameServers: [nameServer] });
  await seedDemo({ ...app, password: PASSWORD, replacePasswords: true });
  return {
    ...{ origin: app.publicUrl, email: DEMO_MANAGER_EMAIL, password: PASSWORD },
    owner: app.owner,
    async close() {
      await app.stop();
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}
