/** Crash points of what a node does beside delivering: the days' partitions are made and taken away, and recoveries are worked on. */
import { sampleFacts } from "@hookwell/sdk";
import { expect } from "vitest";
import { inClinic } from "../../server/src/db/pool.ts";
import { getRecovery, startRecovery } from "../../server/src/delivery/recoveries.ts";
import { emitMany } from "../../server/src/outbox/emit.ts";
import { uuidv7 } from "../../server/src/outbox/identifiers.ts";
import { BY, HOUR } from "../../server/test/recovery.ts";
import { until } from "../../server/test/until.ts";
import type { Moment } from "../crash/wire-proxy.ts";
import { type Point, WORDS } from "./point.ts";
import { LIMIT_MS, type Rig } from "./rig.ts";

const ALL = ["before", "during", "after"] as const;
const PARENTS = ["events", "attempts", "finished_deliveries"] as const;
/** More than are kept by default. */
const OLD_DAYS = 40;
const DAY_MS = 86_400_000;
/** As many as a node makes ahead. */
const DAYS_TO_COME = 7;

const dayOf = (atMs: number) => new Date(atMs).toISOString().slice(0, 10);

/** Tables of days, whether they belong to a parent or not. */
async function dayTables({ stage }: Rig): Promise<string[]> {
  const { rows } = await stage.engine.owner.query<{ name: string }>(
    `select relname as name from pg_class where relkind = 'r' and relname ~ '^(${PARENTS.join("|")})_[0-9]{8}$'`,
  );
  return rows.map(({ name }) => name);
}

/** What there has to be from now on: a table of each parent for today and each of the days to come. */
function tablesToCome(): string[] {
  const days = Array.from({ length: 1 + DAYS_TO_COME }, (_, ahead) => dayOf(Date.now() + ahead * DAY_MS));
  return PARENTS.flatMap((parent) => days.map((day) => `${parent}_${day.replaceAll("-", "")}`));
}

const making: Point[] = ALL.map((moment) => ({
  name: `partitions of the days to come: ${WORDS[moment]}`,
  async play(rig) {
    expect(await dayTables(rig), "the first node makes them all").toEqual([]);
    rig.killAt({ statement: /make_partition/, moment });
    await rig.startNode({ untilItWorks: false });
    await rig.isKilled();
  },
  async recover(rig) {
    const wanted = tablesToCome();
    await rig.startNode();
    const areThere = async () => {
      const there = new Set(await dayTables(rig));
      return wanted.every((name) => there.has(name));
    };
    await until("all partitions of the days to come are there", areThere, LIMIT_MS);
    await rig.emitSome();
    await rig.allDelivered();
  },
}));

/** A day of which everything is old and has ended; its tables hold an event. Returns what their names end with. */
async function makeOldDay({ stage }: Rig): Promise<string> {
  const { engine, clinicId } = stage;
  const atMs = Date.now() - OLD_DAYS * DAY_MS;
  const day = dayOf(atMs);
  for (const parent of PARENTS) await engine.owner.query("select make_partition($1, $2::date)", [parent, day]);
  const id = uuidv7(atMs);
  const event = { id, subject: "consult:9", facts: sampleFacts("participant.added") };
  await inClinic(engine.app, clinicId, (tx) => emitMany(engine, tx, { clinicId, events: [event] }));
  await engine.owner.query("delete from deliveries where event_id = $1", [id]);
  return day.replaceAll("-", "");
}

/** Whatever was left half done is finished by the next pass, and what waits is delivered all the same. */
function atOldDay(what: string, statement: RegExp): Point[] {
  return ALL.map((moment) => {
    let day = "";
    return {
      name: `${what}: ${WORDS[moment]}`,
      async play(rig) {
        day = await makeOldDay(rig);
        await rig.emitSome();
        rig.killAt({ statement, moment });
        await rig.startNode({ untilItWorks: false });
        await rig.isKilled();
      },
      async recover(rig) {
        await rig.startNode();
        const isGone = async () => !(await dayTables(rig)).some((name) => name.endsWith(day));
        await until("the old day is gone", isGone, LIMIT_MS);
        await rig.allDelivered();
      },
    };
  });
}

const PACE_PER_SECOND = 5;

/** A node is killed while it works on the recovery of what a webhook missed while it was off. */
function atRecovery(what: string, statement: "due" | "recover", moments: readonly Moment[], missed: number): Point[] {
  return moments.map((moment) => {
    let id = 0;
    const scopeOf = (rig: Rig) => ({ clinicId: rig.stage.clinicId, webhookId: rig.webhook.id });
    return {
      name: `${what}: ${WORDS[moment]}`,
      statement,
      async play(rig) {
        const { stage, webhook } = rig;
        await stage.configure(webhook, { enabled: false });
        for (let n = 0; n < missed; n++) await stage.emit(`consult:${n}`);
        await stage.configure(webhook, { enabled: true });
        const wanted = { ...HOUR, pacePerSecond: PACE_PER_SECOND, by: BY };
        const start = () => inClinic(stage.engine.app, stage.clinicId, (tx) => startRecovery(tx, scopeOf(rig), wanted));
        ({ id } = await start());
        await rig.noteResent("missed");
        rig.killAt({ statement: new RegExp(`^engine_${statement} `), moment });
        await rig.startNode({ untilItWorks: false });
        await rig.isKilled();
      },
      async recover(rig) {
        await rig.replace();
        const { engine, clinicId } = rig.stage;
        const look = () => inClinic(engine.app, clinicId, (tx) => getRecovery(tx, scopeOf(rig), id));
        await until("the recovery is done", async () => (await look()).state === "done", LIMIT_MS);
        await rig.allDelivered();
        expect(await look()).toMatchObject({ found: missed, queued: missed, delivered: missed });
      },
    };
  });
}

export const upkeepPoints: readonly Point[] = [
  ...making,
  ...atOldDay("detaching an old day", /detach_partition/),
  ...atOldDay("dropping what was an old day", /drop table if exists/),
  ...atRecovery("looking for recoveries", "due", ["before"], 2 * PACE_PER_SECOND + 2),
  ...atRecovery("recover: the first of some batches", "recover", ALL, 2 * PACE_PER_SECOND + 2),
  // One statement inserts it and marks the recovery as done.
  ...atRecovery("recover: the last batch, with which it is done", "recover", ALL, PACE_PER_SECOND - 2),
];
