/** Patients in a receiver's answer become dots, in whatever spelling it repeats them, and nothing else does. */
import { expect, test } from "vitest";
import { maskFor } from "./answer-masks.ts";

const mask = maskFor(["Zoé O'Neil (Jr.)", "zoe+x@example.test"]);

test.each([
  ["as it was sent", "Hello Zoé O'Neil (Jr.)!", "Hello ••••••!"],
  ["in another case", "ZOÉ O'NEIL (JR.)", "••••••"],
  ["as decomposed Unicode", "Zoé O'Neil (Jr.)".normalize("NFD"), "••••••"],
  ["as JSON of ASCII alone", String.raw`{"n":"Zo\u00e9 O'Neil (Jr.)"}`, '{"n":"••••••"}'],
  ["as HTML", "<b>Zoé O&#39;Neil (Jr.)</b>", "<b>••••••</b>"],
  ["in an address", "https://x.example.test/?n=Zo%C3%A9%20O'Neil%20(Jr.)", "https://x.example.test/?n=••••••"],
  ["as a form", "n=Zo%C3%A9+O%27Neil+%28Jr.%29&e=zoe%2Bx%40example.test", "n=••••••&e=••••••"],
  ["not at all", "Zoo, zoezx@example.test: ok", "Zoo, zoezx@example.test: ok"],
])("%s", (_how, text, shown) => {
  expect(mask(text)).toBe(shown);
});

test("a name that the end of a cut answer has cut through becomes dots, too", () => {
  expect(mask("for Zoé O'Ne", true)).toBe("for ••••••");
  expect(mask("for Zoé O'Ne")).toBe("for Zoé O'Ne");
  expect(mask("thanks", true)).toBe("thanks");
});

test("of two names of which one begins with the other the longer is found", () => {
  expect(maskFor(["Ann", "Ann Example"])("Ann Example")).toBe("••••••");
  expect(maskFor([])("as it is")).toBe("as it is");
});
