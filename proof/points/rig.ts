/**
 * Where one crash point is played: a database of its own, a proxy that knows the engine's statements, a receiver with a
 * trap, and a node as it is served, or a client, that is killed with -9 by whichever trap springs.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inClinic } from "../../server/src/db/pool.ts";
import { liveSecrets } from "../../server/src/webhooks/secrets.ts";
import type { TestWebhook } from "../../server/test/engine.ts";
import { until } from "../../server/test/until.ts";
import { Stage } from "../broken/stage.ts";
import { nowMs } from "../crash/chance.ts";
import { end, hasEnded, serveNode } from "../crash/children.ts";
import { type Trap, WireProxy } from "../crash/wire-proxy.ts";
import type { Verdict } from "../history/judge.ts";
import type { OneCommand } from "./client-once.ts";
import { createTrappedReceiver, type RequestMoment, type TrappedReceiver } from "./trapped-receiver.ts";

/** For anything that another process has to do; a busy machine takes its time. */
const LIMIT_MS = 180_000;
const SUBJECTS = 5;

export class Rig {
  readonly stage: Stage;
  readonly proxy: WireProxy;
  readonly receiver: TrappedReceiver;
  readonly webhook: TestWebhook;
  readonly #masterKey: string;
  readonly #folder: string;
  readonly #beganMs = nowMs();
  #victim: ChildProcess | null = null;
  #said = "";

  private constructor(
    parts: Pick<Rig, "stage" | "proxy" | "receiver" | "webhook"> & { masterKey: string; folder: string },
  ) {
    this.stage = parts.stage;
    this.proxy = parts.proxy;
    this.receiver = parts.receiver;
    this.webhook = parts.webhook;
    this.#masterKey = parts.masterKey;
    this.#folder = parts.folder;
  }

  static async open(): Promise<Rig> {
    const masterKey = randomBytes(32);
    const folder = await mkdtemp(join(tmpdir(), "hookwell-point-"));
    await chmod(folder, 0o711);
    const stage = await Stage.open(() => ({}), masterKey);
    const receiver = await createTrappedReceiver();
    const webhook = await stage.webhookAt(receiver.url, { patient: "all" });
    const proxy = await WireProxy.listen(Number(new URL(stage.engine.database.url).port));
    return new Rig({ stage, proxy, receiver, webhook, masterKey: masterKey.toString("base64"), folder });
  }

  /** Kills whoever is the victim at that moment of that statement. */
  killAt(statement: RegExp, moment: Trap["moment"], nth = 1): void {
    this.proxy.set({ statement, moment, nth, spring: () => this.kill() });
  }

  killWhen(moment: RequestMoment): void {
    this.receiver.set({ moment, spring: () => this.kill() });
  }

  kill(): void {
    this.#victim?.kill("SIGKILL");
  }

