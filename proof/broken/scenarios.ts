/** What is played: each scenario passes the judge with the engine as it is, and shows what some broken engine does wrong. */
import { generateSecret } from "@hookwell/sdk";
import type { EngineStore, DeliveryStore as Store } from "../../server/src/delivery/store.ts";
import { until } from "../../server/test/until.ts";
import type { ReceiverLine } from "../history/reading.ts";
import type { Answer, Stage } from "./stage.ts";

export type Scenario = (stage: Stage) => Promise<void>;

const attemptOf = (line: ReceiverLine) => Number(line.headers["webhook-attempt"]);
const subjectOf = (line: ReceiverLine) => line.headers["webhook-subject"];
const allEnded = (stage: Stage) => until("everything has ended", async () => (await stage.unfinished()) === 0);

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

/** While deliveries wait for their retry, a secret is replaced, a choice is widened and another one narrowed. */
export const changes: Scenario = async (stage) => {
  const failFirst = (line: ReceiverLine) => ({ status: attemptOf(line) === 1 ? 500 : 200 });
  const rotated = await stage.webhook({}, failFirst);
  const widened = await stage.webhook({}, failFirst);
  const narrowed = await stage.webhook({ patient: "all" }, failFirst);
  await stage.start();
  await stage.emit("consult:1");
  await until("all three have failed", () => stage.lines.length === 3);
  await stage.replaceSecret(rotated, generateSecret());
  await stage.configure(widened, { patient: "all" });
  await stage.configure(narrowed, { patient: "off" });
  await allEnded(stage);
};

/** A webhook with a backlog is turned off while it is being sent to. */
export const turnedOff: Scenario = async (stage) => {
  const slowly = () => ({ status: 200, after: new Promise((fulfil) => setTimeout(fulfil, 300)) });
  const webhook = await stage.webhook({ concurrency: 1 }, slowly);
  await stage.start();
  for (let n = 1; n <= 14; n++) await stage.emit(`consult:${n}`);
  await until("some have arrived", () => stage.lines.length >= 2);
  await stage.configure(webhook, { enabled: false });
  await until("the webhook rests", async () => {
    const { rows } = await stage.engine.owner.query(
      "select from runs r where owner is null and not exists (select from deliveries d where d.begun_at is not null)",
    );
    return rows.length === 1;
  });
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
    await stage.emit("consult:1");
    for (const [n, node] of [first, second].entries()) {
      await stage.start({ store: node.store });
      await until("its result waits to be written", () => stage.lines.length === n + 1 && node.isWaiting());
      const { rows } = await stage.engine.owner.query<{ owner: number }>("select owner from runs");
      await stage.engine.loseNode(rows[0]?.owner ?? 0);
    }
    first.thaw();
    await until("the first has written its result", () => first.hasSettled());
    await stage.start();
    await allEnded(stage);
    second.die();
  };
}

/** A store whose settling waits, as if the whole process had been stopped there. */
function frozenStore(stage: Stage) {
  const { promise: thawed, resolve: thaw, reject } = Promise.withResolvers<void>();
  thawed.catch(() => {}); // it may die before anybody waits
  const real: EngineStore = stage.parts.store ?? stage.engine.store;
  let isWaiting = false;
  let hasSettled = false;
  const settle: Store["settle"] = async (results) => {
    isWaiting = true;
    await thawed;
    const counted = await real.settle(results);
    hasSettled = true;
    return counted;
  };
  // Bound, since private fields are not to be had through a proxy.
  const store = new Proxy(real, {
    get: (target, key) => {
      if (key === "settle") return settle;
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const die = () => reject(new Error("this node is gone"));
  return { store, thaw: () => thaw(), die, isWaiting: () => isWaiting, hasSettled: () => hasSettled };
}
