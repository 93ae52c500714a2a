/**
 * One clinic, a real engine and receivers that log: where scenarios are played for the judge, with the engine as it is or
 * with a part of it broken from the outside.
 */
import { createSecretKey } from "node:crypto";
import { type EventName, type Facts, sampleFacts } from "@hookwell/sdk";
import { createKysely, inClinic } from "../../server/src/db/pool.ts";
import type { Database, Db, Tx } from "../../server/src/db/schema.ts";
import type { Dispatcher, DispatcherOptions } from "../../server/src/delivery/dispatcher.ts";
import { emit } from "../../server/src/outbox/emit.ts";
import { changeWebhook, type WebhooksContext } from "../../server/src/webhooks/webhooks.ts";
import { createTestEngine, type TestEngine, type TestWebhook, type WebhookSettings } from "../../server/test/engine.ts";
import { createReceiver, type Receiver } from "../../server/test/receiver.ts";
import { nowMs } from "../crash/chance.ts";
import { exportRows } from "../history/exporting.ts";
import type { JudgeOptions, LiveSecret, WebhookVersion } from "../history/history.ts";
import { judge, type Verdict } from "../history/judge.ts";
import { ClientRecord, type ReceiverLine, toReception } from "../history/reading.ts";

/** What a receiver answers to the nth attempt of a delivery, or to the nth request of all. */
export interface Answer {
  status: number;
  retryAfterSeconds?: number;
  /** answers only when this is fulfilled */
  after?: Promise<unknown>;
}

/** Parts of an engine that replace the real ones. */
export interface Parts extends Partial<DispatcherOptions> {
  /** for what the clinic and its managers do */
  app?: Db;
  /** the event's transaction is not the change's: where the change is rolled back, the event stays */
  changeApart?: boolean;
  /** after emitting, in the same transaction */
  afterEmit?: (stage: Stage, clinicId: number) => Promise<void>;
}

export class Stage {
  readonly engine: TestEngine;
  readonly parts: Parts;
  readonly clinicId: number;
  readonly lines: ReceiverLine[] = [];
  readonly record = new ClientRecord();
  readonly #receivers: Receiver[] = [];
  readonly #versions = new Map<number, Omit<WebhookVersion, "fromMs" | "untilMs">>();

  private constructor(engine: TestEngine, clinicId: number, breaks: (stage: Stage) => Parts) {
    this.engine = engine;
    this.clinicId = clinicId;
    this.parts = breaks(this);
  }

  /** A stage with a database of its own. The master key is for processes that share it. */
  static async open(breaks: (stage: Stage) => Parts = () => ({}), masterKey?: Buffer): Promise<Stage> {
    const engine = await createTestEngine({
      deadlineMs: 1_500,
      ...(masterKey && { masterKey: createSecretKey(masterKey) }),
    });
    return new Stage(engine, await engine.createClinic(), breaks);
  }

  /** A webhook and its receiver, which answers 200 unless told otherwise. */
  async webhook(
    settings: Partial<WebhookSettings> = {},
    answer: (line: ReceiverLine, nth: number) => Answer = () => ({ status: 200 }),
  ): Promise<TestWebhook> {
    const receiver = await this.#receiver();
    const made = await this.webhookAt(receiver.url, settings);
    this.#log(receiver, made.id, answer);
    return made;
  }

  /** Its manager gives it another address, whose receiver answers 200. */
  async move(webhook: TestWebhook): Promise<void> {
    const receiver = await this.#receiver();
    this.#log(receiver, webhook.id, () => ({ status: 200 }));
    await this.configure(webhook, { address: receiver.url });
  }

