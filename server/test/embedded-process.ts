/**
 * A process of its own that opens the embedded database of a folder and says so in one JSON line, for tests that kill it:
 * `node embedded-process.ts <data folder>`. It stops the database on SIGTERM, as the real program does.
 */
import { startEmbedded } from "../src/db/embedded.ts";
import { silentLog } from "../src/log.ts";

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

try {
  const database = await startEmbedded({
    dataFolder: process.argv[2] ?? "",
    log: silentLog(),
    onLost: (error) => say({ lost: error.message }),
  });
  process.once("SIGTERM", () => {
    database.stop().then(
      () => say({ stopped: true }),
      (error: unknown) => say({ error: String(error) }),
    );
  });
  // Last: whoever reads this line may send its signal at once.
  say({ url: database.url, adopted: database.adopted });
} catch (error) {
  say({ error: error instanceof Error ? error.message : String(error) });
}
