/**
 * The order of a run: the files that take longest begin first, so that none of them runs alone at the end. Vitest does that by
 * itself from the second run on; in a fresh clone it knows only how long their texts are.
 */
import { BaseSequencer, type TestSequencerConstructor, type TestSpecification } from "vitest/node";

/** @param endings of the files' paths, the longest first */
export function longestFirst(endings: readonly string[]): TestSequencerConstructor {
  const rank = ({ moduleId }: TestSpecification) => {
    const at = endings.findIndex((ending) => moduleId.endsWith(ending));
    return at === -1 ? endings.length : at;
  };
  return class LongestFirst extends BaseSequencer {
    override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
      return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
    }
  };
}
