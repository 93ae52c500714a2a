/** Random bytes, drawn from the operating system many at a time: asking it for each event costs more than sealing one. */
import { randomFillSync } from "node:crypto";

const POOL_BYTES = 16_384;
let pool = Buffer.alloc(0);
let next = 0;

/** So many bytes, at most POOL_BYTES, that nobody else was given or will be. The pool is never written again. */
export function drawRandom(bytes: number): Buffer {
  if (next + bytes > pool.length) {
    pool = randomFillSync(Buffer.alloc(POOL_BYTES));
    next = 0;
  }
  next += bytes;
  return pool.subarray(next - bytes, next);
}
