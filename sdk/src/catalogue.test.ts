import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { EVENT_NAMES, EVENTS, eventsOfGroup, GROUP_NAMES, GROUPS, isEventName, LANGUAGES } from "./catalogue.ts";

describe("the catalogue", () => {
  test("holds exactly the documented events, in the documented groups and order", () => {
    expect(Object.fromEntries(GROUP_NAMES.map((group) => [group, eventsOfGroup(group)]))).toEqual({
      consults: ["participant.added", "consult.updated", "participant.removed"],
      invoices: ["invoice.created", "invoice.updated", "invoice.deleted"],
      accounts: ["patient_account.created"],
      academy: [
        "course.checkout_process_started",
        "course_participant.added",
        "webinar.checkout_process_started",
        "webinar_participant.added",
      ],
      memberships: ["membership.started", "membership.cancelled"],
    });
    expect(GROUP_NAMES).toEqual(["consults", "invoices", "accounts", "academy", "memberships"]);
    expect(EVENT_NAMES).toEqual(GROUP_NAMES.flatMap(eventsOfGroup));
  });

  test("says everything in every language, and nothing twice", () => {
    const texts = [
      ...Object.values(GROUPS).map(({ label }) => label),
      ...Object.values(EVENTS).flatMap(({ label, sentence }) => [label, sentence]),
    ];
    for (const language of LANGUAGES) {
      const words = texts.map((text) => text[language]);
      expect(words.every((word) => word.trim() === word && word.length > 3)).toBe(true);
      expect(new Set(words).size).toBe(words.length);
      for (const { sentence, firesNot } of Object.values(EVENTS)) {
        expect(sentence[language]).toMatch(/\.$/);
        expect(firesNot[language]).toMatch(language === "en" ? /^Not .*\.$/ : /^Pas .*\.$/);
      }
    }
  });

  test("gives only clinics with Academy the course and webinar group", () => {
    expect(GROUP_NAMES.filter((group) => GROUPS[group].needsAcademy)).toEqual(["academy"]);
  });

  test("names a practitioner only for consults and invoices, and the patient always only for the account event", () => {
    const carrying = EVENT_NAMES.filter((name) => EVENTS[name].practitioner);
    expect(carrying).toEqual([...eventsOfGroup("consults"), ...eventsOfGroup("invoices")]);
    expect(EVENT_NAMES.filter((name) => EVENTS[name].patientAlways)).toEqual(["patient_account.created"]);
    expect(EVENT_NAMES.filter((name) => EVENTS[name].patientKey === "participant")).toEqual(eventsOfGroup("consults"));
  });

  test("knows its own names and no inherited, padded or foreign one", () => {
    expect(EVENT_NAMES.every(isEventName)).toBe(true);
    const foreign = ["toString", "__proto__", "constructor", "", "Invoice.created", "invoice.created ", null, 1, {}];
    expect(foreign.filter(isEventName)).toEqual([]);
  });
});

test("the SDK imports nothing but itself, so it runs everywhere; only the sender's signer needs Node", () => {
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" });
  const sources = files.filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"));
  const outside = sources.flatMap((file) =>
    [...readFileSync(`${import.meta.dirname}/${file}`, "utf8").matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)]
      .map((match) => match[1])
      .filter((target) => !target?.startsWith("."))
      .map((target) => `${file} ${target}`),
  );
  expect(sources.length).toBeGreaterThan(10);
  expect(outside).toEqual(["signature-node.ts node:crypto"]);
});
