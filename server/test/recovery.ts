/** A clinic with one webhook whose deliveries fail, or are missed while it is off, and what people do to send them again. */
import { sampleFacts } from "@hookwell/sdk";
import { expect } from "vitest";
import { nowMs } from "../../proof/crash/chance.ts";
import { ClientRecord } from "../../proof/history/reading.ts";
import { inClinic } from "../src/db/pool.ts";
import { Recoverer } from "../src/delivery/recover.ts";
import {
  countRecoverable,
  getRecovery,
  type NewRecovery,
  type RecoverCount,
  type RecoverRange,
  type Recovery,
  type RecoveryStep,
  startRecovery,
  stepRecovery,
} from "../src/delivery/recoveries.ts";
import { emitMany } from "../src/outbox/emit.ts";
import { deliveryId } from "../src/outbox/identifiers.ts";
import { watchedLog } from "./canary/watch.ts";
import { type ClinicLog, clinicLog } from "./clinic-log.ts";
import type { TestEngine, TestWebhook } from "./engine.ts";
import { type History, type Reception, readLog, reception } from "./history.ts";
import { createReceiver, type Receiver } from "./receiver.ts";
import { until } from "./until.ts";

export const BY = { userId: "test-manager", userName: "Test Manager" };
/** Everything of the last hour. */
export const HOUR: RecoverRange = {
  from: Temporal.Now.instant().subtract({ hours: 1 }),
  to: null,
  states: ["failed", "off"],
};

export class TestRecovery {
  readonly engine: TestEngine;
  readonly clinicId: number;
  readonly webhook: TestWebhook;
  readonly receptions: Reception[] = [];
  readonly log: ClinicLog;
  /** What the receiver answers. */
  status = 200;
  readonly #receiver: Receiver;
  readonly #workers: Recoverer[] = [];
  #subjects = 0;
  readonly #switched = [{ enabled: true, beganMs: Number.NEGATIVE_INFINITY, doneMs: Number.NEGATIVE_INFINITY }];

  private constructor(engine: TestEngine, receiver: Receiver, webhook: TestWebhook) {
    this.engine = engine;
    this.#receiver = receiver;
    this.webhook = webhook;
    this.clinicId = webhook.clinicId;
    this.log = clinicLog(engine.owner, () => this.clinicId);
    receiver.answer = (got, response) => {
      this.receptions.push(reception(String(webhook.id), got, this.status));
      response.writeHead(this.status).end();
    };
  }

  static async create(engine: TestEngine): Promise<TestRecovery> {
    const receiver = await createReceiver();
    const settings = { url: receiver.url, patient: "all", concurrency: 32 } as const;
    return new TestRecovery(engine, receiver, await engine.createWebhook(await engine.createClinic(), settings));
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((one) => one.stop()));
    await this.engine.stopDispatchers();
    await this.#receiver.close();
  }

  get scope() {
    return { clinicId: this.clinicId, webhookId: this.webhook.id };
  }

  count(range = HOUR): Promise<RecoverCount> {
    return inClinic(this.engine.app, this.clinicId, (tx) => countRecoverable(tx, this.scope, range));
  }

  start(wanted: Partial<NewRecovery> = {}): Promise<Recovery> {
    const whole = { ...HOUR, pacePerSecond: null, by: BY, ...wanted };
    return inClinic(this.engine.app, this.clinicId, (tx) => startRecovery(tx, this.scope, whole));
  }

  look({ id }: Recovery): Promise<Recovery> {
    return inClinic(this.engine.app, this.clinicId, (tx) => getRecovery(tx, this.scope, id));
  }

  step({ id }: Recovery, step: RecoveryStep): Promise<Recovery> {
    const wanted = { id, step, actor: BY.userId };
    return inClinic(this.engine.app, this.clinicId, (tx) => stepRecovery(tx, this.scope, wanted));
  }

  /** Another node's worker; it is stopped with the test. */
  worker(nudge: (clinicId: number) => void = this.engine.nudge): Recoverer {
    const { database } = this.engine;
    const made = new Recoverer({ pool: database.pools.dispatch, log: watchedLog(), nudge });
    this.#workers.push(made);
    return made;
  }

  /** The next batch is due now, as if its time had come. */
  async bringBatchDue(): Promise<void> {
    await this.engine.owner.query("update recoveries set next_at = now() where clinic_id = $1", [this.clinicId]);
  }

  async setOn(on: boolean): Promise<void> {
    const beganMs = nowMs();
    await this.engine.owner.query(
      "update webhooks set enabled = $3, off_reason = case when $3 then null else 'you' end where clinic_id = $1 and id = $2",
      [this.clinicId, this.webhook.id, on],
    );
    await this.engine.owner.query("insert into bells (clinic_id, webhook_id) values ($1, $2)", [
      ...[this.clinicId, this.webhook.id],
    ]);
    this.#switched.push({ enabled: on, beganMs, doneMs: nowMs() });
  }

  /** For the judge: these deliveries have been sent again since then. */
  async history(resent: readonly string[], fromMs: number): Promise<History> {
    const log = await readLog(this.engine, this.clinicId);
    const record = new ClientRecord();
    for (const webhook of log.webhooks) {
      for (const switched of this.#switched) record.add({ kind: "configured", ...webhook, ...switched });
    }
    const span = { fromMs, untilMs: nowMs() };
    const changes = resent.map((of) => ({ what: "resent" as const, of, ...span }));
    return { ...log, webhooks: record.webhooks, changes, receptions: this.receptions };
  }

  /** Events about subjects of their own; returns their webhook-ids. */
  async emitSome(times: number): Promise<string[]> {
    const facts = sampleFacts("participant.added");
    const events = Array.from({ length: times }, () => ({ subject: `consult:${++this.#subjects}`, facts }));
    const { app, nudge } = this.engine;
    const { clinicId } = this;
    const emitted = await inClinic(app, clinicId, (tx) => emitMany(this.engine, tx, { clinicId, events }));
    nudge(clinicId);
    return emitted.map(({ id: eventId }) => deliveryId({ eventId, webhookId: this.webhook.id, part: 0 }));
  }

  async emitWhileOff(times: number): Promise<string[]> {
    await this.setOn(false);
    const ids = await this.emitSome(times);
    await this.setOn(true);
    return ids;
  }

  async finishedAs(state: string) {
    return (await this.log.finished()).filter((one) => one.state === state);
  }

  async hot(): Promise<number> {
    return (await this.log.hot()).length;
  }

  /** Tried until they are given up; a dispatcher has to be running. */
  async failSome(times: number): Promise<string[]> {
    this.status = 422;
    const before = (await this.finishedAs("given_up")).length;
    const ids = await this.emitSome(times);
    await until("they are given up", async () => {
      await this.engine.bringDue();
      return (await this.finishedAs("given_up")).length === before + times;
    });
    this.status = 200;
    return ids;
  }

  async loseContent(ids: readonly string[]): Promise<void> {
    const { rowCount } = await this.engine.owner.query(
      "update events set facts = null where clinic_id = $1 and replace(id::text, '-', '') = any ($2::text[])",
      [this.clinicId, ids.map((id) => id.slice(4, 36))],
    );
    expect(rowCount).toBe(ids.length);
  }

  accepted(): string[] {
    return this.receptions.filter((one) => one.status !== null && one.status < 300).map((one) => one.id);
  }
}
