/** One node of the simulation: a process with the real Dispatcher in it, over the simulated database and network. */
import { Dispatcher } from "../../src/delivery/dispatcher.ts";
import type { EngineStore } from "../../src/delivery/engine-store.ts";
import { DEADLINE_MS } from "../../src/egress/client.ts";
import { createLog } from "../../src/log.ts";
import { CLINIC_ID } from "./clinic.ts";
import { storeOf } from "./database.ts";
import { Process } from "./process.ts";
import { readsOver } from "./reads.ts";
import type { World } from "./world.ts";

export class SimulatedNode {
  readonly process: Process;
  readonly dispatcher: Dispatcher;
  readonly #world: World;
  /** what the database calls this node */
  #id = 0;

  constructor(name: string, world: World) {
    this.#world = world;
    this.process = new Process(name, world.timeline);
    const { process } = this;
    const { database, network, model, breakage, clinic } = world;
    const noted = this.#noting(storeOf(database, model, process));
    const store = breakage?.store?.(noted, model) ?? noted;
    const clock = breakage?.clock?.(process.clock, process) ?? process.clock;
    const random = world.random.fork();
    this.dispatcher = new Dispatcher({
      ...{ store, clock, name, seal: clinic.seal },
      db: readsOver((table, parameters) =>
        database.call(process, `read ${table}`, { look: () => {}, work: () => clinic.read(table, parameters) }),
      ),
      egress: network.egressOf(process, {
        leaseReaches: () => this.#leaseReachesDeadline(),
        isParked: (webhookId) => model.tables.run({ clinicId: CLINIC_ID, webhookId }).parkedAt !== null,
      }),
      log: createLog({ level: "warn", destination: { write: (line: string) => world.heard(name, line) } }),
      random: () => random.next(),
      onGivenUp: () => world.tellOthers(this),
    });
  }

  #noting(store: EngineStore): EngineStore {
    const register: EngineStore["register"] = async (name, leaseMs) => {
      this.#id = await store.register(name, leaseMs);
      return this.#id;
    };
    return { ...store, register };
  }

  /** Whether the database believes, and will up to the deadline of a request that begins now, that this node is alive. */
  #leaseReachesDeadline(): boolean {
    const node = this.#world.model.tables.nodes.get(this.#id);
    return node !== undefined && node.aliveUntil >= this.#world.databaseClock.nowMs + DEADLINE_MS;
  }
}
