/**
 * Every event by every way that can cause it (contract §1): played on the real API, with a real dispatcher and a receiver.
 * A way that sends nothing, twice, or the wrong thing fails; so does a body that is not of its documented shape.
 */
import { EVENT_NAMES, type EventName } from "@hookwell/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fits } from "../../sdk/test/fits.ts";
import { ACADEMY_PATHS, ACCOUNT_PATHS } from "./event-paths/academy.ts";
import { CONSULT_PATHS } from "./event-paths/consults.ts";
import { fedPlay } from "./event-paths/fed.ts";
import { INVOICE_PATHS } from "./event-paths/invoices.ts";
import { MEMBERSHIP_PATHS } from "./event-paths/memberships.ts";
import { type Play, type Row, WAYS } from "./event-paths/play.ts";
import { eventOf, openStage, type Scene, type Stage } from "./event-paths/stage.ts";

const PATHS: Readonly<Record<EventName, Row>> = {
  ...CONSULT_PATHS,
  ...INVOICE_PATHS,
  ...ACCOUNT_PATHS,
  ...ACADEMY_PATHS,
  ...MEMBERSHIP_PATHS,
};
const ALL = { practitioner: "all", patient: "all" } as const;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

async function play(scene: Scene, { before, act }: Play) {
  const set = await before?.(scene);
  await scene.arrived();
  await act(scene, set);
  return scene.arrived();
}

describe.each(EVENT_NAMES)("%s", (event) => {
  const row = PATHS[event];
  let scene: Scene;
  beforeAll(async () => {
    scene = await stage.enter();
  });
  for (const way of WAYS) {
    const entry = way === "feed: event" ? [fedPlay(event)] : row[way];
    const plays = "never" in entry ? entry.plays : entry;
    test(`comes by ${way}: ${"never" in entry ? `never, ${entry.never}` : "yes"}`, () => {
      expect(plays.some(({ events }) => events.includes(event))).toBe(!("never" in entry));
    });
    test.each(plays)(`${way}: $what`, async (one) => {
      const bodies = await play(one.alone ? await stage.enter() : scene, one);
      const arrived = bodies.map(eventOf);
      expect(one.anyOrder ? arrived.sort() : arrived).toEqual(one.anyOrder ? [...one.events].sort() : one.events);
      for (const body of bodies) expect(fits(eventOf(body), ALL, body), JSON.stringify(body)).toBe(true);
    });
  }
});
