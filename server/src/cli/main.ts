/**
 * The command line. Each command reads the configuration, runs, and ends with 0, or with 1 and a sentence on stderr.
 */
import { Command, Option } from "commander";
import { ROLES, readConfig } from "../config.ts";
import { startEmbedded } from "../db/embedded.ts";
import { migrate } from "../db/migrate.ts";
import { createPools } from "../db/pool.ts";
import { createLog, type Log } from "../log.ts";
import { clinicCommand, resetLinkCommand } from "./clinic.ts";
import { demo } from "./demo.ts";
import { runApp, withPlainErrors } from "./process.ts";

const program = new Command("hookwell").description("Outgoing webhooks for clinics.");

program
  .command("serve")
  .description("run the server: API, page, test inbox and deliveries")
  .addOption(
    new Option("--role <role>", "what this process does; wins over HOOKWELL_ROLE (default: all)").choices(ROLES),
  )
  .action(async ({ role }: { role?: string }) => {
    const config = readConfig({ ...process.env, ...(role !== undefined && { HOOKWELL_ROLE: role }) });
    await runApp(config, { log: createLog({ destination: "stdout" }), started: async () => {} });
  });

program
  .command("demo")
  .description("run everything on this machine, with its own database and an invented clinic")
  .option("--dev", "take the page from Vite, for working on it", false)
  .action(async ({ dev }: { dev: boolean }) => demo({ dev }));

program
  .command("migrate")
  .description("bring the database up to date")
  .action(async () => {
    const config = readConfig(process.env);
    const log = createLog({ destination: "stdout" });
    if (config.databaseUrl !== undefined) return migrateAt(config.databaseUrl, log);
    const embedded = await startEmbedded({ dataFolder: config.dataFolder, log });
    try {
      await migrateAt(embedded.url, log);
    } finally {
      await embedded.stop();
    }
  });

program.addCommand(clinicCommand(() => readConfig(process.env)));
program.addCommand(resetLinkCommand(() => readConfig(process.env)));

async function migrateAt(url: string, log: Log): Promise<void> {
  const pools = createPools({ url, log });
  try {
    await migrate({ owner: pools.owner, log });
  } finally {
    await pools.close();
  }
}

await withPlainErrors(() => program.parseAsync());
