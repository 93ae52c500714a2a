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
  // Beside the program and not in the folder for temporary files, where others could write; without the right to write it does
  // without. Saves some 25 MB and half of the start: what is kept there need not be stripped of its types again.
  const { fileURLToPath } = await import("node:url");
  const { enableCompileCache } = await import("node:module");
  enableCompileCache(fileURLToPath(new URL("../../node_modules/.cache/hookwell", import.meta.url)));
  // A heap that may grow to three times what is in use before it is cleaned up takes 100 MB more and makes a tenth of speed of it.
  const { setFlagsFromString } = await import("node:v8");
  setFlagsFromString("--heap-growing-percent=40");
  await import("../src/cli/main.ts");
}
