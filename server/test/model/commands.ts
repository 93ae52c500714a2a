/**
 * The commands of the model-based test: each is carried out in PostgreSQL and in the model, and what both say is compared.
 * A command names nothing by id: numbers that fast-check has drawn pick among what there is at that moment.
 */
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { expect } from "vitest";
import type { RefillRequest, RunKey, Scan, TurningOff } from "../../src/delivery/engine-store.ts";
import type { Warned } from "../../src/delivery/health.ts";
import { type Command, command, hasNodes, isFree, nat, node, pickFrom, subjectOf, webhook } from "./command.ts";
import { comparableScan } from "./look.ts";
import { CHOICES, type Pair } from "./pair.ts";
import { ailing, batchOf, ending, healthOf } from "./settling.ts";
import { nameOf } from "./tables.ts";

const LEASE_MS = 30_000;
const SENDS_FOR_MS = 13_000;
const NODES_MAX = 3;

function compareScans(pair: Pair, real: Scan, model: Scan): void {
  expect(comparableScan(real)).toEqual(comparableScan(model));
  pair.begun.push(...real.begun);
}

const emit = fc.array(nat, { minLength: 1, maxLength: 3 }).map((picks) => {
  const subjects = picks.map(subjectOf);
  return command({
    name: `emit ${subjects}`,
    can: (pair) => subjects.every((subject) => isFree(pair, subject)),
    run: (pair) => pair.emit(subjects),
  });
});

const openChange = nat.map((pick) =>
  command({
    name: `open ${subjectOf(pick)}`,
    can: (pair) => pair.open.length < 2 && isFree(pair, subjectOf(pick)),
    run: (pair) => pair.openChange(subjectOf(pick)),
  }),
);

const endChange = fc.tuple(nat, fc.constantFrom("commit", "commit", "rollback")).map(([pick, how]) =>
  command({
    name: how,
    can: (pair) => pair.open.length > 0,
    run: (pair) => pair.endChange(pick % pair.open.length, how as "commit" | "rollback"),
  }),
);

const register = fc.constant(
  command({
    name: "register",
    can: (pair) => pair.nodes.length < NODES_MAX,
    async run(pair) {
      const id = await pair.engine.store.register("test", LEASE_MS);
      expect(id).toBe(await pair.model.register("test", LEASE_MS));
      pair.nodes.push(id);
    },
  }),
);

const taking = fc.record({
  node: nat,
  few: fc.boolean(),
  after: fc.option(nat, { nil: undefined }),
  perWebhook: fc.integer({ min: 1, max: 8 }),
  suspect: fc.boolean(),
  room: fc.option(fc.boolean(), { nil: undefined }),
});

const take = taking.map(({ few, after, ...drawn }) =>
  command({
    name: `take ${JSON.stringify({ few, after, ...drawn })}`,
    can: (pair) => hasNodes(pair) && !(few && isTie(pair)),
    async run(pair) {
      const owner = node(pair, drawn.node);
      const { perWebhook, suspect, room = true } = drawn;
      const from = after === undefined ? {} : { after: webhook(pair, after) };
      const request = { webhooks: few ? 1 : 64, perWebhook, suspect, room, ...from };
      const real = await pair.engine.store.take(owner, request);
      compareScans(pair, real, await pair.model.take(owner, request));
    },
  }),
);

/** Two webhooks have waited for equally long: which of them goes first is not promised. */
function isTie(pair: Pair): boolean {
  const due = [...pair.model.tables.runs.values()].filter(
    (run) => run.owner === null && run.nextAt <= pair.clock.nowMs,
  );
  return new Set(due.map(({ nextAt }) => nextAt)).size < due.length;
}

const refilling = fc.record({
  pick: nat,
  node: nat,
  cursor: fc.constantFrom("start", "middle", "none"),
  want: fc.integer({ min: 0, max: 4 }),
  look: fc.constantFrom(1, 2, 3, 16),
  passedOver: fc.subarray([1, 2, 3, 4, 5]),
  freed: fc.subarray([1, 2, 3, 4, 5]),
  stale: fc.constantFrom(0, 0, 0, 1),
});

