/** When the next TAKE is due. */
import { expect, test } from "vitest";
import { Round } from "./round.ts";

const NOTHING = { hasTaken: false, isNew: false, isFull: false, upTo: null };
const IDLE_MS = 1_000;

/** One that has found nothing for so long that it looks as seldom as it may. */
function idleRound(): Round {
  const round = new Round(0, IDLE_MS);
  for (let n = 0; n < 10; n++) {
    round.began(0);
    round.ended(NOTHING, 0);
  }
  return round;
}

test("comes at once after a nudge, and by the poll where nobody nudges", () => {
  const round = idleRound();
  expect(round.msUntilDue(0)).toBe(IDLE_MS);
  round.nudge();
  expect(round.msUntilDue(0)).toBe(0);
});

test("is soon after something was found, and not after bells that tell nothing new", () => {
  const round = idleRound();
  round.began(0);
  round.ended({ ...NOTHING, isNew: true }, 0);
  expect(round.msUntilDue(0)).toBeLessThan(10);
  expect(idleRound().msUntilDue(0)).toBe(IDLE_MS);
});

test("a TAKE before what comes due by its time does not forget it", () => {
  const round = idleRound();
  round.dueAt(500);
  round.nudge();
  round.began(100);
  round.ended(NOTHING, 100);
  expect(round.msUntilDue(100)).toBe(400);
  round.began(500);
  round.ended(NOTHING, 500);
  expect(round.msUntilDue(500)).toBe(IDLE_MS);
});

test("a nudge while a TAKE is under way calls for another one", () => {
  const round = idleRound();
  round.began(0);
  round.nudge();
  round.ended(NOTHING, 0);
  expect(round.msUntilDue(0)).toBe(0);
});

const EVERY_MS = 50;

test("rests after every TAKE, whether it has found anything or not: each nudge calls for one", () => {
  for (const hasTaken of [false, true]) {
    const round = new Round(EVERY_MS, IDLE_MS);
    expect(round.msUntilDue(0)).toBe(0);
    round.began(0);
    round.nudge();
    round.ended({ ...NOTHING, hasTaken }, 0);
    expect(round.msUntilDue(0)).toBe(EVERY_MS);
    expect(round.msUntilDue(EVERY_MS)).toBe(0);
  }
});

test("does not rest within a round, where what was looked at is nothing to be taken", () => {
  const round = new Round(EVERY_MS, IDLE_MS);
  round.began(0);
  round.ended({ ...NOTHING, upTo: { clinicId: 1, webhookId: 2 } }, 0);
  expect(round.msUntilDue(0)).toBe(0);
});
