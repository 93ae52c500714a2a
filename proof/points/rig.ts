/**
 * Where one crash point is played: a database of its own, a proxy that knows the engine's statements, a receiver with a
 * trap, and a node as it is served, or a client, that is killed with -9 by whichever trap springs.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sampleFacts } from "@hookwell/sdk";
import { createApiKey } from "../../server/src/accounts/api-keys.ts";
import { inClinic } from "../../server/src/db/pool.ts";
import { emit } from "../../server/src/outbox/emit.ts";
import { deliveryId } from "../../server/src/outbox/identifiers.ts";
import { liveSecrets } from "../../server/src/webhooks/secrets.ts";
import type { TestWebhook } from "../../server/test/engine.ts";
import { until } from "../../server/test/until.ts";
import { Stage } from "../broken/stage.ts";
import { nowMs } from "../crash/chance.ts";
import { end, hasEnded, serveNode } from "../crash/children.ts";
import { type Trap, WireProxy } from "../crash/wire-proxy.ts";
import type { AcceptedEvent, JudgeOptions } from "../history/history.ts";
import type { Verdict } from "../history/judge.ts";
import type { OneCommand } from "./client-once.ts";
import { createTrappedReceiver, type RequestMoment, type TrappedReceiver } from "./trapped-receiver.ts";

/** For anything that another process has to do; a busy machine takes its time. */
export const LIMIT_MS = 180_000;
export const SUBJECTS = 5;
/** More than a machine keeps on the way to somebody who does not read: Linux has up to 4 MB sent, and little received then. */
const LARGE_BYTES = 8 * 1024 * 1024;

export class Rig {
  readonly stage: Stage;
  readonly proxy: WireProxy;
  readonly receiver: TrappedReceiver;
  readonly webhook: TestWebhook;
  readonly #masterKey: string;
  readonly #folder: string;
  readonly #beganMs = nowMs();
  readonly #nodes: ChildProcess[] = [];
  #victim: ChildProcess | null = null;
  #said = "";
  #apiKey = "";
  #deliveredAgain = 0;

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
  killAt(trap: Omit<Trap, "spring">): void {
    this.proxy.set({ ...trap, spring: () => this.kill() });
  }

  killWhen(moment: RequestMoment): void {
    this.receiver.set({ moment, spring: () => this.kill() });
  }

  kill(): void {
    this.#victim?.kill("SIGKILL");
  }

  /** Starts the node that is the victim from now on; it may be killed before it works. */
  async startNode({ untilItWorks = true, environment = {} as NodeJS.ProcessEnv } = {}): Promise<void> {
    const databaseUrl = this.proxy.urlFor(this.stage.engine.database.url);
    const settings = { databaseUrl, masterKey: this.#masterKey, dataFolder: this.#folder, logFile: "" };
    const node = serveNode(settings, environment);
    this.#nodes.push(node);
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

  /** An event whose body is longer than what fits into the buffers between a node and its receiver. */
  async emitLarge(): Promise<void> {
    const { engine, clinicId } = this.stage;
    const facts = sampleFacts("consult.updated");
    for (const person of facts.participants) person.name = "x".repeat(LARGE_BYTES);
    const subject = "consult:1";
    const beganMs = nowMs();
    const { id, subjectVersion } = await inClinic(engine.app, clinicId, (tx) =>
      emit(engine, tx, { clinicId, subject, facts }),
    );
    this.#accepted({
      id,
      name: facts.event,
      subject,
      version: subjectVersion,
      participants: facts.participants.length,
      beganMs,
    });
  }

