/** Crash points of the engine's own statements. Every one of them has a point: points.test.ts sees to it. */
import { expect } from "vitest";
import { until } from "../../server/test/until.ts";
import type { Moment } from "../crash/wire-proxy.ts";
import { type Point, WORDS } from "./point.ts";
import type { Rig } from "./rig.ts";

interface Scene {
  /** before anything is emitted */
  before?: (rig: Rig) => unknown;
  emit?: (rig: Rig) => Promise<void>;
  /** between emitting and the start of the victim */
  after?: (rig: Rig) => unknown;
  /** of the victim alone */
  environment?: NodeJS.ProcessEnv;
  recover?: (rig: Rig) => Promise<void>;
}

/** The node is killed at a statement of its work on events that wait for it. */
function at(what: string, statement: string, moments: readonly Moment[], scene: Scene = {}): Point[] {
  const { before, emit = (rig: Rig) => rig.emitSome(), after, environment = {}, recover } = scene;
  return moments.map((moment) => ({
    name: `${what}: ${WORDS[moment]}`,
    statement,
    async play(rig) {
      rig.killAt({ statement: new RegExp(`^engine_${statement} `), moment });
      await before?.(rig);
      await emit(rig);
      await after?.(rig);
      await rig.startNode({ untilItWorks: false, environment });
      await rig.isKilled();
    },
    ...(recover && { recover }),
  }));
}

const BOTH = ["before", "after"] as const;
const ALL = ["before", "during", "after"] as const;

/** The first attempts at everything are answered so. */
const answers =
  (status: number, attempts = 1) =>
  (rig: Rig) => {
    rig.receiver.statusOf = ({ headers }) => (Number(headers["webhook-attempt"]) <= attempts ? status : 200);
  };

const one = (rig: Rig) => rig.stage.emit("consult:1");

/** A bell got lost, which must not happen: only the sweep finds what waits. */
async function putToSleep({ stage }: Rig): Promise<void> {
  await stage.engine.owner.query("delete from bells");
  await stage.engine.owner.query("update runs set next_at = 'infinity'");
}

/** It has failed four times in a row for two minutes: with the next failure it is parked, and its clinic is told. */
async function failLately({ stage }: Rig): Promise<void> {
  await stage.engine.owner.query("update runs set failures = 4, failing_since = now() - interval '2 minutes'");
}

/** The warning that was lost is given at the next failure, and none is given twice. */
async function isWarned(rig: Rig): Promise<void> {
  await rig.replace();
  const told = async () => (await rig.stage.engine.owner.query("select kind from notices order by id")).rows;
  await until("all is delivered, and that is told, too", async () => {
    await rig.stage.engine.bringDue();
    return (await rig.stage.unfinished()) === 0 && (await told()).at(-1)?.kind === "webhook.recovered";
  });
  expect(await told()).toEqual([{ kind: "webhook.failing" }, { kind: "webhook.recovered" }]);
}

/** A process that has the database to itself, as with the embedded one, takes everything over from those before it. */
const alone: Point[] = BOTH.map((moment) => ({
  name: `declaring all other nodes dead: ${WORDS[moment]}`,
  statement: "retire_others",
  async play(rig) {
    await rig.emitSome();
    await rig.loseNode();
    rig.killAt({ statement: /^engine_retire_others /, moment });
    await rig.runClient("take over");
    await rig.isKilled();
  },
}));

async function turnOnAgain(rig: Rig): Promise<void> {
  await rig.turnOnAgain();
  await rig.recover();
}

const loseNode = (rig: Rig) => rig.loseNode();

export const enginePoints: readonly Point[] = [
  ...at("registering a node", "register", BOTH),
  ...alone,
  ...at("taking a webhook", "take", ALL),
  ...at("going on with a webhook", "refill", ALL),
  ...at("settling", "settle", ALL),
  ...at("reschedule after a 500", "settle", ALL, { before: answers(500) }),
  ...at("turning off after a 410", "turn_off", BOTH, { before: answers(410), emit: one, recover: turnOnAgain }),
  ...at("warning of a receiver that keeps failing", "warn", ALL, {
    before: answers(500, 2),
    emit: one,
    after: failLately,
    recover: isWarned,
  }),
  // Five are begun, of which the host's pace lets one leave; the others are taken back when they have waited for too long.
  ...at("taking back what did not leave", "unbegin", ALL, { environment: { HOOKWELL_HOST_PACE: "1" } }),
  ...at("putting a webhook to sleep", "release", BOTH),
  ...at("a heartbeat", "beat", BOTH),
  ...at("taking dead nodes' webhooks away", "reap", BOTH, { before: loseNode }),
  ...at("silencing webhooks that are off", "rest", BOTH, { before: loseNode }),
  ...at("ending tests whose sender was lost", "end_lost_tests", BOTH, { before: loseNode }),
  ...at("waking what sleeps though something waits", "sweep", BOTH, { after: putToSleep }),
];

export const shutdownPoints: readonly Point[] = [
  {
    name: "shutdown: a request is on its way and is waited for",
    async play(rig) {
      let isHeld = false;
      rig.receiver.set({
        moment: "the request is whole",
        spring: () => {
          isHeld = true;
          rig.terminate();
        },
      });
      await rig.emitSome();
      await rig.startNode();
      await until("a request is there", () => isHeld);
      await rig.says("process.stopping");
      rig.kill();
      await rig.isKilled();
    },
  },
  ...BOTH.map(
    (moment): Point => ({
      name: `shutdown: giving the node's leases back, ${WORDS[moment]}`,
      statement: "retire",
      async play(rig) {
        await rig.emitSome();
        await rig.startNode();
        rig.killAt({ statement: /^engine_retire /, moment });
        rig.terminate();
        await rig.isKilled();
      },
    }),
  ),
];
