/**
 * `hookwell demo`: everything on one machine with one command. It builds the page if need be, starts its own database,
 * makes an invented clinic, and says in three lines where to go on.
 */
import { join } from "node:path";
import type { RunningApp } from "../app.ts";
import { type Config, readConfig } from "../config.ts";
import { buildPageIfStale, spawnVite } from "../demo/page.ts";
import { demoPassword } from "../demo/password.ts";
import { DEMO_FRONT_DESK_EMAIL, DEMO_MANAGER_EMAIL, seedDemo } from "../demo/seed.ts";
import { createLog } from "../log.ts";
import { runApp } from "./process.ts";

const DEV_URL = "http://localhost:5173";

/** Runs until a signal. With `dev`, the page comes from Vite and follows every change of its sources. */
export async function demo({ dev }: { dev: boolean }): Promise<void> {
  const read = readConfig(process.env);
  const config: Config = dev ? { ...read, publicUrl: DEV_URL } : read;
  // Standard output belongs to the three lines; everything else is in the file.
  process.stderr.write("Starting…\n");
  const log = createLog({ destination: { file: join(config.dataFolder, "hookwell.log") } });
  if (!dev) await buildPageIfStale();
  const started = async (app: RunningApp) => {
    const { password, isNew } = await demoPassword(config.dataFolder);
    const { portalName } = await seedDemo({ ...app, password, replacePasswords: isNew });
    process.stdout.write(lines({ publicUrl: app.publicUrl, password, portalName }));
  };
  const vite = dev ? startVite() : undefined;
  try {
    await runApp(config, { log, started });
  } finally {
    vite?.kill();
  }
}

interface Told {
  readonly publicUrl: string;
  readonly password: string;
  readonly portalName: string;
}

function lines({ publicUrl, password, portalName }: Told): string {
  return [
    `Hookwell runs at ${publicUrl} with an invented clinic. Ctrl-C stops it; your data stays.`,
    `Sign in as ${DEMO_MANAGER_EMAIL} with the password ${password}`,
    "Try: set up a webhook to the test inbox (Consults > Export > Webhooks), then schedule a consult and look into the inbox. " +
      `The front desk is ${DEMO_FRONT_DESK_EMAIL}, same password; patients sign up at ${publicUrl}/portal/${portalName}.`,
    "",
  ].join("\n");
}

function startVite() {
  const child = spawnVite(["web", "--port", new URL(DEV_URL).port, "--strictPort", "--logLevel", "warn"]);
  child.stdout.pipe(process.stderr);
  child.stderr.pipe(process.stderr);
  process.once("exit", () => child.kill());
  return child;
}
