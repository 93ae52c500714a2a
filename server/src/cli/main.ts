/**
 * The command line. Each command reads the configuration, runs, and ends with 0, or with 1 and a sentence on stderr.
 */
import { Command, InvalidArgumentError, Option } from "commander";
import { ROLES, readConfig } from "../config.ts";
import { createLog } from "../log.ts";
import { resetLinkCommand, secondFactorCommand } from "./account.ts";
import { verifyAudit } from "./audit.ts";
import { clinicCommand } from "./clinic.ts";
import { withOwner } from "./database.ts";
import { demo } from "./demo.ts";
import { retireKeys, rotateKeys } from "./keys.ts";
import { runApp, withPlainErrors } from "./process.ts";
import { sendingCommand } from "./sending.ts";

const program = new Command("hookwell").description("Outgoing webhooks for clinics.");

program
  .command("serve")
  .description("run the server: API, page, test inbox and deliveries")
  .addOption(
    new Option("--role <role>", "what this process does; wins over HOOKWELL_ROLE (default: all)").choices(ROLES),
  )
  .option(
    "--metrics-port <port>",
    "where Prometheus finds /metrics; wins over HOOKWELL_METRICS_PORT (default: nowhere)",
  )
  .action(async ({ role, metricsPort }: { role?: string; metricsPort?: string }) => {
    const config = readConfig({
      ...process.env,
      ...(role !== undefined && { HOOKWELL_ROLE: role }),
      ...(metricsPort !== undefined && { HOOKWELL_METRICS_PORT: metricsPort }),
    });
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
    await withOwner(readConfig(process.env), createLog({ destination: "stdout" }), async () => {});
  });

program.addCommand(clinicCommand(() => readConfig(process.env)));
program.addCommand(resetLinkCommand(() => readConfig(process.env)));
program.addCommand(secondFactorCommand(() => readConfig(process.env)));
program.addCommand(sendingCommand(() => readConfig(process.env)));

const keys = program.command("keys").description("the master keys, under which everything is sealed");
keys
  .command("rotate")
  .description("wrap everything by the newest master key; makes a new one where the key file holds one only")
  .option("--sessions", "make the secret that signs sessions anew, too: everybody signs in again", false)
  .action(({ sessions }: { sessions: boolean }) => rotateKeys(readConfig(process.env), say, { sessions }));
keys
  .command("retire")
  .description("take old master keys out of the key file once nothing needs them")
  .action(() => retireKeys(readConfig(process.env), say));

program
  .command("audit")
  .description("who changed what")
  .command("verify")
  .description("compute the chain of audit entries anew and say where it breaks")
  .addOption(new Option("--clinic <id>", "one clinic only").argParser(readClinicId))
  .action(({ clinic }: { clinic?: number }) => verifyAudit(readConfig(process.env), { clinic, say }));

function readClinicId(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError("Write a clinic's id, such as 1.");
  return Number(text);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

await withPlainErrors(() => program.parseAsync());
