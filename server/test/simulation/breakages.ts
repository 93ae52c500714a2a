/**
 * Seeded bugs. Each lies to the engine, or to the model, from outside; the simulation has to notice every one of them.
 * A simulation that lets one through proves nothing about the bug's absence.
 */
import type { CheckName } from "../../../proof/history/judge.ts";
import type { Clock } from "../../src/clock.ts";
import type { EngineStore, Scan, Sendable, SettledAttempt } from "../../src/delivery/engine-store.ts";
import type { ModelStore } from "../model/model-store.ts";
import { type DeliveryRow, type FinishedRow, nameOf } from "../model/tables.ts";
import type { SimulatedClinic } from "./clinic.ts";
import type { Process } from "./process.ts";

export interface Breakage {
  name: string;
  /** the independent judge's check that must find it, where it is one that no broken engine of proof/broken shows to work */
  found?: CheckName;
  /** between a node and its store */
  store?: (inner: EngineStore, model: ModelStore) => EngineStore;
  /** between a node and its clock */
  clock?: (inner: Clock, process: Process) => Clock;
  /** in the database itself */
  model?: (model: ModelStore) => void;
  /** in what the clinic's side writes, or in what the sender reads of it */
  clinic?: (clinic: SimulatedClinic, model: ModelStore) => void;
}

const rowOf = ({ begun }: SettledAttempt, model: ModelStore) => model.tables.deliveriesOf(begun).get(begun.id);