const refill = refilling.map((drawn) =>
  command({
    name: `refill ${JSON.stringify(drawn)}`,
    can: hasNodes,
    async run(pair) {
      const key = webhook(pair, drawn.pick);
      const ids = [...pair.model.tables.deliveriesOf(key).keys()];
      const cursor = { start: 0, middle: ids[ids.length >> 1] ?? 0, none: null }[drawn.cursor] as number | null;
      const { want, look } = drawn;
      const freed = drawn.freed.map((n) => `consult:${n}`);
      const passedOver = [...new Set([...drawn.passedOver, ...drawn.freed])].map((n) => `consult:${n}`);
      const fence = pair.model.tables.run(key).fence - drawn.stale;
      const request: RefillRequest = { ...key, fence, cursor, want, look, passedOver, freed };
      const real = await pair.engine.store.refill(node(pair, drawn.node), [request]);
      compareScans(pair, real, await pair.model.refill(node(pair, drawn.node), [request]));
    },
  }),
);

/** Results of what was begun at any time: twice, late, of a lost claim, as they come. */
const settle = fc.tuple(fc.array(ending, { minLength: 1, maxLength: 4 }), ailing).map(([endings, drawn]) =>
  command({
    name: `settle ${JSON.stringify(endings)} ${JSON.stringify(drawn)}`,
    can: (pair) => pair.begun.length > 0,
    async run(pair) {
      const batch = batchOf(pair, endings);
      const health = healthOf(pair, batch, drawn);
      const real = await pair.engine.store.settle(batch, health);
      const model = await pair.model.settle(batch, health);
      const byId = (a: { id: number }, b: { id: number }) => a.id - b.id;
      expect(real.toSorted(byId)).toEqual(model.toSorted(byId));
    },
  }),
);

const warn = fc.tuple(nat, fc.integer({ min: 0, max: 3 }), fc.constantFrom(0, 0, 1)).map(([pick, level, stale]) =>
  command({
    name: `warn ${level}`,
    can: hasNodes,
    async run(pair) {
      const run = pair.model.tables.run(webhook(pair, pick));
      const kinds = ["webhook.recovered", "webhook.failing", "webhook.still_failing", "webhook.off_soon"] as const;
      const details = { outcome: "answered", status: 500 };
      const { clinicId, webhookId, fence } = run;
      const key = { clinicId, webhookId, fence: fence - stale };
      const warning = { run: key, kind: kinds[level] ?? kinds[0], warned: level as Warned, details };
      const owner = run.owner ?? node(pair, pick);
      await Promise.all([pair.engine.store.warn(owner, warning), pair.model.warn(owner, warning)]);
    },
  }),
);

const releasing = fc.record({
  pick: nat,
  byNode: nat,
  nextInMs: fc.constantFrom(null, 0, 5_000),
  stale: fc.constantFrom(0, 0, 1),
  isOld: fc.constantFrom(false, false, true),
  yields: fc.boolean(),
});

const release = releasing.map(({ pick, byNode, nextInMs, stale, isOld, yields }) =>
  command({
    name: `release until ${nextInMs}${yields ? ", for others" : ""}`,
    can: hasNodes,
    async run(pair) {
      const key = webhook(pair, pick);
      const run = pair.model.tables.run(key);
      const owner = run.owner ?? node(pair, byNode);
      const version = pair.model.tables.webhook(key).version - (isOld ? 1 : 0);
      const released = [{ ...key, fence: run.fence - stale, version, nextInMs, yields }];
      await pair.engine.store.release(owner, released);
      await pair.model.release(owner, released);
    },
  }),
);

/** Only what nothing has left of; here that is anything. */
const unbegin = nat.map((pick) =>
  command({
    name: "unbegin",
    can: (pair) => pair.begun.length > 0,
    async run(pair) {
      const one = [pickFrom(pair.begun.slice(-4), pick)];
      await Promise.all([pair.engine.store.unbegin(one), pair.model.unbegin(one)]);
    },
  }),
);

const passTime = fc
  .constantFrom(1, 4_000, 5_000, 31_000, 36_000, 300_000, 300_000, -1, -5_000, -600_000)
  .map((ms) => command({ name: `the database's clock moves by ${ms} ms`, run: (pair) => pair.clock.advance(ms) }));

const ofNode = fc
  .tuple(nat, fc.constantFrom("beat", "beat", "retire", "forget"), fc.boolean())
  .map(([pick, what, takes]) =>
    command({
      name: what,
      can: hasNodes,
      async run(pair) {
        const id = node(pair, pick);
        if (what === "beat") return compareBeats(pair, id, takes);
        pair.nodes.splice(pair.nodes.indexOf(id), 1);
        if (what === "retire") await Promise.all([pair.engine.store.retire(id), pair.model.retire(id)]);
      },
    }),
  );

