/** Ids in paths. One that cannot exist is answered like one that does not. */
import { z } from "zod";
import { notFound } from "../errors.ts";

export const ID_PARAMS = z.object({ id: z.string() });

/** A row's id, 1 to 2^53 − 1. Throws 404 for anything else. */
export function readId(text: string, what: string): number {
  const id = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(id)) throw notFound(what);
  return id;
}
