import { expect, it } from "vitest";
import { auditFilters, changesOf } from "./filters.ts";

it("the filters are read from the address, and what is none is left out", () => {
  const whole = { actor: "api_key:3", action: "webhook.changed", from: "2026-11-01", to: "2026-11-02" };
  expect(auditFilters(whole)).toEqual(whole);
  expect(auditFilters({ actor: 7, action: "x", from: "soon", to: "2026-02-30", surprise: 1 })).toEqual({});
  expect(auditFilters({ from: "2026-11-02", to: "2026-11-01" })).toEqual({ from: "2026-11-02" });
});

it("a change shows the fields that differ, and those that only look alike because they are masked", () => {
  const before = { url: "https://a.example.test/••", name: "A", enabled: true };
  const after = { url: "https://a.example.test/••", name: "B", enabled: true, changed: ["url", "name"] };
  expect(changesOf({ before, after }).map(({ field }) => field)).toEqual(["url", "name"]);
  expect(changesOf({ before: null, after: { days: 3, until: null, events: [] } })).toEqual([
    { field: "days", before: undefined, after: 3 },
  ]);
  expect(changesOf({ before: null, after: null })).toEqual([]);
});
