/**
 * PostgreSQL and the model side by side: one clinic in both, the same commands, and a look at both afterwards.
 */
import { sampleFacts } from "@hookwell/sdk";
import { inClinic } from "../../src/db/pool.ts";
import type { Tx } from "../../src/db/schema.ts";
import type { Begun, RunKey } from "../../src/delivery/engine-store.ts";
import { Recoverer } from "../../src/delivery/recover.ts";
import { RECOVERED_STATES, startRecovery } from "../../src/delivery/recoveries.ts";
import { resend } from "../../src/delivery/resend.ts";
import { eraseContent } from "../../src/delivery/retention.ts";
import { silentLog } from "../../src/log.ts";
import { emitMany } from "../../src/outbox/emit.ts";
import { uuidv7 } from "../../src/outbox/identifiers.ts";
import { changeWebhook, deleteWebhook, rotateSecret, type WebhooksContext } from "../../src/webhooks/webhooks.ts";
import type { TestEngine } from "../engine.ts";
import { type Change, ClinicSide } from "./clinic-side.ts";
import type { DatabaseClock } from "./database-clock.ts";
import { ModelStore } from "./model-store.ts";
import { type Choice, type DeliveryName, deliveryName } from "./tables.ts";

export const WEBHOOKS = [
  { concurrency: 8, pacePerSecond: 1_000, proved: true },
  { concurrency: 2, pacePerSecond: 5, proved: true },
  { concurrency: 4, pacePerSecond: 50, proved: false },
];
export const CHOICES: readonly Choice[] = [
  { practitioner: "off", patient: "id" },
  { practitioner: "id", patient: "off" },
  { practitioner: "all", patient: "all" },
];
/** Deliveries a second of an address that has not answered yet (engine.md). */
const UNPROVED_PER_SECOND = 1;
const NO_FACTS = Buffer.alloc(0);
const EVERYTHING = { from: Temporal.Instant.fromEpochMilliseconds(0), to: null, states: RECOVERED_STATES };
const BY = { userId: "test", userName: "Test" };

/** A transaction that has emitted and is open in both. */
interface OpenChange {
  model: Change;
  end: (how: "commit" | "rollback") => Promise<void>;
}

export class Pair {
  readonly engine: TestEngine;
  readonly clock: DatabaseClock;
  readonly clinicId: number;
  readonly model: ModelStore;
  readonly side: ClinicSide;
  readonly webhooks: RunKey[] = [];
  readonly nodes: number[] = [];
  /** all that was ever begun, for results that come late or twice */
  readonly begun: Begun[] = [];
  readonly open: OpenChange[] = [];
  /** webhooks with two secrets: a third is refused */
  readonly rotated = new Set<number>();
  /** names of deliveries that a recovery has taken at some time, whatever became of them since */
  readonly #recovered = new Set<string>();

  constructor(engine: TestEngine, clock: DatabaseClock, clinicId: number) {
    this.engine = engine;
    this.clock = clock;
    this.clinicId = clinicId;
    this.model = new ModelStore(() => clock.nowMs);
    this.side = new ClinicSide(this.model);
  }

  /** A clinic of its own; what other clinics had left is gone. */
  static async create(engine: TestEngine, clock: DatabaseClock): Promise<Pair> {
    for (const table of [
      "bells",
      "deliveries",
      "runs",
      "nodes",
      "attempts",
      "finished_deliveries",
      "events",
      "notices",
    ])
      await engine.owner.query(`delete from ${table}`);
    const pair = new Pair(engine, clock, await engine.createClinic());
    for (const settings of WEBHOOKS) await pair.#addWebhook(settings);
    pair.model.next.delivery = await pair.#nextOf("deliveries");
    pair.model.next.node = await pair.#nextOf("nodes");
    return pair;
  }

