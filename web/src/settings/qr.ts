// QR codes of short texts (ISO/IEC 18004): byte mode, error correction L, versions 1 to 15. Pure; drawn by QrCode.tsx. Made
// here because what it shows is a key, which no service and no library of a third party needs to see.

/** By version: bytes of error correction in a block, and how many blocks there are, of level L. */
const LEVEL_L: readonly (readonly [eccBytes: number, blocks: number])[] = [
  ...([
    [7, 1],
    [10, 1],
    [15, 1],
    [20, 1],
    [26, 1],
    [18, 2],
    [20, 2],
    [24, 2],
  ] as const),
  ...([
    [30, 2],
    [18, 4],
    [20, 4],
    [24, 4],
    [26, 4],
    [30, 4],
    [22, 6],
  ] as const),
];
const BYTE_MODE = 0b0100;
const FORMAT_L = 0b01;
const MASKS = 8;

/** Rows of dark (true) and light modules, without the quiet zone. @throws RangeError for more than some 500 bytes */
export function qrMatrix(text: string): boolean[][] {
  const bytes = new TextEncoder().encode(text);
  const version = versionFor(bytes.length);
  const words = interleaved(dataWords(bytes, version), version);
  const drawn = Array.from({ length: MASKS }, (_, mask) => draw(words, version, mask));
  return drawn.reduce((best, one) => (penaltyOf(one) < penaltyOf(best) ? one : best));
}

function sizeOf(version: number): number {
  return version * 4 + 17;
}

/** Modules that carry data or error correction, as whole bytes. */
function wordsIn(version: number): number {
  const centres = version === 1 ? 0 : Math.floor(version / 7) + 2;
  const alignment = version === 1 ? 0 : (25 * centres - 10) * centres - 55;
  const information = version >= 7 ? 36 : 0;
  return Math.floor(((16 * version + 128) * version + 64 - alignment - information) / 8);
}

function levelOf(version: number): { eccBytes: number; blocks: number; dataBytes: number } {
  const [eccBytes, blocks] = LEVEL_L[version - 1] ?? [0, 1];
  return { eccBytes, blocks, dataBytes: wordsIn(version) - eccBytes * blocks };
}

/** How many bits tell the length. */
function lengthBits(version: number): number {
  return version < 10 ? 8 : 16;
}

function versionFor(byteCount: number): number {
  for (let version = 1; version <= LEVEL_L.length; version += 1) {
    const bits = 4 + lengthBits(version) + byteCount * 8;
    if (bits <= levelOf(version).dataBytes * 8) return version;
  }
  throw new RangeError("This text is too long for a QR code of this program.");
}

function dataWords(bytes: Uint8Array, version: number): number[] {
  const { dataBytes } = levelOf(version);
  const bits = [
    bitsOf(BYTE_MODE, 4),
    bitsOf(bytes.length, lengthBits(version)),
    ...Array.from(bytes, (one) => bitsOf(one, 8)),
  ];
  let text = bits.join("");
  text += "0".repeat(Math.min(4, dataBytes * 8 - text.length));
  text += "0".repeat(-text.length & 7);
  const words = (text.match(/.{8}/g) ?? []).map((one) => Number.parseInt(one, 2));
  for (let pad = 0xec; words.length < dataBytes; pad ^= 0xec ^ 0x11) words.push(pad);
  return words;
}

function bitsOf(value: number, count: number): string {
  return value.toString(2).padStart(count, "0");
}

/** Blocks with their error correction, one byte of each in turn. The later blocks may be one byte longer. */
function interleaved(data: readonly number[], version: number): number[] {
  const { eccBytes, blocks, dataBytes } = levelOf(version);
  const divisor = generatorOf(eccBytes);
  const shortLength = Math.floor(dataBytes / blocks);
  const shortBlocks = blocks - (dataBytes % blocks);
  let at = 0;
  const parts = Array.from({ length: blocks }, (_, index) => {
    const words = data.slice(at, at + shortLength + (index < shortBlocks ? 0 : 1));
    at += words.length;
    return { words, ecc: remainderOf(words, divisor) };
  });
  const column = (pick: (part: (typeof parts)[number]) => readonly number[], index: number) =>
    parts.flatMap((part) => pick(part)[index] ?? []);
  return [
    ...Array.from({ length: shortLength + 1 }, (_, index) => column(({ words }) => words, index)).flat(),
    ...Array.from({ length: eccBytes }, (_, index) => column(({ ecc }) => ecc, index)).flat(),
  ];
}