  /** Starts the node that is the victim from now on; it may be killed before it works. */
  async startNode({ untilItWorks = true } = {}): Promise<void> {
    const databaseUrl = this.proxy.urlFor(this.stage.engine.database.url);
    const node = serveNode({ databaseUrl, masterKey: this.#masterKey, dataFolder: this.#folder, logFile: "" });
    this.#watch(node);
    if (untilItWorks) await this.says("server.started");
  }

  /** Until the victim has said something in its log. */
  async says(event: string): Promise<void> {
    await until(
      `it says ${event}`,
      () => {
        if (this.#victim && hasEnded(this.#victim))
          throw new Error(`it ended before it said ${event}: ${this.#said.slice(-2_000)}`);
        return this.#said.includes(`"event":"${event}"`);
      },
      LIMIT_MS,
    );
  }

  /** Runs one command of a client, which is the victim from now on, to its end. Whether it heard of its commit. */
  async runClient(what: OneCommand["do"]): Promise<boolean> {
    const databaseUrl = this.proxy.urlFor(this.stage.engine.database.url);
    const ids = { clinicId: this.stage.clinicId, webhookId: this.webhook.id };
    const command: OneCommand = { do: what, databaseUrl, masterKey: this.#masterKey, ...ids };
    const child = spawn(process.execPath, [join(import.meta.dirname, "client-once.ts"), JSON.stringify(command)]);
    this.#watch(child);
    await until("the client has ended", () => hasEnded(child), LIMIT_MS);
    return this.#said.includes("accepted");
  }

  #watch(child: ChildProcess): void {
    this.#victim = child;
    this.#said = "";
    const read = (chunk: Buffer) => {
      this.#said += chunk.toString("utf8");
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
  }

  terminate(): void {
    this.#victim?.kill("SIGTERM");
  }

  /** Waits until the victim is gone, and makes sure that it was killed. */
  async isKilled(): Promise<void> {
    const victim = this.#victim;
    await until("it has been killed", () => victim && hasEnded(victim), LIMIT_MS);
    if (victim?.signalCode !== "SIGKILL") throw new Error(`it ended by itself: ${this.#said.slice(-2_000)}`);
  }

  /** There was another node, which is dead and holds the webhook. */
  async loseNode(): Promise<void> {
    const { engine } = this.stage;
    const dead = await engine.store.register("dead", 0);
    await engine.owner.query("update runs set owner = $1", [dead]);
    await engine.owner.query("update nodes set alive_until = now() - interval '1 minute' where id = $1", [dead]);
  }

  /** Three events of each of some consults; the receiver's node finds them by itself. */
  async emitSome(): Promise<void> {
    for (let n = 0; n < 3 * SUBJECTS; n++) await this.stage.emit(`consult:${1 + (n % SUBJECTS)}`, { people: 40 });
  }

  /** A node after the crash, which need not wait for the dead one's lease to run out; then everything is delivered. */
  async recover(): Promise<void> {
    const { engine } = this.stage;
    await engine.owner.query("update nodes set alive_until = now() - interval '1 minute'");
    await engine.store.reap();
    await this.startNode();
    await this.allDelivered();
  }

  async allDelivered(): Promise<void> {
    const isDone = async () => {
      await this.stage.engine.bringDue();
      return (await this.stage.unfinished()) === 0;
    };
    await until("all is delivered", isDone, LIMIT_MS);
  }

  /** Secrets that somebody made without being able to say so. */
  async learnSecrets(): Promise<number> {
    const { engine, clinicId } = this.stage;
    const secrets = await inClinic(engine.app, clinicId, async (tx) =>
      liveSecrets({ tx, clinicId, seal: await engine.seal.forClinic(tx, clinicId) }, this.webhook.id),
    );
    for (const secret of secrets.filter((one) => one !== this.webhook.secret)) {
      this.stage.secret(this.webhook.id, { name: "second", secret, beganMs: this.#beganMs, fromMs: nowMs() });
    }
    return secrets.length;
  }

  /** The webhook was turned off by the engine, if it was: a manager turns it on again. */
  async turnOnAgain(): Promise<void> {
    const { owner } = this.stage.engine;
    const { rowCount } = await owner.query("select from webhooks where id = $1 and not enabled", [this.webhook.id]);
    if (rowCount === 0) return;
    this.stage.noteChange(this.webhook.id, this.#beganMs, { enabled: false });
    await this.stage.configure(this.webhook, { enabled: true });
    await owner.query("insert into bells (clinic_id, webhook_id) values ($1, $2)", [
      this.stage.clinicId,
      this.webhook.id,
    ]);
  }

  async verdict(): Promise<Verdict> {
    if (this.#victim) await end(this.#victim, "SIGTERM");
    const lines = this.receiver.lines.map((line) => ({ ...line, webhook: String(this.webhook.id) }));
    this.stage.lines.push(...lines.sort((a, b) => a.atMs - b.atMs));
    return this.stage.verdict({ drained: true, timesMoved: true });
  }

  async close(): Promise<void> {
    if (this.#victim) await end(this.#victim, "SIGKILL");
    await this.proxy.close();
    await this.stage.close();
    await this.receiver.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
