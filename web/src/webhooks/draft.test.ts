import { EVENT_NAMES, eventsOfGroup } from "@hookwell/sdk";
import { describe, expect, it } from "vitest";
import {
  completeUrl,
  type Draft,
  EMPTY_DRAFT,
  hostName,
  inputOf,
  isSameDraft,
  mergeDrafts,
  missingFields,
  needsRecipient,
  placeErrors,
  testChanges,
  testInputOf,
  toggleEvent,
  toggleGroup,
  triState,
} from "./draft.ts";
import { readDraft } from "./kept-draft.ts";

const draft = (changes: Partial<Draft>): Draft => ({ ...EMPTY_DRAFT, ...changes });

describe("a draft", () => {
  it("sends nothing about anybody until something is ticked", () => {
    expect(inputOf(draft({ url: "https://example.test/hook" }))).toEqual({
      url: "https://example.test/hook",
      events: [],
      include: { practitioner: "off", patient: "off" },
      one_participant_per_request: false,
      signatures: ["v1"],
      recipient: null,
    });
  });

  it("asks for a signature by key pair besides the other one, never instead of it", () => {
    expect(inputOf(draft({ signsWithKey: true })).signatures).toEqual(["v1", "v1a"]);
  });

  it("asks who receives patients' data as soon as any leaves, and only then", () => {
    expect(needsRecipient(draft({}))).toBe(false);
    expect(needsRecipient(draft({ practitioner: "all" }))).toBe(false);
    expect(needsRecipient(draft({ patient: "id" }))).toBe(true);
    expect(needsRecipient(draft({ events: ["patient_account.created"] }))).toBe(true);
    expect(missingFields(draft({ patient: "all" }))).toEqual(["url", "organisation", "country", "purpose"]);
  });

  it("is the same draft whatever the order in which the boxes were ticked", () => {
    const [first, second] = EVENT_NAMES;
    if (first === undefined || second === undefined) throw new Error("The catalogue has fewer than two events.");
    expect(isSameDraft(draft({ events: [first, second] }), draft({ events: [second, first] }))).toBe(true);
    expect(isSameDraft(draft({ events: [first] }), draft({ events: [second] }))).toBe(false);
  });

  it("completes an address that was typed without https, and guesses nothing else", () => {
    expect(completeUrl(" hooks.example.test/a ")).toBe("https://hooks.example.test/a");
    expect(completeUrl("http://hooks.example.test")).toBe("http://hooks.example.test");
    expect(completeUrl("  ")).toBe("");
  });
});

describe("an edited webhook", () => {
  const saved = draft({ url: "https://a.example.test/", name: "A", events: ["consult.updated"] });

  it("is tested with what differs from what is saved, and with nothing else", () => {
    expect(testChanges(saved, saved)).toEqual({});
    expect(testChanges({ ...saved, name: "B", events: [] }, saved)).toEqual({});
    expect(testChanges({ ...saved, url: "b.example.test", practitioner: "id" }, saved)).toEqual({
      url: "https://b.example.test",
      include: { practitioner: "id", patient: "off" },
    });
    expect(testChanges({ ...saved, oneParticipantPerRequest: true }, saved)).toEqual({
      one_participant_per_request: true,
    });
  });

  it("keeps what was typed and takes the rest from what somebody else saved meanwhile", () => {
    const latest = { ...saved, name: "Theirs", patient: "id" as const };
    expect(mergeDrafts({ typed: { ...saved, events: [] }, start: saved, latest })).toEqual({ ...latest, events: [] });
    expect(mergeDrafts({ typed: { ...saved, name: "Mine" }, start: saved, latest }).name).toBe("Mine");
  });

  it("without a name is named after its address", () => {
    expect(hostName("hooks.example.test/a?b=c")).toBe("hooks.example.test");
    expect(hostName("")).toBeUndefined();
  });
});

describe("a draft on the server", () => {
  it("may be tested before it is told who receives patients' data", () => {
    const open = draft({ url: "https://a.example.test/", patient: "all" });
    expect(testInputOf(open).recipient).toBeNull();
    const recipient = { organisation: "Example", country: "CA", purpose: "Reminders", agreement_on_file: false };
    expect(testInputOf({ ...open, recipient }).recipient).toEqual(recipient);
  });
});

describe("a group's box", () => {
  it("is empty, half or full, and ticks all unless all are ticked", () => {
    const all = eventsOfGroup("consults");
    const some = toggleEvent("consult.updated", []);
    expect([triState("consults", []), triState("consults", some), triState("consults", all)]).toEqual([
      "none",
      "some",
      "all",
    ]);
    expect(triState("consults", toggleGroup("consults", some))).toBe("all");
    expect(toggleGroup("consults", [...all, "membership.started"])).toEqual(["membership.started"]);
  });
});

describe("the server's field errors", () => {
  it("stand at their fields, the first one of each", () => {
    expect(
      placeErrors(
        [
          { field: "url", message: "a" },
          { field: "url", message: "b" },
          { field: "events.0", message: "c" },
          { field: "include.patient", message: "d" },
          { field: "recipient", message: "e" },
          { field: "recipient.country", message: "f" },
          { field: "pace_per_second", message: "g" },
          { field: "changes.url", message: "h" },
        ],
        ({ message }) => message,
      ),
    ).toEqual({ url: "a", events: "c", include: "d", organisation: "e", country: "f", other: "g" });
  });
});

describe("a kept draft", () => {
  it("comes back as it was, and anything that is not one is as if nothing were kept", () => {
    const kept = draft({ name: "Reminders", events: ["consult.updated"], patient: "all" });
    expect(readDraft(JSON.stringify(kept))).toEqual(kept);
    for (const broken of [null, "", "{", "null", "[]", JSON.stringify({ ...kept, events: ["nonsense"] })]) {
      expect(readDraft(broken)).toBeNull();
    }
  });
});