  async #nextOf(table: string): Promise<number> {
    const { rows } = await this.engine.owner.query("select nextval(pg_get_serial_sequence($1, 'id')) + 1 as id", [
      table,
    ]);
    return rows[0].id;
  }

  async #addWebhook({ proved, ...settings }: (typeof WEBHOOKS)[number]): Promise<void> {
    const url = "https://receiver.example.test/";
    const { id } = await this.engine.createWebhook(this.clinicId, { url, proved, ...CHOICES[2], ...settings });
    const key = { clinicId: this.clinicId, webhookId: id };
    this.side.addWebhook(
      { ...key, ...settings, host: new URL(url).host, enabled: true, choice: CHOICES[2] as Choice },
      proved,
    );
    this.webhooks.push(key);
  }

  async emit(subjects: readonly string[]): Promise<void> {
    const events = subjects.map((subject) => ({
      id: uuidv7(this.clock.nowMs),
      subject,
      facts: sampleFacts("consult.updated"),
    }));
    await inClinic(this.engine.app, this.clinicId, async (tx) => {
      for (const event of events) await emitMany(this.engine, tx, { clinicId: this.clinicId, events: [event] });
    });
    const change = this.side.open();
    for (const event of events) change.emit(this.#modelled(event));
    change.commit();
  }

  #modelled({ id, subject }: { id: string; subject: string }) {
    return { clinicId: this.clinicId, id, subject, name: "consult.updated", facts: NO_FACTS };
  }

  /** Emits in a transaction that stays open. */
  async openChange(subject: string): Promise<void> {
    const event = { id: uuidv7(this.clock.nowMs), subject, facts: sampleFacts("consult.updated") };
    const ended = Promise.withResolvers<"commit" | "rollback">();
    const emitted = Promise.withResolvers<void>();
    const rolledBack = new Error("rolled back");
    const done = inClinic(this.engine.app, this.clinicId, async (tx) => {
      await emitMany(this.engine, tx, { clinicId: this.clinicId, events: [event] });
      emitted.resolve();
      if ((await ended.promise) === "rollback") throw rolledBack;
    }).catch((error: unknown) => {
      if (error !== rolledBack) throw error;
    });
    await Promise.race([emitted.promise, done]);
    const model = this.side.open();
    model.emit(this.#modelled(event));
    const end = async (how: "commit" | "rollback") => {
      ended.resolve(how);
      await done;
    };
    this.open.push({ model, end });
  }

  async endChange(at: number, how: "commit" | "rollback"): Promise<void> {
    const [change] = this.open.splice(at, 1);
    if (!change) throw new Error("there is no such change");
    change.model[how]();
    await change.end(how);
  }

  async setEnabled(key: RunKey, enabled: boolean): Promise<void> {
    await this.#inClinic((tx) => changeWebhook(tx, this.#context(), { id: key.webhookId, change: { enabled } }));
    this.side.setEnabled(key, enabled);
  }

  async deleteWebhook(key: RunKey): Promise<void> {
    await this.#inClinic((tx) => deleteWebhook(tx, this.#context(), key.webhookId));
    this.side.deleteWebhook(key);
  }

  async resend(name: DeliveryName): Promise<void> {
    await this.#inClinic((tx) => resend(tx, this.clinicId, name));
    const { rows } = await this.engine.owner.query<{ order_key: string }>(
      "select order_key from deliveries where clinic_id = $1 and event_id = $2 and webhook_id = $3",
      [this.clinicId, name.eventId, name.webhookId],
    );
    this.side.resend(name, rows[0]?.order_key ?? "");
  }

  async move(key: RunKey, host: string): Promise<void> {
    const url = `https://${host}/`;
    await this.#inClinic((tx) => changeWebhook(tx, this.#context(url), { id: key.webhookId, change: { url } }));
    this.side.move(key, host);
  }

  async choose(key: RunKey, choice: Choice): Promise<void> {
    const change = { include: choice };
    await this.#inClinic((tx) => changeWebhook(tx, this.#context(), { id: key.webhookId, change }));
    this.side.choose(key, choice);
  }

  async rotate(key: RunKey): Promise<void> {
    await this.#inClinic((tx) => rotateSecret(tx, this.#context(), key.webhookId));
    this.side.secretsChanged(key);
    this.rotated.add(key.webhookId);
  }

  async erase(eventId: string): Promise<void> {
    await this.engine.owner.query("update events set facts = null where id = $1", [eventId]);
    this.side.erase(eventId);
  }

  async eraseFinished(): Promise<void> {
    await eraseContent({ owner: this.engine.owner, log: silentLog(), days: 0 });
    this.side.eraseFinished();
  }

  /** The first batch of a recovery, which is then called off. */
  async recover(key: RunKey): Promise<void> {
    const scope = { clinicId: this.clinicId, webhookId: key.webhookId };
    const { id } = await this.#inClinic((tx) =>
      startRecovery(tx, scope, { ...EVERYTHING, pacePerSecond: null, by: BY }),
    );
    await new Recoverer({ pool: this.engine.database.pools.dispatch, log: silentLog(), nudge: () => {} }).runOnce();
    const { rows } = await this.engine.owner.query<{ event_id: string; order_key: string }>(
      "select event_id, order_key from deliveries where clinic_id = $1 and recovery_id = $2",
      [this.clinicId, id],
    );
    const orderKeys = new Map(rows.map((row) => [row.event_id, row.order_key]));
    const orderKeyOf = ({ eventId }: DeliveryName) => orderKeys.get(eventId) ?? "";
    const taken = this.side.recover(key, { most: this.#batchOf(key), orderKeyOf });
    for (const row of taken) this.#recovered.add(deliveryName(row));
    await this.engine.owner.query("delete from recoveries where clinic_id = $1 and id = $2", [this.clinicId, id]);
  }

  /**
   * How many a recovery takes at a time: what half of the webhook's pace sends in a second, unless two such batches of what
   * was recovered wait for their first attempt; none of a webhook that is off or parked.
   */
  #batchOf(key: RunKey): number {
    const { tables } = this.model;
    const { answeredAt, parkedAt } = tables.run(key);
    if (!tables.isOn(key) || parkedAt !== null) return 0;
    const perSecond = answeredAt === null ? UNPROVED_PER_SECOND : tables.webhook(key).pacePerSecond;
    const batch = Math.max(1, Math.floor(perSecond / 2));
    const untried = [...tables.deliveriesOf(key).values()].filter(
      (row) => this.#recovered.has(deliveryName(row)) && row.attempt === row.scheduleStart,
    );
    return Math.max(0, Math.min(batch, 2 * batch - untried.length));
  }

  #inClinic<Result>(work: (tx: Tx) => Promise<Result>): Promise<Result> {
    return inClinic(this.engine.app, this.clinicId, work);
  }

  #context(url = "https://receiver.example.test/"): WebhooksContext {
    const checkAddress = () => ({ ok: true as const, url: new URL(url) });
    return { seal: this.engine.seal, clinicId: this.clinicId, actor: "test", checkAddress };
  }

  /** Ends what is open, so that the next run has the database to itself. */
  async close(): Promise<void> {
    while (this.open.length > 0) await this.endChange(0, "rollback");
  }
}
