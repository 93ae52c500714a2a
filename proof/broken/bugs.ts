/**
 * Engines that are broken on purpose: each has one part of the real one altered from the outside, by the mistake that its
 * sentence names. What is altered must be there, or the engine would be no broken one: then these functions throw.
 */
import { type Clock, systemClock } from "../../server/src/clock.ts";
import type { Begun, Scan, SettledAttempt } from "../../server/src/delivery/engine-store.ts";
import { DeliveryStore } from "../../server/src/delivery/store.ts";
import type { Egress } from "../../server/src/egress/client.ts";
import type { CheckName } from "../history/judge.ts";
import { changes, retry, retryAfter, rolledBack, type Scenario, slow, takeover, turnedOff } from "./scenarios.ts";
import type { Parts, Stage } from "./stage.ts";

type Pool = Stage["engine"]["database"]["pools"]["dispatch"];

export interface Bug {
  mistake: string;
  scenario: Scenario;
  /** the check that must find it */
  found: CheckName;
  breaks: (stage: Stage) => Parts;
}

type Rewrite = readonly [find: RegExp, replace: string];

/** Replaces what is found, and throws where there is nothing to be found. */
function rewrite(text: string, [find, replace]: Rewrite): string {
  const changed = text.replace(find, replace);
  if (changed === text)
    throw new Error(`this statement has no ${find.source} any more: the broken engine must be broken anew`);
  return changed;
}

