/**
 * What a seed means: how many nodes and webhooks, how the receivers are, and which kinds of faults there are, each with its
 * own strength. Kinds are drawn one by one (a run with all faults at once hides what two of them would show).
 */
import { type DatabaseFaults, NO_DATABASE_FAULTS } from "./database.ts";
import { GOOD_HABITS, type NetworkFaults, NO_NETWORK_FAULTS, type ReceiverHabits } from "./network.ts";
import type { SeededRandom } from "./random.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

export interface WebhookPlan {
  concurrency: number;
  pacePerSecond: number;
  proved: boolean;
  habits: ReceiverHabits;
}

export interface Plan {
  /** nothing goes wrong: then nothing may be sent twice, and nothing be in doubt */
  isCalm: boolean;
  nodes: number;
  webhooks: WebhookPlan[];
  subjects: number;
  events: number;
  /** faults, emitting and managers end then; what waits is delivered afterwards */
  troubleMs: number;
  database: DatabaseFaults;
  network: NetworkFaults;
  /** how likely an emitting transaction stays open for a while */
  opensLong: number;
  /** how often in the time of trouble: nodes killed, stopped in good order, standing still; wall clocks jumping; the database down */
  kills: number;
  stops: number;
  stills: number;
  jumps: number;
  outages: number;
  /** how often managers turn a webhook off (and on again), delete one, send one again */
  switches: number;
  deletions: number;
  resends: number;
  /** … give it another address or data choice, rotate its secret or revoke the old one, ask for a recovery */
  moves: number;
  choices: number;
  rotations: number;
  revocations: number;
  recoveries: number;
  /** events of which somebody erases the content */
  erasures: number;
  /** content is kept for no day at all: it goes as soon as nothing waits for it */
  keepsNothing: boolean;
  /** the database's clock is set ahead or back */
  databaseJumps: number;
}

export function planOf(random: SeededRandom): Plan {
  const isCalm = random.chance(0.2);
  const some = (most: number) => (!isCalm && random.chance(0.6) ? random.whole(1, most) : 0);
  const rate = (most: number) => (!isCalm && random.chance(0.6) ? random.between(0, most) : 0);
  const isManaged = random.chance(0.5);
  /** of what does no harm in a calm world either */
  const any = (most: number) => (random.chance(0.5) ? random.whole(1, most) : 0);
  return {
    isCalm,
    nodes: random.whole(1, 3),
    webhooks: Array.from({ length: random.whole(1, 4) }, () => webhookPlan(random, isCalm)),
    subjects: random.whole(1, 8),
    events: random.whole(10, 60),
    troubleMs: random.between(30, 180) * SECOND_MS,
    database: {
      ...NO_DATABASE_FAULTS,
      latencyMs: random.pick([2, 10, 100]),
      failsBefore: rate(0.05),
      failsAfterCommit: rate(0.05),
      losesItsAnswer: rate(0.02),
      isSlow: rate(0.02),
      // No fault: neighbours hold locks, too. What waits for seconds is late, and no longer calm.
      waitsForLock: random.pick([0, 0.3, 0.6]),
      lockMs: isCalm ? 100 : 4_000,
    },
    network: {
      ...NO_NETWORK_FAULTS,
      refuses: rate(0.2),
      hangs: rate(0.1),
      swallows: rate(0.1),
      resetsAfterAccepting: rate(0.1),
      stalls: rate(0.03),
    },
    opensLong: random.chance(0.5) ? 0.2 : 0,
    ...{ kills: some(3), stops: some(2), stills: some(3), jumps: some(3), outages: some(2) },
    ...{ switches: isManaged ? some(4) : 0, deletions: isManaged ? some(1) : 0, resends: isManaged ? some(4) : 0 },
    ...{ moves: any(2), choices: any(4), rotations: any(3), revocations: any(1) },
    ...{ recoveries: some(2), erasures: some(3), keepsNothing: random.chance(0.3) },
    // In such a world no lease can be judged, so most worlds have none.
    databaseJumps: random.chance(0.5) ? some(3) : 0,
  };
}

function webhookPlan(random: SeededRandom, isCalm: boolean): WebhookPlan {
  const isBad = !isCalm && random.chance(0.5);
  const habits: ReceiverHabits = {
    ...GOOD_HABITS,
    thinksMs: random.pick([20, 300, 3_000]),
    fails: isBad ? random.pick([0, 0.1, 0.4]) : 0,
    failsUntilMs: isBad ? random.pick([0, 0, MINUTE_MS, 10 * MINUTE_MS, 8 * HOUR_MS, 100 * HOUR_MS]) : 0,
    isGone: isBad && random.chance(0.2) ? 0.03 : 0,
  };
  return {
    concurrency: random.pick([1, 2, 8]),
    pacePerSecond: random.pick([2, 20, 1_000]),
    proved: random.chance(0.7),
    habits,
  };
}
