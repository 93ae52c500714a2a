/** `hookwell sending …`: the operator's kill switches from the command line, on the database of DATABASE_URL. */
import { Command } from "commander";
import { type Config, ConfigError } from "../config.ts";
import { createKysely, createPools } from "../db/pool.ts";
import type { Db } from "../db/schema.ts";
import { silentLog } from "../log.ts";
import { listPauses, type Pause, type PauseScope, pauseSending, resumeSending } from "../operator/pauses.ts";
import { COMMAND_LINE, toId } from "./operator.ts";

interface ScopeOptions {
  readonly clinic?: number;
  readonly webhook?: number;
  readonly all?: boolean;
  readonly reason: string;
}

const VERBS = [
  ["pause", pauseSending, "send nothing more of a webhook, a clinic or all until it is resumed"],
  ["resume", resumeSending, "go on with what a pause of the same webhook, clinic or all holds back"],
] as const;

/** The command; `read` reads the configuration when it is needed. */
export function sendingCommand(read: () => Config): Command {
  const sending = new Command("sending").description(
    "pause the sending of a webhook, a clinic or all; what waits is kept",
  );
  sending
    .command("show")
    .description("which pauses there are")
    .action(() => withOwner(read(), async (owner) => say((await listPauses(owner)).map(lineOf))));
  for (const [verb, act, description] of VERBS) {
    sending
      .command(verb)
      .description(description)
      .option("--clinic <id>", "of this clinic alone", toId)
      .option("--webhook <id>", "of this webhook of the clinic alone", toId)
      .option("--all", "of all clinics")
      .requiredOption("--reason <text>", "why; it is kept with what was done")
      .action(async (options: ScopeOptions) => {
        const scope = scopeOf(options);
        await withOwner(read(), async (owner) => {
          const changed = await act(owner, scope, { reason: options.reason, cameFrom: COMMAND_LINE });
          say([changed ? "Done." : "It was so already."]);
        });
      });
  }
  return sending;
}

function scopeOf({ clinic, webhook, all = false }: ScopeOptions): PauseScope {
  if (all === (clinic !== undefined)) throw new ConfigError(["Name either --clinic <id> or --all."]);
  return { clinicId: clinic ?? null, webhookId: webhook ?? null };
}

function lineOf({ clinicId, webhookId, reason, pausedAt }: Pause): string {
  const scope =
    clinicId === null ? "all" : webhookId === null ? `clinic ${clinicId}` : `webhook ${clinicId}/${webhookId}`;
  return `${scope}\t${pausedAt}\t${reason}`;
}

async function withOwner(config: Config, work: (owner: Db) => Promise<void>): Promise<void> {
  if (config.databaseUrl === undefined) {
    throw new ConfigError([
      "With the embedded database this goes through the server while it runs: give it a HOOKWELL_OPERATOR_KEY, and call " +
        "GET /operator/v1/sending, POST /operator/v1/sending/pause or POST /operator/v1/sending/resume.",
    ]);
  }
  const pools = createPools({ url: config.databaseUrl, log: silentLog() });
  try {
    await work(createKysely(pools.owner));
  } finally {
    await pools.close();
  }
}

function say(lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(""));
}
