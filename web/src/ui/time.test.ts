import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { consultsOfDay, daysOfWeek, scheduleSearch } from "../schedule/week.ts";
import {
  addDays,
  dayInZone,
  formatDay,
  formatMoment,
  formatSeconds,
  formatSpokenMoment,
  formatTime,
  isDay,
  isWholeDay,
  mondayOf,
} from "./time.ts";

describe("calendar days", () => {
  it("are counted without hours, over the end of daylight saving and of a year", () => {
    expect(addDays("2026-10-31", 1)).toBe("2026-11-01");
    expect(addDays("2026-11-01", 1)).toBe("2026-11-02");
    expect(addDays("2026-12-31", 1)).toBe("2027-01-01");
    expect(mondayOf("2026-11-01")).toBe("2026-10-26");
    expect(daysOfWeek("2026-11-01").at(-1)).toBe("2026-11-01");
  });

  it("come from the address only when they exist", () => {
    expect(isDay("2026-02-29")).toBe(false);
    expect(scheduleSearch({ day: "2026-02-28" })).toEqual({ day: "2026-02-28" });
    expect(scheduleSearch({ day: "tomorrow" })).toEqual({});
  });

  it("are whole only once the year is typed to its end", () => {
    expect(["0002-11-28", "0020-11-28", "0202-11-28", "", "2026-02-29"].some(isWholeDay)).toBe(false);
    expect(isWholeDay("2026-11-28")).toBe(true);
  });

  it("are the clinic's own, not the reader's", () => {
    expect(dayInZone(new Date("2026-11-02T03:30:00Z"), "America/Toronto")).toBe("2026-11-01");
    expect(dayInZone(new Date("2026-11-01T19:00:00Z"), "Asia/Kathmandu")).toBe("2026-11-02");
  });
});

describe("times", () => {
  const toronto = { locale: "en-CA", timeZone: "America/Toronto" };

  it("are written in the clinic's zone and the reader's language", () => {
    expect(formatTime("2026-11-01T14:02:00Z", toronto)).toBe("09:02");
    expect(formatTime("2026-11-01T14:02:00Z", { ...toronto, locale: "fr-CA" })).toMatch(/^09\sh\s02$/);
    expect(formatMoment("2026-11-01T14:02:05Z", toronto)).toContain("09:02:05");
  });

  it("in a sentence name the day and the hour as one says them, and the first of a month by its ordinal in French", () => {
    const french = { ...toronto, locale: "fr-CA" };
    expect(formatSpokenMoment("2026-03-03T19:05:00Z", toronto)).toBe("March 3, 2026 at 14:05");
    expect(formatSpokenMoment("2026-03-03T19:05:00Z", french)).toBe("3\u00a0mars 2026 à 14\u00a0h\u00a005");
    expect(formatSpokenMoment("2026-03-01T19:05:00Z", french)).toMatch(/^1er\smars/);
    expect(formatMoment("2026-11-21T19:05:00Z", french, false)).toMatch(/^21\snov/);
    expect(formatDay("2026-03-01", "fr-CA")).toMatch(/^dimanche 1er\smars 2026$/);
  });

  it("of an attempt are seconds with the language's own decimal sign", () => {
    expect(formatSeconds(183, "en-CA")).toBe("0.18\u00a0s");
    expect(formatSeconds(15_000, "fr-CA")).toBe("15,0\u00a0s");
  });
});

describe("a day of the schedule", () => {
  it("holds the consults of the clinic's day, by their start", () => {
    const consult = (id: number, start_time: string) => ({
      id,
      start_time,
      end_time: start_time,
      service: { id: 1, name: "Service", kind: "class" as const },
      practitioner: { id: 1, name: "Practitioner" },
      duration: 30,
      cancelled: false,
      cancelled_at: null,
      room: null,
      notes: null,
      series_id: null,
      participants: [],
    });
    const list = [
      consult(1, "2026-11-01T23:30:00-05:00"),
      consult(2, "2026-11-02T08:00:00-05:00"),
      consult(3, "2026-11-01T01:30:00-04:00"),
      // The same wall clock an hour later: the clock was put back between the two.
      consult(4, "2026-11-01T01:30:00-05:00"),
    ];
    expect(consultsOfDay(list, "2026-11-01").map(({ id }) => id)).toEqual([3, 4, 1]);
  });
});

describe("dates and numbers everywhere", () => {
  const root = join(import.meta.dirname, "../../..");
  const sources = ["web/src", "server/src"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => /(?<!\.test)\.tsx?$/.test(file))
      .map((file) => ({ file: join(folder, file), text: readFileSync(join(root, folder, file), "utf8") })),
  );

  it("are written by a named language and zone, never by those of the machine", () => {
    expect(sources.length).toBeGreaterThan(300);
    const bare = /\.toLocale(Date|Time)?String\(|new Intl\.\w+\(\s*(\)|undefined|\[\])/;
    expect(sources.filter(({ text }) => bare.test(text)).map(({ file }) => file)).toEqual([]);
    const zoneless = sources.filter(({ text }) =>
      [...text.matchAll(/new Intl\.DateTimeFormat\(/g)].some(
        ({ index }) => !/timeZone|options/.test(text.slice(index, index + 200)),
      ),
    );
    expect(zoneless.map(({ file }) => file)).toEqual([]);
  });
});