  async #receiver(): Promise<Receiver> {
    const receiver = await createReceiver();
    this.#receivers.push(receiver);
    return receiver;
  }

  /** A webhook whose receiver is somebody else's. */
  async webhookAt(url: string, settings: Partial<WebhookSettings> = {}): Promise<TestWebhook> {
    const beganMs = nowMs();
    const made = await this.engine.createWebhook(this.clinicId, { url, ...settings });
    this.#versions.set(made.id, {
      ...{ clinic: String(this.clinicId), webhook: String(made.id), address: url, deleted: false },
      events: settings.events ?? ["participant.added", "consult.updated", "participant.removed"],
      ...{ practitioner: settings.practitioner ?? "off", patient: settings.patient ?? "off" },
      ...{ onePerRequest: settings.onePerRequest ?? false, enabled: settings.enabled ?? true },
    });
    this.#note(made.id, beganMs, {});
    this.secret(made.id, { name: "first", secret: made.secret, fromMs: nowMs(), beganMs });
    return made;
  }

  /** The line is written when the request has arrived whole; its status when it has been answered. */
  #log(receiver: Receiver, webhookId: number, answer: (line: ReceiverLine, nth: number) => Answer): void {
    receiver.answer = (got, response) => {
      const line: ReceiverLine = {
        ...{ webhook: String(webhookId), address: `http://${got.headers.host}${got.path}` },
        headers: got.headers as Record<string, string>,
        ...{ body: got.body, atMs: nowMs(), status: null },
      };
      this.lines.push(line);
      const { status, retryAfterSeconds = null, after = Promise.resolve() } = answer(line, receiver.received.length);
      void after.then(() => {
        if (response.destroyed) return; // the sender has given up waiting
        Object.assign(line, { status, retryAfterSeconds });
        response
          .writeHead(status, retryAfterSeconds === null ? {} : { "retry-after": String(retryAfterSeconds) })
          .end();
      });
    };
  }

  /** Writes down what somebody else may have changed of a webhook since then. */
  noteChange(webhookId: number, beganMs: number, changes: Partial<WebhookVersion>): void {
    this.#note(webhookId, beganMs, changes);
  }

  #note(webhookId: number, beganMs: number, changes: Partial<WebhookVersion>): void {
    const version = this.#versions.get(webhookId);
    if (!version) throw new Error(`no such webhook: ${webhookId}`);
    Object.assign(version, changes);
    this.record.add({ kind: "configured", ...version, beganMs, doneMs: nowMs() });
  }

  /** What a manager changes of a webhook: it is turned off or moved, or its data choice. */
  async configure(
    { id }: TestWebhook,
    changes: Partial<Pick<WebhookVersion, "enabled" | "patient" | "address">>,
  ): Promise<void> {
    const { enabled, patient, address: url } = changes;
    const beganMs = nowMs();
    await this.managed((tx, context) =>
      changeWebhook(tx, context, { id, change: { enabled, url, include: { patient } } }),
    );
    this.#note(id, beganMs, changes);
  }

  /** A command of a manager's, in a transaction of its own. */
  managed<Result>(command: (tx: Tx, context: WebhooksContext) => Promise<Result>): Promise<Result> {
    const { clinicId, engine } = this;
    const checkAddress = (text: string) => engine.egress.check(text);
    return inClinic(engine.app, clinicId, (tx) =>
      command(tx, { seal: engine.seal, clinicId, actor: "a manager", checkAddress }),
    );
  }

  /** Writes down a secret, live from then on. */
  secret(
    webhookId: number,
    secret: Pick<LiveSecret, "name" | "secret" | "beganMs" | "fromMs"> & Partial<LiveSecret>,
  ): void {
    this.record.add({ kind: "secret", webhook: String(webhookId), untilMs: null, endedMs: null, ...secret });
  }

  /** One change of a consult and its event, in one transaction; rolled back if so wished. */
  async emit(
    subject: string,
    { name = "consult.updated" as EventName, rollBack = false, people = 0 } = {},
  ): Promise<void> {
    const { engine, clinicId, parts } = this;
    const facts = crowded(sampleFacts(name), people);
    const beganMs = nowMs();
    let emitted: Awaited<ReturnType<typeof emit>> | null = null;
    const change = inClinic(parts.app ?? engine.app, clinicId, async (tx) => {
      emitted = await emit(engine, tx, { clinicId, subject, facts });
      await parts.afterEmit?.(this, clinicId);
      if (rollBack && !parts.changeApart) throw new RolledBack();
    });
    const isRolledBack = await change.then(
      () => rollBack,
      (error: unknown) => {
        if (error instanceof RolledBack) return true;
        throw error;
      },
    );
    const { id, subjectVersion: version } = emitted as unknown as Awaited<ReturnType<typeof emit>>;
    const event = id.replaceAll("-", "");
    if (isRolledBack) this.record.add({ kind: "refused", event });
    else {
      const participants = "participants" in facts ? facts.participants.length : 1;
      const of = { clinic: String(clinicId), event, name, subject, version, participants };
      this.record.add({ kind: "accepted", ...of, beganMs, doneMs: nowMs() });
    }
    engine.nudge();
  }

  start(more: Partial<DispatcherOptions> = {}): Promise<Dispatcher> {
    const { app: _, changeApart: __, afterEmit: ___, ...broken } = this.parts;
    return this.engine.startDispatcher({ ...broken, ...more });
  }

  async unfinished(): Promise<number> {
    return (await this.engine.owner.query("select from deliveries")).rowCount ?? 0;
  }

  /** Deliveries whose time comes within a minute: what a play may wait for. */
  async awaited(): Promise<number> {
    const { rows } = await this.engine.owner.query("select from deliveries where due_at < now() + interval '1 minute'");
    return rows.length;
  }

  /** A Kysely over a pool whose statements are changed on their way. */
  kyselyWith(change: (text: string) => string, role: "app" | "dispatch" = "app"): Db {
    const pool = this.engine.database.pools[role];
    const connect = async () => {
      const client = await pool.connect();
      return {
        query: (text: string, values: unknown[]) => client.query(change(text), values),
        release: () => client.release(true),
      };
    };
    return createKysely<Database>({ connect } as never);
  }

  /** Ends the play and judges it. */
  async verdict(options: JudgeOptions): Promise<Verdict> {
    await this.engine.stopDispatchers();
    const receptions = await Promise.all(this.lines.map((line) => toReception(line, this.record.secrets)));
    const { accepted, refused, changes, secrets, webhooks } = this.record;
    const rows = await exportRows(this.engine.owner, [this.clinicId]);
    const history = { accepted, refused, changes, secrets, webhooks, receptions, ...rows };
    return judge(history, { timesMoved: this.engine.moved, ...options });
  }

  async close(): Promise<void> {
    await this.engine.close();
    await Promise.all(this.#receivers.map((receiver) => receiver.close()));
  }
}

/** As many people as wished instead of the sample's. */
function crowded(facts: Facts, people: number): Facts {
  if (people === 0 || !("participants" in facts)) return facts;
  const [first] = facts.participants;
  if (!first) throw new Error("the sample has nobody in it");
  return { ...facts, participants: Array.from({ length: people }, (_, n) => ({ ...first, id: first.id + n })) };
}

class RolledBack extends Error {}
