/** Crash points of those who change something: a command of the clinic, a resend, an event of other software over HTTP. */
import { expect } from "vitest";
import type { Trap } from "../crash/wire-proxy.ts";
import type { OneCommand } from "./client-once.ts";
import { type Point, WORDS } from "./point.ts";
import type { Rig } from "./rig.ts";

const COMMIT = /^ ?commit/i;

/** A client is killed within its command before it hears of its commit. */
async function runAndKill(rig: Rig, does: OneCommand["do"], trap: Omit<Trap, "spring">): Promise<void> {
  rig.killAt(trap);
  const isHeard = await rig.runClient(does);
  if (isHeard) throw new Error("the client heard of its commit before it was killed");
  await rig.isKilled();
}

/** The dispatcher of this process delivers what there is. */
function atClient(name: string, does: "emit" | "rotate", trap: Omit<Trap, "spring">): Point {
  return {
    name,
    isQuick: true,
    async play(rig) {
      await rig.stage.emit("consult:1");
      await runAndKill(rig, does, trap);
    },
    async recover(rig) {
      await rig.learnSecrets();
      await rig.stage.emit("consult:1");
      await rig.stage.start();
      await rig.allDelivered();
    },
  };
}

/** A delivery that has arrived is sent again; it arrives a second time where that was committed, and only there. */
function atResend(name: string, trap: Omit<Trap, "spring">, { isDone }: { isDone: boolean }): Point {
  return {
    name,
    async play(rig) {
      await rig.stage.emit("consult:1");
      await rig.stage.start();
      await rig.allDelivered();
      await rig.stage.engine.stopDispatchers();
      await runAndKill(rig, "resend", trap);
    },
    async recover(rig) {
      if (isDone) await rig.noteResent("delivered");
      await rig.stage.start();
      await rig.allDelivered();
      expect(rig.receiver.lines).toHaveLength(isDone ? 2 : 1);
    },
  };
}

/** A served API is killed while it accepts an event; its client, which has no answer, sends the same with the same key again. */
const acceptance: Point[] = (["before", "during", "after"] as const).map((moment) => ({
  name: `an event over HTTP is accepted, its commit: ${WORDS[moment]}`,
  async play(rig) {
    await rig.startNode({ environment: { HOOKWELL_ROLE: "api" } });
    rig.killAt({ statement: COMMIT, moment, after: /^emit / });
    if (await rig.postEvent()) throw new Error("the event was answered for before the server was killed");
    await rig.isKilled();
  },
  async recover(rig) {
    await rig.startNode({ environment: { HOOKWELL_ROLE: "all" } });
    const answer = await rig.postEvent();
    // Between those two either may be.
    if (moment !== "during") expect(answer).toMatchObject({ duplicate: moment === "after" });
    await rig.allDelivered();
    expect((await rig.stage.engine.owner.query("select from events")).rowCount).toBe(1);
    expect(rig.receiver.lines).toHaveLength(1);
  },
}));

export const clientPoints: readonly Point[] = [
  atClient("emit: the change is made, its event not yet sent to the database", "emit", {
    statement: /^emit /,
    moment: "before",
  }),
  atClient("fan-out: event and deliveries are stored, not committed", "emit", { statement: /^emit /, moment: "after" }),
  atClient("commit of the change: before it reaches the database", "emit", { statement: COMMIT, moment: "before" }),
  atClient("commit of the change: committed, its answer on the way", "emit", { statement: COMMIT, moment: "after" }),
  atClient("rotation: the old secret retires, the new one is not stored", "rotate", {
    statement: /insert into "webhook_secrets"/,
    moment: "before",
  }),
  atClient("rotation: both secrets are stored, not committed", "rotate", { statement: COMMIT, moment: "before" }),
  atClient("rotation: committed, its answer on the way", "rotate", { statement: COMMIT, moment: "after" }),
  atResend("resend: brought back, not committed", { statement: COMMIT, moment: "before" }, { isDone: false }),
  atResend("resend: committed, its answer on the way", { statement: COMMIT, moment: "after" }, { isDone: true }),
  ...acceptance,
];
