/** What is played: each scenario passes the judge with the engine as it is, and shows what some broken engine does wrong. */
import { type Clock, systemClock } from "../../server/src/clock.ts";
import type { EngineStore, Scan } from "../../server/src/delivery/engine-store.ts";
import { LEASE_MS } from "../../server/src/delivery/lease.ts";
import { until } from "../../server/test/until.ts";
import { nowMs } from "../crash/chance.ts";
import type { ReceiverLine } from "../history/reading.ts";
import { eraseSent, replaceSecret, resendAll, signByKeyPair } from "./managers.ts";
import type { Answer, Stage } from "./stage.ts";

const SILENCE_MS = 1_500;

export type Scenario = (stage: Stage) => Promise<void>;

const attemptOf = (line: ReceiverLine) => Number(line.headers["webhook-attempt"]);
const subjectOf = (line: ReceiverLine) => line.headers["webhook-subject"];
/** What waits for longer than a play may last is left to the judge. */
const allEnded = (stage: Stage) => until("everything has ended", async () => (await stage.awaited()) === 0);
const failFirst = (line: ReceiverLine) => ({ status: attemptOf(line) === 1 ? 500 : 200 });

/** Two events of each of three consults; the first attempt of one of them fails. */
export const retry: Scenario = async (stage) => {
  await stage.webhook({}, (line, nth) => ({
    status: nth <= 6 && subjectOf(line) === "consult:1" && firstSeen(stage, line) ? 500 : 200,
  }));
  await stage.start();
  for (const n of [1, 2, 3, 1, 2, 3]) await stage.emit(`consult:${n}`);
  await allEnded(stage);
};

/** Whether this is the first message about that event of the subject that anybody got. */
function firstSeen(stage: Stage, line: ReceiverLine): boolean {
  return stage.lines.filter((one) => subjectOf(one) === subjectOf(line)).length === 1;
}

/** The receiver asks for more time than the schedule would give it. */
export const retryAfter: Scenario = async (stage) => {
  await stage.webhook({}, (line) =>
    stage.lines.indexOf(line) === 0 ? { status: 503, retryAfterSeconds: 7 } : { status: 200 },
  );
  await stage.start();
  await stage.emit("consult:1");
  await allEnded(stage);
};

/** The first request is answered only after its deadline. */
export const slow: Scenario = async (stage) => {
  await stage.webhook(
    {},
    (line): Answer =>
      stage.lines.indexOf(line) === 0 ? { status: 200, after: new Promise(() => {}) } : { status: 200 },
  );
  await stage.start();
  await stage.emit("consult:1");
  await until("it was tried", async () => (await stage.engine.owner.query("select from attempts")).rowCount);
  await allEnded(stage);
};

/** While deliveries wait for their retry, a secret is replaced, a choice is widened, another one narrowed, a webhook moves. */
export const changes: Scenario = async (stage) => {
  const rotated = await stage.webhook({}, failFirst);
  const widened = await stage.webhook({}, failFirst);
  const narrowed = await stage.webhook({ patient: "all" }, failFirst);
  const moved = await stage.webhook({}, failFirst);
  await stage.start();
  await stage.emit("consult:1");
  await until("all four have failed", () => stage.lines.length === 4);
  await replaceSecret(stage, rotated);
  await stage.configure(widened, { patient: "all" });
  await stage.configure(narrowed, { patient: "off" });
  await stage.move(moved);
  await allEnded(stage);
};

/** Two webhooks sign by a key pair, too; one of them is told not to any more before its retry. */
export const keyPairs: Scenario = async (stage) => {
  const [one, other] = [await stage.webhook({}, failFirst), await stage.webhook({}, failFirst)];
  for (const webhook of [one, other]) await signByKeyPair(stage, webhook, true);
  await stage.start();
  await stage.emit("consult:1");
  await until("both have failed", () => stage.lines.length === 2);
  await signByKeyPair(stage, other, false);
  await allEnded(stage);
};

/** A receiver says that it is gone. Its manager knows better, and turns the webhook on again. */
export const gone: Scenario = async (stage) => {
  const webhook = await stage.webhook({}, (line) => ({ status: attemptOf(line) === 1 ? 410 : 200 }));
  await stage.emit("consult:1");
  const beganMs = nowMs();
  await stage.start();
  const isOff = () => stage.engine.owner.query("select from webhooks where not enabled");
  await until("it is turned off", async () => (await isOff()).rowCount);
  stage.noteChange(webhook.id, beganMs, { enabled: false });
  await stage.configure(webhook, { enabled: true });
  await allEnded(stage);
};

