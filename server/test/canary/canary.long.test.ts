/** As canary.test.ts, with a name that flips a thousand times. */
import { describe, expect, test } from "vitest";
import { hearCanaries, whyNoNamespace } from "./canary.ts";

const FLIPS = 1_000;
const why = whyNoNamespace();

describe.skipIf(why !== null)(`canaries on internal addresses${why === null ? "" : ` (left out: ${why})`}`, () => {
  test("hear nothing, by whatever spelling, embedding, name, redirect or search domain, and while a name flips", async () => {
    const heard = await hearCanaries(FLIPS);
    expect(heard.canaries).toEqual({});
    expect(heard.deaf).toEqual([]);
    expect(heard.redirects).toBe(1);
    expect([heard.lost, heard.searched]).toEqual(["name_not_found", []]);
    const { answered = 0, refused_address: refused = 0, name_not_found: none = 0 } = heard.outcomes;
    expect(answered + refused + none).toBe(FLIPS); // none: both questions fell on an answer of the other family
    expect([answered > 0, refused > 0, heard.good > 0]).toEqual([true, true, true]);
  });
});