export const BREAKAGES: readonly Breakage[] = [
  {
    name: "settle is not fenced: a lost claim's result counts",
    model(model) {
      const settle = model.settle.bind(model);
      model.settle = (results, health) => {
        const claims = results.flatMap((result) => {
          const row = rowOf(result, model);
          if (row) model.tables.putDelivery({ ...row, fence: result.begun.fence, attempt: result.begun.attempt });
          return row ?? [];
        });
        const counted = settle(results, health);
        for (const { fence, attempt, ...key } of claims) {
          const row = model.tables.deliveriesOf(key).get(key.id);
          if (row) model.tables.putDelivery({ ...row, fence, attempt });
        }
        return counted;
      };
    },
  },
  {
    name: "the lease is checked by the wall clock",
    clock: (inner) => ({ ...inner, monotonicMs: () => inner.now().epochMilliseconds }),
  },
  {
    name: "a result whose settling fails is dropped",
    store: (inner) => ({
      ...inner,
      settle: (results, health) =>
        inner
          .settle(results, health)
          .catch(() =>
            results.map(({ begun: { clinicId, webhookId, id } }) => ({ clinicId, webhookId, id, hasNext: true })),
          ),
    }),
  },
  {
    name: "release forgets when the next retry is due",
    store: (inner) => ({
      ...inner,
      release: (owner, runs) =>
        inner.release(
          owner,
          runs.map((run) => ({ ...run, nextInMs: null })),
        ),
    }),
  },
  {
    name: "the lease is counted on a clock that stands still while the process does",
    clock: (inner, process) => ({ ...inner, monotonicMs: () => inner.monotonicMs() - process.stoodStillMs }),
  },
  {
    name: "order is forgotten: every delivery is a subject of its own",
    model: (model) => onPut(model, (row) => ({ ...row, orderKey: `${row.orderKey.split("#")[0]}#${row.id}` })),
  },
  {
    name: "a bell that rang after the scan's snapshot is consumed with the others",
    model(model) {
      const take = model.takeAsSeen.bind(model);
      const refill = model.refillAsSeen.bind(model);
      const silence = <Scan extends ReturnType<typeof take>>(scan: Scan): Scan => {
        const held = new Set(scan.runs.map(nameOf));
        for (const bell of [...model.tables.bells.values()])
          if (held.has(nameOf(bell))) model.tables.bells.delete(bell.id);
        return scan;
      };
      model.takeAsSeen = (seen, asked) => silence(take(seen, asked));
      model.refillAsSeen = (seen, asked) => silence(refill(seen, asked));
    },
  },
  {
    name: "what a held webhook's bell said is forgotten",
    store: (inner) => ({ ...inner, take: async (...asked) => ({ ...(await inner.take(...asked)), rung: [] }) }),
  },
  {
    name: "a retry gets a new number",
    model: (model) =>
      onPut(model, (row) => (row.begunAt === null && row.attempt > 0 ? { ...row, sequence: null } : row)),
  },
  {
    name: "a retry is due at once",
    store: (inner) => ({
      ...inner,
      settle: (results, health) =>
        inner.settle(
          results.map((one) => (one.next.do === "retry" ? { ...one, next: { do: "retry", inMs: 0 } } : one)),
          health,
        ),
    }),
  },
  {
    name: "a TAKE whose answer is an error counts as one that took nothing",
    store: (inner) => ({
      ...inner,
      take: (...asked) =>
        inner.take(...asked).catch(() => ({ runs: [], begun: [], waiting: [], rung: [], lookedUpTo: null })),
    }),
  },
  {
    name: "taking over does not raise the fence",
    model(model) {
      const take = model.takeAsSeen.bind(model);
      model.takeAsSeen = (seen, asked) => {
        const before = new Map([...model.tables.runs].map(([name, { fence }]) => [name, fence]));
        const scan = take(seen, asked);
        const keep = <One extends { clinicId: number; webhookId: number; fence: number }>(one: One): One => ({
          ...one,
          fence: Math.max(1, before.get(nameOf(one)) ?? 1),
        });
        for (const run of scan.runs) model.tables.changeRun(run, { fence: keep(run).fence });
        for (const begun of scan.begun) {
          const row = model.tables.deliveriesOf(begun).get(begun.id);
          if (row) model.tables.putDelivery({ ...row, fence: keep(begun).fence });
        }
        return { ...scan, runs: scan.runs.map(keep), begun: scan.begun.map(keep) };
      };
    },
  },
  {
    name: "a parked webhook is probed every twenty seconds",
    found: "sent_while_parked",
    store: (inner, model) => ({
      ...inner,
      release: (owner, runs) =>
        inner.release(
          owner,
          runs.map((run) => (model.tables.run(run).parkedAt === null ? run : { ...run, nextInMs: 20_000 })),
        ),
    }),
  },
  {
    name: "what is sent goes to the address that the webhook had at first",
    clinic: (clinic) => onRead(clinic, (rows, [first]) => rows.map((row) => ({ ...row, url: first?.url ?? row.url }))),
  },
  {
    name: "a changed address does not end a parking",
    clinic(clinic, { tables }) {
      const move = clinic.side.move.bind(clinic.side);
      clinic.side.move = (key, host) => {
        const { failures, failingSince, parkedAt, probes } = tables.run(key);
        move(key, host);
        tables.changeRun(key, { failures, failingSince, parkedAt, probes });
      };
    },
  },
  {
    name: "a rotation ends the old secret at once",
    clinic: (clinic) => onRead(clinic, (rows) => rows.slice(0, 1)),
  },
  {
    name: "a new secret is not signed with before the old one ends",
    clinic: (clinic) => onRead(clinic, (rows) => rows.slice(-1)),
  },
  {
    name: "an old secret is signed with after it has ended",
    clinic: (clinic) =>
      onRead(clinic, (rows, firsts) => {
        const ended = firsts.filter(({ secret_id }) => rows.every((row) => row.secret_id !== secret_id));
        return [...rows, ...ended].map((row) => ({ ...row, lives_ms: null }));
      }),
  },
  {
    name: "data that was unticked since the event is sent",
    clinic: (clinic) =>
      onRead(clinic, (rows) => rows.map((row) => ({ ...row, include_practitioner: "all", include_patient: "all" }))),
    model(model) {
      const snapshot = model.snapshot.bind(model);
      const everything = { practitioner: "all", patient: "all" } as const;
      model.snapshot = () => {
        const seen = snapshot();
        for (const [name, row] of seen.tables.webhooks) seen.tables.webhooks.set(name, { ...row, choice: everything });
        return seen;
      };
    },
  },
  {
    name: "a node sends content that was erased since it has seen it",
    store(inner) {
      const contents = new Map<string, Sendable["event"]>();
      const kept = (scan: Scan): Scan => {
        for (const { eventId, event } of scan.begun) if (event) contents.set(eventId, event);
        return { ...scan, begun: scan.begun.map((one) => ({ ...one, event: contents.get(one.eventId) ?? null })) };
      };
      return {
        ...inner,
        take: async (...asked) => kept(await inner.take(...asked)),
        refill: async (...asked) => kept(await inner.refill(...asked)),
      };
    },
  },
  {
    name: "retention erases what still waits",
    clinic(clinic, { tables }) {
      clinic.side.eraseFinished = () => {
        for (const id of tables.events.keys()) clinic.side.erase(id);
      };
    },
  },
  {
    name: "a recovery leaves out what was never sent because the webhook was off",
    clinic: (clinic) => onRecoverable(clinic, (rows) => rows.filter(({ reason }) => reason !== "off")),
  },
  {
    name: "a recovery sends what has arrived, too",
    clinic: (clinic, { tables }) => onRecoverable(clinic, () => [...tables.finished.values()]),
  },
  {
    name: "those who take over do not wait for the lease's end",
    model(model) {
      const giveBack = model.giveBack.bind(model);
      model.giveBack = () => {
        for (const node of [...model.tables.nodes.values()])
          if (node.aliveUntil < model.nowMs() + 28_000) model.forget(node.id);
        return giveBack();
      };
    },
  },
];

/** What the sender reads of a webhook is changed: `before` is what it read the first time. */
function onRead(clinic: SimulatedClinic, change: (rows: TargetRow[], before: TargetRow[]) => object[]): void {
  const read = clinic.read.bind(clinic);
  const firsts = new Map<number, TargetRow[]>();
  clinic.read = (statement, parameters) => {
    const rows = read(statement, parameters);
    if (statement !== "read_targets") return rows;
    return [...Map.groupBy(rows as TargetRow[], ({ id }) => id)].flatMap(([id, own]) => {
      if (!firsts.has(id)) firsts.set(id, own);
      return change(own, firsts.get(id) ?? own);
    });
  };
}

function onRecoverable({ side }: SimulatedClinic, change: (rows: FinishedRow[]) => FinishedRow[]): void {
  const recoverable = side.recoverable.bind(side);
  side.recoverable = (key) => change(recoverable(key)).filter((row) => nameOf(row) === nameOf(key));
}

interface TargetRow {
  id: number;
  url: Buffer;
  secret_id: number;
  lives_ms: number | null;
}

/** Changes every delivery's row as it is written. */
function onPut(model: ModelStore, change: (row: DeliveryRow) => DeliveryRow): void {
  const put = model.tables.putDelivery.bind(model.tables);
  model.tables.putDelivery = (row) => put(change(row));
}
