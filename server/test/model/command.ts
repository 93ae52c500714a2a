/** What every command of the model-based test is made of, and how its drawn numbers pick among what there is. */
import fc from "fast-check";
import { expect } from "vitest";
import { lookAtDatabase, lookAtModel } from "./look.ts";
import type { Pair } from "./pair.ts";

const SUBJECTS = 5;

/** What fast-check asks before it runs a command, and how it is carried out in both. */
interface Step {
  can?: (pair: Pair) => boolean;
  run: (pair: Pair) => Promise<void>;
  name: string;
}

/** fast-check's model is the pair itself: what a command may do depends on what both have agreed upon so far. */
export type Command = fc.AsyncCommand<{ pair: Pair }, Pair>;

/** A command that is carried out in both, after which both have to look the same. */
export function command({ can = () => true, run, name }: Step): Command {
  return {
    check: ({ pair }) => can(pair),
    async run(_model, pair) {
      await run(pair);
      const real = await lookAtDatabase(pair.engine.owner, pair.clinicId);
      expect(real, `after ${name}`).toEqual(lookAtModel(pair.model.tables));
    },
    toString: () => name,
  };
}

export const pickFrom = <Item>(items: readonly Item[], pick: number): Item => items[pick % items.length] as Item;
export const subjectOf = (pick: number) => `consult:${1 + (pick % SUBJECTS)}`;
export const isFree = (pair: Pair, subject: string) => !pair.side.isLocked(pair.clinicId, subject);
export const webhook = (pair: Pair, pick: number) => pickFrom(pair.webhooks, pick);
export const hasNodes = (pair: Pair) => pair.nodes.length > 0;
export const node = (pair: Pair, pick: number) => pickFrom(pair.nodes, pick);

export const nat = fc.nat({ max: 1_000 });
