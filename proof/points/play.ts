/** Plays one crash point: the victim is killed, then everything is delivered, and the judge finds nothing. */
import { expect } from "vitest";
import type { Point } from "./points.ts";
import { Rig } from "./rig.ts";

export async function play(point: Point): Promise<void> {
  const rig = await Rig.open();
  try {
    await point.play(rig);
    await (point.recover ?? ((one: Rig) => one.recover()))(rig);
    const { violations } = await rig.verdict();
    expect(violations).toEqual([]);
  } finally {
    await rig.close();
  }
}
