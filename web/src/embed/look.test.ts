import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cssVariables } from "../ui/theme.ts";
import { accentOf, contrast, cssVariablesOf, parseHex, themeOf } from "./look.ts";

const anyAccent = fc.integer({ min: 0, max: 0xff_ff_ff }).map((value) => `#${value.toString(16).padStart(6, "0")}`);
const WHITE = parseHex("#ffffff");
const DARK_SURFACE = parseHex("#1d2427");

describe("an accent colour", () => {
  it("becomes text that is read in both schemes, whatever colour it is", () => {
    fc.assert(
      fc.property(anyAccent, (hex) => {
        const { light, dark } = accentOf(hex);
        expect(contrast(parseHex(light.text), WHITE)).toBeGreaterThanOrEqual(4.5);
        for (const ground of [DARK_SURFACE, parseHex(dark.tint), parseHex(dark.tintHover)]) {
          expect(contrast(parseHex(dark.text), ground)).toBeGreaterThanOrEqual(4.5);
        }
      }),
    );
  });

  it("becomes the edges of controls that are seen in both schemes", () => {
    fc.assert(
      fc.property(anyAccent, (hex) => {
        const { shades } = accentOf(hex);
        expect(contrast(parseHex(shades[8] ?? ""), WHITE)).toBeGreaterThanOrEqual(3);
        expect(contrast(parseHex(shades[7] ?? ""), DARK_SURFACE)).toBeGreaterThanOrEqual(3);
      }),
    );
  });

  it("stays what the host chose where that can be read", () => {
    expect(accentOf("#0f6a7b").shades[8]).toBe("#0f6a7b");
  });
});

describe("a look", () => {
  it("without any choice is Hookwell's own", () => {
    expect(cssVariablesOf({})).toBe(cssVariables);
    expect(themeOf({}).radius).toEqual({ xs: "0.125rem", sm: "0.25rem", md: "0.5rem", lg: "1rem", xl: "2rem" });
    expect(themeOf({}).colors?.lagoon?.[8]).toBe("#0f6a7b");
  });

  it("has corners as the host chose them", () => {
    expect(Object.values(themeOf({ radius: "none" }).radius ?? {})).toEqual(["0rem", "0rem", "0rem", "0rem", "0rem"]);
  });
});
