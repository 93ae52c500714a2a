/**
 * Every event by every way that can cause it (contract §1): played on the real API, with a real dispatcher and a receiver.
 * A way that sends nothing, twice, or the wrong thing fails; so does a body that is not of its documented shape, a consult
 * event for too few or too many participants, and a subject whose version does not rise by one.
 */
import { type Body, EVENT_NAMES, type EventName, eventDefinition } from "@hookwell/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fits } from "../../sdk/test/fits.ts";
import { ACADEMY_PATHS, ACCOUNT_PATHS } from "./event-paths/academy.ts";
import { CONSULT_PATHS } from "./event-paths/consults.ts";
import { fedPlay } from "./event-paths/fed.ts";
import { INVOICE_PATHS } from "./event-paths/invoices.ts";
import { MEMBERSHIP_PATHS } from "./event-paths/memberships.ts";
import { type Play, type Row, WAYS } from "./event-paths/play.ts";
import { type Arrival, eventOf, openStage, type Scene, type Stage } from "./event-paths/stage.ts";

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
  follow(scene, await scene.arrivals());
  await act(scene, set);
  const arrivals = await scene.arrivals();
  follow(scene, arrivals);
  return arrivals;
}

/** The last version of each subject, by clinic. */
const versions = new Map<string, number>();

/** Each arrival is about the subject that its event is about, and one version further than the one before (contract §7). */
function follow({ clinicId }: Scene, arrivals: readonly Arrival[]): void {
  for (const { body, subject, version } of arrivals) {
    expect(subject).toMatch(new RegExp(`^${eventDefinition(eventOf(body)).subject}:[0-9]+$`));
    const key = `${clinicId} ${subject}`;
    expect([subject, version]).toEqual([subject, (versions.get(key) ?? 0) + 1]);
    versions.set(key, version);
  }
}

/** The event, and for consults what `Shown` says of it. */
function brief(body: Body): string {
  if (!Array.isArray(body)) return eventOf(body);
  const cancelled = new Set(body.map(({ consult }) => consult.cancelled));
  expect(cancelled.size).toBe(1);
  return `${eventOf(body)} ${body.length}${cancelled.has(true) ? " cancelled" : ""}`;
}

const expected = ({ events, shows }: Play) =>
  events.map((name, at) => (eventDefinition(name).shape === "consult" ? `${name} ${shows?.[at]}` : name));

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
      const arrivals = await play(one.alone ? await stage.enter() : scene, one);
      const arrived = arrivals.map(({ body }) => brief(body));
      expect(one.anyOrder ? arrived.sort() : arrived).toEqual(one.anyOrder ? expected(one).sort() : expected(one));
      for (const { body } of arrivals) expect(fits(eventOf(body), ALL, body), JSON.stringify(body)).toBe(true);
      if (one.subjects) expect(new Set(arrivals.map(({ subject }) => subject)).size).toBe(one.subjects);
    });
  }
});
