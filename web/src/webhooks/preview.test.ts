import { BLOCK_CHOICES, type DataChoice, EVENT_NAMES, eventDefinition, render, sampleFacts } from "@hookwell/sdk";
import { describe, expect, it } from "vitest";
import { prettyText, previewText } from "./preview.ts";
import { previewWords, textLines } from "./words.ts";

const choices: DataChoice[] = BLOCK_CHOICES.flatMap((practitioner) =>
  BLOCK_CHOICES.map((patient) => ({ practitioner, patient })),
);
const whole = { oneParticipantPerRequest: false };

describe("the preview", () => {
  it("is exactly what is rendered for sending, for every event and data choice", () => {
    for (const event of EVENT_NAMES) {
      for (const choice of choices) {
        expect(previewText(event, choice, whole)).toBe(render(sampleFacts(event), choice));
      }
    }
  });

  it("shows one participant, still in a list, with one participant per request", () => {
    const body = JSON.parse(
      previewText("consult.updated", { practitioner: "all", patient: "all" }, { oneParticipantPerRequest: true }),
    );
    expect(body).toHaveLength(1);
  });

  it("is indented for display only: the values stay the same, and text that is not JSON stays as it is", () => {
    const text = previewText("invoice.created", { practitioner: "all", patient: "all" }, whole);
    expect(JSON.stringify(JSON.parse(prettyText(text)))).toBe(text);
    expect(prettyText("<b>down</b>")).toBe("<b>down</b>");
  });
});

describe("the preview in words", () => {
  it("tells every block of the message, and nothing that is not in it", () => {
    for (const event of EVENT_NAMES) {
      for (const choice of choices) {
        const body = JSON.parse(previewText(event, choice, whole));
        const sent = previewWords(event, choice, whole).lines.filter((line) => line.extent !== "off");
        expect(sent.map((line) => line.block)).toEqual(Object.keys(Array.isArray(body) ? body[0] : body));
      }
    }
  });

  it("says of a person who is left out that the box is not ticked", () => {
    const { lines } = previewWords("consult.updated", { practitioner: "off", patient: "id" }, whole);
    expect(lines).toContainEqual({ block: "practitioner", extent: "off", cause: "not_ticked" });
    expect(lines).toContainEqual({ block: "participant", extent: "id", cause: "patient" });
  });

  it("never says that a patient is left out who is the message itself", () => {
    const always = EVENT_NAMES.filter((event) => eventDefinition(event).patientAlways);
    expect(always.length).toBeGreaterThan(0);
    for (const event of always) {
      const { lines } = previewWords(event, { practitioner: "off", patient: "off" }, whole);
      expect(lines).toContainEqual({ block: "client", extent: "all", cause: "patient_is_message" });
    }
  });
});

describe("the exact text, line by line", () => {
  it("says of every line inside which block it belongs to, and loses none", () => {
    for (const event of EVENT_NAMES) {
      const choice: DataChoice = { practitioner: "all", patient: "all" };
      const text = previewText(event, choice, whole);
      const lines = textLines(text);
      expect(lines.map((line) => line.text).join("\n")).toBe(prettyText(text));
      const known = previewWords(event, choice, whole).lines.map(({ block }) => block as string);
      for (const { text: line, block } of lines) {
        if (/^\s*[[\]{}],?$/.test(line) && block === null) continue;
        expect(known, `${event}: ${line}`).toContain(block);
      }
      const shown = new Set(lines.filter(({ isFirst }) => isFirst).map(({ block }) => block));
      expect([...shown].sort()).toEqual([...known].sort());
    }
  });
});
