/** The feed benchmark's server, a process of its own: the whole application, which delivers nothing, and a clinic with a key. */
import { createSecretKey, randomBytes } from "node:crypto";
import { join } from "node:path";
import { createApiKey } from "../server/src/accounts/api-keys.ts";
import { createApp } from "../server/src/app.ts";
import { createClinic } from "../server/src/clinic/clinics.ts";
import { inClinic } from "../server/src/db/pool.ts";
import { createLog } from "../server/src/log.ts";

/** What the parent hears once the server answers. */
export interface FeedServer {
  readonly url: string;
  readonly key: string;
}

const [databaseUrl = "", dataFolder = ""] = process.argv.slice(2);
const app = await createApp(
  {
    ...{ databaseUrl, dataFolder, host: "127.0.0.1", port: 0, publicUrl: "http://localhost:0", inboxPort: 0 },
    masterKey: { from: "environment", keys: [createSecretKey(randomBytes(32))] },
    ...{ authSecret: undefined, allowLoopback: true, role: "api", hostPacePerSecond: 1_000, retentionDays: 30 },
    allowed: { networks: [], ports: [], httpHosts: [] },
    operatorKey: undefined,
    mail: undefined,
  },
  { log: createLog({ destination: { file: join(dataFolder, "bench.log") } }) },
);
const clinic = await createClinic(app.owner, app.seal, { name: "Bench Clinic", timeZone: "America/Toronto" });
// One webhook that listens: each event makes a delivery, too.
await app.owner
  .insertInto("webhooks")
  .values({
    ...{ clinic_id: clinic.id, name: "Bench", url: randomBytes(40), url_host: "hooks.example.test" },
    ...{ events: ["participant.added"], enabled: true },
  })
  .execute();
const { key } = await inClinic(app.db, clinic.id, (tx) =>
  createApiKey(tx, { clinicId: clinic.id, actor: "bench", name: "Bench", scopes: ["feed"] }),
);
process.send?.({ url: app.publicUrl.replace("localhost", "127.0.0.1"), key } satisfies FeedServer);
process.once("disconnect", () => void app.stop().then(() => process.exit()));
