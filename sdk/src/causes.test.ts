/** The table of causes: each way in which an attempt can end has its row, in every language, and no row asks for a value that is not there. */
import { describe, expect, it } from "vitest";
import { LANGUAGES } from "./catalogue.ts";
import { CAUSES, type CauseWords } from "./cause-table.ts";
import { type Cause, causeOf, causeWords, mayHaveArrived, statusWords, toneOf } from "./causes.ts";

const rows = Object.entries(CAUSES) as [Cause, CauseWords][];
const answered = (status: number, more: object = {}) => causeOf({ outcome: "answered", status, ...more });
const failed = (outcome: string, detail?: string) =>
  causeOf({ outcome, status: null, ...(detail === undefined ? {} : { detail }) });

describe("the cause of an attempt's end", () => {
  it("leaves open whether the message arrived wherever a manager is told that it may have", () => {
    const open = rows.filter(([, { advice }]) =>
      advice?.en.some((words) => /may have received|may appear twice/.test(words)),
    );
    expect(open.length).toBeGreaterThan(0);
    for (const [cause] of open) expect(mayHaveArrived(cause), cause).toBe(true);
    expect(mayHaveArrived("unknown_test")).toBe(true);
    expect(mayHaveArrived("not_found")).toBe(false);
  });

  it.each([
    [200, "accepted"],
    [204, "accepted"],
    [302, "moved"],
    [400, "rejected"],
    [401, "refused"],
    [403, "refused"],
    [404, "nothing_here"],
    [410, "gone"],
    [422, "rejected"],
    [429, "busy"],
    [500, "broken"],
    [503, "broken"],
  ])("an answer %s is %s", (status, cause) => {
    expect(answered(status)).toBe(cause);
  });

  it.each([
    ["timed_out", "timeout"],
    ["name_not_found", "not_found"],
    ["connection_refused", "not_answering"],
    ["unreachable", "not_answering"],
    ["reset", "broke_off"],
    ["malformed_answer", "unreadable"],
    ["refused_address", "blocked"],
    ["failed_here", "ours"],
    ["sending", "sending"],
    ["something new", "unknown"],
  ])("no answer, %s, is %s", (outcome, cause) => {
    expect(failed(outcome)).toBe(cause);
  });

  it("says what is wrong with a certificate, where that is known", () => {
    expect(failed("tls", "CERT_HAS_EXPIRED")).toBe("certificate_expired");
    expect(failed("tls", "DEPTH_ZERO_SELF_SIGNED_CERT")).toBe("certificate_self_signed");
    expect(failed("tls", "ERR_TLS_CERT_ALTNAME_INVALID")).toBe("certificate_wrong_name");
    expect(failed("tls", "EPROTO")).toBe("certificate");
  });

  it("knows what the answers of some services mean", () => {
    expect(answered(200, { service: "zapier" })).toBe("accepted_by_zapier");
    expect(answered(200, { service: "make" })).toBe("accepted_by_make");
    expect(answered(302, { service: "google_script", movedTo: "script.googleusercontent.com" })).toBe(
      "accepted_by_google",
    );
    expect(answered(302, { service: "google_script", movedTo: "accounts.google.com" })).toBe("moved_to");
    expect(answered(503, { service: "zapier" })).toBe("broken");
  });

  it("does not say of a test that the webhook was turned off, nor that it is sent again", () => {
    expect(answered(410, { test: true })).toBe("gone_test");
    expect(answered(503, { test: true })).toBe("broken");
    const test = (outcome: string) => causeOf({ outcome, status: null, test: true });
    const unsure = ["timed_out", "reset", "malformed_answer", "something new"].map(test);
    expect(unsure).toEqual(["timeout_test", "broke_off_test", "unreadable_test", "unknown_test"]);
    for (const cause of unsure) {
      expect(causeWords(cause, "en").advice).toMatch(/A test is not sent again/);
      expect(causeWords(cause, "fr-CA").advice).toMatch(/Un essai ne se renvoie pas/);
    }
  });

  it("looks good only where the message was accepted", () => {
    expect(rows.filter(([, { tone }]) => tone === "good").map(([cause]) => cause)).toEqual(
      rows.map(([cause]) => cause).filter((cause) => cause.startsWith("accepted")),
    );
    expect(toneOf("unknown")).toBe("warn");
  });
});

describe("the words of a cause", () => {
  const valuesOf = (variant: string) => [...variant.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

  it("ask for the same values in every language", () => {
    for (const [cause, { text, advice }] of rows) {
      for (const words of [text, ...(advice === null ? [] : [advice])]) {
        const asked = LANGUAGES.map((language) => words[language].map(valuesOf));
        for (const one of asked) expect(one, cause).toEqual(asked[0]);
      }
    }
  });

  it("can be said, advice included, where only the status is known", () => {
    for (const [cause] of rows) {
      for (const language of LANGUAGES) {
        const { text, advice } = causeWords(cause, language, { status: "503", host: "new.example.test" });
        expect(`${text} ${advice}`, `${language} ${cause}`).not.toMatch(/[{}]|undefined/);
        expect(text).toMatch(/\.$/);
      }
    }
  });

  it("name the next try and the last one where there will be one, and else who to tell", () => {
    expect(causeWords("busy", "en", { next: "today at 10:35" }).advice).toBe("Nothing to do; next try today at 10:35.");
    expect(causeWords("busy", "en").advice).toBe("Tell whoever runs the other system.");
    expect(causeWords("not_answering", "en", { until: "Tuesday 14:00" }).advice).toBe(
      "It may be down. We keep trying until Tuesday 14:00.",
    );
    expect(causeWords("unknown", "en", { next: "today at 10:35" }).advice).toBe(
      "We were interrupted while sending. Next try today at 10:35; it may appear twice.",
    );
    expect(causeWords("unknown", "en").advice).toBe(
      "We were interrupted while sending. If it is sent again, it may appear twice.",
    );
    expect(causeWords("certificate_expired", "en", { expired: "Nov 3, 2026" }).text).toBe(
      "Its security certificate has a problem (it expired on Nov 3, 2026).",
    );
  });
});

it("a status is written with the standard's own words, where it has some", () => {
  expect([statusWords(200), statusWords(418)]).toEqual(["200 OK", "418"]);
});
