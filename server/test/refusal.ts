/** What was refused, for tests of bad input. */
import { ProblemError } from "../src/errors.ts";

/** The problem with which `work` is refused; anything else that is thrown goes on, and success is a failure. */
export async function refusalOf(work: () => unknown): Promise<ProblemError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof ProblemError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

/** Status, code and fields, without the sentences. */
export function briefOf({ status, code, fields }: ProblemError) {
  return { status, code, fields: fields.map(({ field }) => field) };
}