/** In GF(2^8) with the polynomial 0x11d. */
function times(one: number, other: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit -= 1) {
    product = (product << 1) ^ ((product >>> 7) * 0x11d);
    product ^= ((other >>> bit) & 1) * one;
  }
  return product;
}

/** Coefficients of (x − 1)(x − 2)(x − 4)…, the leading one left out. */
function generatorOf(degree: number): number[] {
  const result = [...Array<number>(degree - 1).fill(0), 1];
  let root = 1;
  for (let step = 0; step < degree; step += 1) {
    for (let index = 0; index < degree; index += 1) {
      result[index] = times(result[index] ?? 0, root) ^ (result[index + 1] ?? 0);
    }
    root = times(root, 2);
  }
  return result;
}

function remainderOf(words: readonly number[], divisor: readonly number[]): number[] {
  const rest = divisor.map(() => 0);
  for (const word of words) {
    const factor = word ^ (rest.shift() ?? 0);
    rest.push(0);
    for (const [index, one] of divisor.entries()) rest[index] = (rest[index] ?? 0) ^ times(one, factor);
  }
  return rest;
}

/** What is drawn so far; `fixed` modules are no data and are not masked. */
class Canvas {
  readonly size: number;
  readonly dark: boolean[][];
  readonly fixed: boolean[][];

  constructor(size: number) {
    this.size = size;
    const blank = () => Array.from({ length: size }, () => Array<boolean>(size).fill(false));
    this.dark = blank();
    this.fixed = blank();
  }

  /** Outside of the square nothing happens. */
  fix(x: number, y: number, isDark: boolean): void {
    const [row, fixedRow] = [this.dark[y], this.fixed[y]];
    if (row === undefined || fixedRow === undefined || x < 0 || x >= this.size) return;
    row[x] = isDark;
    fixedRow[x] = true;
  }
}

function draw(words: readonly number[], version: number, mask: number): boolean[][] {
  const canvas = new Canvas(sizeOf(version));
  drawPatterns(canvas, version);
  drawFormat(canvas, mask);
  if (version >= 7) drawVersion(canvas, version);
  drawWords(canvas, words, mask);
  return canvas.dark;
}

function drawPatterns(canvas: Canvas, version: number): void {
  const { size } = canvas;
  for (let index = 0; index < size; index += 1) {
    canvas.fix(6, index, index % 2 === 0);
    canvas.fix(index, 6, index % 2 === 0);
  }
  for (const [x, y] of [
    [3, 3],
    [size - 4, 3],
    [3, size - 4],
  ] as const)
    drawRings(canvas, { x, y }, 4);
  const centres = alignmentCentres(version);
  const last = centres.length - 1;
  for (const [column, x] of centres.entries()) {
    for (const [row, y] of centres.entries()) {
      const isFinder = (column === 0 && (row === 0 || row === last)) || (column === last && row === 0);
      if (!isFinder) drawRings(canvas, { x, y }, 2);
    }
  }
}

/** A finder with its light edge (radius 4), or an alignment pattern (radius 2). */
function drawRings(canvas: Canvas, { x, y }: { x: number; y: number }, radius: 2 | 4): void {
  for (let down = -radius; down <= radius; down += 1) {
    for (let right = -radius; right <= radius; right += 1) {
      const ring = Math.max(Math.abs(right), Math.abs(down));
      canvas.fix(x + right, y + down, radius === 4 ? ring !== 2 && ring !== 4 : ring !== 1);
    }
  }
}

function alignmentCentres(version: number): number[] {
  if (version === 1) return [];
  const count = Math.floor(version / 7) + 2;
  const step = Math.ceil((version * 4 + 4) / (count * 2 - 2)) * 2;
  const others = Array.from({ length: count - 1 }, (_, index) => sizeOf(version) - 7 - index * step);
  return [6, ...others.reverse()];
}

