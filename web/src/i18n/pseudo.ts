// A made-up language for looking: English with accents, and about two fifths longer. Whatever is not accented on a screen did
// not come from the dictionaries, and whatever breaks would break in a longer language. `PSEUDO_LOCALE=1 npm run dev` shows
// it in place of English (vite.config.ts); no built page knows of it. Pure.

const ACCENTED: Readonly<Record<string, string>> = {
  ...{ a: "àà", b: "ƀ", c: "ç", d: "ð", e: "éé", f: "ƒ", g: "ĝ", h: "ĥ", i: "îî", j: "ĵ", k: "ķ", l: "ļ", m: "ɱ" },
  ...{ n: "ñ", o: "ôô", p: "þ", q: "ǫ", r: "ŕ", s: "š", t: "ţ", u: "ûû", v: "ṽ", w: "ŵ", x: "ẋ", y: "ýý", z: "ž" },
  ...{ A: "ÀÀ", B: "Ɓ", C: "Ç", D: "Ð", E: "ÉÉ", F: "Ƒ", G: "Ĝ", H: "Ĥ", I: "ÎÎ", J: "Ĵ", K: "Ķ", L: "Ļ", M: "Ṁ" },
  ...{ N: "Ñ", O: "ÔÔ", P: "Þ", Q: "Ǫ", R: "Ŕ", S: "Š", T: "Ţ", U: "ÛÛ", V: "Ṽ", W: "Ŵ", X: "Ẋ", Y: "ÝÝ", Z: "Ž" },
};

/**
 * One ICU message in the made-up language. Braces open an argument and, within one that chooses, a text again: what stands
 * in an even number of them is text.
 */
export function pseudo(message: string): string {
  let depth = 0;
  let told = "";
  for (const character of message) {
    if (character === "{") depth += 1;
    if (character === "}") depth -= 1;
    told += depth % 2 === 0 ? (ACCENTED[character] ?? character) : character;
  }
  return told;
}

export interface Tree {
  readonly [key: string]: string | Tree;
}

/** A whole dictionary. */
export function pseudoTree(tree: Tree): Tree {
  const entries = Object.entries(tree).map(([key, value]) => {
    return [key, typeof value === "string" ? pseudo(value) : pseudoTree(value)] as const;
  });
  return Object.fromEntries(entries);
}