/** What was delivered is erased, and its manager wants it sent again, some seconds later: another consult's retry has come. */
export const erasure: Scenario = async (stage) => {
  await stage.webhook({ patient: "all" }, (line) => ({
    status: subjectOf(line) === "consult:2" && attemptOf(line) === 1 ? 500 : 200,
  }));
  await stage.start();
  await stage.emit("consult:1");
  await allEnded(stage);
  await eraseSent(stage);
  await stage.emit("consult:2");
  await allEnded(stage);
  await resendAll(stage);
  await allEnded(stage);
};

/** A node stands still with what it has just begun, for longer than its lease; meanwhile another one sends that. */
export const standstill: Scenario = async (stage) => {
  await stage.webhook();
  await stage.emit("consult:1");
  let aheadMs = 0;
  const clock: Clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + aheadMs };
  const node = frozenStore(stage, "with what it has taken");
  try {
    await stage.start({ store: node.store, clock: stage.parts.clock ?? clock });
    await until("it has begun something", () => node.isWaiting());
    await loseHolder(stage);
    await stage.start();
    await allEnded(stage);
    aheadMs = LEASE_MS;
    node.thaw();
    await until("it knows that it was declared dead, and all that it has sent has ended", () => node.isBorn(2));
  } finally {
    node.die();
  }
};

/** A webhook with a backlog is turned off while it is being sent to. */
export const turnedOff: Scenario = async (stage) => {
  const slowly = () => ({ status: 200, after: new Promise((fulfil) => setTimeout(fulfil, 300)) });
  const webhook = await stage.webhook({ concurrency: 1 }, slowly);
  await stage.start();
  for (let n = 1; n <= 16; n++) await stage.emit(`consult:${n}`);
  await until("some have arrived", () => stage.lines.length >= 2);
  await stage.configure(webhook, { enabled: false });
  // Each takes less than a third of a second: after such a silence nothing more comes.
  await until("nothing arrives any more", () => nowMs() - (stage.lines.at(-1)?.atMs ?? 0) > SILENCE_MS);
};

/** Changes of which some are rolled back, for a webhook that has not ticked all there is. */
export const rolledBack: Scenario = async (stage) => {
  await stage.webhook({ events: ["consult.updated"] });
  await stage.webhook({ events: ["participant.added"] });
  await stage.start();
  for (let n = 1; n <= 6; n++) await stage.emit(`consult:${n}`, { rollBack: n % 2 === 0 });
  await stage.emit("consult:1", { name: "participant.added" });
  await allEnded(stage);
};

/**
 * Two nodes stand still one after the other, each after its request was answered and before it could write that down. The
 * first comes to when the second has sent again; the third node delivers.
 */
export function takeover(firstStatus: number): Scenario {
  return async (stage) => {
    await stage.webhook({}, (line) => ({ status: attemptOf(line) === 1 ? firstStatus : 200 }));
    const [first, second] = [frozenStore(stage), frozenStore(stage)];
    try {
      await stage.emit("consult:1");
      for (const [n, node] of [first, second].entries()) {
        await stage.start({ store: node.store });
        await until("its result waits to be written", () => stage.lines.length === n + 1 && node.isWaiting());
        await loseHolder(stage);
      }
      first.thaw();
      await until("the first has written its result", () => first.hasSettled());
      await stage.start();
      await allEnded(stage);
    } finally {
      for (const node of [first, second]) node.die();
    }
  };
}

async function loseHolder({ engine }: Stage): Promise<void> {
  const { rows } = await engine.owner.query<{ owner: number }>("select owner from runs");
  await engine.loseNode(rows[0]?.owner ?? 0);
}

/** A store that answers nothing any more from some moment on, as if the whole process had been stopped there. */
function frozenStore(stage: Stage, stopsAt: "before it settles" | "with what it has taken" = "before it settles") {
  const { promise: thawed, resolve: thaw, reject } = Promise.withResolvers<void>();
  thawed.catch(() => {}); // it may die before anybody waits
  const real: EngineStore = stage.parts.store ?? stage.engine.store;
  let isWaiting = false;
  const done: PropertyKey[] = [];
  // Bound, since private fields are not to be had through a proxy.
  const store = new Proxy(real, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      return async (...args: unknown[]) => {
        isWaiting ||= key === "settle" && stopsAt === "before it settles";
        if (isWaiting) await thawed;
        const result: unknown = await value.apply(target, args);
        isWaiting ||= key === "take" && stopsAt === "with what it has taken" && (result as Scan).begun.length > 0;
        if (isWaiting) await thawed;
        done.push(key);
        return result;
      };
    },
  });
  const times = (name: string) => done.filter((key) => key === name).length;
  return {
    ...{ store, thaw: () => thaw(), die: () => reject(new Error("this node is gone")) },
    isWaiting: () => isWaiting,
    hasSettled: () => times("settle") > 0,
    isBorn: (nth: number) => times("register") >= nth,
  };
}
