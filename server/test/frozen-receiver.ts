/**
 * A receiver in a process of its own that can be frozen: its machine goes on taking connections and bytes for it, until its
 * queue of connections is full. From then on packets that ask for another connection vanish without a word.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";

/** Waiting connections that the system takes for it; Linux takes one more. */
const BACKLOG = 1;
const PROGRAM = `
const server = require("node:http").createServer((request, response) => {
  process.stdout.write(request.headers["webhook-id"] + "\\n");
  request.resume().on("end", () => response.end("ok"));
});
server.listen({ host: "127.0.0.1", port: 0, backlog: ${BACKLOG} }, () => process.stdout.write(server.address().port + "\\n"));
`;

export interface FrozenReceiver {
  url: string;
  /** ids of the messages that it has read so far */
  ids(): string[];
  freeze(): void;
  thaw(): void;
  close(): Promise<void>;
}

/** Answers 200 until it is frozen, and again afterwards. */
export async function createFrozenReceiver(): Promise<FrozenReceiver> {
  const child = spawn(process.execPath, ["-e", PROGRAM], { stdio: ["ignore", "pipe", "ignore"] });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  await once(child.stdout, "data");
  const lines = () => said.split("\n").slice(0, -1);
  return {
    url: `http://127.0.0.1:${lines()[0]}/hook`,
    ids: () => lines().slice(1),
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    async close() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}
