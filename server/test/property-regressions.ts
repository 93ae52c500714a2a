/**
 * What properties have once found, kept for good: the one place for the failing seeds of every suite of fast-check.
 *
 * Each property draws anew in every run; where one fails, fast-check prints `{ seed: …, path: "…" }`. An entry with them here
 * is replayed by its test in every run, before it goes on with what is drawn anew. Of a path only the first number is
 * needed where commands or a scheduler are drawn: the rest is how fast-check has made the example smaller.
 *
 * A setup file of Vitest: it repeats the tests that have entries, once for each.
 */
import { beforeAll, beforeEach, type RunnerTask, type RunnerTestCase } from "vitest";

interface PropertyRegression {
  /** from the repository's root, and the test's name; where that has several properties, leave out `path` */
  readonly file: string;
  readonly test: string;
  readonly seed: number;
  readonly path?: string;
  /** what it once found, in a sentence */
  readonly found: string;
}

export const PROPERTY_REGRESSIONS: readonly PropertyRegression[] = [
  {
    ...{
      file: "server/test/property-regressions.test.ts",
      test: "what is kept is replayed, and then all is drawn anew",
    },
    ...{ seed: 1_266, path: "7", found: "Nothing: it shows that entries are replayed." },
  },
];

const ofFile = ({ file }: RunnerTask) => PROPERTY_REGRESSIONS.filter((one) => file.filepath.endsWith(`/${one.file}`));
const regressionsOf = (task: RunnerTask) => ofFile(task).filter((one) => one.test === task.name);

function testsOf(task: RunnerTask): RunnerTestCase[] {
  return task.type === "test" ? [task] : task.tasks.flatMap(testsOf);
}

// biome-ignore lint/correctness/noEmptyPattern: Vitest looks at the text, and refuses anything else in this place
beforeAll(({}, file) => {
  const tests = testsOf(file as RunnerTask);
  for (const test of tests) test.repeats = regressionsOf(test).length;
  const missing = ofFile(file as RunnerTask).find((one) => tests.every(({ name }) => name !== one.test));
  if (missing) throw new Error(`a regression is kept of a test that is not there: ${missing.test}`);
});
beforeEach(async ({ task }) => {
  const regressions = regressionsOf(task);
  if (regressions.length === 0) return;
  const { default: fc } = await import("fast-check"); // most test files have no need of it
  const { seed, path } = regressions[task.result?.repeatCount ?? 0] ?? {};
  if (seed === undefined) fc.resetConfigureGlobal();
  else fc.configureGlobal({ seed, ...(path !== undefined && { path }) });
});
