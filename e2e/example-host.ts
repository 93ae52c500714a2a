/** The host page of examples/embed as a process of its own, and a page of somebody else that tries to hold the same frame. */
import { spawn } from "node:child_process";
import { createServer, type Server } from "node:http";
import { join, resolve } from "node:path";
import { freePort } from "../server/src/db/embedded/free-port.ts";
import type { ApiClient } from "./client.ts";
import type { DemoServer } from "./server.ts";

const EXAMPLE = join(resolve(import.meta.dirname, ".."), "examples/embed/server.mjs");

export interface ExampleHost {
  readonly origin: string;
  /** A link that nobody has followed, of somebody who may only look. */
  newLink(): Promise<string>;
  close(): void;
}

/** Starts it with a key of its own, made by a manager of the demo clinic. */
export async function startExampleHost(server: DemoServer, manager: ApiClient): Promise<ExampleHost> {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const made = { name: "Clinic suite", scopes: ["embed"], embed_origins: [origin] };
  const { key } = await manager.post<{ key: string }>("/api-keys", made);
  const env = { ...process.env, HOOKWELL_URL: server.origin, HOOKWELL_API_KEY: key, PORT: String(port) };
  const child = spawn(process.execPath, [EXAMPLE], { env, stdio: ["ignore", "pipe", "inherit"] });
  await new Promise<void>((fulfil, reject) => {
    child.stdout.once("data", () => fulfil());
    child.once("exit", (code) => reject(new Error(`the example ended with ${code}`)));
  });
  return {
    origin,
    close: () => child.kill(),
    async newLink() {
      const answer = await fetch(`${server.origin}/v1/embed-sessions`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify({ capabilities: ["view"], user: { id: "u-1", name: "Robin Example" } }),
      });
      return ((await answer.json()) as { link: string }).link;
    },
  };
}

/** A page with nothing but a frame. */
export async function startFramer(address: string): Promise<{ server: Server; origin: string }> {
  const framer = createServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end(`<iframe src="${address}"></iframe>`);
  });
  const port = await freePort();
  await new Promise<void>((fulfil) => framer.listen(port, "localhost", fulfil));
  return { server: framer, origin: `http://localhost:${port}` };
}
