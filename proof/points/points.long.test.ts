/** Every named crash point: kill -9 there, start again, and everything is delivered, in order, with every doubt written down. */
import { test } from "vitest";
import { play } from "./play.ts";
import { POINTS } from "./points.ts";

test.each(POINTS.map((point) => [point.name, point] as const))("a kill at %s loses nothing", async (_name, point) => {
  await play(point);
});
