/** The named crash points: where a process is killed with -9, and what is there afterwards in any case. */
import { until } from "../../server/test/until.ts";
import type { Moment } from "../crash/wire-proxy.ts";
import type { Rig } from "./rig.ts";
import { MOMENTS } from "./trapped-receiver.ts";

export interface Point {
  name: string;
  /** played in `npm test`, too */
  isQuick?: true;
  /** until the victim is dead */
  play: (rig: Rig) => Promise<void>;
  /** instead of a new node that delivers */
  recover?: (rig: Rig) => Promise<void>;
}

const WORDS: Readonly<Record<Moment, string>> = {
  before: "before it reaches the database",
  during: "while the database does it",
  after: "committed, its answer on the way",
};

/** The node is killed at a statement of its work on events that wait for it. */
function atStatement(name: string, statement: string, ...moments: Moment[]): Point[] {
  return moments.map((moment) => ({
    name: `${name}: ${WORDS[moment]}`,
    async play(rig) {
      rig.killAt(new RegExp(`^engine_${statement} `), moment);
      if (statement === "reap") await rig.loseNode();
      await rig.emitSome();
      await rig.startNode({ untilItWorks: false });
      await rig.isKilled();
    },
  }));
}

/** A client is killed within its command; the dispatcher of this process delivers what there is. */
function atClient(
  name: string,
  what: { does: "emit" | "rotate"; statement: RegExp; moment: Moment; nth?: number },
): Point {
  return {
    name,
    isQuick: true,
    async play(rig) {
      await rig.stage.emit("consult:1");
      rig.killAt(what.statement, what.moment, what.nth);
      const isHeard = await rig.runClient(what.does);
      if (isHeard) throw new Error("the client heard of its commit before it was killed");
      await rig.isKilled();
    },
    async recover(rig) {
      await rig.learnSecrets();
      await rig.stage.emit("consult:1");
      await rig.stage.start();
      await rig.allDelivered();
    },
  };
}

const clients: Point[] = [
  atClient("emit: the change is made, its event not yet sent to the database", {
    does: "emit",
    statement: /^emit /,
    moment: "before",
  }),
  atClient("fan-out: event and deliveries are stored, not committed", {
    does: "emit",
    statement: /^emit /,
    moment: "after",
  }),
  atClient("commit of the change: before it reaches the database", {
    does: "emit",
    statement: /^commit/i,
    moment: "before",
  }),
  atClient("commit of the change: committed, its answer on the way", {
    does: "emit",
    statement: /^commit/i,
    moment: "after",
  }),
  atClient("rotation: the old secret retires, the new one is not stored", {
    does: "rotate",
    statement: /insert into "webhook_secrets"/,
    moment: "before",
  }),
  atClient("rotation: both secrets are stored, not committed", {
    does: "rotate",
    statement: /^commit/i,
    moment: "before",
  }),
  atClient("rotation: committed, its answer on the way", { does: "rotate", statement: /^commit/i, moment: "after" }),
];

const receivers: Point[] = MOMENTS.map((moment) => ({
  name: `a request: ${moment}`,
  ...(moment === "the answer's headers are sent" && { isQuick: true }),
  async play(rig) {
    rig.killWhen(moment);
    await rig.emitSome();
    await rig.startNode({ untilItWorks: false });
    await rig.isKilled();
  },
}));

/** The first attempt of everything fails: settling it means putting it off. */
const reschedules: Point[] = (["before", "during", "after"] as const).map((moment) => ({
  name: `reschedule after a 500: ${WORDS[moment]}`,
  async play(rig) {
    rig.receiver.statusOf = ({ headers }) => (headers["webhook-attempt"] === "1" ? 500 : 200);
    rig.killAt(/^engine_settle /, moment);
    await rig.emitSome();
    await rig.startNode({ untilItWorks: false });
    await rig.isKilled();
  },
}));

const gone: Point[] = (["before", "after"] as const).map((moment) => ({
  name: `turning off after a 410: ${WORDS[moment]}`,
  async play(rig) {
    rig.receiver.statusOf = ({ headers }) => (headers["webhook-attempt"] === "1" ? 410 : 200);
    rig.killAt(/^engine_turn_off /, moment);
    await rig.stage.emit("consult:1");
    await rig.startNode({ untilItWorks: false });
    await rig.isKilled();
  },
  async recover(rig) {
    await rig.turnOnAgain();
    await rig.recover();
  },
}));

const partitions: Point[] = (["before", "during", "after"] as const).map((moment) => ({
  name: `partitions of the days to come: ${WORDS[moment]}`,
  async play(rig) {
    await dropPartitions(rig);
    rig.killAt(/make_partition/, moment);
    await rig.startNode({ untilItWorks: false });
    await rig.isKilled();
  },
  async recover(rig) {
    await rig.startNode();
    await until("the partitions are there", async () => (await partitionsOf(rig)).length > 0);
    await rig.emitSome();
    await rig.allDelivered();
  },
}));

async function partitionsOf({ stage }: Rig): Promise<string[]> {
  const { rows } = await stage.engine.owner.query<{ name: string }>(
    "select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid where c.relname ~ '^events_[0-9]{8}$'",
  );
  return rows.map(({ name }) => name);
}

/** As if the program had not run for a week. */
async function dropPartitions(rig: Rig): Promise<void> {
  for (const name of await partitionsOf(rig)) await rig.stage.engine.owner.query(`drop table ${name}`);
}

const shutdowns: Point[] = [
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
  ...(["before", "after"] as const).map(
    (moment): Point => ({
      name: `shutdown: giving the node's leases back, ${WORDS[moment]}`,
      async play(rig) {
        await rig.emitSome();
        await rig.startNode();
        rig.killAt(/^engine_retire /, moment);
        rig.terminate();
        await rig.isKilled();
      },
    }),
  ),
];

export const POINTS: readonly Point[] = [
  ...clients,
  ...partitions,
  ...atStatement("registering a node", "register", "before", "after"),
  ...atStatement("taking a webhook", "take", "before", "during", "after"),
  {
    name: "a claim is made, and the secrets it is signed with are being read",
    async play(rig) {
      rig.killAt(/^read_targets /, "before");
      await rig.emitSome();
      await rig.startNode({ untilItWorks: false });
      await rig.isKilled();
    },
  },
  ...atStatement("going on with a webhook", "refill", "before", "during", "after"),
  ...receivers,
  ...atStatement("settling", "settle", "before", "during", "after"),
  ...reschedules,
  ...gone,
  ...atStatement("putting a webhook to sleep", "release", "before", "after"),
  ...atStatement("a heartbeat", "beat", "before", "after"),
  ...atStatement("taking dead nodes' webhooks away", "reap", "before", "after"),
  ...shutdowns,
];