async function compareBeats(pair: Pair, id: number, takes: boolean): Promise<void> {
  const beat = { leaseMs: LEASE_MS, sendsForMs: SENDS_FOR_MS, takes };
  const { nextDeathMs, ...real } = await pair.engine.store.beat(id, beat);
  const whole = nextDeathMs === null ? null : Math.round(nextDeathMs);
  expect({ ...real, nextDeathMs: whole }).toEqual(await pair.model.beat(id, beat));
}

const upkeep = fc.constantFrom("reap", "reap", "sweep").map((what) =>
  command({
    name: what,
    run: async (pair) =>
      expect(await pair.engine.store[what as "sweep"]()).toEqual(await pair.model[what as "sweep"]()),
  }),
);

const configure = fc.tuple(nat, fc.constantFrom("off", "on", "on", "on", "on", "gone", "delete")).map(([pick, what]) =>
  command({
    name: `${what} webhook ${pick % 3}`,
    can: (pair) => mayConfigure(pair, webhook(pair, pick), what),
    async run(pair) {
      const key = webhook(pair, pick);
      if (what === "delete") await pair.deleteWebhook(key);
      else if (what !== "gone") await pair.setEnabled(key, what === "on");
      else await turnOff(pair, key, pick % 5 === 0 ? 1 : 0);
    },
  }),
);

async function turnOff(pair: Pair, key: RunKey, stale: number): Promise<void> {
  const version = pair.model.tables.webhook(key).version - stale;
  const turning: TurningOff = { version, reason: "failing", details: { outcome: "answered", status: 500 } };
  await Promise.all([pair.engine.store.turnOff(key, turning), pair.model.turnOff(key, turning)]);
}

function mayConfigure(pair: Pair, key: RunKey, what: string): boolean {
  const { enabled, deleted } = pair.model.tables.webhook(key);
  if (what === "delete" && nameOf(key) !== nameOf(webhook(pair, 2))) return false; // some are to stay
  return what === "gone" || (!deleted && (what === "delete" || enabled !== (what === "on")));
}

/** Managers change more of a webhook than whether it is on. */
const reconfigure = fc.tuple(nat, fc.constantFrom("move", "choose", "choose", "rotate")).map(([pick, what]) =>
  command({
    name: `${what} webhook ${pick % 3}`,
    can: (pair) =>
      !pair.model.tables.webhook(webhook(pair, pick)).deleted &&
      !(what === "rotate" && pair.rotated.has(webhook(pair, pick).webhookId)),
    async run(pair) {
      const key = webhook(pair, pick);
      const { version, choice } = pair.model.tables.webhook(key);
      if (what === "move") await pair.move(key, `receiver-${version}.example.test`);
      else if (what === "rotate") await pair.rotate(key);
      else
        await pair.choose(
          key,
          pickFrom(
            CHOICES.filter((other) => !isDeepStrictEqual(other, choice)),
            pick,
          ),
        );
    },
  }),
);

const recover = nat.map((pick) =>
  command({
    name: `recover webhook ${pick % 3}`,
    can: (pair) =>
      !pair.model.tables.webhook(webhook(pair, pick)).deleted && pair.side.recoverable(webhook(pair, pick)).length > 0,
    run: (pair) => pair.recover(webhook(pair, pick)),
  }),
);

const erase = fc.tuple(nat, fc.boolean()).map(([pick, isRetention]) =>
  command({
    name: isRetention ? "retention" : "erase",
    can: (pair) => pair.model.tables.events.size > 0,
    run: (pair) =>
      isRetention ? pair.eraseFinished() : pair.erase(pickFrom([...pair.model.tables.events.keys()], pick)),
  }),
);

const resend = nat.map((pick) => {
  const candidates = (pair: Pair) =>
    [...pair.model.tables.finished.values()].filter(
      (row) => pair.model.tables.isOn(row) && pair.model.tables.events.get(row.eventId)?.facts,
    );
  return command({
    name: "resend",
    can: (pair) => candidates(pair).length > 0,
    run: (pair) => pair.resend(pickFrom(candidates(pair), pick)),
  });
});

/** All commands; the engine's own come up more often than what managers do. */
export const ALL_COMMANDS: fc.Arbitrary<Command>[] = [
  ...[
    emit,
    emit,
    emit,
    openChange,
    endChange,
    register,
    take,
    take,
    take,
    refill,
    refill,
    settle,
    settle,
    settle,
    settle,
  ],
  ...[release, release, unbegin, warn, passTime, ofNode, upkeep, configure, reconfigure, recover, erase, resend],
];
