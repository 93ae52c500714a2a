/** A clinic of its own for a test: its people, one unit of work at a time, and what the outbox stored of it. */
import { createSecretKey, randomBytes } from "node:crypto";
import { type ConsultFacts, checkFacts, EVENT_NAMES, type Facts } from "@hookwell/sdk";
import { sql } from "kysely";
import { type Clinic, type ClinicContext, createClinic, type NewClinic } from "../src/clinic/clinics.ts";
import { type ConsultChanges, changeConsults } from "../src/clinic/consult-changes.ts";
import { type NewConsult, scheduleConsult } from "../src/clinic/consults.ts";
import { addPatient, addPractitioner, type PatientRow, type PractitionerRow } from "../src/clinic/people.ts";
import { addService, type ServiceRow } from "../src/clinic/services.ts";
import { type FixedClock, fixedClock } from "../src/clock.ts";
import { createKysely, inClinic, type Pools } from "../src/db/pool.ts";
import type { Database, Db, Tx } from "../src/db/schema.ts";
import { Seal } from "../src/seal/seal.ts";

/** One stored event, unsealed. */
export interface StoredEvent<F extends Facts = ConsultFacts> {
  readonly subject: string;
  readonly subjectVersion: number;
  /** How many requests it makes. */
  readonly parts: number;
  readonly facts: F;
}

export class TestClinic {
  readonly db: Db;
  readonly owner: Db;
  readonly seal: Seal;
  readonly clock: FixedClock;
  readonly clinic: Clinic;
  readonly context: ClinicContext;
  readonly webhookId: number;
  #lastDelivery = 0;

  constructor(parts: Pick<TestClinic, "db" | "owner" | "seal" | "clock" | "clinic" | "webhookId">) {
    this.db = parts.db;
    this.owner = parts.owner;
    this.seal = parts.seal;
    this.clock = parts.clock;
    this.clinic = parts.clinic;
    this.webhookId = parts.webhookId;
    this.context = { clinicId: parts.clinic.id, outbox: { seal: parts.seal, clock: parts.clock } };
  }

  get id(): number {
    return this.clinic.id;
  }

  /** One transaction in this clinic. */
  inTransaction<Result>(work: (tx: Tx) => Promise<Result>): Promise<Result> {
    return inClinic(this.db, this.id, work);
  }

  /** One transaction with its unit of consult changes. */
  change<Result>(work: (changes: ConsultChanges) => Promise<Result>): Promise<Result> {
    return this.inTransaction((tx) => changeConsults(tx, this.context, work));
  }

  practitioner(name = "Pat Pretend", email = "pat.pretend@example.test"): Promise<PractitionerRow> {
    return this.inTransaction((tx) => addPractitioner(tx, this.id, { name, email }));
  }

  patient(name = "Sam Sample", email: string | null = "sam.sample@example.test"): Promise<PatientRow> {
    return this.inTransaction((tx) => addPatient(tx, this.id, { name, email }));
  }

  /** `count` patients and their ids, in one transaction. */
  async patients(count: number): Promise<number[]> {
    return this.inTransaction(async (tx) => {
      const ids: number[] = [];
      for (let at = 0; at < count; at += 1) {
        const { id } = await addPatient(tx, this.id, { name: `Sample ${at}`, email: null });
        ids.push(id);
      }
      return ids;
    });
  }

  service(kind: ServiceRow["kind"] = "class", capacity: number | null = null): Promise<ServiceRow> {
    const service = { name: `Invented ${kind}`, kind, durationMinutes: 60, capacity };
    return this.inTransaction((tx) => addService(tx, this.id, service));
  }

  schedule(consult: NewConsult): Promise<number> {
    return this.change((changes) => scheduleConsult(changes, consult));
  }

  /** The events stored since the last call, in the order in which this clinic's webhook would be told. */
  async news<F extends Facts = ConsultFacts>(): Promise<StoredEvent<F>[]> {
    const rows = await this.owner
      .selectFrom("deliveries as d")
      .innerJoin("events as e", (join) =>
        join.onRef("e.clinic_id", "=", "d.clinic_id").onRef("e.id", "=", "d.event_id"),
      )
      .select(["d.id as deliveryId", "d.part", "e.id", "e.subject", "e.subject_version", "e.facts"])
      .where("d.clinic_id", "=", this.id)
      .where("d.webhook_id", "=", this.webhookId)
      .where("d.id", ">", this.#lastDelivery)
      .orderBy("d.id")
      .execute();
    this.#lastDelivery = rows.at(-1)?.deliveryId ?? this.#lastDelivery;
    const seal = await this.seal.forClinic(this.owner, this.id);
    return rows
      .filter(({ part }) => part === 0)
      .map((row) => ({
        subject: row.subject,
        subjectVersion: row.subject_version,
        parts: rows.filter(({ id }) => id === row.id).length,
        facts: readFacts<F>(seal.open({ column: "events.facts", row: row.id }, row.facts as Buffer)),
      }));
  }
}

/** Facts that the SDK's own check refuses would fail at the sender: no test may pass with them. */
function readFacts<F extends Facts>(text: string): F {
  const value: unknown = JSON.parse(text);
  const checked = checkFacts(value);
  if (!checked.ok) throw new Error(`facts are not of their shape: ${JSON.stringify(checked.problems)}`);
  return checked.facts as F;
}

/** Creates a clinic (Toronto, unless told) with a webhook that listens to all events. */
export async function createTestClinic(pools: Pools, clinic: Partial<NewClinic> = {}): Promise<TestClinic> {
  const owner = createKysely<Database>(pools.owner);
  const seal = new Seal(createSecretKey(randomBytes(32)));
  const made = await createClinic(owner, seal, { name: "Invented Clinic", timeZone: "America/Toronto", ...clinic });
  const { rows } = await sql<{ id: number }>`
    insert into webhooks (clinic_id, name, url, url_host, events, enabled,
      recipient_organisation, recipient_country, recipient_purpose, recipient_agreement_on_file) values
      (${made.id}, 'Invented receiver', ${randomBytes(40)}, 'hooks.example.test', ${[...EVENT_NAMES]}::text[], true,
       'Invented Partner', 'CA', 'A test', true)
    returning id`.execute(owner);
  const webhookId = rows[0]?.id;
  if (webhookId === undefined) throw new Error("the test's webhook was not stored");
  const clock = fixedClock("2026-06-01T12:00:00Z");
  return new TestClinic({ db: createKysely<Database>(pools.app), owner, seal, clock, clinic: made, webhookId });
}