  /** Posts one event as an integrator's program does, with the same key each time. Null where there was no answer. */
  async postEvent(): Promise<{ duplicate: boolean } | null> {
    const facts = sampleFacts("participant.added");
    const beganMs = nowMs();
    const answer = await fetch(`http://127.0.0.1:${this.#port()}/v1/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${await this.#feedKey()}`, "content-type": "application/json" },
      body: JSON.stringify({ key: "booking-1", facts }),
    }).catch(() => null);
    if (answer === null) return null;
    if (answer.status !== 202) throw new Error(`the event was answered ${answer.status}: ${await answer.text()}`);
    const taken = (await answer.json()) as { id: string; subject: string; version: number; duplicate: boolean };
    this.#accepted({ ...taken, name: facts.event, participants: facts.participants.length, beganMs });
    return taken;
  }

  async #feedKey(): Promise<string> {
    const { engine, clinicId } = this.stage;
    const wanted = { clinicId, actor: "test", name: "Relay", scopes: ["feed"] as const };
    this.#apiKey ||= (await inClinic(engine.app, clinicId, (tx) => createApiKey(tx, wanted))).key;
    return this.#apiKey;
  }

  /** Where the victim answers requests. */
  #port(): string {
    const port = /"port":(\d+)[^\n]*"event":"server\.started"/.exec(this.#said)?.[1];
    if (port === undefined) throw new Error("it does not answer requests yet");
    return port;
  }

  #accepted({ id, ...what }: Omit<AcceptedEvent, "clinic" | "event" | "doneMs"> & { id: string }): void {
    const { name, subject, version, participants, beganMs } = what;
    const event = { event: id.replaceAll("-", ""), name, subject, version, participants, beganMs };
    this.stage.record.add({ kind: "accepted", clinic: String(this.stage.clinicId), ...event, doneMs: nowMs() });
  }

  /** How many requests the rows say were begun and not settled: what may come twice. */
  async inFlight(): Promise<number> {
    const begun = await this.stage.engine.owner.query("select from deliveries where begun_at is not null");
    return begun.rowCount ?? 0;
  }

  /** A node after the crash, which need not wait for the dead one's lease to run out. */
  async replace(): Promise<void> {
    const { engine } = this.stage;
    await engine.owner.query("update nodes set alive_until = now() - interval '1 minute'");
    await engine.store.reap();
    await this.startNode();
  }

  /** A node after the crash; then everything is delivered. */
  async recover(): Promise<void> {
    await this.replace();
    await this.allDelivered();
  }

  /** Retries come due by themselves: the first is due after 5 s. */
  async allDelivered(): Promise<void> {
    await until("all is delivered", async () => (await this.stage.unfinished()) === 0, LIMIT_MS);
  }

  /** Somebody has had everything that waits sent again: what had arrived, or what had been missed. */
  async noteResent(what: "delivered" | "missed"): Promise<void> {
    const { rows } = await this.stage.engine.owner.query<{ event_id: string }>(
      "select event_id from deliveries union all select event_id from finished_deliveries where reason = 'off'",
    );
    for (const { event_id: eventId } of rows) {
      const of = deliveryId({ eventId, webhookId: this.webhook.id, part: 0 });
      this.stage.record.add({ kind: "change", what: "resent", of, fromMs: this.#beganMs, untilMs: nowMs() });
    }
    if (what === "delivered") this.#deliveredAgain += rows.length;
  }

  /** How often the receiver took what it had taken before, though nobody had asked for it. */
  get duplicates(): number {
    const taken = this.receiver.lines.filter(({ status }) => status !== null && status >= 200 && status < 300);
    return taken.length - new Set(taken.map(({ headers }) => headers["webhook-id"])).size - this.#deliveredAgain;
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

  async verdict(options: Pick<JudgeOptions, "timesMoved"> = {}): Promise<Verdict> {
    await Promise.all(this.#nodes.map((node) => end(node, "SIGTERM")));
    const lines = this.receiver.lines.map((line) => ({ ...line, webhook: String(this.webhook.id) }));
    this.stage.lines.push(...lines.sort((a, b) => a.atMs - b.atMs));
    return this.stage.verdict({ drained: true, ...options });
  }

  async close(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => end(node, "SIGKILL")));
    await this.proxy.close();
    await this.stage.close();
    await this.receiver.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
