/** What every long-running command does around the app: start it, wait for a signal, stop it, and end with a sentence when it cannot. */

import { createApp, type RunningApp } from "../app.ts";
import { type Config, ConfigError } from "../config.ts";
import { EmbeddedError } from "../db/embedded.ts";
import { MigrationError } from "../db/migrate.ts";
import { PageBuildError } from "../demo/page.ts";
import { ProblemError } from "../errors.ts";
import { type Log, logEvent } from "../log.ts";

/** After the first signal; a stop that hangs must not need a kill -9. */
const STOP_LIMIT_MS = 30_000;

/** One press of Ctrl-C may arrive twice: from the terminal, and from npm, which passes it on. */
const SAME_PRESS_MS = 300;
const STOPPING = "Stopping: waiting for what is on its way, at most 15 s. Press Ctrl-C again to stop at once.\n";
const STOPPING_AT_ONCE = "Stopping at once.\n";

/**
 * Starts the app, hands it over once it runs, and returns when a signal has stopped it. A second signal stops the embedded
 * database at once and ends the process, so that none is left behind.
 */
export async function runApp(
  config: Config,
  { log, started }: { log: Log; started: (app: RunningApp) => Promise<void> },
): Promise<void> {
  const asked = Promise.withResolvers<string>();
  let stopDatabase: (() => Promise<void>) | undefined;
  onSignals(log, { first: (signal) => asked.resolve(signal), second: async () => stopDatabase?.() });
  const app = await createApp(config, {
    log,
    onDatabaseStarted: (stop) => {
      stopDatabase = stop;
    },
    onDatabaseLost: (err) => {
      logEvent(log, "database.lost", { err }, "fatal");
      process.exitCode = 1;
      asked.resolve("database lost");
    },
  });
  try {
    await started(app);
    const signal = await asked.promise;
    logEvent(log, "process.stopping", { signal });
  } finally {
    const limit = setTimeout(() => process.exit(1), STOP_LIMIT_MS);
    await app.stop();
    clearTimeout(limit);
  }
}

interface SignalActions {
  first(signal: string): void;
  second(): Promise<void>;
}

function onSignals(log: Log, { first, second }: SignalActions): void {
  let firstMs: number | undefined;
  let isEnding = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (firstMs === undefined) {
      firstMs = performance.now();
      process.stderr.write(STOPPING);
      first(signal);
    } else if (!isEnding && performance.now() - firstMs > SAME_PRESS_MS) {
      isEnding = true;
      process.stderr.write(STOPPING_AT_ONCE);
      second()
        .catch((err: unknown) => logEvent(log, "process.stop_failed", { err }, "error"))
        .finally(() => process.exit(1));
    }
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, onSignal);
}

/** Runs a command; what the operator can put right becomes a sentence on stderr and exit code 1, a bug keeps its stack. */
export async function withPlainErrors(command: () => Promise<unknown>): Promise<void> {
  try {
    await command();
  } catch (error) {
    const sentence = sentenceFor(error);
    if (sentence === null) throw error;
    process.stderr.write(`${sentence}\n`);
    process.exitCode = 1;
  }
}

const EXPECTED = [ConfigError, EmbeddedError, MigrationError, PageBuildError, ProblemError];

/** What the file system says of a folder or file that is not for us, in words. */
const FILE_PROBLEMS: Readonly<Record<string, string>> = {
  EACCES: "this user may not write there",
  EPERM: "nobody may write there",
  EROFS: "it is read-only",
  ENOSPC: "the disk is full",
  EEXIST: "a file is in its place",
  ENOTDIR: "a file is in its place",
};

function sentenceFor(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  if (EXPECTED.some((kind) => error instanceof kind)) return error.message;
  const { code, port, path } = error as { code?: unknown; port?: unknown; path?: unknown };
  const fileProblem = FILE_PROBLEMS[String(code)];
  if (typeof path === "string" && fileProblem !== undefined) {
    return `${path} cannot be used: ${fileProblem}. Put that right, or set HOOKWELL_DATA_FOLDER to a folder that this user may write to.`;
  }
  if (code === "EADDRINUSE") {
    return `Port ${String(port)} is in use already. Stop what uses it, or set HOOKWELL_PORT, HOOKWELL_INBOX_PORT or HOOKWELL_METRICS_PORT to another one.`;
  }
  if (code === "EACCES" && port !== undefined)
    return `This user may not open port ${String(port)}. Choose one from 1024 up.`;
  if (code === "ECONNREFUSED" || code === "ENOTFOUND")
    return "The database of DATABASE_URL cannot be reached. Is it running?";
  return null;
}
