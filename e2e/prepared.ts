/** The demo server for a journey: started by its entry as always, on a copy of the folder that the run has prepared. */
import { inject } from "vitest";
import { type DemoServer, type DemoServerOptions, startDemo } from "./server.ts";

/** As `startDemo`, only sooner: database and clinic are there already. For a database of one's own use `startDemo`. */
export function startPrepared(options: DemoServerOptions = {}): Promise<DemoServer> {
  return startDemo({ ...options, from: inject("demoFolder") });
}
