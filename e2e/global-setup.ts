/**
 * One start of the demo for a whole run: it builds the page and makes a data folder with the demo's clinic in it. A journey
 * goes on in a copy of that folder (prepared.ts), which is ready in a second where a first start takes several.
 */
import { rm } from "node:fs/promises";
import type { TestProject } from "vitest/node";
import { startDemo } from "./server.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** A data folder of the demo that nobody uses; to be copied. */
    demoFolder: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const demo = await startDemo();
  await demo.stop();
  project.provide("demoFolder", demo.dataFolder);
  return () => rm(demo.dataFolder, { recursive: true, force: true });
}