/** A store some of whose statements have another text. */
function storeWith(statements: Readonly<Record<string, Rewrite | readonly Rewrite[]>>) {
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
function storeThat(alter: {
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

function egressThat(alter: {
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

const HOUR_MS = 3_600_000;

/** Due times by the worker's clock, which is an hour behind the database's and is put right when a request has failed. */
function workersClock(stage: Stage): Parts {
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

const answeredFine = (begun: Begun): SettledAttempt => ({
  ...{
    begun,
    version: 1,
    startedMsAgo: 0,
    durationMs: 1,
    outcome: "answered",
    status: 200,
    choice: begun.choice,
    bodySent: true,
  },
  ...{ answer: null, next: { do: "finish", state: "delivered", reason: null } },
});

const everyHead: Rewrite = [/not exists \(select from deliveries e[^)]*\) as head/, "true as head"];

/** Every delivery may start, and what is in flight or waits for its retry is passed over no more. */
function orderIgnored(stage: Stage): Parts {
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

const enabled: Rewrite = [/w\.enabled and /g, ""];
const seenOnce: Rewrite = [/max\(version\) as version/, "1 as version"];
const frozenVersion = storeWith({ take: seenOnce, refill: seenOnce });
/** Neither the claim nor the sender looks at the choice as it is now. */
const narrowedAtClaim: Rewrite = [/choice_practitioner = case[\s\S]*?'id' in \(d\.choice_patient[^\n]*\n/, ""];
const choiceNotHeeded = storeWith({ take: [seenOnce, narrowedAtClaim], refill: [seenOnce, narrowedAtClaim] });

/** Where a claim writes down the narrower of what was chosen then and now. */
const NARROWER_OF_BOTH =
  /choice_practitioner = case when 'off' in \(d\..*?else 'all' end,\s*choice_patient = case.*?else 'all' end,/s;

export const BUGS: readonly Bug[] = [
  {
    mistake: "a result counts although its claim was lost (no fence)",
    ...{ scenario: takeover(500), found: "unlogged" },
    breaks: storeWith({ settle: [/and d\.fence = r\.fence and d\.attempt = r\.attempt/g, ""] }),
  },
  {
    mistake: "a claim that was lost is sent again without a word of it",
    ...{ scenario: takeover(500), found: "unlogged" },
    breaks: storeWith({ take: [/from heads where begun_at is not null/, "from heads where false"] }),
  },
  {
    mistake: "a late result is not marked as late",
    ...{ scenario: takeover(200), found: "duplicated" },
    breaks: storeWith({
      settle: [/\(clinic_id, webhook_id, id, attempt\) not in \(select .* from counted\)/, "false"],
      take: [/from heads where begun_at is not null/, "from heads where begun_at is not null and attempt > 1"],
    }),
  },
  {
    mistake: "a delivery is settled before it is sent",
    ...{ scenario: retry, found: "unfounded" },
    breaks: storeThat({ begun: async (store, begun) => void (await store.settle(begun.map(answeredFine))) }),
  },
  { mistake: "the worker's clock says when a retry is due", scenario: retry, found: "too_early", breaks: workersClock },
  {
    mistake: "a retry comes in a tenth of its time",
    ...{ scenario: retry, found: "too_early" },
    breaks: storeThat({
      settled: ({ next }) => {
        if (next.do === "retry") next.inMs /= 10;
      },
    }),
  },
  {
    mistake: "Retry-After is not read",
    ...{ scenario: retryAfter, found: "too_early" },
    breaks: egressThat({ forgets: "retry-after" }),
  },
  {
    mistake: "a later event of a consult does not wait for the earlier one",
    ...{ scenario: retry, found: "out_of_order" },
    breaks: orderIgnored,
  },
  {
    mistake: "sequence numbers are drawn where the event is fanned out",
    ...{ scenario: rolledBack, found: "sequence_gaps" },
    breaks: ({ engine }) => ({
      // A counter of the database's does not roll back, as little as one of a process would.
      afterEmit: async () => {
        await engine.owner.query("update runs set next_sequence = next_sequence + 1");
      },
    }),
  },
  {
    mistake: "a retry gets a sequence number of its own",
    ...{ scenario: retry, found: "changed" },
    breaks: storeWith({
      take: [/coalesce\(d\.sequence, (n\.next_sequence \+ n\.nth - 1)\)/, "$1"],
      refill: [/coalesce\(d\.sequence, (n\.next_sequence \+ n\.nth - 1)\)/, "$1"],
    }),
  },
  {
    mistake: "a retry is sent under the number of the attempt before it",
    ...{ scenario: retry, found: "unlogged" },
    breaks: storeWith({
      take: [/attempt = d\.attempt \+ 1/, "attempt = greatest(d.attempt, 1)"],
      refill: [/attempt = d\.attempt \+ 1/, "attempt = greatest(d.attempt, 1)"],
    }),
  },
  {
    mistake: "a body is rendered from the choice as it is now, though it was widened",
    ...{ scenario: changes, found: "too_much_data" },
    breaks: storeWith({
      take: [NARROWER_OF_BOTH, "choice_practitioner = n.include_practitioner, choice_patient = n.include_patient,"],
      refill: [NARROWER_OF_BOTH, "choice_practitioner = n.include_practitioner, choice_patient = n.include_patient,"],
    }),
  },
  { mistake: "a replaced secret goes on signing", scenario: changes, found: "badly_signed", breaks: frozenVersion },
  {
    mistake: "a narrowed choice is not heeded by retries",
    scenario: changes,
    found: "too_much_data",
    breaks: choiceNotHeeded,
  },
  {
    mistake: "another text is signed than is sent",
    ...{ scenario: retry, found: "badly_signed" },
    breaks: egressThat({
      request: (request) => ({ ...request, body: JSON.stringify(JSON.parse(String(request.body)), null, 1) }),
    }),
  },
  {
    mistake: "a delivery is dropped when its receiver is slow",
    ...{ scenario: slow, found: "lost" },
    breaks: (stage) => ({
      store: new Dropping(stage.engine.database.pools.engine),
    }),
  },
  {
    mistake: "a delivery is given up when its receiver is slow",
    ...{ scenario: slow, found: "unfounded" },
    breaks: storeThat({
      settled: (result) => {
        if (result.outcome === "timed_out") result.next = { do: "finish", state: "given_up", reason: "schedule_ended" };
      },
    }),
  },
  {
    mistake: "a webhook that is off is still sent to",
    ...{ scenario: turnedOff, found: "sent_while_off" },
    breaks: storeWith({ take: enabled, refill: enabled }),
  },
  {
    mistake: "attempts are not written down",
    ...{ scenario: retry, found: "unlogged" },
    breaks: storeWith({ settle: [/from results r\n\s+on conflict/, "from results r where false on conflict"] }),
  },
  {
    mistake: "an event is stored in a transaction of its own, beside the change",
    ...{ scenario: rolledBack, found: "misdirected" },
    breaks: () => ({ changeApart: true }),
  },
  {
    mistake: "a webhook hears of events that it has not ticked",
    ...{ scenario: rolledBack, found: "misdirected" },
    breaks: (stage) => ({
      app: stage.appWith((text) =>
        text.includes("prepared emit") ? rewrite(text, [/n\.name = any \(w\.events\)/, "true"]) : text,
      ),
    }),
  },
];

/** Forgets what timed out, row and all. */
class Dropping extends DeliveryStore {
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
