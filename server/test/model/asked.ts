/** When what is settled was asked for, by the database's clock: whether it is of the webhook as it is now. */
import type { SettledAttempt } from "../../src/delivery/engine-store.ts";
import type { Tables } from "./tables.ts";

/** A result, and when the database had its attempt begin. */
export type Asked = SettledAttempt & { readonly begunAt: number | null };

/** When an attempt was begun that still counts for its delivery; of any other that is told no more. */
export function begunAtOf(tables: Tables, { begun }: SettledAttempt): number | null {
  const row = tables.deliveriesOf(begun).get(begun.id);
  return row?.fence === begun.fence && row.attempt === begun.attempt ? row.begunAt : null;
}

export function timesOf(results: readonly Asked[]): number[] {
  return results.flatMap(({ begunAt }) => begunAt ?? []);
}
