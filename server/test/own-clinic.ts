/**
 * The set-up of test files that play one story per test: an engine for the file, and for each test a receiver and a clinic of
 * its own; afterwards nobody delivers any more and no node is left.
 */
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import type { Scan } from "../src/delivery/engine-store.ts";
import { DeliveryStore } from "../src/delivery/store.ts";
import { createTestEngine, type TestEngine } from "./engine.ts";
import { createReceiver, type Receiver } from "./receiver.ts";

export interface Own {
  engine: TestEngine;
  receiver: Receiver;
  clinicId: number;
}

/** To be called once in a file, outside its tests; `hand` is called before each of them with what is its own. */
export function withOwnClinic(hand: (own: Own) => void): void {
  let engine: TestEngine;
  let receiver: Receiver;
  beforeAll(async () => {
    engine = await createTestEngine();
  });
  afterAll(() => engine.close());
  beforeEach(async () => {
    receiver = await createReceiver();
    hand({ engine, receiver, clinicId: await engine.createClinic() });
  });
  afterEach(async () => {
    await engine.stopDispatchers();
    await engine.owner.query("delete from nodes");
    await receiver.close();
  });
}

/** Does something once, right after deliveries of a clinic were begun (by TAKE or by REFILL) and before any of them is sent. */
export class StoreWithPause extends DeliveryStore {
  readonly #clinicId: number;
  #isOver = false;
  onBegun: (scan: Scan) => Promise<void> = async () => {};

  constructor({ engine, clinicId }: Pick<Own, "engine" | "clinicId">) {
    super(engine.database.pools.engine, engine.database.pools.pulse);
    this.#clinicId = clinicId;
  }

  override async take(...args: Parameters<DeliveryStore["take"]>): Promise<Scan> {
    return this.#pause(await super.take(...args));
  }

  override async refill(...args: Parameters<DeliveryStore["refill"]>): Promise<Scan> {
    return this.#pause(await super.refill(...args));
  }

  async #pause(scan: Scan): Promise<Scan> {
    if (this.#isOver || !scan.begun.some((begun) => begun.clinicId === this.#clinicId)) return scan;
    this.#isOver = true;
    await this.onBegun(scan);
    return scan;
  }
}
