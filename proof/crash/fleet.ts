/** The nodes of a proof: as many as wished, started again whenever one has ended, as a service manager does it. */
import type { ChildProcess } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { end, forkNode, hasEnded, message, type NodeSettings } from "./children.ts";

const RESTART_AFTER_MS = 300;

export class Fleet {
  readonly #settings: NodeSettings;
  readonly #nodes: ChildProcess[] = [];
  #isStopping = false;
  #keepers: Promise<void>[] = [];

  constructor(settings: NodeSettings) {
    this.#settings = settings;
  }

  /** Starts so many nodes and returns when they work. */
  async start(count: number): Promise<void> {
    const started = Array.from({ length: count }, (_, place) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#keepers.push(this.#keep(place, resolve));
      return promise;
    });
    await Promise.all(started);
  }

  async #keep(place: number, started: () => void): Promise<void> {
    while (!this.#isStopping) {
      const node = forkNode(this.#settings);
      this.#nodes[place] = node;
      // One that cannot start, because the database is away, ends and is started anew.
      await message<{ ready?: true }>(node, ({ ready }) => ready === true).then(started, () => {});
      if (!hasEnded(node)) await new Promise((fulfil) => node.once("exit", fulfil));
      if (!this.#isStopping) await pause(RESTART_AFTER_MS);
    }
  }

  /** Of those that run now. */
  get pids(): number[] {
    return this.#nodes.flatMap((node) => (hasEnded(node) || node.pid === undefined ? [] : [node.pid]));
  }

  /** kill -9 of the process with that id, where it is one of these, otherwise of any. Returns its id. */
  async kill(chance: number, pid: number | null): Promise<number> {
    const node = this.#nodes.find((one) => one.pid === pid) ?? this.#nodes[Math.floor(chance * this.#nodes.length)];
    if (!node) throw new Error("there is no node");
    await end(node, "SIGKILL");
    return node.pid ?? 0;
  }

  /** Moves the wall clock of all. */
  moveClocks(jumpMs: number): void {
    for (const node of this.#nodes) if (node.connected) node.send({ jumpMs });
  }

  /** In order: what is in flight ends. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#nodes.map((node) => end(node, "SIGTERM")));
    await Promise.all(this.#keepers);
  }
}
