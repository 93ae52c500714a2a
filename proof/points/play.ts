/**
 * Plays one crash point: the victim is killed, then everything is delivered, the judge finds nothing, and no more came twice
 * than had been begun and not settled when it was killed.
 */
import { expect } from "vitest";
import type { Point } from "./point.ts";
import { Rig } from "./rig.ts";

export async function play(point: Point): Promise<void> {
  const rig = await Rig.open();
  try {
    await point.play(rig);
    const inFlight = await rig.inFlight();
    await (point.recover ?? ((one: Rig) => one.recover()))(rig);
    const { violations } = await rig.verdict();
    expect(violations).toEqual([]);
    expect(rig.duplicates, "came twice, of what was in flight at the kill").toBeLessThanOrEqual(inFlight);
  } finally {
    await rig.close();
  }
}
