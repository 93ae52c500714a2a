/** What the canaries of canary.ts must have heard, with as many flips of a name as the suite has time for. */
import { describe, expect, test } from "vitest";
import { GOOD_ADDRESS } from "./addresses.ts";
import { hearCanaries, whyNoNamespace } from "./canary.ts";

const why = whyNoNamespace();

export function describeCanaries(flips: number): void {
  describe.skipIf(why !== null)(`canaries on internal addresses${why === null ? "" : ` (left out: ${why})`}`, () => {
    test("hear nothing, by whatever spelling, embedding, name, redirect or search domain, and while a name flips", async () => {
      const heard = await hearCanaries(flips);
      expect(heard.canaries).toEqual({});
      expect(heard.deaf).toEqual([]);
      expect(heard.redirects).toBe(1);
      expect(heard.reached).toEqual([GOOD_ADDRESS, GOOD_ADDRESS, null]);
      expect([heard.lost, heard.searched]).toEqual(["name_not_found", []]);
      const { answered = 0, refused_address: refused = 0, name_not_found: none = 0 } = heard.outcomes;
      expect(answered + refused + none).toBe(flips); // none: both questions fell on an answer of the other family
      expect([answered > 0, refused > 0, heard.good > 0]).toEqual([true, true, true]);
    });
  });
}
