/** Engines that are broken on purpose: each has one part of the real one altered, by the mistake that its sentence names. */
import { systemClock } from "../../server/src/clock.ts";
import type { Begun, SettledAttempt } from "../../server/src/delivery/engine-store.ts";
import type { CheckName } from "../history/judge.ts";
import {
  Dropping,
  egressThat,
  firstAddress,
  HOUR_MS,
  keepsContent,
  orderIgnored,
  type Rewrite,
  rewrite,
  signsWith,
  storeThat,
  storeWith,
  workersClock,
} from "./breaking.ts";
import {
  changes,
  erasure,
  gone,
  keyPairs,
  retry,
  retryAfter,
  rolledBack,
  type Scenario,
  slow,
  standstill,
  takeover,
  turnedOff,
} from "./scenarios.ts";
import type { Parts, Stage } from "./stage.ts";

export interface Bug {
  mistake: string;
  scenario: Scenario;
  /** the check that must find it */
  found: CheckName;
  breaks: (stage: Stage) => Parts;
}

const answeredFine = (begun: Begun): SettledAttempt => ({
  ...{
    begun,
    version: 1,
    startedMsAgo: 0,
    durationMs: 1,
    outcome: "answered",
    status: 200,
    choice: begun.choice,
    bodySent: true,
  },
  ...{ answer: null, next: { do: "finish", state: "delivered", reason: null } },
});

