/**
 * What the benchmarks send: invented clinics with webhooks, and events that come in through the outbox, sealed and fanned
 * out by the same code as everybody's. Only the clinics and webhooks themselves are inserted by a statement of our own,
 * because there are tens of thousands of them.
 */
import { createSecretKey, randomBytes } from "node:crypto";
import { type ConsultFacts, generateSecret, sampleFacts } from "@hookwell/sdk";
import { systemClock } from "../server/src/clock.ts";
import { createKysely, createPools, inClinic, type Pools } from "../server/src/db/pool.ts";
import type { Db } from "../server/src/db/schema.ts";
import { silentLog } from "../server/src/log.ts";
import { type BatchEvent, EVENTS_PER_BATCH_MAX, emitMany } from "../server/src/outbox/emit.ts";
import { type ClinicSeal, Seal } from "../server/src/seal/seal.ts";

/** A webhook's pace and concurrency as a manager may set them: the pace as high as it goes, the concurrency as it is. */
const PACE_PER_SECOND = 1_000;
const CONCURRENCY = 8;
const CLINICS_AT_ONCE = 8;

export type ConsultEvent = ConsultFacts["event"];

export interface ClinicsOptions {
  clinics: number;
  /** The webhooks of each clinic: what each listens to, and where it sends. */
  webhooks: readonly { event: ConsultEvent; url: string }[];
}

export interface BenchClinic {
  id: number;
  webhookIds: number[];
}

export interface BenchEvent {
  event: ConsultEvent;
  subject: string;
}

export class Workload {
  readonly pools: Pools;
  readonly #app: Db;
  readonly #seal: Seal;

  /** @param masterKey base64 of 32 bytes, the same that the server under test has */
  constructor(databaseUrl: string, masterKey: string) {
    const url = new URL(databaseUrl);
    // Preparing is not measured, and need not wait for the disk; the next checkpoint puts it there.
    url.searchParams.set("options", "-c synchronous_commit=off");
    this.pools = createPools({ url: url.href, log: silentLog(), appConnectionsMax: CLINICS_AT_ONCE });
    this.#app = createKysely(this.pools.app);
    this.#seal = new Seal(createSecretKey(Buffer.from(masterKey, "base64")));
  }

  /** Makes clinics with webhooks whose address has answered before. The ids of the clinics follow each other. */
  async createClinics(options: ClinicsOptions): Promise<BenchClinic[]> {
    const { rows } = await this.pools.owner.query<{ id: number }>(
      `insert into clinics (name, time_zone, data_key, data_key_id, inbox_token)
       select 'Bench Clinic', 'America/Toronto', decode(k.data_key, 'hex'), k.id, k.token
       from unnest($1::text[], $2::uuid[], $3::text[]) with ordinality as k (data_key, id, token, place) order by k.place
       returning id`,
      newClinics(this.#seal, options.clinics),
    );
    const clinics = rows.map(({ id }) => ({ id, webhookIds: [] as number[] }));
    for (const webhook of options.webhooks) await this.#createWebhooks(clinics, webhook);
    return clinics;
  }

  /** Emits events for each of the clinics, as many clinics at once as there are connections; commits as it goes. */
  async emit(clinics: readonly BenchClinic[], eventsOf: (clinic: BenchClinic) => BenchEvent[]): Promise<void> {
    const waiting = clinics.values();
    const worker = async () => {
      for (const clinic of waiting) await this.#emitFor(clinic.id, eventsOf(clinic).map(toEvent));
    };
    await Promise.all(Array.from({ length: CLINICS_AT_ONCE }, worker));
  }

  async close(): Promise<void> {
    await this.pools.close();
  }

  async #emitFor(clinicId: number, events: BatchEvent[]): Promise<void> {
    for (let at = 0; at < events.length; at += EVENTS_PER_BATCH_MAX) {
      const batch = { clinicId, events: events.slice(at, at + EVENTS_PER_BATCH_MAX) };
      await inClinic(this.#app, clinicId, (tx) => emitMany({ seal: this.#seal, clock: systemClock }, tx, batch));
    }
  }

  /** One webhook for each of the clinics. */
  async #createWebhooks(clinics: BenchClinic[], webhook: ClinicsOptions["webhooks"][number]): Promise<void> {
    const { owner } = this.pools;
    const { rows } = await owner.query<{ id: number; secret_id: number }>(
      `select nextval(pg_get_serial_sequence('webhooks', 'id')) as id,
         nextval(pg_get_serial_sequence('webhook_secrets', 'id')) as secret_id from generate_series(1, $1)`,
      [clinics.length],
    );
    const seals: ClinicSeal[] = [];
    for (const clinic of clinics) seals.push(await this.#seal.forClinic(createKysely(owner), clinic.id));
    const sealed = rows.map(({ id, secret_id }, at) => {
      clinics[at]?.webhookIds.push(id);
      const seal = seals[at] as ClinicSeal;
      return {
        url: seal.seal({ column: "webhooks.url", row: id }, webhook.url).toString("hex"),
        secret: seal
          .seal({ column: "webhook_secrets.secret", row: `${id}/${secret_id}` }, generateSecret())
          .toString("hex"),
      };
    });
    await owner.query(INSERT_WEBHOOKS, [
      clinics.map(({ id }) => id),
      rows.map(({ id }) => id),
      sealed.map(({ url }) => url),
      rows.map(({ secret_id }) => secret_id),
      sealed.map(({ secret }) => secret),
      ...[new URL(webhook.url).host, webhook.event, PACE_PER_SECOND, CONCURRENCY],
    ]);
  }
}

const INSERT_WEBHOOKS = `
  with given as materialized (
    select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::text[])
      as g (clinic_id, id, url, secret_id, secret)),
  webhook as (
    insert into webhooks (clinic_id, id, name, url, url_host, events, include_practitioner, include_patient, pace_per_second,
      concurrency, enabled, recipient_organisation, recipient_country, recipient_purpose, recipient_agreement_on_file)
    overriding system value
    select clinic_id, id, 'Bench', decode(url, 'hex'), $6, array[$7], 'id', 'all', $8, $9, true, 'Example Org', 'CA', 'testing', true
    from given
    returning clinic_id, id),
  run as (
    insert into runs (clinic_id, webhook_id, answered_at) select clinic_id, id, now() + interval '1 millisecond' from webhook)
  insert into webhook_secrets (clinic_id, webhook_id, id, secret)
  overriding system value
  select clinic_id, id, secret_id, decode(secret, 'hex') from given`;

/** Columns of new clinics: wrapped keys in hex, their ids, inbox tokens. */
function newClinics(seal: Seal, count: number): string[][] {
  const keys = Array.from({ length: count }, () => seal.newDataKey());
  return [
    keys.map(({ data_key }) => data_key.toString("hex")),
    keys.map(({ data_key_id }) => data_key_id),
    keys.map(() => randomBytes(24).toString("hex")),
  ];
}

/** A consult with one patient and his name and address: some 320 bytes as they are sent. */
function toEvent({ event, subject }: BenchEvent): BatchEvent {
  return { subject, facts: { ...sampleFacts("participant.added"), event } };
}
