import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ConsultState, consultEvents } from "./consult-events.ts";

const START = Temporal.Instant.from("2026-11-01T14:00:00Z");
const LATER = START.add({ hours: 1 });
const PATIENTS = [1, 2, 3, 4];

const state = (changed: Partial<ConsultState> = {}): ConsultState => ({
  startsAt: START,
  durationMinutes: 60,
  serviceId: 1,
  practitionerId: 1,
  cancelled: false,
  booked: [1, 2],
  ...changed,
});

describe("the events of one transaction of a consult", () => {
  test("come in the order removed, updated, added, and updated lists those present before and after", () => {
    expect(consultEvents(state({ booked: [1, 2] }), state({ booked: [2, 3], startsAt: LATER }))).toEqual([
      { event: "participant.removed", cancelled: false, patientIds: [1] },
      { event: "consult.updated", cancelled: false, patientIds: [2] },
      { event: "participant.added", cancelled: false, patientIds: [3] },
    ]);
  });

  test("are one removal of all who were there when it ends cancelled, whatever else happened", () => {
    const after = state({ booked: [2, 3], startsAt: LATER, durationMinutes: 30, cancelled: true });
    expect(consultEvents(state({ booked: [1, 2] }), after)).toEqual([
      { event: "participant.removed", cancelled: true, patientIds: [1, 2] },
    ]);
  });

  test("are one addition of all who are there when a cancelled one is live again", () => {
    const after = state({ booked: [2, 1], startsAt: LATER });
    expect(consultEvents(state({ cancelled: true }), after)).toEqual([
      { event: "participant.added", cancelled: false, patientIds: [2, 1] },
    ]);
  });

  test.each([
    ["nothing changed", state(), state()],
    ["only the order of joining changed", state({ booked: [1, 2] }), state({ booked: [2, 1] })],
    ["it came to exist empty", null, state({ booked: [] })],
    ["it came to exist and was cancelled", null, state({ cancelled: true })],
    ["nobody is in it and it moved", state({ booked: [] }), state({ booked: [], startsAt: LATER })],
    ["nobody is in it and it was cancelled", state({ booked: [] }), state({ booked: [], cancelled: true })],
    ["it stays cancelled", state({ cancelled: true }), state({ cancelled: true, startsAt: LATER })],
  ])("are none when %s", (_, before, after) => {
    expect(consultEvents(before, after)).toEqual([]);
  });

  test.each([
    ["start", { startsAt: LATER }],
    ["duration", { durationMinutes: 61 }],
    ["service", { serviceId: 2 }],
    ["practitioner", { practitionerId: 2 }],
  ])("are one update of everybody when the %s changed", (_, changed) => {
    expect(consultEvents(state(), state(changed))).toEqual([
      { event: "consult.updated", cancelled: false, patientIds: [1, 2] },
    ]);
  });

  const states = fc.record({
    startsAt: fc.constantFrom(START, LATER),
    durationMinutes: fc.constantFrom(30, 60),
    serviceId: fc.constantFrom(1, 2),
    practitionerId: fc.constantFrom(1, 2),
    cancelled: fc.boolean(),
    booked: fc.shuffledSubarray(PATIENTS),
  });

  test("lead a receiver from the state before to the state after, each at most once and never about nobody", () => {
    fc.assert(
      fc.property(fc.option(states), states, (before, after) => {
        const view = viewOf(before);
        const events = consultEvents(before, after);
        for (const { event, patientIds } of events) {
          expect(patientIds.length).toBeGreaterThan(0);
          for (const id of patientIds) {
            expect(view.has(id)).toBe(event !== "participant.added");
            if (event === "participant.removed") view.delete(id);
            else view.set(id, appointmentOf(after));
          }
        }
        expect(view).toEqual(viewOf(after));
        const order = ["participant.removed", "consult.updated", "participant.added"];
        const places = events.map(({ event }) => order.indexOf(event));
        expect(places).toEqual([...new Set(places)].sort());
      }),
      { numRuns: 2_000 },
    );
  });
});

function viewOf(known: ConsultState | null): Map<number, string> {
  if (known === null || known.cancelled) return new Map();
  return new Map(known.booked.map((id) => [id, appointmentOf(known)]));
}

function appointmentOf({ startsAt, durationMinutes, serviceId, practitionerId }: ConsultState): string {
  return [startsAt.toString(), durationMinutes, serviceId, practitionerId].join(" ");
}