const enabled: Rewrite = [/w\.enabled and /g, ""];
const seenOnce: Rewrite = [/max\(version\) as version/, "1 as version"];
const frozenVersion = storeWith({ take: seenOnce, refill: seenOnce });
/** Neither the claim nor the sender looks at the choice as it is now. */
const narrowedAtClaim: Rewrite = [/choice_practitioner = case[\s\S]*?'id' in \(d\.choice_patient[^\n]*\n/, ""];
const choiceNotHeeded = storeWith({ take: [seenOnce, narrowedAtClaim], refill: [seenOnce, narrowedAtClaim] });

const endsGone = (next: SettledAttempt["next"]) =>
  storeThat({
    settled: (result) => {
      if (result.status === 410) result.next = next;
    },
  });

/** Where a claim writes down the narrower of what was chosen then and now. */
const NARROWER_OF_BOTH =
  /choice_practitioner = case when 'off' in \(d\..*?else 'all' end,\s*choice_patient = case.*?else 'all' end,/s;

export const BUGS: readonly Bug[] = [
  {
    mistake: "a result counts although its claim was lost (no fence)",
    ...{ scenario: takeover(500), found: "unlogged" },
    breaks: storeWith({ settle: [/and d\.fence = r\.fence and d\.attempt = r\.attempt/g, ""] }),
  },
  {
    mistake: "a claim that was lost is sent again without a word of it",
    ...{ scenario: takeover(500), found: "unlogged" },
    breaks: storeWith({ take: [/from heads where begun_at is not null/, "from heads where false"] }),
  },
  {
    mistake: "a late result is not marked as late",
    ...{ scenario: takeover(200), found: "duplicated" },
    breaks: storeWith({
      settle: [/\(clinic_id, webhook_id, id, attempt\) not in \(select .* from counted\)/, "false"],
      take: [/from heads where begun_at is not null/, "from heads where begun_at is not null and attempt > 1"],
    }),
  },
  {
    mistake: "a delivery is settled before it is sent",
    ...{ scenario: retry, found: "unfounded" },
    breaks: storeThat({ begun: async (store, begun) => void (await store.settle(begun.map(answeredFine))) }),
  },
  { mistake: "the worker's clock says when a retry is due", scenario: retry, found: "too_early", breaks: workersClock },
  {
    mistake: "a retry comes in a tenth of its time",
    ...{ scenario: retry, found: "too_early" },
    breaks: storeThat({
      settled: ({ next }) => {
        if (next.do === "retry") next.inMs /= 10;
      },
    }),
  },
  {
    mistake: "Retry-After is not read",
    ...{ scenario: retryAfter, found: "too_early" },
    breaks: egressThat({ forgets: "retry-after" }),
  },
  {
    mistake: "a later event of a consult does not wait for the earlier one",
    ...{ scenario: retry, found: "out_of_order" },
    breaks: orderIgnored,
  },
  {
    mistake: "sequence numbers are drawn where the event is fanned out",
    ...{ scenario: rolledBack, found: "sequence_gaps" },
    breaks: ({ engine }) => ({
      // A counter of the database's does not roll back, as little as one of a process would.
      afterEmit: async () => {
        await engine.owner.query("update runs set next_sequence = next_sequence + 1");
      },
    }),
  },
  {
    mistake: "a retry gets a sequence number of its own",
    ...{ scenario: retry, found: "changed" },
    breaks: storeWith({
      take: [/coalesce\(d\.sequence, (n\.next_sequence \+ n\.nth - 1)\)/, "$1"],
      refill: [/coalesce\(d\.sequence, (n\.next_sequence \+ n\.nth - 1)\)/, "$1"],
    }),
  },
  {
    mistake: "a retry is sent under the number of the attempt before it",
    ...{ scenario: retry, found: "unlogged" },
    breaks: storeWith({
      take: [/attempt = d\.attempt \+ 1/, "attempt = greatest(d.attempt, 1)"],
      refill: [/attempt = d\.attempt \+ 1/, "attempt = greatest(d.attempt, 1)"],
    }),
  },
  {
    mistake: "a body is rendered from the choice as it is now, though it was widened",
    ...{ scenario: changes, found: "too_much_data" },
    breaks: storeWith({
      take: [NARROWER_OF_BOTH, "choice_practitioner = n.include_practitioner, choice_patient = n.include_patient,"],
      refill: [NARROWER_OF_BOTH, "choice_practitioner = n.include_practitioner, choice_patient = n.include_patient,"],
    }),
  },
  { mistake: "a replaced secret goes on signing", scenario: changes, found: "badly_signed", breaks: frozenVersion },
  {
    mistake: "a narrowed choice is not heeded by retries",
    scenario: changes,
    found: "too_much_data",
    breaks: choiceNotHeeded,
  },
  {
    mistake: "another text is signed than is sent",
    ...{ scenario: retry, found: "badly_signed" },
    breaks: egressThat({
      request: (request) => ({ ...request, body: JSON.stringify(JSON.parse(String(request.body)), null, 1) }),
    }),
  },
  {
    mistake: "a delivery is dropped when its receiver is slow",
    ...{ scenario: slow, found: "lost" },
    breaks: (stage) => ({
      store: new Dropping(stage.engine.database.pools.engine),
    }),
  },
  {
    mistake: "a delivery is given up when its receiver is slow",
    ...{ scenario: slow, found: "unfounded" },
    breaks: storeThat({
      settled: (result) => {
        if (result.outcome === "timed_out") result.next = { do: "finish", state: "given_up", reason: "schedule_ended" };
      },
    }),
  },
  {
    mistake: "a webhook that is off is still sent to",
    ...{ scenario: turnedOff, found: "sent_while_off" },
    breaks: storeWith({ take: enabled, refill: enabled }),
  },
  {
    mistake: "attempts are not written down",
    ...{ scenario: retry, found: "unlogged" },
    breaks: storeWith({ settle: [/from results r\n\s+on conflict/, "from results r where false on conflict"] }),
  },
  {
    mistake: "an event is stored in a transaction of its own, beside the change",
    ...{ scenario: rolledBack, found: "misdirected" },
    breaks: () => ({ changeApart: true }),
  },
  {
    mistake: "a webhook hears of events that it has not ticked",
    ...{ scenario: rolledBack, found: "misdirected" },
    breaks: (stage) => ({
      app: stage.kyselyWith((text) =>
        text.includes("prepared emit") ? rewrite(text, [/n\.name = any \(w\.events\)/, "true"]) : text,
      ),
    }),
  },
  {
    mistake: "a retry waits for a time that never comes",
    ...{ scenario: retryAfter, found: "stuck" },
    breaks: storeWith({ settle: [/now\(\) \+ r\.retry_in_ms \* interval '1 millisecond'/, "timestamptz 'infinity'"] }),
  },
  {
    mistake: "a retry is put off for a day",
    ...{ scenario: retryAfter, found: "unfinished" },
    breaks: storeThat({
      settled: ({ next }) => {
        if (next.do === "retry") next.inMs += 24 * HOUR_MS;
      },
    }),
  },
  {
    mistake: "a request that timed out is written down as one that was answered",
    ...{ scenario: slow, found: "invented" },
    breaks: storeThat({
      settled: (result) => {
        if (result.outcome === "timed_out") Object.assign(result, { outcome: "answered", status: 504 });
      },
    }),
  },
  {
    mistake: "the lease is counted on a clock that stands still while its process does",
    ...{ scenario: standstill, found: "not_rising" },
    breaks: () => ({ clock: { ...systemClock, monotonicMs: () => 0 } }),
  },
  {
    mistake: "an address is looked up once and for all",
    ...{ scenario: changes, found: "wrong_address" },
    breaks: firstAddress,
  },
  {
    mistake: "only the secrets sign, and no key pair",
    ...{ scenario: keyPairs, found: "badly_signed" },
    breaks: signsWith([/'v1a' = any \(w\.signatures\)/, "false"]),
  },
  {
    mistake: "a key pair that was taken away goes on signing",
    ...{ scenario: keyPairs, found: "badly_signed" },
    breaks: frozenVersion,
  },
  {
    mistake: "what was erased is still in memory, and sent from there",
    ...{ scenario: erasure, found: "still_shared" },
    breaks: keepsContent,
  },
  {
    mistake: "what its receiver calls gone is given up",
    ...{ scenario: gone, found: "unfounded" },
    breaks: endsGone({ do: "finish", state: "given_up", reason: "refused_by_receiver" }),
  },
  {
    mistake: "what waits is dropped when its webhook is turned off",
    ...{ scenario: gone, found: "unfounded" },
    breaks: endsGone({ do: "finish", state: "cancelled", reason: "off" }),
  },
  {
    mistake: "what fails has expired",
    ...{ scenario: retry, found: "unfounded" },
    breaks: storeThat({
      settled: (result) => {
        if (result.next.do === "retry") result.next = { do: "finish", state: "cancelled", reason: "expired" };
      },
    }),
  },
];
