import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OUTCOME_KINDS, type Outcome } from "../egress/outcome.ts";
import { ATTEMPTS_PER_SCHEDULE, askedWaitMs, decide, RETRY_WAITS_MS } from "./policy.ts";
import { verdictOf } from "./verdict.ts";

const NOW = Temporal.Instant.from("2026-03-01T12:00:00Z");
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

function answered(status: number, headers: Record<string, string> = {}): Outcome {
  return { kind: "answered", answer: { status, headers, text: "", truncated: false }, durationMs: 1, bodySent: true };
}
const FAILURES: Outcome[] = [
  ...OUTCOME_KINDS.filter((kind) => kind !== "answered").map(
    (kind): Outcome => ({
      ...{ kind, detail: "x", durationMs: 1, bodySent: false },
    }),
  ),
  ...[100, 199, 300, 301, 302, 304, 307, 308, 400, 401, 403, 404, 413, 422, 429, 499, 500, 502, 503, 504, 599].map(
    (s) => answered(s),
  ),
];
const failure = fc.constantFrom(...FAILURES);
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

interface Attempt {
  outcome?: Outcome;
  attemptOfSchedule?: number;
  test?: boolean;
  random?: number;
}

function decideOn({ outcome = answered(500), attemptOfSchedule = 1, test = false, random = 0.5 }: Attempt) {
  const verdict = verdictOf(outcome, null);
  return decide({ verdict, attemptOfSchedule, test, askedWaitMs: askedWaitMs(outcome, verdict, NOW), random });
}
function waitAfter(input: Attempt): number {
  const decision = decideOn(input);
  if (decision.do !== "retry") throw new Error(`there is no retry but ${JSON.stringify(decision)}`);
  return decision.inMs;
}

describe("the schedule", () => {
  test("is 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h, to the millisecond where chance is in the middle", () => {
    const waits = RETRY_WAITS_MS.map((_, at) => waitAfter({ attemptOfSchedule: at + 1 }));
    expect(waits).toEqual([
      5 * SECOND,
      5 * MINUTE,
      30 * MINUTE,
      2 * HOUR,
      5 * HOUR,
      10 * HOUR,
      14 * HOUR,
      20 * HOUR,
      24 * HOUR,
    ]);
    expect(ATTEMPTS_PER_SCHEDULE).toBe(10);
  });

  test("takes 75 h 35 min and 5 s in all, a weekend", () => {
    const all = RETRY_WAITS_MS.reduce((sum, wait) => sum + wait, 0);
    expect(all).toBe(75 * HOUR + 35 * MINUTE + 5 * SECOND);
  });

  test("is spread by at most 10 % either way, and chance never moves it backwards", () => {
    fc.assert(
      fc.property(failure, fc.integer({ min: 1, max: 9 }), random, random, (outcome, attemptOfSchedule, one, other) => {
        const wait = RETRY_WAITS_MS[attemptOfSchedule - 1] ?? 0;
        const [early, late] = [Math.min(one, other), Math.max(one, other)].map((r) =>
          waitAfter({ outcome, attemptOfSchedule, random: r }),
        );
        expect(early).toBeGreaterThanOrEqual(Math.floor(wait * 0.9));
        expect(late).toBeLessThanOrEqual(Math.ceil(wait * 1.1));
        expect(early).toBeLessThanOrEqual(late ?? 0);
        expect(Number.isInteger(early)).toBe(true);
      }),
    );
    expect([waitAfter({ random: 0 }), waitAfter({ random: 0.999_999 })]).toEqual([4_500, 5_500]);
  });

  test("ends after the tenth attempt: the delivery is given up", () => {
    fc.assert(
      fc.property(failure, fc.integer({ min: 10, max: 40 }), random, (outcome, attemptOfSchedule, chance) => {
        expect(decideOn({ outcome, attemptOfSchedule, random: chance })).toEqual({
          ...{ do: "finish", state: "given_up", reason: "schedule_ended" },
        });
      }),
    );
  });
});

