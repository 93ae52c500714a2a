import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { qrMatrix } from "./qr.ts";

const textOf = (matrix: boolean[][]) => matrix.map((row) => row.map((isDark) => (isDark ? "#" : ".")).join(""));

describe("a QR code", () => {
  it("of a short text is the one that independent readers read", () => {
    expect(textOf(qrMatrix("hookwell"))).toMatchInlineSnapshot(`
      [
        "#######.#####.#######",
        "#.....#.##.##.#.....#",
        "#.###.#..###..#.###.#",
        "#.###.#..#.##.#.###.#",
        "#.###.#.#...#.#.###.#",
        "#.....#.#.#...#.....#",
        "#######.#.#.#.#######",
        "........####.........",
        "###..##.#########..##",
        ".##.##.##....##.###.#",
        "...##.#...#..##.#...#",
        "##.......#..#....#...",
        "###.####.....##..#.#.",
        "........#..#.##.###.#",
        "#######...####..#...#",
        "#.....#.####.###.#...",
        "#.###.#....####.##.#.",
        "#.###.#..#......#.#..",
        "#.###.#.##....#.#..##",
        "#.....#.#...#..###...",
        "#######.#.....#.#...#",
      ]
    `);
  });

  it("of a key for an authenticator app, too", () => {
    const uri =
      "otpauth://totp/Hookwell:manager%40example.test?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA&issuer=Hookwell&digits=6&period=30";
    const matrix = textOf(qrMatrix(uri));
    expect(matrix).toHaveLength(45);
    expect(createHash("sha256").update(matrix.join("\n")).digest("hex")).toMatchInlineSnapshot(
      `"ffc901e0a9d6adea32252f22a6bdb4e41953f393078b829664fe7f0f718d813c"`,
    );
  });

  it("grows with the text, and says no to one that is too long", () => {
    expect([1, 17, 18, 230, 520].map((length) => qrMatrix("a".repeat(length)).length)).toEqual([21, 21, 25, 53, 77]);
    expect(() => qrMatrix("a".repeat(521))).toThrow(RangeError);
  });
});