/** Level and mask, protected by a BCH code, twice. */
function drawFormat(canvas: Canvas, mask: number): void {
  const data = (FORMAT_L << 3) | mask;
  const bits = ((data << 10) | bchOf(data, { degree: 10, generator: 0x537 })) ^ 0x5412;
  const bit = (index: number) => ((bits >>> index) & 1) === 1;
  const { size } = canvas;
  for (let index = 0; index < 6; index += 1) canvas.fix(8, index, bit(index));
  canvas.fix(8, 7, bit(6));
  canvas.fix(8, 8, bit(7));
  canvas.fix(7, 8, bit(8));
  for (let index = 9; index < 15; index += 1) canvas.fix(14 - index, 8, bit(index));
  for (let index = 0; index < 8; index += 1) canvas.fix(size - 1 - index, 8, bit(index));
  for (let index = 8; index < 15; index += 1) canvas.fix(8, size - 15 + index, bit(index));
  canvas.fix(8, size - 8, true);
}

/** From version 7 on the version is written, too, twice. */
function drawVersion(canvas: Canvas, version: number): void {
  const bits = (version << 12) | bchOf(version, { degree: 12, generator: 0x1f25 });
  for (let index = 0; index < 18; index += 1) {
    const isDark = ((bits >>> index) & 1) === 1;
    const [far, near] = [canvas.size - 11 + (index % 3), Math.floor(index / 3)];
    canvas.fix(far, near, isDark);
    canvas.fix(near, far, isDark);
  }
}

function bchOf(data: number, { degree, generator }: { degree: number; generator: number }): number {
  let rest = data;
  for (let step = 0; step < degree; step += 1) rest = (rest << 1) ^ ((rest >>> (degree - 1)) * generator);
  return rest;
}

/** In pairs of columns from the right, up and down in turn; the column of the timing pattern is left out. */
function drawWords({ size, dark, fixed }: Canvas, words: readonly number[], mask: number): void {
  let at = 0;
  for (let pair = 0, right = size - 1; right >= 1; pair += 1, right -= 2) {
    if (right === 6) right = 5;
    for (let step = 0; step < size; step += 1) {
      const y = pair % 2 === 0 ? size - 1 - step : step;
      for (const x of [right, right - 1]) {
        const row = dark[y];
        if (row === undefined || fixed[y]?.[x]) continue;
        const isSet = (((words[at >>> 3] ?? 0) >>> (7 - (at & 7))) & 1) === 1;
        row[x] = isSet !== isMasked(mask, x, y);
        at += 1;
      }
    }
  }
}

function isMasked(mask: number, x: number, y: number): boolean {
  const product = x * y;
  const rules = [
    ...[(x + y) % 2, y % 2, x % 3, (x + y) % 3, (Math.floor(x / 3) + Math.floor(y / 2)) % 2],
    ...[(product % 2) + (product % 3), ((product % 2) + (product % 3)) % 2, (((x + y) % 2) + (product % 3)) % 2],
  ];
  return rules[mask] === 0;
}

/** How hard it is to read: runs, blocks of four, what looks like a finder, and an uneven share of dark. */
function penaltyOf(matrix: readonly (readonly boolean[])[]): number {
  const lines = matrix.map((row) => row.map(Number).join(""));
  const columns = matrix.map((_, x) => matrix.map((row) => Number(row[x])).join(""));
  let penalty = 0;
  for (const line of [...lines, ...columns]) {
    for (const [run] of line.matchAll(/0{5,}|1{5,}/g)) penalty += run.length - 2;
    penalty += 40 * [...line.matchAll(/(?=00001011101|10111010000)/g)].length;
  }
  for (let y = 1; y < lines.length; y += 1) {
    for (let x = 1; x < lines.length; x += 1) {
      const block = `${lines[y - 1]?.slice(x - 1, x + 1)}${lines[y]?.slice(x - 1, x + 1)}`;
      if (block === "0000" || block === "1111") penalty += 3;
    }
  }
  const share = (100 * lines.join("").replaceAll("0", "").length) / lines.length ** 2;
  return penalty + 10 * Math.floor(Math.abs(share - 50) / 5);
}
