/** The program as an operator runs it: what it says when it cannot start, and how it stops. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { works } from "../../test/embedded.ts";
import { until } from "../../test/until.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/hookwell.mjs", import.meta.url));

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hookwell-cli-"));
  // Root runs PostgreSQL as another user, which must be able to pass through.
  await chmod(folder, 0o711);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const environment = (dataFolder: string) => ({ ...process.env, HOOKWELL_DATA_FOLDER: dataFolder });

describe("a data folder that cannot be used", () => {
  it.each(["demo", "serve", "migrate"])("ends %s with 1 and one sentence that says what to do", async (command) => {
    const file = join(folder, "file");
    await writeFile(file, "");
    for (const dataFolder of [file, join(file, "below")]) {
      const options = { env: environment(dataFolder), timeout: 10_000 };
      const { status, stderr } = spawnSync(process.execPath, [PROGRAM, command], options);
      const said = stderr.toString().replace("Starting…\n", "");
      expect([status, said.split("\n")], said).toEqual([1, [expect.stringContaining(dataFolder), ""]]);
      expect(said).toMatch(/set HOOKWELL_DATA_FOLDER to a folder that .+\.\n$/i);
    }
  });
});

describe("--role", () => {
  const run = (role: string) => {
    const env = { ...environment(folder), DATABASE_URL: "", HOOKWELL_ROLE: "boss" };
    const { status, stderr } = spawnSync(process.execPath, [PROGRAM, "serve", "--role", role], {
      env,
      timeout: 10_000,
    });
    return { status, said: stderr.toString() };
  };

  it("names the roles where it is given another", () => {
    expect(run("chef")).toEqual({ status: 1, said: expect.stringContaining("Allowed choices are api, worker, all.") });
  });

  it("wins over HOOKWELL_ROLE", () => {
    expect(run("api")).toEqual({
      status: 1,
      said: expect.stringMatching(/^DATABASE_URL is needed for the role api: /),
    });
  });
});

describe("Ctrl-C", () => {
  it("says what is waited for; pressed again it stops at once and leaves no PostgreSQL behind", async () => {
    const server = serve(folder);
    const { port } = await server.started;
    // A request that never ends keeps the first stop waiting.
    const held = connect(port, "127.0.0.1");
    held.on("error", () => {});
    held.write("POST /api/auth/sign-in/email HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n");
    held.write("Content-Length: 100\r\n\r\n{");
    const postmaster = Number((await readFile(join(folder, "postgres/postmaster.pid"), "utf8")).split("\n")[0]);
    expect(await works(postmaster)).toBe(true);
    server.child.kill("SIGINT");
    await until("it says that it stops", async () =>
      server.said().includes("Stopping: waiting for what is on its way"),
    );
    // Not until it has ended: a signal in the last moments of a process, when Node has taken its handlers away, would kill it.
    await until("it heeds the second one", async () => {
      server.child.kill("SIGINT");
      return server.said().includes("Stopping at once");
    });
    const { exitCode, signalCode } = await until("it has ended", () => {
      const { exitCode, signalCode } = server.child;
      return exitCode === null && signalCode === null ? null : { exitCode, signalCode };
    });
    expect({ exitCode, signalCode }).toEqual({ exitCode: 1, signalCode: null });
    expect(await works(postmaster)).toBe(false);
    held.destroy();
  }, 60_000);
});

interface Server {
  readonly child: ChildProcess;
  readonly started: Promise<{ port: number }>;
  said(): string;
}

function serve(dataFolder: string): Server {
  const ports = { HOOKWELL_PORT: "0", HOOKWELL_INBOX_PORT: "0" };
  const env = { ...environment(dataFolder), ...ports };
  const child = spawn(process.execPath, [PROGRAM, "serve"], { env, stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const { promise: started, resolve, reject } = Promise.withResolvers<{ port: number }>();
  let stdout = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
    const port = Number(/"port":(\d+)[^\n]*"event":"server\.started"/.exec(stdout)?.[1] ?? 0);
    if (port > 0) resolve({ port });
  });
  child.once("exit", () => reject(new Error(`it ended before it served: ${stderr}`)));
  return { child, started, said: () => stderr };
}
