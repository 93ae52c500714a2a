#!/usr/bin/env node
// Plain JavaScript on purpose: an older Node could not even parse the .ts files, and would say so in riddles.
const NODE_MAJOR_MIN = 24;
const present = process.versions.node;

if (Number(present.split(".")[0]) < NODE_MAJOR_MIN) {
  process.stderr.write(
    `Hookwell needs Node ${NODE_MAJOR_MIN} or newer and was started with Node ${present}. ` +
      "Use `npm start`, which brings the right one, or install a newer Node.\n",
  );
  process.exitCode = 1;
} else {
  await import("../src/cli/main.ts");
}
