import { afterEach, expect, it, vi } from "vitest";
import { EMPTY_DRAFT } from "./draft.ts";
import { keepDraft, keepNoDrafts, keepOpen, loadOpen } from "./kept-draft.ts";

/** The browser's storage of one tab, as far as it is used. */
function openTab(): Map<string, string> {
  const stored = new Map<string, string>();
  const sessionStorage = {
    getItem: (name: string) => stored.get(name) ?? null,
    setItem: (name: string, value: string) => void stored.set(name, value),
    removeItem: (name: string) => void stored.delete(name),
  };
  vi.stubGlobal("window", { sessionStorage });
  return stored;
}
afterEach(() => vi.unstubAllGlobals());

const OPEN = { group: null, webhookId: 7 };

it("what stands open is kept with what was typed, without an address that was brought along", () => {
  const stored = openTab();
  keepOpen({ ...OPEN, address: "https://hooks.example.test/a-credential" } as typeof OPEN);
  expect([...stored.values()].join()).not.toContain("a-credential");
  expect(loadOpen()).toBeNull();
  keepDraft("7", EMPTY_DRAFT);
  expect(loadOpen()).toEqual(OPEN);
});

it("the embedded page stores nothing: neither what was typed nor what stood open", () => {
  const stored = openTab();
  keepNoDrafts();
  keepOpen(OPEN);
  keepDraft("7", EMPTY_DRAFT);
  expect([...stored]).toEqual([]);
});
