/**
 * How parts of the real engine are altered from the outside. What is altered must be there, or the engine would be no broken
 * one: then these functions throw.
 */
import { type Clock, systemClock } from "../../server/src/clock.ts";
import type { Begun, Scan, SettledAttempt } from "../../server/src/delivery/engine-store.ts";
import { DeliveryStore } from "../../server/src/delivery/store.ts";
import type { Egress } from "../../server/src/egress/client.ts";
import type { Parts, Stage } from "./stage.ts";

type Pool = Stage["engine"]["database"]["pools"]["dispatch"];

export type Rewrite = readonly [find: RegExp, replace: string];

/** Replaces what is found, and throws where there is nothing to be found. */
export function rewrite(text: string, [find, replace]: Rewrite): string {
  const changed = text.replace(find, replace);
  if (changed === text)
    throw new Error(`this statement has no ${find.source} any more: the broken engine must be broken anew`);
  return changed;
}

/** A store some of whose statements have another text. */
export function storeWith(statements: Readonly<Record<string, Rewrite | readonly Rewrite[]>>) {
  return ({ engine }: Stage): Parts => {
    const pool = engine.database.pools.engine;
    const query = (config: { name?: string; text: string }) => {
      const found = statements[config.name?.replace(/^engine_/, "") ?? ""];
      if (!found) return pool.query(config);
      const changes = found[0] instanceof RegExp ? [found as Rewrite] : (found as readonly Rewrite[]);
      return pool.query({ ...config, name: `broken_${config.name}`, text: changes.reduce(rewrite, config.text) });
    };
    return { store: new DeliveryStore({ query } as never) };
  };
}

/** A store that does something else with what it begins or settles. */
export function storeThat(alter: {
  begun?: (store: DeliveryStore, begun: Begun[]) => Promise<void> | void;
  settled?: (result: SettledAttempt) => void;
}) {
  return ({ engine }: Stage): Parts => {
    class Altered extends DeliveryStore {
      override async take(...args: Parameters<DeliveryStore["take"]>): Promise<Scan> {
        return this.#alter(await super.take(...args));
      }
      override async refill(...args: Parameters<DeliveryStore["refill"]>): Promise<Scan> {
        return this.#alter(await super.refill(...args));
      }
      override settle(...args: Parameters<DeliveryStore["settle"]>) {
        for (const result of args[0]) alter.settled?.(result);
        return super.settle(...args);
      }
      async #alter(scan: Scan): Promise<Scan> {
        if (scan.begun.length > 0) await alter.begun?.(engine.store, scan.begun);
        return scan;
      }
    }
    return { store: new Altered(engine.database.pools.engine) };
  };
}

export function egressThat(alter: {
  request?: (request: Parameters<Egress["post"]>[0]) => Parameters<Egress["post"]>[0];
  forgets?: string;
}) {
  return ({ engine: { egress } }: Stage): Parts => ({
    egress: {
      ...egress,
      check: (url: string) => egress.check(url),
      async post(request: Parameters<Egress["post"]>[0]) {
        const outcome = await egress.post(alter.request?.(request) ?? request);
        if (outcome.kind === "answered" && alter.forgets) delete outcome.answer.headers[alter.forgets];
        return outcome;
      },
    } as Egress,
  });
}

export const HOUR_MS = 3_600_000;

/** Due times by the worker's clock, which is an hour behind the database's and is put right when a request has failed. */
export function workersClock(stage: Stage): Parts {
  let aheadMs = 0;
  const clock: Clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + aheadMs };
  const { store } = storeThat({
    settled: ({ next }) => {
      if (next.do !== "retry") return;
      next.inMs -= HOUR_MS;
      aheadMs = HOUR_MS;
    },
  })(stage);
  return { ...(store && { store }), clock };
}

const everyHead: Rewrite = [/not exists \(select from deliveries e[^)]*\) as head/, "true as head"];

/** Every delivery may start, and what is in flight or waits for its retry is passed over no more. */
export function orderIgnored(stage: Stage): Parts {
  const { store } = storeWith({ take: everyHead, refill: everyHead })(stage);
  if (!store) throw new Error("there is no store");
  const refill: DeliveryStore["refill"] = (owner, requests) =>
    DeliveryStore.prototype.refill.call(
      store,
      owner,
      requests.map((request) => ({ ...request, passedOver: [] })),
    );
  return { store: Object.assign(store, { refill }) };
}

/** The sender's view of a webhook is read by another statement. */
export const signsWith = (change: Rewrite) => (stage: Stage) => ({
  db: stage.kyselyWith((text) => (text.includes("prepared read_targets") ? rewrite(text, change) : text), "dispatch"),
});

/** The first address that each webhook had. */
export function firstAddress(stage: Stage): Parts {
  const first = new Map<string | undefined, URL>();
  const request = (one: Parameters<Egress["post"]>[0]) => {
    const id = one.headers[one.headers.indexOf("webhook-id") + 1] ?? "";
    const webhook = id.split("_")[2];
    const url = first.get(webhook) ?? one.url;
    first.set(webhook, url);
    return { ...one, url };
  };
  return egressThat({ request })(stage);
}

/** What was read of an event once is sent as long as the process lives, and may be sent again though it is kept no longer. */
export function keepsContent(stage: Stage): Parts {
  const kept = new Map<string, Begun["event"]>();
  const { store } = storeThat({
    begun: (_store, begun) => {
      for (const one of begun) {
        one.event ??= kept.get(one.eventId) ?? null;
        kept.set(one.eventId, one.event);
      }
    },
  })(stage);
  const app = stage.kyselyWith((text) =>
    /from "events".*"facts" is not null/s.test(text) ? rewrite(text, [/ and "facts" is not null/, ""]) : text,
  );
  return { ...(store && { store }), app };
}

/** Forgets what timed out, row and all. */
export class Dropping extends DeliveryStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    super(pool);
    this.#pool = pool;
  }

  override async settle(...args: Parameters<DeliveryStore["settle"]>) {
    const counted = await super.settle(...args);
    for (const { begun, outcome } of args[0]) {
      if (outcome === "timed_out") await this.#pool.query("delete from deliveries where id = $1", [begun.id]);
    }
    return counted;
  }
}
