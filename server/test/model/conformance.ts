/** The property of the model-based test: random commands, carried out in PostgreSQL and in the model, with the same result. */
import fc from "fast-check";
import type { TestEngine } from "../engine.ts";
import { ALL_COMMANDS } from "./commands.ts";
import type { DatabaseClock } from "./database-clock.ts";
import { Pair } from "./pair.ts";

const COMMANDS_MAX = 250;

/** For fc.assert or fc.check; the engine is on a database whose clock is injected. */
export function agreement(engine: TestEngine, clock: DatabaseClock) {
  const commands = fc.commands(ALL_COMMANDS, { maxCommands: COMMANDS_MAX, size: "max" });
  return fc.asyncProperty(commands, async (drawn) => {
    const pair = await Pair.create(engine, clock);
    try {
      await fc.asyncModelRun(() => ({ model: { pair }, real: pair }), drawn);
    } finally {
      await pair.close();
    }
  });
}