describe("success", () => {
  test("is 2xx and nothing else, at whatever attempt, for tests and deliveries alike", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 599 }),
        fc.integer({ min: 1, max: 20 }),
        fc.boolean(),
        (status, attemptOfSchedule, test) => {
          const decision = decideOn({ outcome: answered(status), attemptOfSchedule, test });
          const isSuccess = status >= 200 && status <= 299;
          expect(decision.do === "finish" && decision.state === "delivered").toBe(isSuccess);
        },
      ),
    );
  });

  test("is a 2xx whose body was cut", () => {
    const cut: Outcome = {
      ...answered(200),
      kind: "answered",
      answer: { status: 200, headers: {}, text: "", truncated: true },
    };
    expect(decideOn({ outcome: cut })).toEqual({ do: "finish", state: "delivered" });
  });

  test.each([301, 302, 303, 307, 308])("is not a redirect: %i is retried", (status) => {
    expect(decideOn({ outcome: answered(status, { location: "https://elsewhere.example.test/" }) })).toMatchObject({
      do: "retry",
    });
  });
});

describe("Retry-After", () => {
  const after = (value: string, status = 429, attemptOfSchedule = 1) =>
    waitAfter({ outcome: answered(status, { "retry-after": value }), attemptOfSchedule });
  const httpDate = (inMs: number) => new Date(NOW.epochMilliseconds + inMs).toUTCString();

  test.each([429, 502, 503, 504])("of a %i lengthens the wait, in seconds or up to a date", (status) => {
    expect(after("60", status)).toBe(MINUTE);
    expect(after(" 60 ", status)).toBe(MINUTE);
    expect(after(httpDate(HOUR), status)).toBe(HOUR);
    expect(after("Sunday, 01-Mar-26 13:00:00 GMT", status)).toBe(HOUR);
    expect(after("Sun Mar  1 13:00:00 2026", status)).toBe(HOUR);
  });

  test.each([200, 301, 400, 401, 403, 404, 408, 413, 422, 500, 501, 505])("of a %i is not read", (status) => {
    const decision = decideOn({ outcome: answered(status, { "retry-after": "3600" }) });
    if (status === 200) expect(decision).toEqual({ do: "finish", state: "delivered" });
    else expect(decision).toMatchObject({ do: "retry", inMs: 5 * SECOND });
  });

  test("never shortens a wait", () => {
    expect(after("0")).toBe(5 * SECOND);
    expect(after("1", 503, 9)).toBe(24 * HOUR);
    expect(after(httpDate(-HOUR))).toBe(5 * SECOND);
    expect(after(httpDate(0))).toBe(5 * SECOND);
  });

  test.each(["86401", "999999999", "9999999999", "1".repeat(400)])(
    "of %s seconds waits the longest step, no longer",
    (value) => expect(after(value)).toBe(24 * HOUR),
  );
  test("of a far date waits the longest step, no longer", () => {
    expect(after(httpDate(400 * 24 * HOUR))).toBe(24 * HOUR);
    expect(after("Fri, 31 Dec 9999 23:59:59 GMT")).toBe(24 * HOUR);
  });

  test.each([
    ...["", " ", "-5", "+5", "1.5", "1e3", "0x10", "60s", "60, 120", "5 minutes", "soon", "NaN", "Infinity", "٣"],
    ...["try 2030", "May 5 2099", "2099-01-01", "2099-01-01T00:00:00Z", "Mon, 99 Foo 2099 99:99:99 GMT"],
    ...["Wed, 21 Oct 2099 07:28:00 +0000", "Wed, 21 Oct 2099 07:28:00", "__proto__"],
  ])("that is garbage is no wish: %j", (value) => expect(after(value)).toBe(5 * SECOND));

  test("with any text whatever never gives a wait outside the schedule's and the longest step", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(..."0123456789 -:,GMTSunJa") })), (value) => {
        expect(after(value)).toBeGreaterThanOrEqual(5 * SECOND);
        expect(after(value)).toBeLessThanOrEqual(24 * HOUR);
      }),
    );
  });
});

describe("410", () => {
  test("keeps the delivery, even at its last attempt", () => {
    for (let attemptOfSchedule = 1; attemptOfSchedule <= 12; attemptOfSchedule++) {
      expect(decideOn({ outcome: answered(410), attemptOfSchedule })).toMatchObject({ do: "retry" });
    }
  });
});

describe("a test", () => {
  test("is never retried, whatever came of it", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...FAILURES, answered(410), answered(429, { "retry-after": "1" })),
        random,
        (outcome, chance) => {
          expect(decideOn({ outcome, test: true, random: chance })).toEqual({
            ...{ do: "finish", state: "given_up", reason: "test_failed" },
          });
        },
      ),
    );
  });
});
